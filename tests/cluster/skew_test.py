"""Skewed keys on a cluster: the same is told of them as by the embedded runner, and while the job
still runs; and how the reduce work was cut."""

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
        # The partition that has it is seen, too, before any is reduced.
        self.assertRegex(text, r"to reduce +4 partitions, the largest about ")
        waiting = self.ask("jobs", "status", job_id)["partitions"]
        self.assertEqual(waiting["run_us"], [0] * 4)
        largest = max(range(4), key=lambda i: waiting["shuffled_bytes"][i])
        gate.touch()
        summary = self.finish_job(job).summary
        self.assertEqual(summary["hottest_partition"]["partition"], largest)
        told = summary["heavy_keys"]
        self.assertEqual(told, self.heavy_keys(job_id))
        self.assertAlmostEqual(told[0]["records"], 20_000, delta=400)
        here = self.run_job(FAULTY, [self.path], *self.flags, args=["slow:0"])
        self.assertEqual(here.summary["heavy_keys"][0]["key"], "often")
        self.assertAlmostEqual(here.summary["heavy_keys"][0]["records"], 20_000, delta=400)


class CutReduces(ClusterCase):
    def expect_told(self, told, job_id, **numbers):
        status = self.ask("jobs", "status", job_id)
        for name, number in numbers.items():
            self.assertEqual(told[name], number, name)
        self.assertEqual(status["joined_partitions"], told["joined_partitions"])
        self.assertEqual(status["combines_total"], told["combines"])
        self.assertEqual(status["combines_done"], told["combines"])
        self.assertEqual(status["partitions"], told["partitions"])

    def test_it_is_told_when_the_job_has_ended_and_by_another_coordinator(self):
        words = b"\n".join(b"w%d" % (i * 7919 % 5003) for i in range(60_000))
        path = self.write("in.txt", words)
        self.start_workers(2)
        split = self.run_on_cluster("wordcount", [path], "--reducers", "1", "--split-size", "4K",
                                    "--threads", "2", "--split-partition", "1K").summary
        joined = self.run_on_cluster("wordcount", [path], "--reducers", "200").summary

        def expect_all():
            self.expect_told(split, split["job_id"], combines=2, joined_partitions=0)
            self.expect_told(joined, joined["job_id"], combines=0, reduces=200)

        self.assertEqual(split["partitions"]["pieces"], [2])
        self.assertGreaterEqual(joined["joined_partitions"], 100)
        expect_all()
        text = self.client("jobs", "status", split["job_id"]).out
        self.assertRegex(text, r"combines +2/2 done\n")
        self.assertRegex(text, r"split +partition 0 among 2 combine tasks\n")
        text = self.client("jobs", "status", joined["job_id"]).out
        self.assertRegex(text, r"joined +\d+ of 200 partitions, by the tasks of their neighbours\n")
        log = self.client("jobs", "logs", split["job_id"]).out
        self.assertIn("partition 0 is large: it is split among 2 combine tasks", log)
        self.coordinator.kill()
        self.coordinator.wait()
        self.start_coordinator()
        expect_all()


if __name__ == "__main__":
    unittest.main()
