#!/bin/sh
# Pictures from the command line, looked at by other programs: xmllint for any name, pdftotext for the
# text of PDFs, the same bytes in any locale, limits by their exit code. Parts whose program is missing
# are skipped by name. BIG_RECORDING names a recording of 2 GB or more for the size of its SVG.
set -u
perfskew=${PERFSKEW:-$PWD/perfskew}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
cd "${srcdir:-.}" || exit 99
failed=0
fail() {
  echo "FAIL $1"
  failed=1
}
ok() { echo "ok   $1"; }
expect() { # NAME CODE COMMAND...
  name=$1 want=$2
  shift 2
  "$@" >"$tmp/out" 2>"$tmp/err"
  code=$?
  if [ $code = "$want" ]; then ok "$name"; else
    fail "$name: exit $code, not $want"
    cat "$tmp/err"
  fi
}

# Names that end markup, turn text, or are no text at all; one of 1 MB.
{
  printf '%s 3\n' 'main;<script>alert(1)</script>' 'main;]]>' "main;\"quotes'&amp;" 'main;<!-- --' 'main;%s%n'
  printf 'main;\033[31mred 3\nmain;\357\277\276 3\nmain;\377\376\300\200 cut \342\202 3\n'
  printf 'main;\327\251\327\234\327\225\327\235 3\nmain;\342\200\256live 3\nmain;\346\274\242\345\255\227\360\237\224\245 3\n'
  printf 'main;'
  head -c 1000000 /dev/zero | tr '\0' x
  printf ' 3\n'
} >"$tmp/hostile.folded"
expect "hostile names: svg" 0 "$perfskew" flame -o "$tmp/h.svg" --title '<b>]]>' --subtitle '&' --search '<|x' "$tmp/hostile.folded"
expect "hostile names: png" 0 "$perfskew" flame -o "$tmp/h.png" --title '<b>]]>' --search '<|x' "$tmp/hostile.folded"
# cairo 1.16 leaks 768 bytes for each CFF font that it puts into a PDF, as those for East Asian text are
expect "hostile names: pdf" 0 env ASAN_OPTIONS=detect_leaks=0 "$perfskew" flame -o "$tmp/h.pdf" --title '<b>]]>' --search '<|x' "$tmp/hostile.folded"
expect "hostile names: difference" 0 "$perfskew" diff -q -o "$tmp/d.svg" "$tmp/hostile.folded" tests/golden/tiny.folded
expect "hostile names: html" 0 "$perfskew" flame -o "$tmp/h.html" --title '</title><b>' --subtitle '</script>' "$tmp/hostile.folded"
expect "hostile names: difference, html" 0 "$perfskew" diff -q -o "$tmp/d.html" "$tmp/hostile.folded" tests/golden/tiny.folded
for f in "$tmp/h.svg" "$tmp/h.html" "$tmp/d.html"; do
  grep -q '<script>alert' "$f" && fail "a name became markup"
done
[ "$(grep -c '</script>' "$tmp/h.html")" = 2 ] || fail "a name ends an element"
if command -v xmllint >/dev/null; then
  "$perfskew" flame -q -o "$tmp/s.svg" samples/recording
  for palette in go hot java rust; do
    "$perfskew" flame -q --inverted --reverse --colors $palette -o "$tmp/$palette.svg" samples/recording
  done
  "$perfskew" skew -q -o "$tmp/skew.svg" samples/recording
  for f in "$tmp"/*.svg; do
    expect "xmllint: $(basename "$f")" 0 xmllint --huge --noout "$f"
  done
else
  echo "skipped: xmllint: not there"
fi

# Text can be taken out of a PDF.
if command -v pdftotext >/dev/null; then
  "$perfskew" flame -q -o "$tmp/s.pdf" samples/recording
  pdftotext -layout "$tmp/s.pdf" "$tmp/s.txt"
  for text in "Flame graph" "net/http.(*conn).serve" "runtime.bgsweep" "standard library"; do
    if grep -qF "$text" "$tmp/s.txt"; then ok "pdf text: $text"; else fail "pdf text: $text"; fi
  done
else
  echo "skipped: pdftotext: not there"
fi

# The same bytes whatever the locale, the time zone and the number of workers.
"$perfskew" flame -q -j 1 -o "$tmp/one.svg" samples/recording
locale=$(locale -a 2>/dev/null | grep -E '^(de|fr|tr|cs)_' | head -1)
LC_ALL=${locale:-C} TZ=Asia/Tokyo "$perfskew" flame -q -j 4 -o "$tmp/two.svg" samples/recording
if cmp -s "$tmp/one.svg" "$tmp/two.svg"; then ok "same bytes (locale ${locale:-C})"; else fail "same bytes"; fi

# Limits.
expect "32,767 px" 6 "$perfskew" flame -o "$tmp/x.png" --width 20000 --scale 2 tests/golden/tiny.folded
grep -q "32,767" "$tmp/err" || fail "the limit is not named"
expect "32,767 px: pdf" 6 "$perfskew" flame -o "$tmp/x.pdf" --height 9000 tests/golden/tiny.folded
if nm "$perfskew" 2>/dev/null | grep -q __asan_init; then
  echo "skipped: little memory: the sanitizers need more"
else
  # 32,000 x 30,000 px are 3.8 GB
  expect "little memory" 6 sh -c 'ulimit -v 1500000; exec "$@"' sh "$perfskew" flame -o "$tmp/x.png" --width 32000 \
    --height 4900 tests/golden/tiny.folded
fi
[ -e "$tmp/x.png" ] && fail "a picture that failed was left"
expect "no such palette" 2 "$perfskew" flame --colors nosuch tests/golden/tiny.folded
expect "palette of differences" 2 "$perfskew" flame --colors diff tests/golden/tiny.folded
expect "bad search" 2 "$perfskew" flame --search '[' tests/golden/tiny.folded
expect "bad min-width" 2 "$perfskew" flame --min-width x tests/golden/tiny.folded
expect "bad width" 2 "$perfskew" flame --width=-5 tests/golden/tiny.folded
expect "flamegraph.pl's spelling" 0 "$perfskew" flame --minwidth 1% tests/golden/tiny.folded

# Many distinct stacks: the default leaves out what is narrowest, and says so.
awk 'BEGIN { for (i = 0; i < 10000; i++) { printf "main"; for (d = 0; d < 30; d++) printf ";example.com/pkg%d.F%d", d, i; print " " 1 + i % 5 } }' >"$tmp/many.folded"
"$perfskew" flame -q -o "$tmp/many.svg" "$tmp/many.folded"
size=$(wc -c <"$tmp/many.svg")
if [ "$size" -le 2000000 ]; then ok "300,000 boxes: $size bytes"; else fail "300,000 boxes: $size bytes"; fi
grep -q "left out" "$tmp/many.svg" || fail "what is left out is not said"
if [ -r "${BIG_RECORDING:-}" ]; then
  "$perfskew" flame -q -o "$tmp/big.svg" "$BIG_RECORDING"
  size=$(wc -c <"$tmp/big.svg")
  if [ "$size" -le 2000000 ]; then ok "big recording: $size bytes"; else fail "big recording: $size bytes"; fi
else
  echo "skipped: size of a big recording's SVG: no BIG_RECORDING"
fi
exit $failed
