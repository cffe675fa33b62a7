#!/bin/sh
# Skew that was planted is found, to 0.001. The bundled recording is written as pprof; unchanged it has
# no difference, and of what tests/skew/plant puts in, every metric is calculated here by hand, from
# the shares in perf (r) and what was taken from whom (w), both of all time. S, U: what perf has in
# scheduler stacks (with preemption), in user code. Prints a line a value; exits 1 where one is off.
set -u
perfskew=${PERFSKEW:-./perfskew}
src=${srcdir:-.}
plant=tests/skew/plant
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0
perf=$src/samples/recording/perf.data
user='^(compress/flate|encoding/json)[.]'
sched='^runtime[.](lock2|unlock2|futex|schedule|casgstatus)$'

skew() { "$perfskew" skew -q --format json "$@"; }
# metric FILE NAME [KEY]
metric() {
	awk -v name="\"$2\":{" -v key="\"${3:-value}\":" '
		index($0, name) { on = 1 }
		on && index($0, key) { sub(/.*:/, ""); sub(/,$/, ""); print; exit }' "$1"
}
# class FILE NAME: its share in perf
class() {
	awk -v name="\"class\":\"$2\"," 'index($0, name) { on = 1 }
		on && /"perf_share":/ { sub(/.*:/, ""); sub(/,$/, ""); print; exit }' "$1"
}
near() { # WHAT GOT WANTED [TOLERANCE]
	if awk -v a="$2" -v b="$3" -v t="${4:-0.001}" 'BEGIN { d = a - b; exit !(a != "" && a != "null" && d <= t && -d <= t) }'; then
		printf 'ok %s: %s\n' "$1" "$2"
	else
		printf 'not ok %s: %s instead of %s\n' "$1" "$2" "$3"
		status=1
	fi
}
planted() { awk '{ s += $1 } END { printf "%.9f", s }' "$dir/taken"; }
plant() { "$plant" "$dir/same.pb.gz" "$dir/changed.pb.gz" "$@" >"$dir/taken" || { echo "not ok plant $*"; exit 1; }; }
calc() { awk -v w="$(planted)" -v S="$S" -v U="$U" -v C="$C" "BEGIN { printf \"%.9f\", $1 }"; }

# unchanged
"$perfskew" convert -q -f pprof -o "$dir/same.pb.gz" "$perf" || exit 1
skew "$perf" "$dir/same.pb.gz" >"$dir/same" || exit 1
for m in user_code_share_error syscall_misattribution_rate syscall_misattribution_rate_path goroutine_switch_miss_rate \
	preemption_capture_excess total_variation_self total_variation_stack; do
	near "unchanged: $m" "$(metric "$dir/same" $m)" 0
	near "unchanged: $m, p" "$(metric "$dir/same" $m p_value)" 1 0
done
near "unchanged: coverage" "$(metric "$dir/same" coverage)" 1
flagged=$(awk '/"functions":/ { on = 1 } /"goroutines":/ { on = 0 } on && /"q_value":/ { sub(/.*:/, ""); n += $0 + 0 < 0.05 } END { print n + 0 }' "$dir/same")
near "unchanged: functions flagged" "$flagged" 0 0
"$perfskew" skew -q "$perf" "$dir/same.pb.gz" >"$dir/text"
if grep -q '^no difference beyond sampling noise' "$dir/text" && grep -q 'none differs' "$dir/text"; then
	echo "ok unchanged: said so"
else
	echo "not ok unchanged: not said"
	status=1
fi
U=$(class "$dir/same" user)
S=$(metric "$dir/same" goroutine_switch_miss_rate perf_share)
C=$(metric "$dir/same" syscall_misattribution_rate perf_share)

