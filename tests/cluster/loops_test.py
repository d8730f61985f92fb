"""Iterative jobs on a cluster: the same bytes as on one machine, also when a worker, an executor or
the coordinator dies in mid-loop; only what was lost is parsed again."""

import json
import os
import signal
import subprocess
import time
import unittest

from cluster_case import ClusterCase
from command_case import TEST_PLUGINS

# Rounds that change nothing any more go on, so that there is time for something to happen.
ROUNDS = 1500


class Loops(ClusterCase):
    def setUp(self):
        super().setUp()
        lines = [b"%d %d.%03d %d.%03d %d\n" %
                 (i % 2, i * 7919 % 101, i % 1000, i * 31 % 57, i * 13 % 1000, i * 17 % 23)
                 for i in range(60_000)]
        self.points = self.write("points.txt", b"".join(lines))
        self.flags = ["--split-size", "100K", "--rounds", str(ROUNDS)]
        self.args = ["--tolerance=0", "--rate=0.0001"]

    def start_loop(self):
        return self.start_job("logistic_regression", [self.points], *self.flags, args=self.args)

    def embedded(self):
        return self.run_embedded("logistic_regression", [self.points], *self.flags,
                                 args=self.args)

    def running(self):
        answer = self.ask("jobs", "list")
        return [] if answer is None else answer["jobs"]

    def wait_for_rounds(self):
        """Until all seats have parsed their parts; then the rounds have begun, or will at once."""
        def parsed():
            jobs = self.running()
            return jobs and all(j["input_bytes_total"] > 0 and
                                j["input_bytes_read"] == j["input_bytes_total"] for j in jobs)
        self.wait_for(parsed, "the input to be read")
        time.sleep(0.2)
        self.assertTrue(self.running(), "the loop must not have ended yet")

    def parsed(self, job):
        return job.summary["counters"]["loop"]["parts parsed"]

    def parts(self, output):
        return (output / "part-00000").read_bytes()

    def test_a_cluster_writes_the_same_bytes_in_both_modes(self):
        self.start_workers(3, slots=2)
        flags = ["--split-size", "100K", "--rounds", "5"]
        here = self.run_embedded("logistic_regression", [self.points], *flags, args=self.args)
        for mode in ("memory", "disk"):
            there = self.run_on_cluster("logistic_regression", [self.points], *flags, "--mode",
                                        mode, args=self.args)
            self.same_tree(here, there.output)
            self.assertEqual(there.summary["rounds"], 5)
            self.assertEqual(len(there.summary["iteration_seconds"]), 5)
        self.expect_scratch_empty()

    def test_progress_tells_the_round(self):
        self.start_workers(1, slots=2)
        command = self.job_command("run", "logistic_regression", [self.points], self.new_output(),
                                   "--rounds", "100000", "--json=events", args=self.args)
        command.remove("--json")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True) as running:
            rounds = 0
            while rounds == 0:
                event = json.loads(running.stdout.readline())
                self.assertNotEqual(event["event"], "summary")
                rounds = event.get("round", 0)
            self.assertEqual(event["rounds_max"], 100_000)
            running.send_signal(signal.SIGINT)
            running.stdout.read()

    def test_a_killed_worker_costs_its_parts_only(self):
        self.start_workers(3, slots=2)
        job = self.start_loop()
        self.wait_for_rounds()
        self.workers[1].kill()
        job = self.finish_job(job)
        self.assertEqual(self.parts(job.output), self.parts(self.embedded()))
        # Counted are the attempts that ended: each part once, whoever parsed it in the end.
        parts = -(-self.points.stat().st_size // (100 << 10))
        self.assertEqual(self.parsed(job), parts)
        self.assertEqual(job.summary["input_records"], 60_000)
        self.assertLessEqual(self.reruns(), 2, "a worker's seats, and no other")
        self.expect_scratch_empty()

    def reruns(self):
        """Attempts beyond the first, as the journal's last answer counts them."""
        answer = self.ask("jobs", "list", "--all")
        job = self.ask("jobs", "status", answer["jobs"][0]["job_id"])
        return job["attempts_started"] - job["maps_total"]

    def test_a_killed_executor_is_made_up_for(self):
        self.start_workers(2)
        job = self.start_loop()
        self.wait_for_rounds()
        for pid in self.children(self.workers[0]):
            os.kill(pid, signal.SIGKILL)
        job = self.finish_job(job)
        self.assertEqual(self.parts(job.output), self.parts(self.embedded()))

    def test_a_restarted_coordinator_begins_the_rounds_again(self):
        self.start_workers(2)
        job = self.start_loop()
        self.wait_for_rounds()
        self.coordinator.kill()
        self.coordinator.wait()
        self.start_coordinator()
        job = self.finish_job(job)
        self.assertEqual(self.parts(job.output), self.parts(self.embedded()))
        self.assertEqual(self.reruns(), 0, "seats stay where they are")

    def wait_for_checkpoint(self, job):
        """The staging directory, once the coordinator knows of a checkpoint: there are two."""
        found = []

        def written():
            found[:] = job.output.parent.glob(f".{job.output.name}.spillway-*/checkpoint-*01")
            return len(found) > 1
        self.wait_for(written, "checkpoints to be written")
        return found[0].parent

    def restart_coordinator(self, meanwhile=lambda: None):
        self.coordinator.kill()
        self.coordinator.wait()
        meanwhile()
        self.start_coordinator()

    def test_a_restarted_coordinator_goes_on_from_the_last_checkpoint(self):
        self.start_workers(2)
        self.flags += ["--checkpoint-every", "100"]
        job = self.start_loop()
        staging = self.wait_for_checkpoint(job)
        self.assertTrue(self.running())
        self.restart_coordinator()
        job = self.finish_job(job)
        self.assertFalse(staging.exists())
        self.assertEqual(self.parts(job.output), self.parts(self.embedded()))
        # The state of round 101 is what rounds 1 to 100 left; nothing before was done again.
        self.assertGreaterEqual(job.summary["resumed_round"], 101)
        self.assertEqual(job.summary["resumed_round"] % 100, 1)
        seconds = job.summary["iteration_seconds"]
        self.assertEqual(len(seconds), ROUNDS)
        self.assertEqual(set(seconds[:job.summary["resumed_round"] - 1]), {0})
        self.assertEqual(self.reruns(), 0, "seats stay where they are")

    def test_a_torn_checkpoint_counts_for_nothing(self):
        self.start_workers(2)
        self.flags += ["--checkpoint-every", "100"]
        job = self.start_loop()
        staging = self.wait_for_checkpoint(job)

        def tear():
            for file in staging.glob("checkpoint-*"):
                file.write_bytes(file.read_bytes()[:-3])
        self.restart_coordinator(tear)
        job = self.finish_job(job)
        self.assertEqual(self.parts(job.output), self.parts(self.embedded()))
        self.assertEqual(job.summary["resumed_round"], 0)
        self.assertTrue(any("cannot be read" in w for w in job.summary["warnings"]))

    def test_who_comes_late_goes_on_from_a_checkpoint(self):
        self.start_workers(3)
        self.flags += ["--checkpoint-every", "100"]
        job = self.start_loop()
        self.wait_for_checkpoint(job)
        for pid in self.children(self.workers[0]):
            os.kill(pid, signal.SIGKILL)
        self.workers[1].kill()
        job = self.finish_job(job)
        self.assertEqual(self.parts(job.output), self.parts(self.embedded()))

    def test_large_rounds_that_stand_alone_survive_a_killed_worker(self):
        numbers = self.write("numbers.txt", b"".join(b"%d\n" % i for i in range(60_000)))
        plugin = TEST_PLUGINS / "loops.so"
        flags = ["--split-size", "64K", "--rounds", "40"]
        width = ["--width=200000"]  # 1.6 MB of each of six parts: more than a message holds.
        self.start_workers(3)
        job = self.start_job(plugin, [numbers], *flags, args=width)
        self.wait_for_rounds()
        self.workers[1].kill()
        job = self.finish_job(job)
        here = self.run_embedded(plugin, [numbers], *flags, args=width)
        self.assertEqual(self.parts(job.output), self.parts(here))

    def test_two_loops_at_once_both_end(self):
        self.start_workers(2)
        jobs = [self.start_loop(), self.start_loop()]
        wanted = self.parts(self.embedded())
        for job in jobs:
            self.assertEqual(self.parts(self.finish_job(job).output), wanted)


if __name__ == "__main__":
    unittest.main()
