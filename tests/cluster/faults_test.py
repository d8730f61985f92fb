"""Processes of a cluster that die, stand still, join and leave while a job runs: the output is the
same bytes, and nothing is left over."""

import os
import random
import signal
import time
import unittest

from cluster_case import ClusterCase
from slow_job_case import SlowJobCase


class Faults(SlowJobCase):
    def test_a_killed_worker_is_made_up_for(self):
        self.start_workers(3)
        job = self.start_slow()
        self.wait_for_maps(8)
        self.workers[0].kill()
        self.finish_same(job)

    def test_a_killed_executor_is_replaced(self):
        self.start_workers(2)
        job = self.start_slow()
        self.wait_for_maps(4)
        for worker in self.workers:
            for pid in self.children(worker):
                os.kill(pid, signal.SIGKILL)
        self.finish_same(job)

    def test_a_worker_that_stands_still_is_lost_and_comes_back(self):
        self.start_workers(3)
        job = self.start_slow()
        self.wait_for_maps(6)
        self.workers[0].send_signal(signal.SIGSTOP)
        self.wait_for_workers(2)
        self.workers[0].send_signal(signal.SIGCONT)
        self.finish_same(job)
        self.wait_for_workers(3)

    def test_a_worker_that_joins_takes_part(self):
        self.start_workers(1)
        job = self.start_slow()
        self.wait_for_maps(3)
        late = self.start_worker()
        self.finish_same(job)
        self.assertIn("registered", late.log.read_text())

    def test_a_worker_that_drains_leaves_when_nothing_needs_it(self):
        self.start_workers(2)
        job = self.start_slow()
        self.wait_for_maps(6)
        self.workers[0].send_signal(signal.SIGTERM)
        self.finish_same(job)
        self.assertEqual(self.workers[0].wait(timeout=30), 0)
        self.assertEqual(list(self.workers[0].spill_dirs[0].rglob("job-*")), [])

    def test_a_second_sigterm_ends_a_worker_at_once(self):
        self.start_workers(2)
        job = self.start_slow()
        self.wait_for_maps(4)
        self.workers[0].send_signal(signal.SIGTERM)
        time.sleep(0.3)
        self.workers[0].send_signal(signal.SIGTERM)
        self.assertEqual(self.workers[0].wait(timeout=10), 0)
        self.finish_same(job)

    def test_a_killed_coordinator_goes_on_from_its_journal(self):
        self.start_workers(2)
        job = self.start_slow()
        self.wait_for_maps(8)
        before = self.maps_done()
        self.coordinator.kill()
        self.coordinator.wait()
        time.sleep(0.5)
        started = time.monotonic()
        self.start_coordinator()
        self.assertLess(time.monotonic() - started, 10)
        self.wait_for(lambda: self.maps_done() >= before, "finished maps to be known")
        job = self.finish_same(job)
        self.assertEqual(job.summary["maps_rerun"], 0)
        # No finished task ran again: each map was read once.
        self.assertEqual(job.summary["input_records"], self.MAPS * 40)

    def test_a_coordinator_that_stands_still_and_goes_on_changes_nothing(self):
        self.start_workers(2)
        job = self.start_slow()
        self.wait_for_maps(6)
        self.coordinator.send_signal(signal.SIGSTOP)
        time.sleep(4)  # Longer than the lease.
        self.coordinator.send_signal(signal.SIGCONT)
        self.finish_same(job)

    def test_whatever_dies_at_whatever_moment(self):
        seed = int(os.environ.get("SPILLWAY_CHAOS_SEED", 7))
        rounds = int(os.environ.get("SPILLWAY_CHAOS_ROUNDS", 3))
        print(f"seed {seed}", flush=True)
        rng = random.Random(seed)
        self.start_workers(3)
        for _ in range(rounds):
            job = self.start_slow()
            for _ in range(rng.randint(1, 3)):
                time.sleep(rng.uniform(0.05, 1.5))
                what = rng.choice(["worker", "executor", "coordinator", "stop"])
                if what == "coordinator":
                    self.coordinator.kill()
                    self.coordinator.wait()
                    time.sleep(rng.uniform(0, 1))
                    self.start_coordinator()
                    continue
                alive = [w for w in self.workers if w.poll() is None]
                victim = rng.choice(alive)
                if what == "worker" and len(alive) > 1:
                    victim.kill()
                    victim.wait()
                    self.start_worker()
                elif what == "executor":
                    for pid in self.children(victim):
                        os.kill(pid, signal.SIGKILL)
                elif what == "stop":
                    victim.send_signal(signal.SIGSTOP)
                    time.sleep(rng.uniform(0.1, 3))
                    victim.send_signal(signal.SIGCONT)
            self.finish_same(job)


class TwoCoordinators(ClusterCase):
    def test_the_second_one_is_told_who_holds_the_journal(self):
        import subprocess
        from command_case import SPILLWAY
        second = subprocess.run([SPILLWAY, "coordinator", "--listen", "tcp://127.0.0.1:0",
                                 "--journal", str(self.journal), "--insecure"],
                                capture_output=True, timeout=30)
        text = second.stderr.decode()
        self.assertEqual(second.returncode, 73, text)
        self.assertIn(str(self.coordinator.pid), text)
        self.assertIn(self.endpoint, text)


if __name__ == "__main__":
    unittest.main()
