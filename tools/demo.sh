#!/bin/sh
# Sets up, builds, converts a model folder (or .gguf file) to int8 and runs it on a little text.
#   tools/demo.sh [--yes] MODEL [TEXT]       --yes: do not ask before set-up adds newer packages to Debian 12
set -eu
yes=
[ "${1:-}" != --yes ] || { yes=--yes; shift; }
case "${1:-}" in
  --help|-h) sed -n '2,3s/^# *//p' "$0"; exit 0 ;;
  ""|-*) sed -n '2,3s/^# *//p' "$0" >&2; exit 2 ;;
esac
[ -e "$1" ] || { echo "tools/demo.sh: there is no model at '$1'" >&2; exit 1; }
model=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
text=${2:-Once upon a time}
cd "$(dirname "$0")/.."
sh tools/setup.sh $yes
cmake --preset release
cmake --build --preset release --target linnet_tool
linnet=build/release/linnet out=build/demo.linnet
$linnet convert "$model" -o $out --weights int8
$linnet inspect $out
case "$($linnet inspect $out --json | sed -n 's/^ "task": "\(.*\)",*$/\1/p')" in
  text_generation) $linnet generate $out --prompt "$text" --max-tokens 128 ;;
  sentence_embedding) echo "$text" | $linnet embed $out ;;
  sequence_classification|reranking) echo "$text" | $linnet classify $out ;;
  *) $linnet plan $out ;;
esac
