"""Skewed keys: what the summary and --json say of them, against exact counts."""

import collections
import itertools
import random
import subprocess
import unittest

from command_case import SECONDS_MAX, TEST_PLUGINS, CommandCase


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
                self.assertAlmostEqual(told[word]["share"], count / total, delta=0.006, msg=word)
        for word, key in told.items():
            self.assertAlmostEqual(key["share"], exact.get(word, 0) / total, delta=0.006, msg=word)
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
        told = [self.run_job("wordcount", [self.path], *self.FLAGS, *flags).summary["heavy_keys"]
                for flags in ((), ("--threads", "1"), ("--threads", "5", "--memory", "32M"))]
        self.assertEqual(told[0], told[1])
        self.assertEqual(told[0], told[2])
        self.assertEqual(told[0], sorted(told[0], key=lambda key: -key["records"]))

    def test_people_are_told_of_them(self):
        command = self.arguments("wordcount", [self.path], self.new_output(), *self.FLAGS)
        command.remove("--json")
        text = subprocess.run(command, capture_output=True, check=True, text=True,
                              timeout=SECONDS_MAX).stderr
        self.assertRegex(text, r'heaviest +"\\xff\\x22\\x5c" 2\d %, "w\w+" 9\.\d %')

    def test_even_keys_are_not_told_of(self):
        words = [b"%d" % (i % 1009) for i in range(100_000)]
        path = self.write("even.txt", b" ".join(words))
        self.assertEqual(self.run_job("wordcount", [path]).summary["heavy_keys"], [])


if __name__ == "__main__":
    unittest.main()
