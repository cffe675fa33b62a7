#!/bin/sh
# Builds the sample programs with several Go versions and link modes and records each with perf,
# with the pprof profile (and where asked the execution trace) of the same seconds beside it.
#
#   samples/record.sh [-o DIR] [-v "1.22 1.26"] [-d SECONDS] [-F HZ] [WHAT]...
#
# WHAT: matrix (every version, link mode, mix and server), traces, forms, cplus, big, bundle, traced, switched, waits;
# default: matrix traces forms cplus. In DIR: bin/ the binaries, NAME.data, NAME.pb.gz, NAME.trace
# and MANIFEST, one line a recording: file, Go, perf and kernel version, flags, exact command.
# perf needs /proc/sys/kernel/perf_event_paranoid at 1 or below, or root.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$PWD/recordings
versions="1.26 1.22 1.24 1.20 1.25 1.18 1.17 1.19 1.21 1.23 1.27"
seconds=4
hz=999
while getopts o:v:d:F: opt; do
	case $opt in
	o) out=$OPTARG ;;
	v) versions=$OPTARG ;;
	d) seconds=$OPTARG ;;
	F) hz=$OPTARG ;;
	*) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
test $# -gt 0 || set -- matrix traces forms cplus

mkdir -p "$out/bin"
out=$(cd "$out" && pwd)
cd "$out"
manifest=$out/MANIFEST
test -s "$manifest" || printf 'file\tgo\tperf\tkernel\tflags\tcommand\n' >"$manifest"

say() { printf 'record.sh: %s\n' "$*" >&2; }

perf_version=$(perf version | sed 's/^perf version //')
kernel=$(uname -r)

# Hardware cycles where the machine has them, the CPU clock elsewhere (virtual machines).
# perf falls back by itself and says nothing with -q, so look at what it took.
event=cycles
perf record -q -e cycles -o probe.data true >/dev/null 2>&1 || true
if ! perf evlist -i probe.data 2>/dev/null | grep -q cycles; then
	event=cpu-clock
	say "no hardware cycles here: recording cpu-clock"
fi
rm -f probe.data
# Dumps of 16 KB fill perf's usual ring in no time; 8 MB a CPU needs root or perf_event_mlock_kb.
ring="-m 2048"
perf record $ring -e $event -o /dev/null true >/dev/null 2>&1 || ring=

. "$here/toolchains.sh"

row() { printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$go" "$perf_version" "$kernel" "$flags" "$2" >>"$manifest"; }

# rec NAME "PERF OPTIONS" PROGRAM ARG...: records into NAME.data and notes the command.
rec() {
	name=$1
	opts=$2
	shift 2
	say "$name"
	perf record -q -k mono $ring $opts -o "$name.data" -- "$@" >"$name.out" 2>&1 || {
		say "$name failed: $(tail -n 1 "$name.out")"
		return 0
	}
	row "$name.data" "perf record -k mono ${ring:+$ring }$opts -o $name.data -- $*"
}

dwarf="-e $event -F $hz -g --call-graph=dwarf,16384"
half=$(echo "$seconds" | awk '{print $1 / 2}')

matrix() {
	for v in $versions; do
		for mode in plain noopt stripped pie static external extpie; do
			for p in mix server; do
				build $p $v $mode
				n=$p-$v-$mode
				rec $n "$dwarf" "./$bin" -seconds "$seconds" -cpuprofile $n.pb.gz
			done
		done
		build cgo $v plain
		rec cgo-$v-plain "$dwarf" "./$bin" -seconds "$seconds" -cpuprofile cgo-$v-plain.pb.gz
		build mix $v plain
		rec mix-$v-z "$dwarf -z" "./$bin" -seconds "$seconds" -cpuprofile mix-$v-z.pb.gz
	done
}

# The execution trace of the same run: format v2, Go 1.22 and later.
traces() {
	for v in $versions; do
		case $v in 1.17|1.18|1.19|1.20|1.21) continue ;; esac
		for p in server mix cgo; do
			build $p $v plain
			n=$p-$v-trace
			rec $n "$dwarf" "./$bin" -seconds "$seconds" -cpuprofile $n.pb.gz -trace $n.trace
		done
		build goroutines $v plain
		for m in pingpong short twins alloc spin tick; do
			n=goroutines-$v-$m
			rec $n "$dwarf" "./$bin" -seconds "$half" -mode $m -cpuprofile $n.pb.gz -trace $n.trace
		done
	done
}

