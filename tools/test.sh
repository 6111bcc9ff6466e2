#!/bin/sh
# Sets up, builds the release preset and runs every test.
#   tools/test.sh [--yes]       --yes: do not ask before set-up adds newer packages to Debian 12
set -eu
cd "$(dirname "$0")/.."
case "${1:-}" in
  --help|-h) sed -n '2,3s/^# *//p' "$0"; exit 0 ;;
  ""|--yes) ;;
  *) echo "tools/test.sh: '$1' is not understood; --help shows what is" >&2; exit 2 ;;
esac
sh tools/setup.sh "$@"
cmake --preset release
cmake --build --preset release
status=0
ctest --preset release --output-on-failure || status=$?
# ctest shows nothing of tests that pass: what they left out is told here.
sh tools/skipped.sh build/release/Testing/Temporary/LastTest.log
exit $status
