#!/usr/bin/env bash
# A cluster on this machine: one coordinator and N workers, with keys, on loopback.
#
#   scripts/local_cluster.sh start N    makes what is missing, waits until N workers are there;
#                                       again: starts anew what has ended
#   scripts/local_cluster.sh status     what runs, and how to use it
#   scripts/local_cluster.sh stop       drains the workers, then ends everything it started; with a
#                                       job under way at once: it goes on after a start
#
# Everything lies in SPILLWAY_CLUSTER_DIR, by default ~/.local/state/spillway/cluster: keys, the
# journal, spills, logs, process ids. `stop` keeps keys and journal; jobs go on after a start.
# SPILLWAY_CLUSTER_STOP_SECONDS (30) is how long a drain may take. The program is SPILLWAY, or
# build/release/bin/spillway of this checkout, or the one on PATH.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
state=${SPILLWAY_CLUSTER_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/spillway/cluster}
stop_seconds=${SPILLWAY_CLUSTER_STOP_SECONDS:-30}
start_seconds=30
usual_port=24711
memory_percent=60

# The cluster's own settings are those of this script, not of a user's job.
unset SPILLWAY_ON SPILLWAY_KEYS SPILLWAY_KEY SPILLWAY_INSECURE SPILLWAY_MEMORY SPILLWAY_SPILL_DIR

fail() {
  echo "local_cluster.sh: $*" >&2
  exit 1
}

usage() {
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
  exit 64
}

program() {
  if [[ -n ${SPILLWAY:-} ]]; then
    echo "$SPILLWAY"
  elif [[ -x $here/build/release/bin/spillway ]]; then
    echo "$here/build/release/bin/spillway"
  else
    command -v spillway || fail "no spillway: build it (scripts/quickstart.sh) or put it on PATH"
  fi
}

# started PID: when the kernel started it, so that another process with its number is not it;
# nothing for one that has ended.
started() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" {print $20}'; }

# alive FILE: whether the process of a pid file (number and start) still runs.
alive() {
  local pid at
  read -r pid at <"$1" 2>/dev/null || return 1
  [[ -n $at && $(started "$pid") == "$at" ]]
}

pid_files() { find "$state" -maxdepth 1 -name '*.pid' | LC_ALL=C sort; }

any_alive() {
  local file
  while read -r file; do
    if alive "$file"; then return 0; fi
  done < <(pid_files)
  return 1
}

# signal_all SIGNAL PREFIX: to our processes whose pid file begins so.
signal_all() {
  local file pid
  while read -r file; do
    if [[ $(basename "$file") == "$2"* ]] && alive "$file"; then
      read -r pid _ <"$file"
      kill -s "$1" "$pid" 2>/dev/null || true
    fi
  done < <(pid_files)
}

# wait_gone SECONDS PREFIX: until none of them runs.
wait_gone() {
  local deadline=$((SECONDS + $1)) file gone
  while true; do
    gone=1
    while read -r file; do
      if [[ $(basename "$file") == "$2"* ]] && alive "$file"; then gone=0; fi
    done < <(pid_files)
    if [[ $gone -eq 1 ]]; then return 0; fi
    if [[ $SECONDS -ge $deadline ]]; then return 1; fi
    sleep 0.1
  done
}

# launch NAME COMMAND...: in a session of its own, with its log and pid file.
launch() {
  local name=$1 pid
  shift
  setsid "$@" >>"$state/$name.log" 2>&1 </dev/null 9>&- &
  pid=$!
  disown "$pid"
  echo "$pid $(started "$pid")" >"$state/$name.pid"
}

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port: below those that the kernel lends to whoever connects.
free_port() {
  local port=$usual_port tries
  for tries in {1..50}; do
    if ! taken "$port"; then
      echo "$port"
      return
    fi
    port=$((20000 + (RANDOM + tries) % 12000))
  done
  fail "no free port on 127.0.0.1"
}

# memory_bytes: what this machine or cgroup gives.
memory_bytes() {
  local total limit
  total=$(($(awk '/^MemTotal:/ {print $2}' /proc/meminfo) * 1024))
  for limit in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    if [[ -r $limit && $(<"$limit") =~ ^[0-9]+$ && $(<"$limit") -lt $total ]]; then
      total=$(<"$limit")
    fi
  done
  echo "$total"
}

ask_status() {
  "$(program)" cluster status --on "$(<"$state/endpoint")" --keys "$state/keys" \
    --connect-timeout "${1:-5}s" "${@:2}"
}

workers_there() { ask_status 2 --json 2>/dev/null | grep -o '"worker":' | wc -l; }

show_use() {
  echo "use it:  spillway run JOB -i PATH... -o DIR --on $(<"$state/endpoint") --keys $state/keys"
  echo "or:      export SPILLWAY_ON=$(<"$state/endpoint") SPILLWAY_KEYS=$state/keys"
}

