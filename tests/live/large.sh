#!/bin/sh
# A fresh recording of a C++ program, and the same one ten times as long: the fast paths (all workers,
# pieces, caches) against libdw's own walk by one worker, stack by stack, and against themselves with
# another number of workers, byte for byte. Skips what this machine has no perf or no right for.
set -u
. "${srcdir:-.}/tests/live/again.sh"
perfskew=${PERFSKEW:-./perfskew}
grow=tests/bench/grow
src=${srcdir:-.}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

for tool in g++ perf; do
	command -v $tool >/dev/null 2>&1 || { echo "skip: no $tool here"; exit 77; }
done
g++ -O2 -g -o "$dir/cplus" "$src/samples/cplus/main.cc" -lpthread || exit 1
perf record -q -m 2048 -e cpu-clock -F 999 --call-graph dwarf,16384 -o "$dir/one" -- "$dir/cplus" 1 >"$dir/log" 2>&1
perf script -i "$dir/one" -F comm 2>/dev/null | grep -q . ||
	{ echo "skip: perf may not record here (perf_event_paranoid, container)"; exit 77; }

"$perfskew" convert -q -j1 --unwinder libdw -f folded "$dir/one" >"$dir/libdw"
"$perfskew" convert -q -f folded "$dir/one" >"$dir/auto"
# samples whose stack only one of the two has
other=$(sort "$dir/libdw" "$dir/auto" | uniq -u | awk '{n += $NF} END {print int(n / 2)}')
all=$(awk '{n += $NF} END {print n + 0}' "$dir/auto")
echo "$other of $all samples have another stack by libdw"
diff "$dir/libdw" "$dir/auto" | cut -c 1-400
if [ "$all" -lt 100 ] || [ $((other * 33)) -gt "$all" ]; then
	echo "FAIL: more than 3 %"
	status=1
fi

"$grow" repeat 10 "$dir/one" "$dir/ten" || exit 1
"$perfskew" convert -q -j1 -f folded "$dir/ten" >"$dir/1"
for jobs in 2 5; do
	"$perfskew" convert -q -j$jobs -f folded "$dir/ten" >"$dir/n"
	cmp -s "$dir/1" "$dir/n" || { echo "FAIL: ten times as long, -j$jobs"; status=1; }
done
# The samples repeated are the samples ten times, but for the command's name, which ends with the process.
stacks() { # FILE TIMES
	awk -v times="$2" '{n = $NF; sub(/ [0-9]+$/, ""); sub(/^[^;]*;/, ""); sum[$0] += n * times}
		END {for (s in sum) print s, sum[s]}' "$1" | LC_ALL=C sort
}
stacks "$dir/auto" 10 >"$dir/want"
stacks "$dir/1" 1 >"$dir/have"
cmp -s "$dir/want" "$dir/have" || { echo "FAIL: ten times the samples are other stacks"; status=1; }
exit $status
