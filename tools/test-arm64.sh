#!/bin/sh
# Sets up, builds for 64-bit Arm and runs tests under an emulator, once for each kernel level's processor.
#   tools/test-arm64.sh [TEST...]       the tests (default: kernels format ops plan runtime), as ctest names them
set -eu
cd "$(dirname "$0")/.."
case "${1:-}" in
  --help|-h) sed -n '2,3s/^# *//p' "$0"; exit 0 ;;
  -*) echo "tools/test-arm64.sh: '$1' is not understood; --help shows what is" >&2; exit 2 ;;
esac
[ $# -gt 0 ] || set -- kernels format ops plan runtime
sysroot=build/arm64-sysroot/toolchain.cmake
[ "$sysroot" -nt tools/setup-arm64.sh ] || sh tools/setup-arm64.sh
cmake --preset aarch64
cmake --build --preset aarch64 --target $(printf '%s_test ' "$@")
[ -d ../shared ] || echo "skipped: the checks against ../shared, which is not here"
status=0
for processor in cortex-a53:neon neoverse-n1:dotprod max:i8mm; do
  echo "== $processor"
  QEMU_CPU=${processor%:*} LINNET_ISA=${processor#*:} ctest --preset aarch64 -R "^($(echo "$*" | tr ' ' '|'))\$" || status=1
done
exit $status
