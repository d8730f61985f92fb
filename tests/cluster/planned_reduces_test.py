"""Reduce work that is cut by what partitions have: a hot one is split among combine tasks, small
ones are reduced together. What comes out is the same bytes as where neither is done, whoever dies
meanwhile."""

import random
import signal
import unittest

from cluster_case import ClusterCase
from command_case import TEST_PLUGINS, random_text

SKEWED = TEST_PLUGINS / "skewed.so"
FAULTY = TEST_PLUGINS / "faulty.so"
# Splits nothing: one slot has no others to wait for it.
WHOLE = ["--threads", "1"]


class PlannedReduces(ClusterCase):
    def setUp(self):
        super().setUp()
        rng = random.Random(5)
        lines = [b"%c%03d\t%d\n" % (b"hhhhhhha"[i % 8], rng.randrange(100), i)
                 for i in range(12_000)]
        self.data = b"".join(lines)
        self.input = self.write("in.tsv", self.data)
        self.flags = ["--split-size", "1K", "--split-partition", "1K", "--reducers", "3"]

    def whole(self, how):
        return self.run_embedded(SKEWED, [self.input], "--split-size", "1K", "--reducers", "3",
                                 *WHOLE, args=[how])

    def log_of(self, job):
        return self.client("jobs", "logs", job.summary["job_id"]).out

    def wait_for_plan(self, words):
        def said():
            answer = self.ask("jobs", "list")
            return any(words in self.client("jobs", "logs", job["job_id"]).out
                       for job in (answer["jobs"] if answer else []))
        self.wait_for(said, f"'{words}' in the job's log")


class SplitPartition(PlannedReduces):
    def combined_again(self, summary):
        return summary["counters"].get("skewed", {}).get("combined again", 0)

    def test_the_output_is_the_same_bytes_on_a_cluster_and_embedded(self):
        self.start_workers(2, slots=2)
        for how in ["combiner", "fold"]:
            with self.subTest(how=how):
                expected = self.whole(how)
                job = self.run_on_cluster(SKEWED, [self.input], *self.flags, args=[how])
                self.same_tree(expected, job.output)
                self.assertRegex(self.log_of(job),
                                 "partition 1 is large: it is split among [34] combine tasks")
                here = self.run_job(SKEWED, [self.input], *self.flags, "--threads", "2", args=[how])
                self.same_tree(expected, here.output)
                if how == "combiner":
                    self.assertGreater(self.combined_again(job.summary), 0)
                    self.assertGreater(self.combined_again(here.summary), 0)
        self.expect_scratch_empty()

    def test_a_small_partition_is_left_whole(self):
        self.start_workers(2, slots=2)
        job = self.run_on_cluster(SKEWED, [self.input], "--split-size", "1K", "--reducers", "3",
                                  args=["combiner"])
        self.assertNotIn("is split among", self.log_of(job))
        self.assertEqual(self.combined_again(job.summary), 0)
        self.same_tree(self.whole("combiner"), job.output)

    def start_combining(self):
        """A job whose combine tasks all wait for the file `gate`."""
        self.start_workers(2, slots=2)
        self.gate = self.dir / "gate"
        job = self.start_job(SKEWED, [self.input], *self.flags, args=[f"gate:{self.gate}"])
        self.wait_for(lambda: len(list(self.dir.glob("gate.*"))) == 4, "four combine tasks")
        return job

    def test_a_worker_killed_while_it_combines_is_made_up_for(self):
        job = self.start_combining()
        self.workers[0].kill()
        self.gate.touch()
        self.finish_job(job)
        self.same_tree(self.whole("combiner"), job.output)
        self.assertIn("is lost", self.log_of(job))
        self.expect_scratch_empty()

    def test_a_killed_coordinator_goes_on_with_combines(self):
        job = self.start_combining()
        self.coordinator.kill()
        self.coordinator.wait()
        self.start_coordinator()
        self.gate.touch()
        self.finish_job(job)
        self.same_tree(self.whole("combiner"), job.output)
        self.assertEqual(job.summary["maps_rerun"], 0)
        self.expect_scratch_empty()

    def test_a_combiner_that_fails_in_a_combine_task_is_named(self):
        self.start_workers(2, slots=2)
        job = self.start_job(SKEWED, [self.input], *self.flags, "--retries", "1", args=["failing"])
        self.finish_job(job, expect=1)
        self.assertRegex(job.text, r"combine task \d+, attempt \d+")
        self.assertIn("cannot add what was added up", job.text)


class JoinedPartitions(PlannedReduces):
    def test_the_output_is_the_same_bytes_whatever_is_joined(self):
        flags = ["--split-size", "10K", "--reducers", "100"]
        text = self.write("t.txt", random_text(3, 60_000))
        self.start_worker("--protocol", "2")  # It cannot reduce several at once.
        self.wait_for_workers(1)
        alone = self.run_on_cluster("wordcount", [text], *flags)
        self.assertNotIn("small partitions", self.log_of(alone))
        self.same_tree(alone.output, self.run_embedded("wordcount", [text], *flags, *WHOLE))
        self.same_tree(alone.output, self.run_embedded("wordcount", [text], *flags,
                                                       "--threads", "5"))
        self.workers[0].send_signal(signal.SIGTERM)
        self.workers[0].wait(timeout=30)
        self.start_workers(1, slots=2)
        joined = self.run_on_cluster("wordcount", [text], *flags)
        self.same_tree(alone.output, joined.output)
        self.assertRegex(self.log_of(joined), r"\d+ small partitions are reduced by \d+ tasks")

    def test_a_worker_that_cannot_reduce_several_goes_on_alone(self):
        flags = ["--split-size", "10K", "--reducers", "50"]
        gate = self.dir / "gate"
        text = self.write("t.txt", b"".join(b"%d\n" % (i * i % 1009) for i in range(9_000)))
        self.start_workers(1)
        job = self.start_job(FAULTY, [text], *flags, args=[f"gate:{gate}"])
        self.wait_for_plan("small partitions are reduced by")
        older = self.start_worker("--protocol", "2")
        self.wait_until_registered(older)
        self.workers[0].kill()
        gate.touch()
        self.finish_job(job)
        self.assertIn("only workers of an older version are left", self.log_of(job))
        expected = self.run_embedded(FAULTY, [text], *flags, *WHOLE, args=[f"gate:{gate}"])
        self.same_tree(expected, job.output)

    def test_a_worker_killed_while_it_reduces_several_is_made_up_for(self):
        flags = ["--split-size", "10K", "--reducers", "500"]
        gate = self.dir / "gate"
        text = self.write("t.txt", b"".join(b"%d\n" % (i * i % 1009) for i in range(9_000)))
        self.start_workers(2, slots=2)
        job = self.start_job(FAULTY, [text], *flags, args=[f"gate:{gate}"])
        self.wait_for_plan("small partitions are reduced by")
        self.workers[1].kill()
        gate.touch()
        self.finish_job(job)
        expected = self.run_embedded(FAULTY, [text], *flags, *WHOLE, args=[f"gate:{gate}"])
        self.same_tree(expected, job.output)
        self.assertIn("is lost", self.log_of(job))
        self.expect_scratch_empty()


if __name__ == "__main__":
    unittest.main()
