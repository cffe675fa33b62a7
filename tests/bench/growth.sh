#!/bin/sh
# How the cost of reading, unwinding and naming grows with one, two and four times of what a recording has, in instructions
# that valgrind's callgrind counts, so that it does not matter how busy the machine is. What starting costs is left out:
# from two to four times may cost at most 2.2 times of what from one to two times costs (linear, and a tenth), for stacks
# that are all alike or all different, mappings and threads.
set -u
perfskew=${PERFSKEW:-$PWD/perfskew}
grow=${GROW:-$PWD/tests/bench/grow}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
command -v valgrind >/dev/null || { echo "skipped: no valgrind"; exit 77; }
valgrind -q "$perfskew" --version >/dev/null 2>&1 || { echo "skipped: valgrind cannot run this build (sanitizers)"; exit 77; }
command -v strip >/dev/null || { echo "skipped: no strip"; exit 77; }
status=0
# debug information costs the same each time: without
strip -o "$tmp/binary" "$perfskew" || exit 99

instructions() { # FILE
	HOME=$tmp valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file="$tmp/log" \
		"$perfskew" convert -f folded -q -j1 --no-sandbox -o "$tmp/x.folded" "$1" >/dev/null 2>&1
	awk '/Collected/ {print $4}' "$tmp/log"
}

check() { # WHAT COUNT...
	what=$1
	shift
	set -- $(for n; do
		"$grow" "$what" "$n" "${in:-$tmp/binary}" "$tmp/in" || exit 1
		instructions "$tmp/in"
	done)
	if echo "$*" | awk -v what="$what" '{
		first = $2 - $1; second = $3 - $2
		printf "%s: %.1f, %.1f, %.1f million instructions; %.2f times for twice as much\n", what, $1 / 1e6, $2 / 1e6, $3 / 1e6, second / first
		exit !(NF == 3 && first > 0 && second <= 2.2 * first)
	}'; then
		echo "ok - $what"
	else
		echo "not ok - $what"
		status=1
	fi
}

check stacks 750 1500 3000
check maps 500 1000 2000
check threads 500 1000 2000
# the same samples again and again, their stacks are known after the first time
"$grow" stacks 1000 "$tmp/binary" "$tmp/once" || exit 99
in=$tmp/once
check repeat 3 6 12
exit $status
