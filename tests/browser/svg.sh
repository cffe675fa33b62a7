#!/bin/sh
# The interactive SVG in headless Chromium, driven by playwright-core from npm; skipped without either.
# html.sh sources this with a driver of its own.
set -u
driver=${DRIVER:-tests/browser/svg.js}
perfskew=${PERFSKEW:-$PWD/perfskew}
grow=$PWD/tests/bench/grow
modules=${BROWSER_MODULES:-$PWD/tests/browser/modules}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
cd "${srcdir:-.}" || exit 99
skip() {
  echo "skipped: $1"
  exit 77
}
command -v node >/dev/null && command -v npm >/dev/null || skip "no node and npm"
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "no Chromium"
if [ ! -d "$modules/node_modules/playwright-core" ]; then
  mkdir -p "$modules" || exit 99
  timeout 120 npm install --prefix "$modules" --no-audit --no-fund --ignore-scripts playwright-core@1 >"$tmp/npm" 2>&1 ||
    skip "npm cannot fetch playwright-core: $(tail -1 "$tmp/npm")"
fi
case $driver in
*/html.js) set -- "$chromium" "$perfskew" "$grow" "$tmp" ;;
*) set -- "$chromium" "$perfskew" "$tmp" ;;
esac
NODE_PATH="$modules/node_modules" timeout 600 node "$driver" "$@"
