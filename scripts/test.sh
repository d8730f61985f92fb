#!/usr/bin/env bash
# Installs what the tests need, builds everything and runs every test. Arguments go to ctest:
# scripts/test.sh -R shuffle/merge
# With --engines first: installs the systems that tests/engines needs, and runs these tests only.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install_packages.sh build text test
if [[ ${1:-} == --engines ]]; then
  shift
  scripts/install_packages.sh engines
  scripts/install_engines.sh
  set -- -L engines "$@"
fi
exec scripts/dev test release "$@"
