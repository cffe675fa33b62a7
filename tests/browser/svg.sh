#!/bin/sh
# The interactive SVG in headless Chromium, driven by playwright-core; skipped without either.
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
command -v node >/dev/null || skip "no node"
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "no Chromium"
[ -d "$modules/node_modules/playwright-core" ] || skip "no playwright-core in BROWSER_MODULES (.ci/run fetches it)"
case $driver in
*/html.js) set -- "$chromium" "$perfskew" "$grow" "$tmp" ;;
*) set -- "$chromium" "$perfskew" "$tmp" ;;
esac
NODE_PATH="$modules/node_modules" timeout 600 node "$driver" "$@"
