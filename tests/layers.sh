#!/bin/sh
# Holds the allowed includes of ARCHITECTURE.md: data flows one way.
cd "${srcdir:-.}" || exit 99
status=0
# allow FOLDER PREFIX...: quoted includes of FOLDER must begin with one of the prefixes
allow() {
  folder=$1
  shift
  pattern=$(printf '%s|' "$@")
  bad=$(grep -n '^#include "' "$folder"/*.[ch] | grep -Ev ":#include \"(${pattern%|})")
  if [ -n "$bad" ]; then
    echo "$folder may not include:"
    echo "$bad"
    status=1
  fi
}
allow src/base base/
allow src/perfdata base/ perfdata/
allow src/process base/ perfdata/ process/
allow src/unwind base/ perfdata/ process/ unwind/
[ -d src/goroutine ] && allow src/goroutine base/ perfdata/ process/ unwind/ goroutine/
allow src/profile base/ profile/
allow src/compare base/ profile/ compare/
allow src/trace base/ trace/
allow src/collect base/ perfdata/ process/ unwind/ goroutine/ trace/ profile/ collect/
allow src/cmd base/ perfdata/ process/ unwind/ goroutine/ trace/ profile/ compare/ collect/ cmd/ render.h
allow render fonts.h internal.h render.h
# only cmd prints or exits; render and the writers of profile/ print to the stream they are given
bad=$(grep -nE '\b(printf|puts|putchar|perror|exit|_exit)\(' src/base/*.c src/perfdata/*.c src/process/*.c \
  src/unwind/*.c src/trace/*.c src/collect/*.c src/compare/*.c src/profile/*.c render/*.c | grep -vE 'base/output.c|fprintf')
[ -z "$bad" ] || { echo "prints or exits outside cmd:"; echo "$bad"; status=1; }
bad=$(grep -nE '\b(strcpy|sprintf|vsprintf|strcat|gets|atoi)\(' src/*/*.c src/*.c render/*.c tests/unit/*.c)
[ -z "$bad" ] || { echo "banned functions:"; echo "$bad"; status=1; }
exit $status
