#!/bin/sh
# Tells which tests of a run left something out, and why.
#   tools/skipped.sh BUILD/Testing/Temporary/LastTest.log
set -eu
case "${1:-}" in
  --help|-h) sed -n '2,3s/^# *//p' "$0"; exit 0 ;;
  ""|-*) sed -n '2,3s/^# *//p' "$0" >&2; exit 2 ;;
esac
if [ ! -r "$1" ] || [ -d "$1" ]; then
  echo "tools/skipped.sh: $1: there is no such log, or it cannot be read" >&2
  exit 1
fi
found=$(awk '/^[0-9]+\/[0-9]+ Testing: / { test = $3 } /skipped: / { sub(/.*skipped: /, ""); print "skipped: " test ": " $0 }' "$1" | sort -u)
if [ -n "$found" ]; then echo "$found"; else echo "skipped: nothing"; fi
