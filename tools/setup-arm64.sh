#!/bin/sh
# Adds what it takes to build and test for 64-bit Arm on an x86-64 machine that tools/setup.sh has prepared.
#
# The arm64 libraries are unpacked into a folder, not installed: the -dev packages of cpuinfo and pthreadpool exclude their
# other-architecture twins, and a foreign architecture would make every later apt-get update depend on its index too.
set -eu

usage() {
  cat <<EOF
usage: tools/setup-arm64.sh [FOLDER]

Installs a cross compiler and an emulator (qemu-user), and unpacks Linnet's arm64 dependencies into FOLDER (default
build/arm64-sysroot, where the preset 'aarch64' looks for FOLDER/toolchain.cmake). Then:

  cmake --preset aarch64 && cmake --build --preset aarch64 && ctest --preset aarch64

Tests run under the emulator by themselves. It has every ability; QEMU_CPU=cortex-a53 (or neoverse-n1, ...) in the environment, or
-DLINNET_QEMU_CPU=... when configuring, picks a processor. tools/test-arm64.sh does all of this for one processor of each level.
EOF
}
case "${1:-}" in --help|-h) usage; exit 0 ;; -*) usage >&2; exit 2 ;; esac

DIR=${1:-$(dirname "$0")/../build/arm64-sysroot}; mkdir -p "$DIR"; DIR=$(cd "$DIR" && pwd)
DEBS="libxnnpack-dev libpthreadpool-dev libpthreadpool0 libcpuinfo-dev libcpuinfo0 libflatbuffers-dev
      libutf8proc-dev libfmt-dev doctest-dev nlohmann-json3-dev libcli11-dev"
sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
get() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qy -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 install --no-install-recommends "$@"; }

# Which release each of these comes from is settled by the pins of tools/setup.sh.
get g++-aarch64-linux-gnu libc6-dev-arm64-cross libc6-arm64-cross qemu-user   # named: an older cross libc must move too

# A private apt state: nothing of the machine's own package lists changes.
apt_dir=$DIR/.apt; mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial" "$apt_dir/debs"
: > "$apt_dir/status"
opts="-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::lists=$apt_dir/lists
      -o Dir::State::status=$apt_dir/status -o Dir::Cache=$apt_dir/cache"
a64() { apt-get -q $opts -o Acquire::Retries=3 -o APT::Sandbox::User=root "$@"; }
a64 update
# the shared libraries that those packages stand for (their names carry versions)
so=$(apt-cache $opts depends $DEBS | sed -n 's/^ *Depends: *\(lib\(xnnpack\|flatbuffers\|utf8proc\|fmt\)[0-9.]*\)\(:.*\)*$/\1/p' | sort -u)
(cd "$apt_dir/debs" && rm -f ./*.deb && a64 download $DEBS $so)
for d in "$apt_dir"/debs/*.deb; do dpkg-deb -x "$d" "$DIR"; done
rm -rf "$apt_dir"

cat > "$DIR/toolchain.cmake" <<'T'
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH ${CMAKE_CURRENT_LIST_DIR} /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(_lib ${CMAKE_CURRENT_LIST_DIR}/usr/lib/aarch64-linux-gnu)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,-rpath-link,${_lib}")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-Wl,-rpath-link,${_lib}")
set(_cpu)
if(LINNET_QEMU_CPU)
  set(_cpu -cpu ${LINNET_QEMU_CPU})
endif()
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 ${_cpu} -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=${_lib})
T
