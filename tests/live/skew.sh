#!/bin/sh
# skew, live: a server on one CPU with GOMAXPROCS 4 has its preemption caught by pprof and not by perf, and of two
# processes of one binary the profiled one must be named. Skips where perf may not record, and says of a
# machine that gave the server no time that it cannot tell.
set -u
. "${srcdir:-.}/tests/live/again.sh"
perfskew=${PERFSKEW:-./perfskew}
server=${srcdir:-.}/samples/recording/bin/server
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

case $(uname -m) in
x86_64) ;;
*) echo "skip: the bundled program is for x86-64"; exit 77 ;;
esac
for tool in perf taskset; do
	command -v $tool >/dev/null 2>&1 || { echo "skip: no $tool here"; exit 77; }
done
perf record -q -e cpu-clock:u -F 999 -o "$dir/try" -- sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done' >/dev/null 2>&1
perf script -i "$dir/try" -F comm 2>/dev/null | grep -q . ||
	{ echo "skip: perf may not record here (perf_event_paranoid, container)"; exit 77; }

# value FILE METRIC KEY
value() {
	awk -v name="\"$2\":{" -v key="\"$3\":" 'index($0, name) { on = 1 }
		on && index($0, key) { sub(/.*:/, ""); sub(/,$/, ""); print; exit }' "$1"
}
check() { # NAME CONDITION OF x
	if awk -v x="$3" "BEGIN { exit !($2) }"; then
		echo "ok $1: $3"
	else
		echo "not ok $1: $3"
		status=1
	fi
}

"$perfskew" record -q -F 999 -o "$dir/one" --pprof "$dir/cpu" -- taskset -c 0 "$server" -procs 4 -clients 32 -seconds 4 \
	-cpuprofile "$dir/cpu" >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
"$perfskew" skew -q --format json "$dir/one" >"$dir/json" || exit 1
n=$(awk '/"pprof":/ { on = 1 } on && /"samples":/ { gsub(/[^0-9]/, ""); print; exit }' "$dir/json")
if [ "$n" -ge 50 ]; then
	check "preemption caught by pprof" "x > 0.02" "$(value "$dir/json" preemption_capture_excess value)"
	check "beyond noise, p" "x < 0.01" "$(value "$dir/json" preemption_capture_excess p_value)"
	check "and not by perf" "x < 0.01" "$(value "$dir/json" preemption_capture_excess perf_share)"
	check "no more time than perf's" "x < 1.05" "$(value "$dir/json" coverage value)"
	check "in the findings" "x == 1" "$(grep -c '"text":"pprof charges .* to the preemption path' "$dir/json")"
else
	echo "skip preemption: pprof has $n samples, the machine is too busy to tell"
fi

perf record -q -k mono -e cpu-clock -F 499 --call-graph dwarf,8192 -o "$dir/two" -- \
	sh -c "'$server' -seconds 1 >/dev/null 2>&1 & '$server' -seconds 1 -cpuprofile '$dir/cpu2' >/dev/null 2>&1; wait" >/dev/null 2>&1
"$perfskew" skew "$dir/two" "$dir/cpu2" >"$dir/out" 2>&1
check "two processes, exit" "x == 2" $?
check "candidates named" "x == 1" "$(grep -Ec '2 processes may be the one .* choose with --pid: process [0-9]+ \([0-9]+ samples\), process [0-9]+' "$dir/out")"
pid=$(sed -n 's/.*--pid: process \([0-9]*\).*/\1/p' "$dir/out")
"$perfskew" skew -q --pid "$pid" "$dir/two" "$dir/cpu2" >"$dir/out" 2>&1
check "with --pid, exit" "x == 0" $?
[ $status = 0 ] || head -n 5 "$dir/out"
exit $status
