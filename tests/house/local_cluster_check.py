#!/usr/bin/env python3
"""scripts/local_cluster.sh with a stand-in for the program: what it starts, says and ends."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(sys.argv.pop() if len(sys.argv) > 1 else ".").resolve()
SCRIPT = SOURCE / "scripts/local_cluster.sh"
SECONDS_MAX = 60

# Daemons that note how they were called and live until SIGTERM; a worker is known while it lives.
PROGRAM = r"""#!/usr/bin/env bash
echo "$*" >>"$FAKE/calls"
known=$FAKE/workers
case "$1 $2" in
  "keys init") mkdir "$3" ;;
  "coordinator "*)
    [[ -z ${FAKE_COORDINATOR_DIES:-} ]] || { echo "the journal is held by another" >&2; exit 75; }
    trap 'exit 0' TERM
    while :; do sleep 0.05; done
    ;;
  "worker "*)
    [[ -z ${FAKE_WORKER_DIES:-} ]] || { echo "the key is not known" >&2; exit 77; }
    mkdir -p "$known"
    touch "$known/$$"
    terms=0
    leave() { rm "$known/$$"; exit 0; }
    drain() { terms=$((terms + 1)); if [[ $terms -ge ${FAKE_TERMS:-1} ]]; then leave; fi; }
    if [[ -n ${FAKE_STUBBORN:-} ]]; then trap '' TERM; else trap drain TERM; fi
    while :; do sleep 0.05; done
    ;;
  "jobs list")
    if [[ -n ${FAKE_JOBS:-} ]]; then echo '{"jobs":[{"job_id":"j"}]}'; else echo '{"jobs":[]}'; fi
    ;;
  "cluster status")
    [[ -z ${FAKE_COORDINATOR_DIES:-} ]] || exit 69
    printf '{"workers":['
    for file in "$known"/*; do [[ -e $file ]] && printf '{"worker":1,"name":"w"},'; done
    echo ']}'
    ;;
esac
"""


class LocalCluster(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="spillway-cluster-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.state = self.dir / "state"
        program = self.dir / "spillway"
        program.write_text(PROGRAM)
        program.chmod(0o755)
        self.environment = dict(os.environ, SPILLWAY=str(program), FAKE=str(self.dir),
                                SPILLWAY_CLUSTER_DIR=str(self.state), SPILLWAY_MEMORY="1M",
                                SPILLWAY_CLUSTER_STOP_SECONDS="10")
        self.addCleanup(self.call, "stop")

    def call(self, *words, expect=None, **variables):
        ended = subprocess.run([SCRIPT, *words], env=dict(self.environment, **variables),
                               capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        if expect is not None:
            self.assertEqual(ended.returncode, expect, ended.stdout + ended.stderr)
        return ended

    def pids(self):
        return {file.stem: int(file.read_text().split()[0]) for file in self.state.glob("*.pid")}

    def calls(self, command):
        lines = (self.dir / "calls").read_text().splitlines()
        return [line for line in lines if line.startswith(command)]

    def expect_gone(self, pids):
        for pid in pids:
            stat = pathlib.Path(f"/proc/{pid}/stat")
            self.assertTrue(not stat.exists() or ") Z" in stat.read_text(), pid)

    def test_starts_what_was_asked_for_and_says_how_to_use_it(self):
        ended = self.call("start", "3", expect=0)
        self.assertEqual(sorted(self.pids()), ["coordinator", "worker-1", "worker-2", "worker-3"])
        endpoint = (self.state / "endpoint").read_text().strip()
        self.assertIn(f"--on {endpoint} --keys {self.state}/keys", ended.stdout)
        self.assertIn(f"--listen {endpoint} ", self.calls("coordinator")[0])
        self.assertEqual(self.state.stat().st_mode & 0o077, 0)
        for number, call in enumerate(sorted(self.calls("worker")), 1):
            self.assertIn(f"--coordinator {endpoint} ", call)
            self.assertIn(f"--spill-dir {self.state}/worker-{number}", call)
            words = call.split()
            slots = int(words[words.index("--slots") + 1])
            self.assertEqual(slots, max(1, len(os.sched_getaffinity(0)) // 3))
            memory = int(words[words.index("--memory") + 1])
            pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
            self.assertLessEqual(3 * memory, pages * 0.61)
            self.assertGreater(memory, 0)
        self.assertIn(endpoint, self.call("status", expect=0).stdout)

    def test_stop_ends_its_own_processes_and_keeps_keys_and_journal(self):
        self.call("start", "2", expect=0)
        pids = self.pids().values()
        self.assertIn("stopped", self.call("stop", expect=0).stdout)
        self.expect_gone(pids)
        self.assertEqual(self.pids(), {})
        self.assertEqual(list((self.dir / "workers").iterdir()), [], "the workers were not drained")
        self.assertTrue((self.state / "keys").is_dir() and (self.state / "journal").is_dir())
        self.assertIn("nothing runs", self.call("stop", expect=0).stdout)
        self.call("status", expect=1)
        self.call("start", "1", expect=0)
        self.assertEqual(len(self.calls("keys init")), 1)

    def test_a_second_start_changes_nothing_and_says_how_to_use_it(self):
        first = self.call("start", "1", expect=0)
        before = self.pids()
        again = self.call("start", "1", expect=0)
        self.assertEqual(again.stdout, first.stdout)
        self.assertEqual(self.pids(), before)

    def test_takes_another_port_where_its_own_is_taken(self):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                other.bind(("127.0.0.1", 24711))
                other.listen()
            except OSError:
                pass  # Somebody else has it already.
            self.call("start", "1", expect=0)
            self.assertNotIn(":24711", (self.state / "endpoint").read_text())

    def test_a_start_brings_back_what_has_ended_and_nothing_else(self):
        self.call("start", "2", expect=0)
        before = self.pids()
        for name in ["worker-2", "coordinator"]:
            os.kill(before[name], signal.SIGKILL)
        # A killed worker says no goodbye.
        (self.dir / "workers" / str(before["worker-2"])).unlink()
        self.assertIn("2 workers", self.call("start", "3", expect=1).stderr)
        again = self.call("start", "2", expect=0)
        self.assertIn("worker-2 had ended", again.stdout)
        after = self.pids()
        self.assertEqual(sorted(after), sorted(before))
        self.assertEqual(after["worker-1"], before["worker-1"])
        self.assertNotEqual(after["worker-2"], before["worker-2"])
        self.assertNotEqual(after["coordinator"], before["coordinator"])
        endpoints = {call.split("--listen ")[1].split()[0] for call in self.calls("coordinator")}
        self.assertEqual(len(endpoints), 1, "the workers know only the old address")

    def test_a_stop_does_not_wait_for_a_job(self):
        self.call("start", "1", expect=0, FAKE_TERMS="2")
        started = time.monotonic()
        ended = self.call("stop", expect=0, FAKE_JOBS="1")
        self.assertLess(time.monotonic() - started, 8, "it would have waited for the drain")
        self.assertIn("go on after the next start", ended.stdout)
        self.assertEqual(list((self.dir / "workers").iterdir()), [], "killed without a goodbye")

    def test_a_process_that_does_not_drain_is_killed(self):
        self.call("start", "1", expect=0, FAKE_STUBBORN="1")
        pids = self.pids().values()
        self.call("stop", expect=0, SPILLWAY_CLUSTER_STOP_SECONDS="1")
        self.expect_gone(pids)

    def test_another_process_with_an_old_number_is_left_alone(self):
        self.call("start", "1", expect=0)
        stranger = subprocess.Popen(["sleep", "600"])
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        (self.state / "worker-9.pid").write_text(f"{stranger.pid} 12345\n")
        self.call("stop", expect=0)
        self.assertIsNone(stranger.poll())

    def test_a_daemon_that_dies_ends_the_start_with_its_last_words(self):
        for variable, words in (("FAKE_WORKER_DIES", "the key is not known"),
                                ("FAKE_COORDINATOR_DIES", "the journal is held by another")):
            started = time.monotonic()
            ended = self.call("start", "2", expect=1, **{variable: "1"})
            self.assertIn(words, ended.stderr)
            self.assertLess(time.monotonic() - started, 20)
            self.assertEqual(self.pids(), {})

    def test_usage_is_exit_64(self):
        for words in ([], ["start"], ["start", "0"], ["start", "x"], ["start", "1", "2"], ["walk"]):
            self.assertIn("start N", self.call(*words, expect=64).stderr)


if __name__ == "__main__":
    unittest.main()
