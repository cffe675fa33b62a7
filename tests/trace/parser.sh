#!/bin/sh
# The figures of execution traces (events by type, and each goroutine's times to the nanosecond)
# against those of Go's own parser: stored ones (figures.txt), and where Go is, fresh ones.
# "update" as argument writes the stored ones anew, by Go.
set -u
figures=${FIGURES:-$PWD/tests/trace/figures}
srcdir=${srcdir:-.}
corpus=${CORPUS:-$srcdir/../shared/corpus}
seeds=$srcdir/tests/fuzz/seeds/trace
stored=$srcdir/tests/trace/figures.txt
expected=$corpus/expected/goroot-1.26/trace-v2-bin.tsv
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
status=0 compared=0

go=$(command -v go || ls /usr/local/go/bin/go 2>/dev/null)
if [ -n "$go" ] && ! GOTOOLCHAIN=local GOFLAGS= "$go" tool trace -d=wire "$seeds/go1.22.trace" >/dev/null 2>&1; then
	go=
fi

traces() {
	ls "$seeds"/go1.*.trace
	test ! -d "$corpus" || ls "$corpus"/goroot-1.26/trace-v2-bin/*.trace
}
by_go() {
	{
		GOTOOLCHAIN=local GOFLAGS= "$go" tool trace -d=wire "$1" 2>/dev/null | awk -f "$srcdir/tests/trace/wire.awk"
		GOTOOLCHAIN=local GOFLAGS= "$go" tool trace -d=parsed "$1" 2>/dev/null | awk -f "$srcdir/tests/trace/parsed.awk"
	} | LC_ALL=C sort
}
by_us() {
	"$figures" "$1" 2>"$dir/error" | LC_ALL=C sort
}

if [ "${1:-}" = update ]; then
	test -n "$go" && test -d "$corpus" || { echo "needs go and the corpus"; exit 1; }
	for t in $(traces); do
		echo "= $(basename "$t")"
		by_go "$t"
	done >"$stored"
	exit
fi

for t in $(traces); do
	name=$(basename "$t")
	by_us "$t" >"$dir/ours"
	awk -v name="$name" '/^= / { on = $2 == name; next } on' "$stored" >"$dir/stored"
	test -s "$dir/stored" || { echo "not ok $name: no stored figures"; status=1; }
	for what in stored go; do
		if [ $what = go ]; then
			test -n "$go" || continue
			by_go "$t" >"$dir/go"
		fi
		compared=$((compared + 1))
		cmp -s "$dir/$what" "$dir/ours" && continue
		echo "not ok $name: differs from Go's figures ($what)"
		diff "$dir/$what" "$dir/ours" | head -n 10
		status=1
	done
	test -f "$expected" || continue
	# what must fail, and in which words; how many events the file holds
	row=$(awk -F '\t' -v name="$name" '$1 == name { print $3 "\t" $4 }' "$expected")
	case $row in
	*FAILURE*)
		words=$(printf '%s' "$row" | sed 's/.*FAILURE "\(.*\)"$/\1/')
		grep -Eq "$words" "$dir/error" || { echo "not ok $name: must fail with $words: $(cat "$dir/error")"; status=1; } ;;
	*SUCCESS*)
		test ! -s "$dir/error" || { echo "not ok $name: $(cat "$dir/error")"; status=1; } ;;
	esac
	raw=$(awk '$1 == "wire" { n += $3 } END { print n }' "$dir/ours")
	test -z "$row" || test "$raw" = "${row%%	*}" || { echo "not ok $name: $raw events on the wire, not ${row%%	*}"; status=1; }
done
# the old format is refused by its name
for t in "$corpus"/go-traces-v1/*_good "$corpus"/goroot-1.26/tracev1-testdata/*_good; do
	test -f "$t" || continue
	by_us "$t" >/dev/null
	compared=$((compared + 1))
	grep -q 'old format (v1' "$dir/error" || { echo "not ok $(basename "$t"): $(cat "$dir/error")"; status=1; }
done
test -n "$go" || echo "skip fresh figures: no Go with its trace tool here"
test -d "$corpus" || echo "skip the corpus: not here (set CORPUS)"
echo "$compared compared"
exit $status