# Other forms of one program: two events, frame pointers, pipe, threads, compression, big dumps.
forms() {
	v=${versions%% *}
	build server $v plain
	set -- "./$bin" -seconds "$half"
	rec server-$v-two "-F $hz -e $event/call-graph=dwarf,stack-size=16384/ -e task-clock/call-graph=fp/" \
		"$@" -cpuprofile server-$v-two.pb.gz
	rec server-$v-fp "-e $event -F $hz -g --call-graph=fp" "$@" -cpuprofile server-$v-fp.pb.gz
	rec server-$v-z "$dwarf -z" "$@" -cpuprofile server-$v-z.pb.gz
	rec server-$v-user "-e $event:u -F $hz --call-graph=dwarf,8192" "$@"
	rec server-$v-switch "$dwarf -e sched:sched_switch" "$@" -cpuprofile server-$v-switch.pb.gz -trace server-$v-switch.trace
	rec server-$v-ctxt "$dwarf --switch-events" "$@" -cpuprofile server-$v-ctxt.pb.gz
	rm -rf server-$v-threads.data
	rec server-$v-threads "$dwarf --threads" "$@" -cpuprofile server-$v-threads.pb.gz
	say "server-$v-pipe"
	perf record -q -k mono $ring $dwarf -o - -- "$@" 2>server-$v-pipe.out >server-$v-pipe.data &&
		row server-$v-pipe.data "perf record -k mono ${ring:+$ring }$dwarf -o - -- $* >server-$v-pipe.data"
	build mix $v plain
	rec mix-$v-64k "-e $event -F $hz -g --call-graph=dwarf,65528" "./$bin" -seconds "$half" -cpuprofile mix-$v-64k.pb.gz
	rec mix-$v-8k "-e $event -F $hz -g --call-graph=dwarf,8192" "./$bin" -seconds "$half" -cpuprofile mix-$v-8k.pb.gz
	build server $v race
	rec server-$v-race "$dwarf" "./$bin" -seconds "$half" -cpuprofile server-$v-race.pb.gz
	for mode in serial parallel; do
		build proportions $v plain
		serial=
		test $mode = parallel || serial=-serial
		rec proportions-$v-$mode "$dwarf" "./$bin" -seconds 60 -work 60 $serial -cpuprofile proportions-$v-$mode.pb.gz
	done
}

cplus() {
	g++ -O2 -g -o bin/cplus "$here/cplus/main.cc"
	go=$(g++ -dumpfullversion)
	flags="g++ -O2 -g"
	rec cplus "$dwarf" ./bin/cplus "$half"
}

# For speed: some 1.9 GB, plain and compressed.
big() {
	v=${versions%% *}
	mkdir -p big
	build server $v plain
	for z in "" -z; do
		rec big/server$z "-e $event -F 1999 -g --call-graph=dwarf,16384 $z" \
			"./$bin" -seconds 60 -clients 16 -cpuprofile big/server$z.pb.gz
	done
}

