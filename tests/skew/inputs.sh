#!/bin/sh
# What skew says of profiles that do not fit the recording, or lack what it needs.
set -u
perfskew=${PERFSKEW:-./perfskew}
src=${srcdir:-.}
plant=tests/skew/plant
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0
perf=$src/samples/recording/perf.data
pprof=$src/samples/recording/cpu.pb.gz
own=$("$perfskew" convert -q -f pprof -o - "$pprof" 2>/dev/null | wc -c)
[ "$own" -gt 0 ] || exit 1

# expect NAME EXIT PATTERN: of the planted profile; PATTERN is searched in what is printed
expect() {
	"$perfskew" skew "$perf" "$dir/x.pb.gz" >"$dir/out" 2>&1
	got=$?
	if [ $got = "$2" ] && grep -Eq "$3" "$dir/out"; then
		echo "ok $1"
	else
		echo "not ok $1: exit $got instead of $2, or no '$3' in:"
		head -n 5 "$dir/out"
		status=1
	fi
}
plant() { "$plant" "$pprof" "$dir/x.pb.gz" set "$@" || status=1; }

plant build-id 00112233445566778899aabbccddeeff00112233
expect "another binary" 2 'another binary.*00112233445566778899aabbccddeeff00112233.* is [0-9a-f]{40}$'
plant heap
expect "a heap profile" 2 'no CPU profile; its sample types are inuse_objects/count, inuse_space/bytes'
plant empty
expect "no samples" 3 'the profile has no samples'
plant shift 1000
expect "other seconds, later" 3 'no sample lies in the seconds that the profile covers'
plant shift -1000
expect "other seconds, earlier" 3 'no sample lies in the seconds that the profile covers'
plant shift 5
expect "other seconds in part" 0 'did not cover the same seconds'
plant shift none
expect "unchanged" 0 'pprof charges .* % of CPU to the preemption path'
plant uncounted
expect "counts told by the period" 0 'pprof  [0-9]+ samples'
plant uncountable
expect "no counts at all" 0 'what is noise cannot be told'
grep -q 'nan' "$dir/out" && { echo "not ok no counts at all: nan is printed"; status=1; }
exit $status
