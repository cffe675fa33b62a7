#!/bin/sh
# Takes each bounds check of what reads foreign bytes away in turn and says which of them no test misses.
#
#   tests/mutate/run.sh [-n] [-s K/N] [FILE...]
#
# -n lists the checks only; -s takes every Nth, from the Kth on, so that several can run beside each other. FILE: as the
# repository has it, default all parsers. A copy of the tree is built with the sanitizers; for each check one file is compiled
# anew, and mutants of tests/hostile, the seeds of all harnesses and the unit tests are run until one fails. Those that
# another check stands behind, and nothing changes without them, are in tests/mutate/equivalent, with the reason.
# Half a minute a check: not a part of `make check`. Exits 1 when a check is missed by nothing and not listed.
set -eu
cd "$(dirname "$0")/../.."
list= share=1/1
while getopts ns: opt; do
	case $opt in
	n) list=1 ;;
	s) share=$OPTARG ;;
	*) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
test $# -gt 0 || set -- src/base/cursor.[ch] src/base/gzip.c src/perfdata/*.c src/process/*.c src/trace/*.c \
	src/unwind/unwind.c src/unwind/auto.c src/unwind/cfi*.c src/unwind/code.c src/unwind/expr.c src/unwind/fp.c \
	src/profile/pprof_read.c src/profile/pprof_old.c src/profile/folded.c src/profile/regex.c
tab=$(printf '\t')
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for file; do
	awk -f tests/mutate/checks.awk "$file" | sed "s|^|$file$tab|"
done | awk -v share="$share" 'BEGIN { split(share, s, "/") } NR % s[2] == s[1] % s[2]' >"$tmp/checks"
if [ "$list" ]; then
	cut -f 1,2,5 "$tmp/checks"
	exit 0
fi

git archive --prefix=tree/ HEAD | tar -x -C "$tmp"
tree=$tmp/tree
git diff HEAD --binary | (cd "$tree" && git apply --allow-empty)
(cd "$tree" && ./autogen.sh && mkdir build && cd build && ../configure -q --enable-sanitize CFLAGS='-O1 -g0') >"$tmp/log" 2>&1
harnesses=$(cd "$tree/tests/fuzz" && ls fuzz_*.c | sed 's|fuzz_\(.*\)\.c|tests/fuzz/replay_\1|')
make -s -C "$tree/build" -j2 tests/hostile/hostile tests/unit/run $harnesses >>"$tmp/log" 2>&1 || { tail "$tmp/log"; exit 99; }

# Prints who notices. No corpus: the suite alone is asked. What takes longer than $limit seconds hangs.
noticed_by() (
	cd "$tree/build"
	export srcdir=.. CORPUS=/nonexistent LSAN_OPTIONS=suppressions=$tree/tests/lsan.supp:print_suppressions=0
	timeout $limit tests/hostile/hostile -n 200 >>"$tmp/log" 2>&1 || { echo hostile; exit; }
	for harness in $harnesses; do
		{ make -s "$harness" && timeout $limit "$harness"; } >>"$tmp/log" 2>&1 || { echo "${harness##*/}"; exit; }
	done
	make -s tests/unit/run >>"$tmp/log" 2>&1
	timeout $limit tests/unit/run >>"$tmp/log" 2>&1 || echo "unit tests"
)

# How long a machine with this much to do needs for all without a change, thrice, and a quarter of a minute.
limit=1200 began=$(date +%s)
by=$(noticed_by)
limit=$((15 + 3 * ($(date +%s) - began)))
test -z "$by" || { echo "$by fails without any change:"; tail "$tmp/log"; exit 99; }
noticed=0 listed=0 missed=0
while IFS=$tab read -r file first last text condition; do
	{
		head -n $((first - 1)) "$file"
		printf '%s\n' "$text"
		tail -n +$((last + 1)) "$file"
	} >"$tree/$file"
	: >"$tmp/log"
	if ! make -s -C "$tree/build" tests/hostile/hostile >>"$tmp/log" 2>&1; then
		echo "does not compile: $file:$first: $condition"
		tail -n 3 "$tmp/log"
		missed=$((missed + 1))
	elif by=$(noticed_by) && test -n "$by"; then
		noticed=$((noticed + 1))
	elif grep -qF "$file: $condition:" tests/mutate/equivalent; then
		listed=$((listed + 1))
	else
		echo "missed by nothing: $file:$first: $condition"
		missed=$((missed + 1))
	fi
	cp "$file" "$tree/$file"
	touch "$tree/$file"
done <"$tmp/checks"
echo "$((noticed + listed + missed)) checks: $noticed noticed, $listed with another behind them, $missed missed by nothing"
test $missed = 0
