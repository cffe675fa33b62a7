#!/bin/sh
# Counts the instructions of fixed work on the bundled recording with valgrind's callgrind and compares
# them with the stored counts, since times on shared machines are noise. Exits 1 where one is
# more than 5 % above its count; `guard.sh update` stores anew. What the C library and libdw do is
# counted, too, so the counts are of one distribution: the line begins with its name, and on another
# one nothing is compared.
set -eu
perfskew=${PERFSKEW:-build/perfskew}
src=${srcdir:-.}
stored=$src/tests/bench/instructions
tolerance=5
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
command -v valgrind >/dev/null || { echo "skip: no valgrind"; exit 77; }
system=$(. /etc/os-release && echo "$ID-${VERSION_ID:-rolling}-$(uname -m)")

# The binaries, kernel symbols and search paths are the recording's own: no file of this machine counts.
count() { # NAME ARGUMENTS...
	name=$1
	shift
	HOME=$tmp valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file="$tmp/log" \
		"$perfskew" "$@" -q -j1 >/dev/null
	awk -v s="$system" -v n="$name" '/Collected/ {print s, n, $4}' "$tmp/log"
}
{
	count info info "$src/samples/recording"
	count folded convert -f folded "$src/samples/recording"
	count pprof convert -f pprof -o "$tmp/x.pb.gz" "$src/samples/recording"
	count flame flame -o "$tmp/x.svg" "$src/samples/recording"
	count skew skew --format json "$src/samples/recording"
} >"$tmp/now"

if [ "${1:-}" = update ]; then
	grep -v "^$system " "$stored" >"$tmp/others" 2>/dev/null || true
	cat "$tmp/others" "$tmp/now" >"$stored"
	cat "$tmp/now"
	exit 0
fi
grep -q "^$system " "$stored" || { echo "skip: no counts for $system"; exit 77; }
awk -v s="$system" -v tolerance=$tolerance '
	NR == FNR {if ($1 == s) want[$2] = $3; next}
	{
		change = want[$2] ? 100 * ($3 - want[$2]) / want[$2] : 0
		verdict = !want[$2] ? "new" : change > tolerance ? "TOO MANY" : change < -tolerance ? "fewer: store anew" : "ok"
		printf "%-8s %12d instructions, %+.1f %%: %s\n", $2, $3, change, verdict
		bad += verdict == "TOO MANY"
	}
	END {exit bad > 0}' "$stored" "$tmp/now"
