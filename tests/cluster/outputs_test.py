"""Directories of an output on a cluster: the same bytes on any workers, and whoever dies."""

import random
import signal
import unittest

from cluster_case import ClusterCase
from command_case import TEST_PLUGINS

OUTPUTS = TEST_PLUGINS / "outputs.so"


class Outputs(ClusterCase):
    def setUp(self):
        super().setUp()
        rng = random.Random(3)
        self.input = self.write("in", b"".join(
            b"key%d\t%d\n" % (rng.randrange(100), rng.randrange(9)) if rng.random() < 0.8
            else b"rejected %d\n" % i for i in range(1500)))
        self.flags = ["--split-size", "1K", "--reducers", "3"]

    def maps_done(self):
        answer = self.ask("jobs", "list")
        return max((job["maps_done"] for job in answer["jobs"]), default=0) if answer else 0

    def test_named_outputs_are_the_same_whoever_writes_them(self):
        self.start_workers(2)
        for args in ([], ["map-only"], ["", "--fail-once"]):
            with self.subTest(args=args):
                expected = self.run_embedded(OUTPUTS, [self.input], *self.flags, args=args)
                self.assertTrue((expected / "rejected").is_dir())
                job = self.run_on_cluster(OUTPUTS, [self.input], *self.flags, args=args)
                self.same_tree(expected, job.output)

    def test_a_lost_worker_and_a_lost_coordinator(self):
        expected = self.run_embedded(OUTPUTS, [self.input], *self.flags)
        self.start_workers(2)
        job = self.start_job(OUTPUTS, [self.input], *self.flags, args=["", "--slow=4"])
        self.wait_for(lambda: self.maps_done() >= 4, "some maps")
        self.workers[0].send_signal(signal.SIGKILL)
        self.wait_for(lambda: self.maps_done() >= 8, "more maps")
        self.coordinator.kill()
        self.coordinator.wait()
        self.coordinator.stderr.close()
        self.start_coordinator()
        self.finish_job(job)
        self.same_tree(expected, job.output)
        self.assertGreater(job.summary["maps_rerun"], 0)


if __name__ == "__main__":
    unittest.main()
