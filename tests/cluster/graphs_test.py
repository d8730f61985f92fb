"""Keyed loops on a cluster: the same bytes in both modes as on one machine, also when a worker dies
in mid-loop, and as a loop in plain Python up to 1e-12."""

import random
import time
import unittest

from cluster_case import ClusterCase

# Vertices in a row: the first one's number needs a round for each step, so that there is time for
# something to happen.
STEPS = 3000


class Graphs(ClusterCase):
    def setUp(self):
        super().setUp()
        rng = random.Random(11)
        self.edges = [(int(3000 * rng.random() ** 2), rng.randrange(3000)) for _ in range(30_000)]
        self.path = self.write("edges.tsv", b"".join(b"%d\t%d\n" % edge for edge in self.edges))

    def part(self, output):
        return b"".join(path.read_bytes() for path in sorted(output.glob("part-*")))

    def page_rank(self, rounds):
        """With sums in another order than the job's: equal up to rounding."""
        vertices = sorted({v for edge in self.edges for v in edge})
        degrees = dict.fromkeys(vertices, 0)
        for source, _ in self.edges:
            degrees[source] += 1
        ranks = dict.fromkeys(vertices, 1 / len(vertices))
        for _ in range(rounds):
            base = (0.15 + 0.85 * sum(ranks[v] for v in vertices if degrees[v] == 0)) / len(ranks)
            following = dict.fromkeys(vertices, base)
            for source, target in self.edges:
                following[target] += 0.85 * ranks[source] / degrees[source]
            ranks = following
        return ranks

    def test_a_cluster_writes_the_same_bytes_in_both_modes(self):
        self.start_workers(3, slots=2)
        here = self.run_embedded("page_rank", [self.path], "--rounds", "5")
        for mode in ("memory", "disk"):
            there = self.run_on_cluster("page_rank", [self.path], "--rounds", "5", "--mode", mode)
            self.assertEqual(self.part(there.output), self.part(here))
            self.assertEqual(there.summary["mode"], mode)
            self.assertEqual(there.summary["rounds"], 5)
            self.assertEqual(len(there.summary["iteration_seconds"]), 5)
        expected = self.page_rank(5)
        for line in self.part(here).splitlines():
            vertex, rank = line.split(b"\t")
            self.assertAlmostEqual(float(rank), expected[int(vertex)], delta=1e-12)
        self.expect_scratch_empty()

    def test_components_are_the_same_in_both_modes(self):
        self.start_workers(2, slots=2)
        here = self.run_embedded("connected_components", [self.path], "--mode", "disk")
        there = self.run_on_cluster("connected_components", [self.path], "--mode", "memory")
        self.assertEqual(self.part(there.output), self.part(here))
        self.assertTrue(there.summary["converged"])

    def wait_for_rounds(self):
        """Until all seats of the loop hold their parts."""
        def parsed():
            answer = self.ask("jobs", "list")
            jobs = [] if answer is None else answer["jobs"]
            return any(job["output_dir"].endswith("/stage-6") and job["input_bytes_total"] > 0 and
                       job["input_bytes_read"] == job["input_bytes_total"] for job in jobs)
        self.wait_for(parsed, "the loop to begin")
        time.sleep(0.2)
        self.assertTrue(parsed(), "the loop must not have ended yet")

    def test_a_killed_worker_costs_its_parts_only(self):
        path = self.write("row.tsv", b"".join(b"%05d\t%05d\n" % (v, v + 1) for v in range(STEPS)))
        self.start_workers(3, slots=2)
        flags = ["--rounds", str(2 * STEPS), "--mode", "memory"]
        job = self.start_job("connected_components", [path], *flags)
        self.wait_for_rounds()
        self.workers[1].kill()
        job = self.finish_job(job)
        self.assertEqual(self.part(job.output),
                         b"".join(b"%05d\t00000\n" % v for v in range(STEPS + 1)))
        self.assertEqual(job.summary["rounds"], STEPS + 1)
        self.assertTrue(job.summary["converged"])
        here = self.run_embedded("connected_components", [path], *flags)
        self.assertEqual(self.part(job.output), self.part(here))
        # Counted are the attempts that ended: each part once, whoever parsed it in the end.
        self.assertEqual(job.summary["counters"]["loop"]["parts parsed"], 64)
        self.assertIn(self.reruns(), (1, 2), "a worker's seats, and no other")
        self.expect_scratch_empty()

    def reruns(self):
        """Attempts of the loop beyond the first of each seat."""
        loop = next(job for job in self.ask("jobs", "list", "--all")["jobs"]
                    if job["output_dir"].endswith("/stage-6"))
        job = self.ask("jobs", "status", loop["job_id"])
        return job["attempts_started"] - job["maps_total"]


if __name__ == "__main__":
    unittest.main()
