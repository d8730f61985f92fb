"""Skewed keys on a cluster: the same is told of them as by the embedded runner, and while the job
still runs."""

import unittest

from cluster_case import ClusterCase
from command_case import TEST_PLUGINS

FAULTY = TEST_PLUGINS / "faulty.so"


class HeavyKeys(ClusterCase):
    def setUp(self):
        super().setUp()
        lines = [b"often" if i % 3 else b"%05d" % (i * 7919 % 10_007) for i in range(30_000)]
        lines[-1] = b"GATE"
        data = b"\n".join(lines) + b"\n"
        self.path = self.write("in.txt", data)
        self.flags = ["--split-size", str(len(data) // 6), "--reducers", "4"]

    def heavy_keys(self, job_id):
        return self.ask("jobs", "status", job_id)["heavy_keys"]

    def test_they_are_seen_while_the_job_runs_and_told_at_its_end(self):
        gate = self.dir / "gate"
        self.start_workers(2)
        job = self.start_job(FAULTY, [self.path], *self.flags, args=[f"map-gate:{gate}"])
        self.wait_for((self.dir / "gate.waiting").exists, "the last map")
        listed = self.wait_for(lambda: self.ask("jobs", "list")["jobs"], "the job")
        job_id = listed[0]["job_id"]
        self.assertNotIn("heavy_keys", listed[0])
        seen = self.wait_for(lambda: self.heavy_keys(job_id), "a heavy key")
        self.assertEqual([key["key"] for key in seen], ["often"])
        self.assertAlmostEqual(seen[0]["share"], 2 / 3, delta=0.02)
        text = self.client("jobs", "status", job_id).out
        self.assertRegex(text, r'heaviest +"often" 6\d % of the map output')
        gate.touch()
        told = self.finish_job(job).summary["heavy_keys"]
        self.assertEqual(told, self.heavy_keys(job_id))
        self.assertAlmostEqual(told[0]["records"], 20_000, delta=400)
        here = self.run_job(FAULTY, [self.path], *self.flags, args=["slow:0"])
        self.assertEqual(here.summary["heavy_keys"][0]["key"], "often")
        self.assertAlmostEqual(here.summary["heavy_keys"][0]["records"], 20_000, delta=400)


if __name__ == "__main__":
    unittest.main()
