"""Partitions that are split among combine tasks or reduced together, on one machine: files, named
outputs and directories are the same as where each partition has a task of its own."""

import random
import unittest

from command_case import TEST_PLUGINS, CommandCase

# Each slot keeps four tasks, so that so many of the former join nothing, and one joins by five.
REDUCERS = ["--reducers", "20"]
ALONE, JOINED = [*REDUCERS, "--threads", "8"], [*REDUCERS, "--threads", "1"]


class SplitPartition(CommandCase):
    FLAGS = ["--split-size", "64K", "--reducers", "3", "--threads", "2"]

    def setUp(self):
        super().setUp()
        rng = random.Random(9)
        lines = [b"%c%06d\t%d\n" % (b"hhhhhhha"[i % 8], rng.randrange(60_000), i)
                 for i in range(150_000)]
        self.path = self.write("in.tsv", b"".join(lines))

    def test_the_output_is_the_same_in_memory_and_with_little_memory(self):
        skewed = TEST_PLUGINS / "skewed.so"
        for how in ["combiner", "fold"]:
            whole = self.tree(self.run_job(skewed, [self.path], *self.FLAGS, args=[how]).output)
            for flags in (["--in-memory"], ["--memory", "32M"]):
                with self.subTest(how=how, flags=flags):
                    split = self.run_job(skewed, [self.path], *self.FLAGS,
                                         "--split-partition", "64K", *flags, args=[how])
                    self.assertEqual(self.tree(split.output), whole)
                    if how == "combiner":
                        counters = split.summary["counters"]["skewed"]
                        self.assertGreater(counters["combined again"], 0)

    def test_a_combiner_that_does_not_say_it_is_exact_splits_nothing(self):
        skewed = TEST_PLUGINS / "skewed.so"
        flags = ["--split-size", "64K", "--reducers", "3", "--split-partition", "1K"]
        runs = [self.run_job(skewed, [self.path], *flags, "--threads", threads, args=["doubles"])
                for threads in ("2", "8")]
        # Sums of other groupings are rounded otherwise, and 8 slots would make more pieces than 2.
        self.assertEqual(self.tree(runs[0].output), self.tree(runs[1].output))
        for run in runs:
            self.assertEqual(run.summary["combines"], 0)
            self.assertEqual(run.summary["partitions"]["pieces"], [0, 0, 0])


class JoinedPartitions(CommandCase):
    def expect_same(self, job, path, args):
        alone, joined = (self.run_job(TEST_PLUGINS / job, [path], *flags, args=args)
                         for flags in (ALONE, JOINED))
        self.assertEqual(self.tree(joined.output), self.tree(alone.output))

    def test_each_writes_its_part_and_its_named_outputs(self):
        lines = [b"k%d\t%d\n" % (i * i % 307, i % 9) for i in range(5_000)] + [b"rejected\n"]
        self.expect_same("outputs.so", self.write("in.tsv", b"".join(lines)), [])

    def test_each_writes_its_directories(self):
        lines = [b"2024-01-%02d\t%s\t%d\n" % (1 + i % 28, b"country-%d" % (i % 7), i)
                 for i in range(2_000)]
        self.expect_same("partitions.so", self.write("in.tsv", b"".join(lines)), ["write"])

    def test_the_one_that_fails_is_named(self):
        path = self.write("in.txt", b"".join(b"%d\n" % i for i in range(500)) + b"BOOM\n")
        # It has four attempts, and one more together with others.
        for flags, attempt in ((ALONE, 3), (JOINED, 4)):
            failed = self.run_job(TEST_PLUGINS / "faulty.so", [path], *flags, args=["reduce-throw"],
                                  expect=1)
            self.assertIn(f"reduce task 6, attempt {attempt} failed", failed.text)
            self.assertIn("at key 'BOOM'", failed.text)


if __name__ == "__main__":
    unittest.main()
