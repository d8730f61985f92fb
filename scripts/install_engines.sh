#!/usr/bin/env bash
# Installs the systems that tests/engines runs Spillway beside, each into a directory of its own
# below build/engines, from PyPI and Maven Central. Nothing outside it changes.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

engines=build/engines

# venv NAME MODULE PACKAGE...: the packages in build/engines/NAME, unless MODULE is there already.
venv() {
  local place=$engines/$1 module=$2
  shift 2
  if "$place/bin/python" -c "import $module" 2>/dev/null; then return; fi
  python3 -m venv "$place"
  "$place/bin/pip" install --quiet --disable-pip-version-check "$@"
}

# hadoop: the jars of tests/engines/hadoop_jars.txt (checksum, name, path in the repository).
hadoop() {
  local list=$PWD/tests/engines/hadoop_jars.txt name path
  local -A whole=()
  mkdir -p "$engines/hadoop"
  cd "$engines/hadoop"
  sums() { awk '{ print $1 "  " $2 }' "$list" | sha256sum --check "$@"; }
  while read -r name; do whole[$name]=1; done < <(sums 2>/dev/null | sed -n 's/: OK$//p')
  while read -r _ name path; do
    if [[ -n ${whole[$name]:-} ]]; then continue; fi
    printf 'url = "%s/%s"\noutput = "%s"\n' \
      "${MAVEN_REPOSITORY:-https://repo1.maven.org/maven2}" "$path" "$name"
  done <"$list" >fetch.conf
  if [[ -s fetch.conf ]]; then
    curl --fail --no-progress-meter --location --retry 3 --parallel --parallel-max 8 \
      --config fetch.conf
  fi
  rm fetch.conf
  sums --quiet
}

# mrjob imports distutils, which Python 3.12 only has with setuptools.
venv mrjob mrjob.job mrjob==0.7.4 setuptools
venv spark pyspark pyspark==4.3.0
(hadoop)
