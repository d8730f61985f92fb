#!/usr/bin/env bash
# Compares the hand-written limits, whose times everything is judged by, with coreutils and awk.
#
#   limits_test.sh DIRECTORY-WITH-THE-LIMITS
set -euo pipefail
export LC_ALL=C

limits=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
failures=0

# check NAME EXPECTED ACTUAL
check() {
  if cmp -s "$2" "$3"; then
    echo "ok      $1"
  else
    echo "FAILED  $1: $(cmp "$2" "$3" 2>&1 | head -1)"
    failures=$((failures + 1))
  fi
}

"$limits/generate_text" --bytes 3000000 --seed 7 --words 50000 zipf
printf 'no newline at the end and a_word_of_more_than_sixteen_bytes sixteen_bytes_xy' >rough
printf '\n\n\t two\r\nwords\0between\001controls  \n a_word_of_more_than_sixteen_bytes\n' >>rough
head -c 700000 /dev/zero | tr '\0' 'x' >long        # One word, longer than two buffers.
printf ' tail' >>long
head -c 400000 /dev/urandom >noise
: >empty

# Every word with its file and offset, in the order of the input.
list_places() {
  local file
  for file in "$@"; do
    tr '\000-\040' '\n' <"$file" | awk -v file="$file" '
      length($0) { print $0 "\t" file ":" at + 0 }
      { at += length($0) + 1 }'
  done
}

for threads in 1 2 5; do
  for files in zipf rough "zipf rough empty long zipf" noise empty; do
    # shellcheck disable=SC2086,SC2094 # a list of names; the loops write no input
    list_places $files >places
    cut -f1 places | sort | uniq -c | awk '{ print $2 "\t" $1 }' >expected
    # shellcheck disable=SC2086
    "$limits/word_count" --threads "$threads" $files actual
    check "word_count, $threads threads: $files" expected actual

    sort -s -t "$(printf '\t')" -k1,1 places | awk -F '\t' '
      $1 != word || NR == 1 { if (NR > 1) printf "\n"; word = $1; printf "%s\t%s", $1, $2; next }
      { printf " %s", $2 }
      END { if (NR) printf "\n" }' >expected
    # shellcheck disable=SC2086
    "$limits/inverted_index" --threads "$threads" $files actual
    check "inverted_index, $threads threads: $files" expected actual
  done

  for pattern in e ' ' zq xx sixteen_bytes_xy a_word_of_more_than_sixteen_bytes; do
    for file in zipf rough long empty; do
      grep -a -F -e "$pattern" "$file" >expected || true
      "$limits/grep" --threads "$threads" -- "$pattern" "$file" actual
      check "grep '$pattern', $threads threads: $file" expected actual
    done
  done

  # Lines, so that sort can be the oracle; then few keys, so that stability shows.
  "$limits/generate_records" --bytes 90M --ascii lines
  awk 'NR <= 300000 { print "AAAAAAAAA" substr($0, 1, 1) substr($0, 11) }' lines >few
  for file in lines few empty; do
    sort -s -k1.1,1.10 --parallel=2 "$file" >expected
    for memory in "" "--memory 48M" "--memory 70M"; do
      # shellcheck disable=SC2086 # an option and its value
      "$limits/sort_records" --threads "$threads" $memory "$file" actual
      check "sort_records $memory, $threads threads: $file" expected actual
    done
  done
done

"$limits/generate_records" --bytes 1000000 --seed 3 --threads 1 expected
"$limits/generate_records" --bytes 1000000 --seed 3 --threads 4 actual
check "generate_records does not depend on threads" expected actual
"$limits/generate_text" --bytes 2500000 --seed 3 --threads 1 expected
"$limits/generate_text" --bytes 2500000 --seed 3 --threads 4 actual
check "generate_text does not depend on threads" expected actual

if ((failures > 0)); then
  echo "$failures failed"
  exit 1
fi
