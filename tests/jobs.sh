#!/bin/sh
# The number of workers must not show: the same bytes with one, two and five of them, for the bundled
# recording (compressed) and for plain ones large enough to be walked in several pieces.
set -u
perfskew=${PERFSKEW:-./perfskew}
src=${srcdir:-.}
grow=tests/bench/grow
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

same() { # NAME ARGUMENTS...
	name=$1
	shift
	"$perfskew" "$@" -q -j1 >"$dir/1" 2>"$dir/e1"
	for jobs in 2 5; do
		"$perfskew" "$@" -q -j$jobs >"$dir/n" 2>"$dir/en"
		if ! cmp -s "$dir/1" "$dir/n" || ! cmp -s "$dir/e1" "$dir/en" || ! [ -s "$dir/1" ]; then
			echo "FAIL: $name: -j1 and -j$jobs differ"
			status=1
		fi
	done
}

all_outputs() { # NAME FILE
	same "$1 info" info --format json "$2"
	same "$1 folded" convert -f folded "$2"
	same "$1 pprof" convert -f pprof -o - "$2"
	same "$1 report" report "$2"
	same "$1 html" flame -o - --format html "$2"
	same "$1 flame" flame -o - --format svg "$2"
	same "$1 flamechart" flame --flamechart -o - --format svg "$2"
	same "$1 threads" convert -f folded --by thread "$2"
}

all_outputs bundled "$src/samples/recording"
same "bundled skew" skew --format json "$src/samples/recording"
same "bundled goroutines" convert -f folded --by goroutine "$src/samples/recording"
for what in stacks maps threads; do
	"$grow" $what 2000 "$perfskew" "$dir/grown"
	all_outputs $what "$dir/grown"
done
# several pieces of the walk: over 12 MB
"$grow" stacks 90000 "$perfskew" "$dir/grown"
same "many pieces" convert -f folded "$dir/grown"
[ $status = 0 ] && echo "1 passed, 0 failed"
exit $status
