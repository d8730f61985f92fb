#!/usr/bin/env bash
# Installs what the tests need, builds everything and runs every test. Arguments go to ctest:
# scripts/test.sh -R shuffle/merge
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install_packages.sh build text test
exec scripts/dev test release "$@"
