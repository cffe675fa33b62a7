#!/bin/sh
# Installs what is missing, builds with warnings as errors and runs all tests. The last line is
# "N passed, N failed"; exits 1 when a test failed.
set -eu
cd "$(dirname "$0")"
. scripts/setup.sh

setup_packages
setup_build build-check --enable-werror
say "make check"
status=0
make -C build-check check VERBOSE=1 || status=1
setup_count build-check
test $failed = 0 || status=1
echo "$passed passed, $failed failed"
exit $status
