#!/bin/sh
# Makes a Debian machine ready to build Linnet: bookworm (12), trixie (13) or newer.
#
# XNNPACK and its companions must be of trixie's age or newer. Where the machine's own sources offer only older ones (bookworm), one
# extra source is added, pinned so low that nothing is ever taken from it except the packages named here and what they need; that
# brings trixie's C library along, so the script asks first. Elsewhere this is a plain apt-get install. Safe to run again.
# (Afterwards /etc/os-release may name the newer release, because its C library brings base-files along.)
set -eu

usage() {
  cat <<EOF
usage: tools/setup.sh [--yes | --local DIR]

Installs what Linnet is built with: g++, cmake, ninja, XNNPACK, pthreadpool, cpuinfo, FlatBuffers, utf8proc, doctest, nlohmann-json,
CLI11, fmt.

  --yes        do not ask before adding newer packages to Debian 12 (they bring Debian 13's C library along)
  --local DIR  change nothing on the system: unpack the newer packages into DIR and write DIR/toolchain.cmake
               (use it with cmake -DCMAKE_TOOLCHAIN_FILE=DIR/toolchain.cmake; programs then run only where DIR exists)
EOF
}

DEPS="libxnnpack-dev libpthreadpool-dev libcpuinfo-dev libflatbuffers-dev flatbuffers-compiler doctest-dev"
LIBRARIES="libutf8proc-dev nlohmann-json3-dev libcli11-dev libfmt-dev"   # any version from bookworm on
TOOLS="g++ cmake ninja-build pkg-config libedit-dev"
OLDEST=0.0~git20241108     # the oldest XNNPACK that Linnet builds against
SUITE=trixie               # where to find it when this release has an older one
LIST=/etc/apt/sources.list.d/linnet-deps.sources
PIN=/etc/apt/preferences.d/linnet-deps

yes=no local=
while [ $# -gt 0 ]; do
  case "$1" in
    --yes) yes=yes ;;
    --local) [ $# -gt 1 ] || { echo "tools/setup.sh: --local needs a folder" >&2; exit 2; }; local=$2; shift ;;
    --help|-h) usage; exit 0 ;;
    *) echo "tools/setup.sh: '$1' is not understood; --help shows what is" >&2; exit 2 ;;
  esac
  shift
done

# Nothing to do, and no network needed, when everything is there.
installed() { dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | sed -n 's/^installed //p'; }
complete() {
  for p in $DEPS $LIBRARIES $TOOLS; do [ -n "$(installed "$p")" ] || return 1; done
  dpkg --compare-versions "$(installed libxnnpack-dev)" ge "$OLDEST"
}
if [ -z "$local" ] && complete; then
  echo "setup: everything is installed"
  exit 0
fi

get() { apt-get -qy -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 \
          -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }
candidate() { apt-cache policy "$1" | sed -n 's/^  Candidate: //p' | grep -v '^(none)$' || :; }
mirror() { apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | head -n1; }

unpack_locally() {
  mkdir -p "$1"; dir=$(cd "$1" && pwd); apt_dir=$dir/.apt
  mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial" "$apt_dir/debs"; : > "$apt_dir/status"
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$(mirror)" "$SUITE" \
    /usr/share/keyrings/debian-archive-keyring.gpg > "$apt_dir/sources.sources"
  opts="-o Dir::State::lists=$apt_dir/lists -o Dir::State::status=$apt_dir/status -o Dir::Cache=$apt_dir/cache
        -o Dir::Etc::sourcelist=$apt_dir/sources.sources -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root"
  apt-get -q $opts -o Acquire::Retries=3 update
  # the shared libraries behind the -dev packages carry versions in their names
  so=$(apt-cache $opts depends $DEPS $LIBRARIES | sed -n 's/^ *Depends: *\(lib\(xnnpack\|pthreadpool\|cpuinfo\|flatbuffers\|utf8proc\|fmt\)[0-9.]*\)\(:.*\)*$/\1/p' | sort -u)
  (cd "$apt_dir/debs" && rm -f ./*.deb && apt-get -q $opts download $DEPS $LIBRARIES $so \
    libc6 libc6-dev linux-libc-dev libgcc-s1 libstdc++6 libcrypt1 libcrypt-dev)
  for d in "$apt_dir"/debs/*.deb; do dpkg-deb -x "$d" "$dir"; done
  rm -rf "$apt_dir"
  lib=$dir/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo x86_64-linux-gnu)
  cat > "$dir/toolchain.cmake" <<EOF
set(CMAKE_SYSROOT $dir)
set(CMAKE_FIND_ROOT_PATH $dir)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM BOTH)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,-rpath,$lib -Wl,--dynamic-linker,$dir/usr/lib64/ld-linux-x86-64.so.2")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-Wl,-rpath,$lib")
EOF
  echo "setup: unpacked into $dir; configure with -DCMAKE_TOOLCHAIN_FILE=$dir/toolchain.cmake"
}
if [ -n "$local" ]; then unpack_locally "$local"; exit 0; fi

if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo > /dev/null; then
    echo "tools/setup.sh: packages are missing, and installing them takes root: run this as root or with sudo, or use --local DIR" >&2
    exit 1
  fi
  echo "setup: packages are missing; installing them takes root, so sudo is asked"
  if [ $yes = yes ]; then exec sudo sh "$0" --yes; else exec sudo sh "$0"; fi
fi
export DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=a
get update

if [ -e "$LIST" ] || ! dpkg --compare-versions "$(candidate libxnnpack-dev)" ge "$OLDEST"; then
  if [ $yes != yes ] && [ ! -e "$LIST" ]; then
    echo "This release has an older XNNPACK. The newer one comes from Debian $SUITE and brings $SUITE's C library along (about 16 packages"
    printf "are upgraded, none removed). --local DIR changes nothing on the system instead. Go ahead? [y/N] "
    read -r answer || answer=
    case "$answer" in y|Y|yes) ;; *) echo "setup: stopped, nothing was changed"; exit 1 ;; esac
  fi
  [ -e "$LIST" ] || printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$(mirror)" "$SUITE" \
    /usr/share/keyrings/debian-archive-keyring.gpg > "$LIST"
  # Nothing comes from it (50: never preferred, never an upgrade) but these, the C and C++ runtime libraries that they were linked
  # against, and what those refuse to sit beside in an older version (500: without dpkg-dev here, build-essential would be removed).
  cat > "$PIN" <<EOF
Package: *
Pin: release n=$SUITE
Pin-Priority: 50

Package: src:xnnpack src:pthreadpool src:cpuinfo src:flatbuffers src:doctest src:glibc src:gcc-14 src:cross-toolchain-base base-files dpkg-dev libdpkg-perl qemu-user
Pin: release n=$SUITE
Pin-Priority: 500
EOF
  get update
fi
get install --no-install-recommends $TOOLS $DEPS $LIBRARIES
dpkg --compare-versions "$(installed libxnnpack-dev)" ge "$OLDEST"
