#!/bin/sh
# Times perfskew on a recording beside `cat` of the same file and every other tool found on the machine:
# in turn, round after round, each round beginning with another, and prints the median of each. Not a test: times on a shared machine are
# noise, ratios within one run are worth something.
#
# Usage: tests/bench/bench.sh RECORDING [ROUNDS]
#   PERFSKEW  the program (build/perfskew); GROW: tests/bench/grow of the same build, for the row `zstd`
#   PPROF     a pprof profile of the same run: adds the row `skew`
#   SLOW=1    also perf script and what collapses its text, once (minutes on large recordings)
#
# "cpu" is user and system time, less troubled by what else the machine does than the wall's; "x flame" is the
# wall's time as a multiple of the row flame.
# Peers: samply (`samply import --save-only`: it unwinds and looks up no names), hotspot's perfparser, perf script | inferno-collapse-perf
# or stackcollapse-perf.pl. `zstd` is libzstd inflating the COMPRESSED records and nothing else.
# "anon" is the most anonymous memory that `perfskew -v` saw; "peak" counts mapped pages of the file, too.
set -eu
file=${1:?usage: bench.sh RECORDING [ROUNDS]}
rounds=${2:-5}
perfskew=${PERFSKEW:-build/perfskew}
grow=${GROW:-$(dirname "$perfskew")/tests/bench/grow}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
size=$(stat -c %s "$file")
parser=$(find /usr/lib /usr/libexec -name hotspot-perfparser 2>/dev/null | head -1)
collapse=$(command -v inferno-collapse-perf || command -v stackcollapse-perf.pl || true)

# once NAME COMMAND...: appends "seconds peak-KB user-seconds system-seconds" to NAME's list. time(1) has hundredths of a
# second, so the wall's are taken around it.
once() {
	name=$1
	shift
	begin=$(date +%s%N)
	/usr/bin/time -f '%M %U %S' -o "$tmp/t" "$@" >/dev/null 2>"$tmp/err" && ok=1 || ok=
	end=$(date +%s%N)
	if [ "$ok" ] || { [ "$name" = script ] && [ -s "$tmp/t" ]; }; then
		printf '%s %s\n' "$(awk -v d=$((end - begin)) 'BEGIN {printf "%.3f", d / 1e9}')" "$(tail -1 "$tmp/t")" >>"$tmp/$name"
	fi
}

cat "$file" >/dev/null
"$perfskew" flame -v -o "$tmp/x.svg" "$file" 2>&1 >/dev/null | sed -n 's/.*anonymous memory //p' >"$tmp/anon"
zstd=
"$perfskew" info "$file" | grep -q ' COMPRESSED' && [ -x "$grow" ] && zstd=1
# One row once.
row() {
	case $1 in
	cat) once cat cat "$file" ;;
	zstd) once zstd "$grow" inflate 1 "$file" /dev/null ;;
	flame) once flame "$perfskew" flame -q -o "$tmp/x.svg" "$file" ;;
	flame-j1) once flame-j1 "$perfskew" flame -q -j1 -o "$tmp/x.svg" "$file" ;;
	report) once report "$perfskew" report -q -o "$tmp/x.txt" "$file" ;;
	folded) once folded "$perfskew" convert -q -f folded -o "$tmp/x.folded" "$file" ;;
	pprof) once pprof "$perfskew" convert -q -f pprof -o "$tmp/x.pb.gz" "$file" ;;
	skew) once skew "$perfskew" skew -q -o "$tmp/x.txt" "$file" "$PPROF" ;;
	samply) once samply samply import --save-only -o "$tmp/s.json.gz" "$file" ;;
	perfparser) once perfparser "$parser" --input "$file" --output /dev/null ;;
	esac
}
names="cat${zstd:+ zstd} flame flame-j1 report folded pprof${PPROF:+ skew}"
command -v samply >/dev/null && names="$names samply"
[ "$parser" ] && names="$names perfparser"
order=$names
i=0
while [ $i -lt "$rounds" ]; do
	for name in $order; do
		row "$name"
	done
	# another row comes first in the next round: what one leaves in the caches is not always the same one's gain
	order="${order#* } ${order%% *}"
	i=$((i + 1))
done
if [ "${SLOW:-}" ] && command -v perf >/dev/null; then
	if [ "$collapse" ]; then
		names="$names script"
		once script sh -c 'perf script -i "$1" | "$2"' sh "$file" "$collapse"
	else
		names="$names script"
		once script perf script -i "$file"
	fi
fi
median() { sort -n | awk '{v[NR] = $1} END {t = v[int((NR + 1) / 2)]; print t ? t : 0.001}'; }
base=$(median <"$tmp/cat")
flame=$(median <"$tmp/flame")
printf '%-12s %9s %9s %9s %9s %9s %9s %9s\n' "$(basename "$file")" median best cpu "x cat" "x flame" MB/s "peak MB"
for name in $names; do
	[ -s "$tmp/$name" ] || continue
	cpu=$(awk '{print $3 + $4}' "$tmp/$name" | median)
	sort -n "$tmp/$name" | awk -v n="$name" -v size="$size" -v base="$base" -v flame="$flame" -v cpu="$cpu" '
		{v[NR] = $1; if ($2 > m) m = $2}
		END {t = v[int((NR + 1) / 2)]; if (t == 0) t = 0.001
		     printf "%-12s %9.3f %9.3f %9.2f %9.2f %9.2f %9.0f %9.0f\n", n, t, v[1], cpu, t / base, t / flame,
			    size / 1e6 / t, m / 1024}'
done
echo "$rounds rounds; anonymous memory of flame: $(cat "$tmp/anon"); $(nproc) processors," \
	"$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), Linux $(uname -r)"
for tool in samply perf; do
	command -v $tool >/dev/null && echo "$tool: $($tool --version 2>&1 | head -1)"
done
[ "$parser" ] && echo "perfparser: of hotspot $(QT_QPA_PLATFORM=offscreen hotspot --version 2>/dev/null | sed 's/.* //' | tail -1)"
exit 0
