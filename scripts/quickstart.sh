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

mapfile -t texts < <(find /usr/share/games/fortunes -type f ! -name '*.*' | LC_ALL=C sort)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

command=(build/release/bin/spillway run wordcount -i "${texts[@]}" -o "$out/words")
echo
echo "\$ ${command[*]:0:4} ${texts[0]} ... (${#texts[@]} files) -o $out/words"
"${command[@]}"

echo
echo "The most frequent words:"
sort -t "$(printf '\t')" -k2,2nr -k1,1 "$out"/words/part-* >"$out/ranked"
head -n 10 "$out/ranked"
