"""Directories of an output on a cluster: the same bytes on any workers, and whoever dies."""

import random
import signal
import subprocess
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

    def test_partitions_are_replaced_on_a_cluster_as_here(self):
        plugin = TEST_PLUGINS / "partitions.so"
        tables = [self.write(f"table{i}", "".join(
            f"2024-01-0{day}\t{country}\t{i}\n" for day in days
            for country in ("at", "de")).encode()) for i, days in enumerate(((1, 2, 3), (2, 4)))]
        flags = ["--reducers", "2", "--overwrite=partitions"]
        self.start_workers(2)
        trees = []
        for verb in ("here", "on"):
            output = self.new_output()
            for table in tables:
                command = (self.job_command("run", plugin, [table], output, *flags, args=["write"])
                           if verb == "on" else
                           self.arguments(plugin, [table], output, *flags, args=["write"]))
                subprocess.run(command, check=True, capture_output=True, timeout=60)
            trees.append(output)
        self.same_tree(*trees)
        self.assertEqual(sorted(p.name for p in trees[1].iterdir()),
                         ["_SUCCESS", "_manifest.json",
                          *(f"date=2024-01-0{day}" for day in (1, 2, 3, 4))])

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
