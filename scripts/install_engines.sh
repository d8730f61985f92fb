#!/usr/bin/env bash
# Installs the systems that tests/engines runs Spillway beside, each into a directory of its own
# below build/engines, from PyPI. Nothing outside it changes.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=build/engines/mrjob
# mrjob imports distutils, which Python 3.12 only has with setuptools.
packages=(mrjob==0.7.4 setuptools)
if ! "$venv/bin/python" -c 'import mrjob.job' 2>/dev/null; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
fi
