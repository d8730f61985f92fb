#!/usr/bin/env bash
# Installs groups of scripts/packages.txt: install_packages.sh GROUP...
# Asks nothing, and needs neither network nor root when everything is there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

wanted=()
while read -r group package _; do
  for chosen in "$@"; do
    if [[ $group == "$chosen" ]]; then wanted+=("$package"); fi
  done
done < <(grep -v '^ *#' "$here/packages.txt")

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  if [[ $status != installed ]]; then missing+=("$package"); fi
done
if [[ ${#missing[@]} -eq 0 ]]; then exit 0; fi

as_root=()
if [[ $EUID -ne 0 ]]; then as_root=(sudo); fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq)

echo "Installing ${missing[*]}" >&2
"${apt[@]}" update
"${apt[@]}" install --yes --no-install-recommends "${missing[@]}" </dev/null >/dev/null
