"""Skewed keys: what the summary and --json say of them, against exact counts."""

import collections
import itertools
import random
import subprocess
import unittest

from command_case import SECONDS_MAX, TEST_PLUGINS, CommandCase


NULL_GROUP = r"null\x00\x00"  # Of a pair's key: its first part, as it is encoded.


def zipf_words(seed, count, exponent=1.2, vocabulary=50_000):
    """Words drawn so that the n-th most frequent one comes n ** -exponent times as often as the
    first. The first is no text."""
    rng = random.Random(seed)
    weights = itertools.accumulate(rank ** -exponent for rank in range(1, vocabulary + 1))
    words = [b'\xff"\\'] + [b"w%05x" % (rank * 2654435761 % 2**20) for rank in range(1, vocabulary)]
    return rng.choices(words, cum_weights=list(weights), k=count)


def escaped(word):
    """As keys are shown."""
    return r"\xff\x22\x5c" if word == b'\xff"\\' else word.decode()


class HeavyKeys(CommandCase):
    FLAGS = ("--split-size", "256K", "--reducers", "8")

    def setUp(self):
        super().setUp()
        self.words = zipf_words(11, 300_000)
        self.path = self.write("in.txt", b"\n".join(self.words) + b"\n")

    def expect_nearly_exact(self, heavy_keys):
        total = len(self.words)
        exact = {escaped(word): count
                 for word, count in collections.Counter(self.words).most_common(100)}
        told = {key["key"]: key for key in heavy_keys}
        for word, count in exact.items():
            if count >= total * 0.02:
                self.assertAlmostEqual(told[word]["share"], count / total, delta=0.015, msg=word)
        for word, key in told.items():
            self.assertAlmostEqual(key["share"], exact.get(word, 0) / total, delta=0.015, msg=word)
            self.assertAlmostEqual(key["records"] / total, key["share"])
        self.assertGreaterEqual(len(told), 5)

    def test_they_are_told_whatever_collects_the_records(self):
        # A fold, values in groups, and sorting.
        faulty = TEST_PLUGINS / "faulty.so"
        for job, args in (("wordcount", ()), (faulty, ["slow:0"]), (faulty, ["compare"])):
            with self.subTest(job=job, args=args):
                result = self.run_job(job, [self.path], *self.FLAGS, args=args)
                self.expect_nearly_exact(result.summary["heavy_keys"])

    def test_they_are_the_same_in_every_run(self):
        # Cut into the same tasks, that is; else they are estimated anew.
        told = [self.run_job("wordcount", [self.path], *self.FLAGS).summary["heavy_keys"]
                for _ in range(3)]
        self.assertEqual(told[0], told[1])
        self.assertEqual(told[0], told[2])
        for flags in (("--threads", "1"), ("--threads", "5", "--memory", "32M")):
            self.expect_nearly_exact(self.run_job("wordcount", [self.path], *self.FLAGS,
                                                  *flags).summary["heavy_keys"])
        self.assertEqual(told[0], sorted(told[0], key=lambda key: -key["records"]))

    def test_people_are_told_of_them(self):
        command = self.arguments("wordcount", [self.path], self.new_output(), *self.FLAGS)
        command.remove("--json")
        text = subprocess.run(command, capture_output=True, check=True, text=True,
                              timeout=SECONDS_MAX).stderr
        self.assertRegex(text, r'heaviest +"\\xff\\x22\\x5c" (19|2\d) %, "w\w+" [89]\.\d %')

    def test_even_keys_are_not_told_of(self):
        words = [b"%d" % (i % 1009) for i in range(100_000)]
        path = self.write("even.txt", b" ".join(words))
        self.assertEqual(self.run_job("wordcount", [path]).summary["heavy_keys"], [])


class Partitions(CommandCase):
    """What reduce tasks had to do."""

    def reduced(self, lines, *flags, job="secondary_sort"):
        path = self.write("in.tsv", b"".join(lines))
        return self.run_job(job, [path], *flags).summary

    def test_one_key_is_named_as_the_cause(self):
        # 40 bytes of value that no compression takes away.
        rng = random.Random(5)
        lines = [b"%s\t%d\n" % (b"null" if i % 2 else b"k%d" % rng.randrange(10**6),
                                rng.randrange(10**18)) for i in range(1_600_000)]
        summary = self.reduced(lines, "--reducers", "6")
        self.assertEqual(summary["hottest_partition"]["cause"], "one key")
        self.assertEqual(summary["hottest_partition"]["key"], NULL_GROUP)
        self.assertEqual(summary["heavy_keys"][0]["key"], NULL_GROUP)
        self.assertEqual(summary["hottest_partition"]["key_records"], 800_000)
        self.assertIn('the key "null', summary["skew_hint"])
        records = summary["partitions"]["records"]
        self.assertEqual(sum(records), len(lines))
        hottest = summary["hottest_partition"]["partition"]
        self.assertEqual(records[hottest], max(records))
        self.assertEqual(sum(summary["partitions"]["shuffled_bytes"]), summary["shuffled_bytes"])
        self.assertGreater(summary["reduce_skew"]["records"]["ratio"], 4)

    def test_even_partitions_need_no_hint(self):
        lines = [b"k%d\t%d\n" % (i % 5003, i) for i in range(200_000)]
        summary = self.reduced(lines, "--reducers", "4")
        self.assertEqual(summary["skew_hint"], "")
        self.assertEqual(summary["hottest_partition"]["cause"], "")
        self.assertLess(summary["reduce_skew"]["records"]["ratio"], 1.2)
        self.assertEqual(len(summary["partitions"]["run_us"]), 4)
        self.assertGreater(min(summary["partitions"]["run_us"]), 0)


