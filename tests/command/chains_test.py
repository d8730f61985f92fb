"""Chains of jobs, through the command, against oracles."""

import collections
import contextlib
import os
import random
import re
import signal
import subprocess
import time
import unittest

from command_case import TEST_PLUGINS, CommandCase, random_text

CHAINS = TEST_PLUGINS / "chains.so"


def crowds(text, letters):
    words = [w for w in re.findall(rb"[^\x00-\x20]+", text) if len(w) >= letters]
    counts = collections.Counter(words)
    alike = collections.Counter(counts.values())
    same_letter = collections.Counter(word[:1] for word in counts)
    return b"".join(b"%s\t%d\t%d\t%d\n" % (word, count, alike[count], same_letter[word[:1]])
                    for count, word in sorted((c, w) for w, c in counts.items()))


class Chains(CommandCase):
    def run_chain(self, *flags, **more):
        result = self.run_job(CHAINS, [self.path], *flags, args=["--letters=3"], **more)
        left = [p.name for p in self.dir.iterdir() if p.name.startswith(".")]
        self.assertEqual(left, [], "work directories were left")
        return result

    def test_stages_are_fused_read_twice_and_read_two(self):
        text = random_text(11, 300_000)
        self.path = self.write("in.txt", text)
        short = [w for w in re.findall(rb"[^\x00-\x20]+", text) if len(w) < 3]
        for flags in ([], ["--reducers", "4", "--split-size", "20000", "--threads", "5"],
                      ["--memory", "32M", "--in-memory"]):
            result = self.run_chain(*flags)
            self.assertEqual(self.parts(result.output), [crowds(text, 3)])
            self.assertEqual(result.summary["counters"]["chains"]["left out"], len(short))
            self.assertEqual(result.summary["input_bytes"], len(text))
            self.assertEqual(result.summary["output_bytes"], len(crowds(text, 3)))

    def test_an_empty_input_goes_through_all_stages(self):
        self.path = self.write("in.txt", b"")
        self.assertEqual(self.parts(self.run_chain().output), [b""])

    def test_a_failure_names_the_stage_and_leaves_nothing(self):
        self.path = self.write("in.txt", b"good\nwords\nbad!\n")
        result = self.run_chain(expect=65)
        self.assertIn("stage 1 of 4", result.text)
        self.assertIn("a bad word", result.text)
        self.assertIn("in.txt:0", result.text)

    def test_quiet_says_nothing(self):
        self.path = self.write("in.txt", b"a word\n" * 2_000_000)
        self.assertEqual(self.run_chain("--quiet").text, "")

    def test_an_output_that_exists_is_refused_before_anything_runs(self):
        self.path = self.write("in.txt", b"a word\n")
        first = self.run_chain()
        output = first.output
        command = self.arguments(CHAINS, [self.path], output, args=["--letters=3"])
        refused = subprocess.run(command, capture_output=True, check=False)
        self.assertEqual(refused.returncode, 73, refused.stderr)
        self.run_chain("--overwrite", output=output)

    @contextlib.contextmanager
    def running_chain(self, output):
        """A chain that has begun its first stage."""
        self.path = self.write("in.txt", random_text(12, 20_000_000))
        command = self.arguments(CHAINS, [self.path], output, "--threads", "1",
                                 args=["--letters=3"])
        with subprocess.Popen(command, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as running:
            while not list(self.dir.glob(".out1.spillway-work-*/.stage-0*")):
                self.assertIsNone(running.poll())
                time.sleep(0.001)
            yield running

    def test_a_killed_chain_is_cleaned_up_by_the_next(self):
        output = self.new_output()
        with self.running_chain(output) as running:
            os.kill(running.pid, signal.SIGKILL)
        self.assertNotEqual(list(self.dir.glob(".out1.spillway-work-*")), [])
        self.path = self.write("in.txt", b"a word\n")
        self.run_chain(output=output)

    def test_an_interrupt_ends_the_chain_and_removes_what_it_wrote(self):
        output = self.new_output()
        with self.running_chain(output) as running:
            running.send_signal(signal.SIGINT)
            self.assertEqual(running.wait(60), 130)
        self.expect_nothing_left(output, visible=False)


class TopCities(CommandCase):
    def test_top_cities(self):
        rng = random.Random(5)
        home = {b"c%d" % i: b"city %d" % rng.randint(0, 60) for i in range(900)}
        orders = [(b"c%d" % rng.randint(0, 1200), rng.randint(-50, 10**6)) for _ in range(20_000)]
        customers = self.write("customers.tsv", b"".join(b"%s\t%s\n" % row for row in home.items()))
        path = self.write("orders.tsv", b"".join(b"%s\t%d\n" % row for row in orders))
        sums = collections.Counter()
        for customer, amount in orders:
            if customer in home:
                sums[home[customer]] += amount
        ordered = sorted(sums.items(), key=lambda row: (-row[1], row[0]))
        for flags in ([], ["--split-size", "9000", "--threads", "5", "--reducers", "3"]):
            result = self.run_job("top_cities", [f"orders={path}", f"customers={customers}"],
                                  *flags, args=["--top=7"])
            self.assertEqual(self.parts(result.output),
                             [b"".join(b"%s\t%d\n" % row for row in ordered[:7])])

    def test_a_bad_amount_is_named(self):
        customers = self.write("customers.tsv", b"a\tOslo\n")
        path = self.write("orders.tsv", b"a\t1\na\tmuch\n")
        result = self.run_job("top_cities", [f"customers={customers}", f"orders={path}"],
                              expect=65)
        self.assertIn("orders.tsv:4", result.text)


if __name__ == "__main__":
    unittest.main()
