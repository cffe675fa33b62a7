#!/bin/sh
# How far pprof is from perf in cases with a known answer. Prints Markdown tables and the commands
# that made them.
#
#   samples/experiments.sh [-p PERFSKEW] [-v "1.17 1.26"] [-o DIR]
#       [preempt|proportions|rate|server|tick|overhead]...
#
# preempt: goroutines that never block, on one CPU. proportions: functions that burn CPU 1:2:...:10.
# rate: half of the work on one CPU and half on two, with one timer for the process (Go 1.17) and with
# one a thread (1.18). server: the same HTTP server with free and with contended CPUs. tick: bursts
# between two ticks of the kernel. overhead: what recording costs the server. perf is recorded at
# 999 Hz, pprof at its own 100 Hz, both over the same run.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
perfskew=$here/../build/perfskew
versions="1.17 1.18 1.26"
out=$PWD/experiments
while getopts p:v:o: opt; do
	case $opt in
	p) perfskew=$(cd "$(dirname "$OPTARG")" && pwd)/$(basename "$OPTARG") ;;
	v) versions=$OPTARG ;;
	o) out=$OPTARG ;;
	*) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
test $# -gt 0 || set -- preempt proportions rate server tick overhead
mkdir -p "$out/bin"
out=$(cd "$out" && pwd)
cd "$out"
. "$here/toolchains.sh"
newest=${versions##* }

# run NAME PROGRAM ARG...: records into NAME/, perf and pprof.
run() {
	name=$1
	shift
	rm -rf "$name"
	"$perfskew" record -q -F 999 -o "$name" --pprof "$name.pb.gz" -- "$@" -cpuprofile "$name.pb.gz" \
		>"$name.log" 2>&1 || { cat "$name.log" >&2; return 1; }
	"$perfskew" report -q --top 100000 "$name" >"$name.perf" 2>/dev/null || true
	"$perfskew" report -q --top 100000 "$name/cpu.pb.gz" >"$name.pprof" 2>/dev/null || true
}

total() { # seconds
	sed -n '1s/.*total //p' "$1" | awk '/ms$/ { print $1 / 1000; next } { print $1 + 0 }'
}
# share FILE REGEX [3|5]: per cent, of functions whose whole name matches; 2: self, 4: cumulative
share() {
	awk -v re="^($2)\$" -v col="${3:-2}" 'NR > 2 && $5 ~ re { s += $col } END { printf "%.2f", s }' "$1"
}
command_text() { printf '\n    perfskew record -F 999 -o DIR --pprof FILE -- %s -cpuprofile FILE\n\n' "$*"; }

preempt() {
	echo "### Preemption signals caught by pprof"
	command_text taskset -c 0 goroutines -mode spin -n 8 -seconds 5 -procs N
	echo "| Go | GOMAXPROCS | perf, CPU s | pprof, CPU s | \`asyncPreempt\` in perf | \`asyncPreempt\` in pprof |"
	echo "|---|---:|---:|---:|---:|---:|"
	for v in $versions; do
		build goroutines "$v" plain
		for n in 1 2 8; do
			run preempt-$v-$n taskset -c 0 "./$bin" -mode spin -n 8 -seconds 5 -procs $n
			f=preempt-$v-$n
			printf '| %s | %s | %.2f | %.2f | %s %% | %s %% |\n' "$v" $n "$(total $f.perf)" \
				"$(total $f.pprof)" "$(share $f.perf 'runtime[.]asyncPreempt2?(.abi0)?')" \
				"$(share $f.pprof 'runtime[.]asyncPreempt2?')"
		done
	done
	echo
}

proportions() {
	echo "### Functions that burn CPU in the proportions 1:2:...:10"
	for mode in serial goroutines; do
		flag=
		test $mode = goroutines || flag=-serial
		command_text proportions $flag -work 100 -seconds 60
		for v in $versions; do
			build proportions "$v" plain
			run proportions-$mode-$v "./$bin" $flag -work 100 -seconds 60
		done
		head="| $mode | true |" line="|---|---:|"
		for v in $versions; do
			head="$head perf, Go $v | pprof, Go $v |"
			line="$line---:|---:|"
		done
		echo "$head"
		echo "$line"
		for k in 1 2 3 4 5 6 7 8 9 10; do
			printf '| `burn%s` | %s %% |' $k "$(awk -v k=$k 'BEGIN { printf "%.2f", k / 55 * 100 }')"
			for v in $versions; do
				f=proportions-$mode-$v
				# in perf's stacks the kernel's interrupts lie on top
				printf ' %s %% | %s %% |' "$(share $f.perf "main[.]burn$k" 4)" "$(share $f.pprof "main[.]burn$k")"
			done
			echo
		done
		printf '| `asyncPreempt` | 0 |'
		for v in $versions; do
			f=proportions-$mode-$v
			printf ' %s %% | %s %% |' "$(share $f.perf 'runtime[.]asyncPreempt')" "$(share $f.pprof 'runtime[.]asyncPreempt')"
		done
		echo
		printf '| CPU seconds | |'
		for v in $versions; do
			f=proportions-$mode-$v
			printf ' %.2f | %.2f |' "$(total $f.perf)" "$(total $f.pprof)"
		done
		printf '\n\n'
	done
}

# json FILE NAME KEY: the first KEY of skew's JSON that comes after NAME
json() {
	awk -v name="\"$2\"" -v key="\"$3\":" 'index($0, name) { on = 1 }
		on && index($0, key) { sub(/.*:/, ""); sub(/,$/, ""); print; exit }' "$1"
}

# The kernel looks at a timer once a tick and CPU, and sends one signal however often it has expired
# (kernel/time/posix-cpu-timers.c, check_cpu_itimer). Before Go 1.18 the process had one timer for all
# its threads, so it missed time where many ran, and only there: the first of two equal halves seems to
# be the larger one (Go issue 35057). Two CPUs need of that timer at 200 Hz what four do at 100 Hz.
# Five rounds, versions and rates in turn.
rate() {
	echo "### The same work one by one, then side by side"
	command_text goroutines -mode halves -n 2 -procs 2 -count 3000 -seconds 60 -rate HZ
	rm -f rate.tsv
	for v in $versions; do build goroutines "$v" plain; done
	for i in 1 2 3 4 5; do
		for hz in 100 200 250 500; do
			for v in $versions; do
				f=rate-$v-$hz
				build goroutines "$v" plain
				run $f "./$bin" -mode halves -n 2 -procs 2 -count 3000 -seconds 60 -rate $hz
				"$perfskew" skew -q --format json "$f" >"$f.json"
				printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$v" $hz "$(json "$f.json" coverage value)" \
					"$(json "$f.json" main.oneByOne perf_cum)" "$(json "$f.json" main.oneByOne pprof_cum)" \
					"$(json "$f.json" total_variation_stack excess)" >>rate.tsv
			done
		done
	done
	echo "Medians of five runs, least and most in brackets."
	echo
	echo "| pprof's rate | Go | pprof has of perf's time | \`oneByOne\` in perf | \`oneByOne\` in pprof | \`total_variation_stack\` beyond noise |"
	echo "|---:|---|---:|---:|---:|---:|"
	for hz in 100 200 250 500; do
		for v in $versions; do
			printf '| %s Hz | %s |' $hz "$v"
			for column in 3 4 5 6; do
				awk -F'\t' -v v="$v" -v hz=$hz -v c=$column '$1 == v && $2 == hz { print 100 * $c }' rate.tsv | sort -n |
					awk '{ x[NR] = $1 } END { printf " %.1f %% (%.1f to %.1f) |", x[3], x[1], x[5] }'
			done
			echo
		done
	done
	echo
}

server() {
	echo "### An HTTP server, with CPUs to spare and without"
	command_text '[taskset -c 0] server -seconds 8 -procs N -clients N'
	echo "| Go | CPUs | GOMAXPROCS | clients | perf, CPU s | pprof, CPU s | \`asyncPreempt\` in perf | \`asyncPreempt\` in pprof |"
	echo "|---|---|---:|---:|---:|---:|---:|---:|"
	build server "$newest" plain
	while read -r cpus procs clients; do
		f=server-$cpus-$procs-$clients
		pin="taskset -c 0"
		test "$cpus" = one || pin=
		run $f $pin "./$bin" -seconds 8 -procs "$procs" -clients "$clients" </dev/null
		printf '| %s | %s | %s | %s | %.2f | %.2f | %s %% | %s %% |\n' "$newest" "$cpus" "$procs" \
			"$clients" "$(total $f.perf)" "$(total $f.pprof)" \
			"$(share $f.perf 'runtime[.]asyncPreempt2?(.abi0)?')" "$(share $f.pprof 'runtime[.]asyncPreempt2?')"
	done <<-EOF
	all 2 1
	all 2 8
	all 8 32
	one 1 32
	one 2 32
	one 4 32
	one 8 32
	EOF
	echo
}

tick() {
	echo "### Bursts between two ticks of the kernel"
	command_text goroutines -mode tick -seconds 5
	echo "| Go | the program's own measure | perf, \`main.burst\` s | pprof, \`main.burst\` s |"
	echo "|---|---:|---:|---:|"
	for v in $versions; do
		build goroutines "$v" plain
		f=tick-$v
		run $f "./$bin" -mode tick -seconds 5
		printf '| %s | %s | %.2f | %.2f |\n' "$v" "$(sed -n 's/.*: \(.*bursts.*\)/\1/p' $f.log)" \
			"$(echo "$(total $f.perf) $(share $f.perf main[.]burst 4)" | awk '{ print $1 * $2 / 100 }')" \
			"$(echo "$(total $f.pprof) $(share $f.pprof main[.]burst 4)" | awk '{ print $1 * $2 / 100 }')"
	done
	echo
}

# CPU time a request, since a shared machine gives no steady throughput. Seven rounds, the modes in turn so that a busy
# moment hits all; each is compared with the run without anything of its own round. What the recording process itself used
# stands apart. Garbage is collected when it comes to 256 MB: a heap as small as the server's is collected a tenth more or
# less often for whatever the run adds to it.
overhead() {
	echo "### What recording costs the HTTP server"
	printf '\n    GOGC=off GOMEMLIMIT=256MiB [perfskew record OPTIONS -o DIR --] server -seconds 4 -clients 8 [-cpuprofile FILE] [-trace FILE]\n\n'
	build server "$newest" plain
	rm -f overhead.tsv
	for i in 1 2 3 4 5 6 7; do
		while IFS='|' read -r mode options flags; do
			rm -rf cost
			set -- "./$bin" -seconds 4 -clients 8 $flags
			test -z "$options" || set -- "$perfskew" record -q $options -o cost -- "$@"
			times >times.before
			GOGC=off GOMEMLIMIT=256MiB "$@" </dev/null >cost.out 2>&1
			times >times.after
			printf '%s\t%s\t%s\t%s\t%s\n' "$mode" "$(sed -n 's/ requests.*//p' cost.out)" \
				"$(sed -n 's/CPU time \(.*\) s/\1/p' cost.out)" "$(children times.before) $(children times.after)" \
				"$(stat -c %s cost/perf.data 2>/dev/null || echo 0)" >>overhead.tsv
		done <<-EOF
		nothing||
		pprof||-cpuprofile cost.pb.gz
		pprof and trace||-cpuprofile cost.pb.gz -trace cost.trace
		\`record -F 99\`|-F 99|
		\`record\` (499 Hz)|-F 499|
		\`record -F 999\`|-F 999|
		\`record --no-chain\`|-F 499 --no-chain|
		\`record\` with pprof|-F 499|-cpuprofile cost.pb.gz
		\`record\` with pprof and trace|-F 499|-cpuprofile cost.pb.gz -trace cost.trace
		\`record --off-cpu\`|-F 499 --off-cpu|
		\`record --goroutines\`|-F 499 --goroutines|
		EOF
	done
	echo "| recorded | CPU, us a request | more by, % | least to most | recorder, CPU s a second | perf.data, MB/s |"
	echo "|---|---:|---:|---:|---:|---:|"
	awk -F'\t' '
		function middle(list,   v, n, i, j, t) {
			n = split(list, v, " ")
			for (i = 2; i <= n; i++)
				for (j = i; j > 1 && v[j] + 0 < v[j - 1] + 0; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
			least = v[1]; most = v[n]
			return v[int((n + 1) / 2)]
		}
		{
			split($4, t, " ")
			cost = $3 / $2 * 1e6; own = (t[2] - t[1] - $3) / 4
			if ($1 == "nothing") { base = cost; base_own = own }
			if (!($1 in costs)) order[++modes] = $1
			costs[$1] = costs[$1] " " cost
			more[$1] = more[$1] " " (cost / base - 1) * 100
			owns[$1] = owns[$1] " " own - base_own
			sizes[$1] = sizes[$1] " " $5 / 4e6
		}
		END {
			for (i = 1; i <= modes; i++) {
				m = order[i]
				c = middle(costs[m]); o = middle(owns[m]); s = middle(sizes[m]); r = middle(more[m])
				printf "| %s | %.1f | %.1f | %.1f–%.1f | %.3f | %.2f |\n", m, c, r, least, most, o, s
			}
		}' overhead.tsv
	echo
}

# CPU seconds of all children, of what `times` said. It must run in this shell to know them.
children() {
	awk 'NR == 2 { split($1, u, "[ms]"); split($2, s, "[ms]"); print u[1] * 60 + u[2] + s[1] * 60 + s[2] }' "$1"
}

echo "Linux $(uname -r), $(nproc) CPUs, perf $(perf version | sed 's/^perf version //'), $("$perfskew" --version)"
echo
for what; do
	case $what in
	preempt|proportions|rate|server|tick|overhead) $what ;;
	*) echo "unknown: $what" >&2; exit 2 ;;
	esac
done
