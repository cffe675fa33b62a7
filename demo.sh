#!/bin/sh
# Installs what is missing, builds, and shows the main job on the recording in samples/recording/:
# an HTTP server on one CPU with GOMAXPROCS 4, recorded by perf and by pprof at the same time.
set -eu
cd "$(dirname "$0")"
. scripts/setup.sh

setup_packages
setup_build build
perfskew=build/perfskew
sample=samples/recording
mkdir -p build/demo

say "perfskew report $sample"
$perfskew report --top 16 $sample

say "perfskew flame $sample"
$perfskew flame $sample -o build/demo/flame.svg
$perfskew flame $sample -o build/demo/flame.png

say "perfskew skew $sample"
$perfskew skew $sample
$perfskew skew $sample -o build/demo/skew.svg
$perfskew skew $sample -o build/demo/skew.png

say "pictures"
ls -l build/demo/*.svg build/demo/*.png
