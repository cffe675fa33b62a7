#!/bin/sh
# Stacks of C++ programs against those of hotspot's perfparser and of perf 7.3, as
# multisets of whole stacks: at least 95 % alike. Both ways of naming one address
# count as alike where a symbol table has several names for it:
#   hypot = __hypot, __hypot_finite = __ieee754_hypot, __libc_start_main(_impl)
# What is left: one sample of the vector program, whose only user frame is _exit;
# perfparser shows none.
set -u
perfskew=${PERFSKEW:-./perfskew}
corpus=${CORPUS:-${srcdir:-.}/../shared/corpus}/perfparser
data=$corpus/tests/auto/perfdata
test -d "$data" || { echo "skip: no corpus at $corpus (set CORPUS)"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

# One line a stack and sample, without command, kernel, unknown frames and arguments.
plain() {
	awk '{
		n = $NF; sub(/ [0-9]+$/, ""); k = split($0, f, ";"); out = ""
		for (i = 2; i <= k; i++) {
			s = f[i]
			if (s ~ /_\[k\]$/ || s ~ /^\[(unknown|truncated|kernel.*|anon)\]/) continue
			sub(/_\[i\]$/, "", s); sub(/\(.*\)( const)?$/, "", s); sub(/\+0x[0-9a-f]+$/, "", s); sub(/ \[clone.*\]/, "", s)
			if (s == "__hypot") s = "hypot"
			if (s == "__ieee754_hypot") s = "__hypot_finite"
			if (s == "__libc_start_main_impl") s = "__libc_start_main"
			out = out ";" s
		}
		while (n-- > 0) print out
	}' | LC_ALL=C sort
}

check() { # NAME RECORDING BINARY GOLDEN OPTIONS...
	name=$1 recording=$2 binary=$3 golden=$4
	shift 4
	"$perfskew" convert -f folded --binary "$data/$binary" "$@" "$data/$recording" 2>"$dir/err" | plain >"$dir/ours"
	plain <"$corpus/peer/$golden.samples.folded" >"$dir/theirs"
	all=$(wc -l <"$dir/theirs")
	same=$(LC_ALL=C comm -12 "$dir/ours" "$dir/theirs" | wc -l)
	if [ "$all" -gt 0 ] && [ $((same * 100)) -ge $((all * 95)) ]; then
		echo "ok $name: $same of $all"
	else
		echo "not ok $name: $same of $all"
		LC_ALL=C comm -3 "$dir/ours" "$dir/theirs" | uniq -c | sort -rn | head -6 | cut -c 1-200
		status=1
	fi
}

for mode in noinline inline; do
	option=--no-inline
	test $mode = noinline || option=
	check "vector $mode" vector_static_gcc/perf.data vector_static_gcc/vector_static_gcc_v9.1.0 \
		vector_static_gcc_perf.data.perfparser.$mode $option
	check "fork $mode" fork_static_gcc/perf.data.zstd fork_static_gcc/fork \
		fork_static_gcc_perf.data.zstd.perfparser.$mode $option
	check "cpp-inlining $mode" cpp-inlining/cpp-inlining.perf.data cpp-inlining/cpp-inlining \
		cpp-inlining_cpp-inlining.perf.data.perf73.$mode $option
done
exit $status
