#!/bin/sh
# Takes each bounds check of what reads foreign bytes away in turn and says which of them no test misses.
#
#   tests/mutate/run.sh [-n] [-s K/N] [FILE...]
#
# -n lists the checks only; -s takes every Nth, from the Kth on, so that several can run beside each other. FILE: as the
# repository has it, default all parsers. A copy of the tree is built with the sanitizers, in which the variable TAKE_AWAY
# names the check to leave out; for each, the seeds of all harnesses, mutants of tests/hostile and the unit tests are run until
# one fails. Those that another check stands behind, and nothing changes without them, are in tests/mutate/equivalent, with
# the reason. Up to a minute a check: not a part of `make check`. Exits 1 when a check is missed by nothing and not listed.
set -eu
cd "$(dirname "$0")/../.."
list= share=1/1
while getopts ns: opt; do
	case $opt in
	n) list=1 ;;
	s) share=$OPTARG ;;
	*) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
test $# -gt 0 || set -- src/base/cursor.[ch] src/base/gzip.c src/perfdata/*.c src/process/*.c src/trace/*.c \
	src/unwind/unwind.c src/unwind/auto.c src/unwind/cfi*.c src/unwind/code.c src/unwind/expr.c src/unwind/fp.c \
	src/profile/pprof_read.c src/profile/pprof_old.c src/profile/folded.c src/profile/regex.c
tab=$(printf '\t')
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
nr=0
for file; do
	awk -v nr=$nr -f tests/mutate/checks.awk "$file" | sed "s|^|$file$tab|"
	nr=$((nr + 1000))
done | awk -v share="$share" 'BEGIN { split(share, s, "/") } NR % s[2] == s[1] % s[2]' >"$tmp/checks"
if [ "$list" ]; then
	cut -f 1,3- "$tmp/checks"
	exit 0
fi

git archive --prefix=tree/ HEAD | tar -x -C "$tmp"
tree=$tmp/tree
git diff HEAD --binary | (cd "$tree" && git apply --allow-empty)
nr=0
for file; do
	awk -v nr=$nr -v arm=1 -f tests/mutate/checks.awk "$file" >"$tree/$file"
	nr=$((nr + 1000))
done
cat tests/mutate/taken.c >>"$tree/src/base/cursor.c"
(cd "$tree" && ./autogen.sh && mkdir build && cd build && ../configure -q --enable-sanitize CFLAGS='-O1 -g') >"$tmp/log" 2>&1
harnesses=$(cd "$tree/tests/fuzz" && ls fuzz_*.c | sed 's|fuzz_\(.*\)\.c|tests/fuzz/replay_\1|')
make -s -C "$tree/build" -j2 tests/hostile/hostile tests/unit/run $harnesses >>"$tmp/log" 2>&1 || { tail "$tmp/log"; exit 99; }

# Prints who notices. No corpus: the suite alone is asked. What takes longer than $limit seconds hangs.
noticed_by() (
	cd "$tree/build"
	export srcdir=.. CORPUS=/nonexistent LSAN_OPTIONS=suppressions=$tree/tests/lsan.supp:print_suppressions=0
	for program in $harnesses "tests/hostile/hostile -n 200" tests/unit/run; do
		timeout "$limit" $program >>"$tmp/log" 2>&1 || { echo "$program"; exit; }
	done
)

# How long a machine with this much to do needs for all without a change, thrice, and a quarter of a minute.
limit=1200 began=$(date +%s)
by=$(noticed_by)
limit=$((15 + 3 * ($(date +%s) - began)))
test -z "$by" || { echo "$by fails without any change:"; tail "$tmp/log"; exit 99; }
noticed=0 listed=0 missed=0
while IFS=$tab read -r file nr line condition; do
	by=$(export TAKE_AWAY=$nr && noticed_by)
	if [ "$by" ]; then
		noticed=$((noticed + 1))
	elif grep -qF "$file: $condition:" tests/mutate/equivalent; then
		listed=$((listed + 1))
	else
		echo "missed by nothing: $file:$line: $condition"
		missed=$((missed + 1))
	fi
done <"$tmp/checks"
echo "$((noticed + listed + missed)) checks: $noticed noticed, $listed with another behind them, $missed missed by nothing"
test $missed = 0
