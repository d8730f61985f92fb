"""Tasks run where their input lies, when the client says where that is."""

import unittest

from cluster_case import ClusterCase
from slow_job_case import SLOW

FILES = 8


class Places(ClusterCase):
    def setUp(self):
        super().setUp()
        self.inputs = []
        for place in ["a", "b"]:
            (self.dir / place).mkdir()
            lines = b"".join(b"%03d\n" % n for n in range(100))
            self.inputs += [self.write(f"{place}/{i}.txt", lines) for i in range(FILES)]
        self.start_worker(host="host-a")
        self.start_worker(host="host-b")
        self.wait_for_workers(2)

    def run_placed(self, host_of_a, host_of_b):
        # One file is one map (two are more than a split), and each takes a moment.
        done = self.run_on_cluster(SLOW, self.inputs, "--split-size", "512", "--place",
                                   f"{self.dir}/a={host_of_a}", "--place",
                                   f"{self.dir}/b=elsewhere,{host_of_b}", args=["slow:2"])
        job = self.ask("jobs", "status", done.summary["job_id"])
        self.assertGreaterEqual(job["maps_placed"], done.summary["maps"])
        return job

    def test_tasks_run_where_their_input_lies(self):
        # The last tasks may be taken over by who has nothing left to do. By order alone, without
        # places, half of them would be at home.
        for hosts in [("host-a", "host-b"), ("host-b", "host-a")]:
            with self.subTest(hosts=hosts):
                job = self.run_placed(*hosts)
                self.assertGreaterEqual(job["maps_at_place"], job["maps_placed"] * 3 / 4)

    def test_places_that_nobody_has_are_no_hindrance(self):
        self.assertEqual(self.run_placed("nowhere", "nowhere")["maps_at_place"], 0)

    def test_nonsense_is_refused_before_anything_runs(self):
        refused = self.client("run", str(SLOW), "-i", str(self.inputs[0]), "-o",
                              str(self.new_output()), "--place", "/data")
        self.assertEqual(refused.code, 64)
        self.assertIn("DIR=HOST", refused.err)


if __name__ == "__main__":
    unittest.main()