# scheduler samples dropped: what is left of pprof is 1 - w, and every leaf k has (r - w) / (1 - w)
plant drop "$sched" 0.6
skew "$perf" "$dir/changed.pb.gz" >"$dir/got"
miss=$(awk -v S="$S" '
	FNR == NR { taken[$2] += $1; w += $1; next }
	/"functions":/ { on = 1 }
	on && /"name":/ { sub(/.*"name":"/, ""); sub(/",$/, ""); name = $0 }
	on && /"perf_self":/ { sub(/.*:/, ""); if (name in taken) r[name] = $0 + 0 }
	END {
		both = S
		for (k in taken) {
			p = (r[k] - taken[k]) / (1 - w)
			both -= r[k] - (p < r[k] ? p : r[k])
		}
		printf "%.9f", 1 - both / S
	}' "$dir/taken" "$dir/same")
near "dropped: planted share" "$(planted)" "$(calc w)" 0
near "dropped: goroutine_switch_miss_rate" "$(metric "$dir/got" goroutine_switch_miss_rate)" "$miss"
near "dropped: user_code_share_error" "$(metric "$dir/got" user_code_share_error)" "$(calc '1 / (1 - w) - 1')"
near "dropped: coverage" "$(metric "$dir/got" coverage)" "$(calc '1 - w')"
near "dropped: total_variation_self" "$(metric "$dir/got" total_variation_self)" "$(awk -v S="$S" -v m="$miss" 'BEGIN { print S * m }')"
near "dropped: syscall_misattribution_rate" "$(metric "$dir/got" syscall_misattribution_rate)" 0
near "dropped: p of goroutine_switch_miss_rate" "$(metric "$dir/got" goroutine_switch_miss_rate p_value)" 0 0.01

# user code scaled down
plant drop "$user" 0.5
skew "$perf" "$dir/changed.pb.gz" >"$dir/got"
near "scaled: user_code_share_error" "$(metric "$dir/got" user_code_share_error)" "$(calc '(U - w) / (1 - w) / U - 1')"
near "scaled: goroutine_switch_miss_rate" "$(metric "$dir/got" goroutine_switch_miss_rate)" 0
near "scaled: preemption_capture_excess" "$(metric "$dir/got" preemption_capture_excess)" 0
near "scaled: coverage" "$(metric "$dir/got" coverage)" "$(calc '1 - w')"

# leaves in the preemption path
plant preempt "$user" 0.4
skew "$perf" "$dir/changed.pb.gz" >"$dir/got"
near "preempted: preemption_capture_excess" "$(metric "$dir/got" preemption_capture_excess)" "$(calc w)"
near "preempted: user_code_share_error" "$(metric "$dir/got" user_code_share_error)" "$(calc '-w / U')"
near "preempted: total_variation_self" "$(metric "$dir/got" total_variation_self)" "$(calc w)"
near "preempted: total_variation_stack" "$(metric "$dir/got" total_variation_stack)" "$(calc w)"
near "preempted: coverage" "$(metric "$dir/got" coverage)" 1
near "preempted: p" "$(metric "$dir/got" preemption_capture_excess p_value)" 0 0.01
"$perfskew" convert -q -f pprof --repair -o "$dir/repaired.pb.gz" "$dir/changed.pb.gz"
skew "$perf" "$dir/repaired.pb.gz" >"$dir/got"
near "repaired: total_variation_stack" "$(metric "$dir/got" total_variation_stack)" 0

# system calls charged to another caller
plant caller 'Syscall6$' 0.5 'net.(*netFD).Write' 'net.(*netFD).Other'
skew "$perf" "$dir/changed.pb.gz" >"$dir/got"
near "moved: syscall_misattribution_rate" "$(metric "$dir/got" syscall_misattribution_rate)" "$(calc 'w / C')"
near "moved: syscall_misattribution_rate_path" "$(metric "$dir/got" syscall_misattribution_rate_path)" "$(calc 'w / C')"
near "moved: total_variation_self" "$(metric "$dir/got" total_variation_self)" 0
near "moved: total_variation_stack" "$(metric "$dir/got" total_variation_stack)" "$(calc w)"
near "moved: user_code_share_error" "$(metric "$dir/got" user_code_share_error)" 0
awk -v w="$(planted)" 'BEGIN { exit !(w > 0.005) }' || { echo "not ok moved: nothing was planted"; status=1; }
exit $status
