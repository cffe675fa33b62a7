#!/bin/sh
# A few hundred mutants of each kind; $HOSTILE of them where that is set (.ci/run).
exec tests/hostile/hostile -n "${HOSTILE:-300}"
