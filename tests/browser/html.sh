#!/bin/sh
# The HTML report in headless Chromium; skipped without what svg.sh needs.
DRIVER=tests/browser/html.js
. "${srcdir:-.}/tests/browser/svg.sh"