class FoldsOfZipfKeys(CommandCase):
    """The slowest reduce task of a fold has at most twice the median's work, counted in what it
    is given: time would be that of the machine's other guests."""

    def expect_even(self, words, *flags):
        path = self.write("words.txt", b" ".join(words))
        result = self.run_job("wordcount", [path], "--reducers", "8", *flags)
        skew = result.summary["reduce_skew"]
        for what in ("records", "shuffled_bytes"):
            self.assertLess(skew[what]["ratio"], 2, what)
        self.assertEqual(result.summary["skew_hint"], "")
        return result.summary

    def test_any_number_of_spills(self):
        words = zipf_words(3, 400_000, vocabulary=200_000)
        for flags in ((), ("--split-size", "200K"), ("--memory", "32M", "--threads", "1")):
            with self.subTest(flags=flags):
                self.expect_even(words, *flags)

    def test_also_where_most_keys_are_met_once(self):
        # A table does not pay, and sorting takes over; one key has a sixth of all.
        rng = random.Random(9)
        words = [b"often" if rng.random() < 0.16 else b"%x" % rng.getrandbits(60)
                 for _ in range(1_800_000)]
        summary = self.expect_even(words, "--threads", "2", "--memory", "64M")
        self.assertEqual(summary["heavy_keys"][0]["key"], "often")
        # It did step aside: else there would be nothing to fold in runs.
        self.assertGreater(summary["spills"], 0)
        self.assertLess(summary["segment_records"], len(words) * 0.87)


class CutReduces(CommandCase):
    """What the command tells of partitions that were split or joined."""

    def setUp(self):
        super().setUp()
        self.path = self.write("in.txt", b"\n".join(zipf_words(7, 60_000)) + b"\n")

    def text_of(self, *flags):
        command = self.arguments("wordcount", [self.path], self.new_output(), *flags)
        command.remove("--json")
        result = subprocess.run(command, capture_output=True, timeout=SECONDS_MAX, check=True)
        return result.stderr.decode()

    def test_a_split_partition_is_told_with_its_pieces(self):
        flags = ("--reducers", "1", "--threads", "2", "--split-size", "4K")
        whole = self.run_job("wordcount", [self.path], *flags)
        self.assertEqual(whole.summary["combines"], 0)
        self.assertEqual(whole.summary["partitions"]["pieces"], [0])
        flags += ("--split-partition", "1K")
        split = self.run_job("wordcount", [self.path], *flags)
        self.assertEqual(self.parts(split.output), self.parts(whole.output))
        pieces = split.summary["combines"]
        self.assertGreaterEqual(pieces, 2)
        self.assertEqual(split.summary["partitions"]["pieces"], [pieces])
        # Combine tasks read all that the maps left, and leave less to the reduce task.
        self.assertGreater(split.summary["shuffled_bytes"],
                           split.summary["partitions"]["shuffled_bytes"][0])
        self.assertIn(f"  split     partition 0 among {pieces} combine tasks\n",
                      self.text_of(*flags))

    def test_joined_partitions_are_counted_at_the_end(self):
        flags = ("--reducers", "200", "--threads", "2")
        joined = self.run_job("wordcount", [self.path], *flags)
        self.assertEqual(joined.summary["reduces"], 200)
        self.assertEqual(len(self.parts(joined.output)), 200)
        count = joined.summary["joined_partitions"]
        # At most 4 tasks for each slot have to be left.
        self.assertGreaterEqual(count, 100)
        self.assertLessEqual(count, 200 - 8)
        self.assertGreater(min(joined.summary["partitions"]["run_us"]), 0)
        self.assertIn(f"  joined    {count} of 200 partitions, by the tasks of their neighbours\n",
                      self.text_of(*flags))
        few = self.run_job("wordcount", [self.path], "--reducers", "2", "--threads", "2")
        self.assertEqual(few.summary["joined_partitions"], 0)


if __name__ == "__main__":
    unittest.main()
