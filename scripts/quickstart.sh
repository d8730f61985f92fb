#!/usr/bin/env bash
# From a fresh Debian 12 to a first result: installs what is needed, builds the command and the
# example plugins, and counts the words of the fortunes of fortune(6).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install_packages.sh build text

# Only what is run here is built; scripts/test.sh turns the rest on.
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
if [[ ! -e build/release/CMakeCache.txt ]]; then
  cmake --preset release -DSPILLWAY_TESTS=OFF -DSPILLWAY_BENCH=OFF >/dev/null
fi
cmake --build build/release --target spillway plugins

# Files without a suffix are the texts; the others are indexes and links to them.
mapfile -t texts < <(find /usr/share/games/fortunes -type f ! -name '*.*' | LC_ALL=C sort)
out=build/quickstart

echo
echo "\$ build/release/bin/spillway run wordcount -i ${texts[0]} ... -o $out"
build/release/bin/spillway run wordcount -i "${texts[@]}" -o "$out" --overwrite

echo
echo "The most frequent words of ${#texts[@]} files:"
LC_ALL=C sort -t "$(printf '\t')" -k2,2nr -k1,1 "$out"/part-* | grep '^[[:alpha:]]' | sed -n 1,10p