start_coordinator() {
  local spillway=$1 port
  # The same port as before, where it is free: clients that wait for the coordinator find it again.
  port=
  if [[ -s $state/endpoint ]]; then port=$(sed 's/.*://' "$state/endpoint"); fi
  if [[ -z $port ]] || taken "$port"; then port=$(free_port); fi
  echo "127.0.0.1:$port" >"$state/endpoint"
  launch coordinator "$spillway" coordinator --listen "127.0.0.1:$port" \
    --journal "$state/journal" --keys "$state/keys"
}

# start_worker PROGRAM COUNT NUMBER: one of COUNT that share the machine.
start_worker() {
  local spillway=$1 count=$2 worker=$3 slots memory
  slots=$(($(nproc) / count))
  if [[ $slots -lt 1 ]]; then slots=1; fi
  memory=$(($(memory_bytes) * memory_percent / 100 / count))
  mkdir -p "$state/worker-$worker"
  launch "worker-$worker" "$spillway" worker --coordinator "$(<"$state/endpoint")" \
    --keys "$state/keys" --name "worker-$worker" --slots "$slots" --memory "$memory" \
    --spill-dir "$state/worker-$worker"
}

start_workers() {
  local worker
  for ((worker = 1; worker <= $2; ++worker)); do start_worker "$1" "$2" "$worker"; done
}

# restart PROGRAM COUNT: the processes of a cluster of COUNT workers that have ended.
restart() {
  local name known endpoint
  known=$(find "$state" -maxdepth 1 -name 'worker-*.pid' | wc -l)
  if [[ $known -ne $2 ]]; then fail "it runs with $known workers; 'stop' ends it"; fi
  endpoint=$(<"$state/endpoint")
  while read -r name; do
    echo "local_cluster.sh: $name had ended and is started anew"
    if [[ $name == coordinator ]]; then
      start_coordinator "$1"
      if [[ $(<"$state/endpoint") != "$endpoint" ]]; then
        end_all 5
        fail "the port of $endpoint is taken; everything was ended, 'start' begins anew"
      fi
    else
      start_worker "$1" "$2" "${name#worker-}"
    fi
  done < <(dead)
}

# dead: the names of our processes that have ended.
dead() {
  local file
  while read -r file; do
    if ! alive "$file"; then basename "$file" .pid; fi
  done < <(pid_files)
}

# died: names our processes that have ended, with the end of their logs.
died() {
  local name found=1
  while read -r name; do
    echo "local_cluster.sh: $name has ended; the end of $state/$name.log:" >&2
    tail -n 3 "$state/$name.log" >&2
    found=0
  done < <(dead)
  return "$found"
}

start() {
  local count=$1 spillway deadline
  [[ $count =~ ^[1-9][0-9]{0,2}$ ]] || usage
  spillway=$(program)
  if any_alive; then
    restart "$spillway" "$count"
  else
    rm -f "$state"/*.pid
    if [[ ! -d $state/keys ]]; then "$spillway" keys init "$state/keys" >/dev/null; fi
    mkdir -p "$state/journal"
    start_coordinator "$spillway"
    start_workers "$spillway" "$count"
  fi
  deadline=$((SECONDS + start_seconds))
  while [[ $(workers_there) -lt $count ]]; do
    if died || [[ $SECONDS -ge $deadline ]]; then
      end_all 5
      fail "no cluster of $count workers within $start_seconds s; the logs are in $state"
    fi
    sleep 0.2
  done
  echo "a coordinator and $count workers run; logs and spills are in $state"
  show_use
}

# end_all SECONDS: workers first, so that they can say goodbye.
end_all() {
  local part
  for part in worker- coordinator; do
    signal_all TERM "$part"
    if ! wait_gone "$1" "$part"; then
      signal_all KILL "$part"
      wait_gone 5 "$part" || fail "a process did not end; its number is in $state/$part*.pid"
    fi
  done
  rm -f "$state"/*.pid
}

# has_jobs: whether the coordinator says that jobs run.
has_jobs() {
  "$(program)" jobs list --on "$(<"$state/endpoint")" --keys "$state/keys" --connect-timeout 2s \
    --json 2>/dev/null | grep -q '"job_id":'
}

stop() {
  if ! any_alive; then
    rm -f "$state"/*.pid
    echo "nothing runs"
    return
  fi
  if has_jobs; then
    # A worker drains until nobody needs its map outputs, which may be the job's end. A second TERM
    # says: not this time.
    echo "jobs are under way; they go on after the next start"
    signal_all TERM worker-
    wait_gone 1 worker- || true
  fi
  end_all "$stop_seconds"
  echo "stopped; keys, journal and logs stay in $state"
}

show_status() {
  if ! any_alive; then
    echo "nothing runs; 'start N' starts a cluster"
    exit 1
  fi
  ask_status
  show_use
}

[[ $# -ge 1 ]] || usage
umask 077
mkdir -p "$state"
# One at a time. The processes that are started must not hold the lock.
exec 9>"$state/lock"
flock -n 9 || fail "another local_cluster.sh is at work in $state"
case $1 in
  start)
    [[ $# -eq 2 ]] || usage
    start "$2"
    ;;
  stop) stop ;;
  status) show_status ;;
  *) usage ;;
esac