# vdso FILE: the one of this kernel, out of the memory of this shell.
vdso() {
	range=$(awk '$6 == "[vdso]" { print $1 }' /proc/$$/maps)
	from=$((0x${range%-*})) to=$((0x${range#*-}))
	dd if=/proc/$$/mem bs=4096 skip=$((from / 4096)) count=$(((to - from) / 4096)) of="$1" status=none
}

# DIR/kallsyms: of the kernel's symbols those that occur in DIR/perf.data, each with its successor as its end.
kernel_symbols() {
	perf script -i $1/perf.data -F ip,sym,dso 2>/dev/null | awk '/\(\[/ && length($1) == 16 { print $1 }' | sort -u >$1/addresses
	# Addresses of 16 hexadecimal digits sort as text. Aliases share one: all or none.
	sort -s -k1,1 /proc/kallsyms | awk -v hits=$1/addresses '
		function next_hit() { more = (getline hit <hits) > 0 }
		BEGIN { next_hit() }
		$2 !~ /^[tTwW]$/ { next }
		$3 == "_text" || $3 == "_stext" { print }
		$1 != addr {
			wanted = 0
			while (more && hit < $1) {
				wanted = wanted || hit >= addr
				next_hit()
			}
			if (wanted && addr)
				printf "%s%s\n", group, $0
			addr = $1
			group = ""
		}
		{ group = group $0 "\n" }' | awk '!seen[$0]++' >$1/kallsyms
	rm -f $1/addresses
}

# The recording in samples/recording/. Made in a folder of neutral name and with an empty environment,
# because stack dumps hold a process' arguments and environment. One CPU with GOMAXPROCS 4: a
# container whose CPU is limited, where pprof and perf differ. The kernel notes the build-ids
# (--buildid-mmap), because perf writes none itself when it compresses. Nothing of the machine it is read
# on is needed: the program is static, and the vdso, which is in no file, lies beside it. Small: no
# DWARF, no HTTP/2, a low rate, and of the kernel's symbols only those that occur.
bundle() {
	v=${versions%% *}
	dir=/tmp/perfskew-sample
	rm -rf $dir
	mkdir -p $dir/bin
	build server $v static
	flags="CGO_ENABLED=0 -trimpath -tags nethttpomithttp2,small,netgo,osusergo -ldflags=-s -w"
	(cd "$src" && CGO_ENABLED=0 gotool "$v" build -trimpath -tags nethttpomithttp2,small,netgo,osusergo \
		'-ldflags=-s -w' -o $dir/bin/server ./server)
	command="perf record -N --buildid-mmap -k mono ${ring:+$ring }--compression-level=12 -e $event -F 99 -g --call-graph=dwarf,16384 -o perf.data -- taskset -c 0 bin/server -procs 4 -clients 32 -seconds 16 -cpuprofile cpu.pb.gz"
	say "bundle: $command"
	(cd $dir && env -i PATH=/usr/bin:/bin HOME=$dir $command >/dev/null)
	vdso "$dir/bin/[vdso]"
	kernel_symbols $dir
	mkdir -p "$here/recording/bin"
	cp $dir/bin/server "$dir/bin/[vdso]" "$here/recording/bin/"
	cp $dir/perf.data $dir/cpu.pb.gz $dir/kallsyms "$here/recording/"
	chmod 644 "$here"/recording/perf.data
	{
		printf 'file\tgo\tperf\tkernel\tflags\tcommand\n'
		printf 'recording/perf.data\t%s\t%s\t%s\t%s\tcd %s && env -i PATH=/usr/bin:/bin %s\n' \
			"$go" "$perf_version" "$kernel" "$flags" $dir "$command"
	} >"$here/MANIFEST"
}

# The recording in samples/traced/: the bundled server (bin/ is the bundle's) with an execution trace and a CPU
# profile of the same second. Short, because the trace of a server grows by megabytes a second of CPU time.
traced() {
	dir=/tmp/perfskew-traced
	rm -rf $dir
	mkdir -p $dir/bin "$here/traced"
	cp "$here/recording/bin/server" $dir/bin/
	command="perf record -N --buildid-mmap -k mono ${ring:+$ring }--compression-level=12 -e $event -F 999 -g --call-graph=dwarf,8192 -o perf.data -- taskset -c 0 bin/server -procs 4 -clients 8 -seconds $seconds -rate 250 -cpuprofile cpu.pb.gz -trace trace.out"
	say "traced: $command"
	(cd $dir && env -i PATH=/usr/bin:/bin HOME=$dir $command >/dev/null && gzip -9n trace.out)
	cp $dir/perf.data $dir/cpu.pb.gz $dir/trace.out.gz "$here/traced/"
	chmod 644 "$here"/traced/perf.data
	grep -v '^traced/' "$here/MANIFEST" >$dir/MANIFEST
	printf 'traced/perf.data\t%s\t%s\t%s\t%s\tcd %s && env -i PATH=/usr/bin:/bin %s\n' \
		"the server of recording/" "$perf_version" "$kernel" "" $dir "$command" >>$dir/MANIFEST
	cp $dir/MANIFEST "$here/MANIFEST"
}

# Recordings of the bundled server that perfskew makes, with options of its own: samples/switched/ has every switch to a
# goroutine, samples/waits/ the scheduler's switches of threads. The kernel's symbols and its vdso lie beside them.
own() { # NAME SECONDS RECORD-OPTION...
	name=$1 seconds=$2
	shift 2
	dir=/tmp/perfskew-$name
	rm -rf $dir
	mkdir -p $dir/bin "$here/$name"
	cp "$here/recording/bin/server" $dir/bin/
	command="perfskew record -q $* -o out -- bin/server -procs 1 -clients 2 -seconds $seconds"
	say "$name: $command"
	(cd $dir && env -i PATH="$here/../build:/usr/bin:/bin" HOME=$dir $command >/dev/null)
	kernel_symbols $dir/out
	rm -rf "$here/$name/bin"
	if [ -e "$dir/out/bin/[vdso]" ]; then # where a sample was in it
		mkdir -p "$here/$name/bin"
		cp "$dir/out/bin/[vdso]" "$here/$name/bin/"
	fi
	cp $dir/out/perf.data $dir/out/kallsyms "$here/$name/"
	chmod 644 "$here/$name/perf.data"
	grep -v "^$name/" "$here/MANIFEST" >$dir/MANIFEST
	printf '%s/perf.data\t%s\t%s\t%s\t%s\tcd %s && %s\n' \
		"$name" "the server of recording/" "$perf_version" "$kernel" "" $dir "$command" >>$dir/MANIFEST
	cp $dir/MANIFEST "$here/MANIFEST"
}
switched() { own switched 0.12 --goroutines -F 999 --stack-size 4096; }
waits() { own waits 0.08 --off-cpu -F 999 --stack-size 2048 --no-chain; }

for what; do
	case $what in
	matrix|traces|forms|cplus|big|bundle|traced|switched|waits) $what ;;
	*) say "unknown: $what"; exit 2 ;;
	esac
done
say "done: $manifest"
