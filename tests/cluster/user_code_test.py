"""User code that does not behave: the job fails with the record's place, or skips it, and other
jobs go on."""

import unittest

from cluster_case import ClusterCase
from command_case import TEST_PLUGINS, count_words, random_text

FAULTY = TEST_PLUGINS / "faulty.so"


class UserCode(ClusterCase):
    def setUp(self):
        super().setUp()
        self.bad = self.write("bad.txt", b"fine\nBOOM\nfine too\n")
        self.place = "bad.txt:5"
        self.good = self.write("good.txt", random_text(3, 200_000))
        self.start_workers(2, slots=2)

    def test_a_job_fails_with_the_place_and_others_go_on(self):
        for how in ["throw", "abort", "segv", "null", "divide", "exit", "_exit", "_exit-0", "kill",
                    "terminate", "allocate"]:
            with self.subTest(how=how):
                other = self.start_job("wordcount", [self.good], "--split-size", "20K")
                failed = self.run_on_cluster(FAULTY, [self.bad], args=[how], expect=1)
                self.assertIn(self.place, failed.text)
                self.finish_job(other)
                self.assertEqual(sorted(b"".join(self.parts(other.output)).splitlines(True)),
                                 sorted(count_words(self.good.read_bytes())))

    def test_a_hang_is_ended_and_named(self):
        failed = self.run_on_cluster(FAULTY, [self.bad], "--timeout", "1s", "--retries", "1",
                                     args=["hang"], expect=1)
        self.assertIn(self.place, failed.text)
        self.run_on_cluster("wordcount", [self.good])

    def test_bad_records_are_skipped_within_the_quota(self):
        for how in ["throw", "segv", "kill"]:
            with self.subTest(how=how):
                job = self.run_on_cluster(FAULTY, [self.bad], "--skip-bad", "1", args=[how])
                self.assertEqual(job.summary["records_skipped"], 1)

    def lose_maps_of(self, *flags):
        """A job whose maps are run again, and write something else then."""
        lines = self.write("lines.txt", b"".join(b"%09d\n" % i for i in range(1000)))
        job = self.start_job(FAULTY, [lines], "--split-size", "512", *flags, args=["random:10"])

        def some_maps():
            answer = self.ask("jobs", "list")
            return answer and any(j["maps_done"] >= 6 for j in answer["jobs"])
        self.wait_for(some_maps, "some maps")
        self.workers[0].kill()
        return job

    def test_a_task_that_writes_other_bytes_when_run_again_fails_the_job(self):
        failed = self.finish_job(self.lose_maps_of(), expect=1)
        self.assertIn("map task", failed.text)
        self.assertIn("deterministic", failed.text)
        self.assertRegex(failed.text, r"wrote other records.* to partitions? \d+")

    def test_or_is_warned_of_where_the_job_allows_it(self):
        done = self.finish_job(self.lose_maps_of("--allow-nondeterminism"))
        self.assertTrue(any("deterministic" in w for w in done.summary["warnings"]))


if __name__ == "__main__":
    unittest.main()
