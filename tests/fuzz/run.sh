#!/bin/sh
# Runs libFuzzer harnesses: run.sh BUILD-DIR SECONDS WHERE [NAME]...
# BUILD-DIR was configured with CC=clang --enable-fuzzers. What is found and what grew of the seeds is kept in
# WHERE/NAME and WHERE/NAME.new, libFuzzer's own words in WHERE/NAME.log. Two at a time ($JOBS). Exits 1 when
# something was found; then what libFuzzer says of it and the input in base64 are printed, for logs that outlive the files.
# An input may take 30 s by the clock, and the process 1 GB: machines are busy, and AddressSanitizer keeps what is freed.
# What exceeded one of these two has to do so alone, too, to count. The seed is fixed ($FUZZ_SEED), so that what CI says is
# of the change and not of luck; fuzzing in earnest takes other seeds (0: one of the time).
set -eu
build=$1 seconds=$2 where=$3
shift 3
here=$(cd "$(dirname "$0")" && pwd)
test $# -gt 0 || set -- $(ls "$build"/tests/fuzz/fuzz_* | sed -n 's/.*fuzz_\([a-z_]*\)$/\1/p')
mkdir -p "$where"
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:allocator_may_return_null=1"

limits="-timeout=30 -rss_limit_mb=1024"

one() {
	dict=
	test ! -f "$here/$1.dict" || dict=-dict=$here/$1.dict
	mkdir -p "$where/$1" "$where/$1.new"
	rm -f "$where/$1/failed"
	"$build/tests/fuzz/fuzz_$1" $dict -seed="${FUZZ_SEED:-1}" -max_total_time="$seconds" $limits \
		-artifact_prefix="$where/$1/" -print_final_stats=1 "$where/$1.new" "$here/seeds/$1" >"$where/$1.log" 2>&1 ||
		: >"$where/$1/failed"
}
for name; do
	one "$name" &
	running=$((${running:-0} + 1))
	test $((running % ${JOBS:-2})) -ne 0 || wait
done
wait
status=0
for name; do
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$where/$name.log")
	edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$where/$name.log" | tail -1)
	echo "fuzz_$name: ${runs:-?} runs, ${edges:-?} edges, $(find "$where/$name" -type f ! -name failed | wc -l) findings"
	test -e "$where/$name/failed" || continue
	grep -aE -A 12 'ERROR: |SUMMARY: |runtime error: ' "$where/$name.log" | head -n 40
	input=$(sed -n 's/.*Test unit written to //p' "$where/$name.log" | tail -n 1)
	test ! -f "$input" || base64 -w 120 "$input" | head -n 60
	case ${input##*/} in
	timeout-* | oom-*)
		if "$build/tests/fuzz/fuzz_$name" $limits "$input" >>"$where/$name.log" 2>&1; then
			echo "${input##*/} does not exceed the limit alone"
			continue
		fi
		;;
	esac
	status=1
done
exit $status
