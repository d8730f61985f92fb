"""`spillway exec-plugin`: map | LC_ALL=C sort | reduce gives what `spillway run` does."""

import os
import random
import subprocess
import unittest

from command_case import SPILLWAY, TEST_PLUGINS, CommandCase, random_text

SECONDS_MAX = 120


class FilterCase(CommandCase):
    def phase(self, job, phase, data, *words, args=(), expect=0, variables=None):
        command = [SPILLWAY, "exec-plugin", str(job), f"--{phase}", *words]
        ended = subprocess.run(command + (["--", *args] if args else []), input=data, cwd=self.dir,
                               capture_output=True, timeout=SECONDS_MAX, check=False,
                               env=dict(os.environ, **(variables or {})))
        ended.text = ended.stderr.decode(errors="replace")
        self.assertEqual(ended.returncode, expect, f"{command}\n{ended.text}")
        return ended

    def sorted(self, lines):
        return subprocess.run(["sort"], input=lines, env=dict(os.environ, LC_ALL="C"),
                              stdout=subprocess.PIPE, check=True).stdout

    def piped(self, job, pieces, *words, args=(), combine=False, variables=None):
        """What the job makes of the pieces, each the input of a map of its own."""
        between = []
        for piece in pieces:
            lines = self.phase(job, "map", piece, *words, args=args, variables=variables).stdout
            self.assertEqual([b for b in lines if b > 0x7e or b < 0x20 and b not in b"\t\n"], [])
            if combine:
                lines = self.phase(job, "combine", self.sorted(lines), *words, args=args,
                                   variables=variables).stdout
                self.assertEqual(lines, self.sorted(lines))
            between.append(lines)
        return self.phase(job, "reduce", self.sorted(b"".join(between)), *words, args=args,
                          variables=variables).stdout

    def same(self, job, pieces, *words, args=(), combine=False):
        paths = [self.write(f"piece{i}", piece) for i, piece in enumerate(pieces)]
        run = self.run_job(job, paths, "--reducers", "1", *words, args=args)
        expected = b"".join(self.parts(run.output))
        self.assertNotEqual(expected, b"")
        self.assertEqual(self.piped(job, pieces, *words, args=args), expected)
        if combine:
            self.assertEqual(self.piped(job, pieces, *words, args=args, combine=True), expected)


class SameAsRun(FilterCase):
    def test_words_of_any_bytes_are_counted(self):
        self.same("wordcount", [random_text(1, 60_000), random_text(2, 60_000), b""], combine=True)

    def test_secondary_sort_keeps_the_order_of_numbers(self):
        rng = random.Random(3)
        keys = ["", "a", "a b", "ab", "b\t", "é", "\x01"]
        lines = "".join(f"{rng.choice(keys)}\t{rng.randint(-300, 300)}\n" for _ in range(2000))
        self.same("secondary_sort", [lines.encode()])
        self.same("secondary_sort", [lines.encode()], args=["--top=3"])

    def test_folds_of_every_kind(self):
        rng = random.Random(4)
        lines = "".join(f"{rng.choice('abcde')}{rng.choice('xyz')}\t{rng.randint(-99, 99)}\n"
                        for _ in range(3000)).encode()
        half = len(lines) // 2
        half = lines.index(b"\n", half) + 1
        for fold in ("sum", "min", "mean", "top3", "gcd", "narrow-max", "count", "distinct",
                     "flags", "by-number"):
            with self.subTest(fold):
                self.same(TEST_PLUGINS / "folds.so", [lines[:half], lines[half:]], args=[fold],
                          combine=True)

    def test_more_keys_than_the_table_of_a_fold_holds(self):
        lines = b"".join(b"%d\t1\n" % (i // 2 % 50_000) for i in range(150_000))
        self.same(TEST_PLUGINS / "folds.so", [lines], args=["sum"])
        written = self.phase(TEST_PLUGINS / "folds.so", "map", lines, "--memory", "4M",
                             args=["sum"]).stdout.count(b"\n")
        self.assertGreater(written, 50_000)
        self.assertLess(written, 150_000)

    def test_a_combiner_a_partitioner_a_side_file_and_keys_in_descending_order(self):
        rng = random.Random(5)
        cities = ["Seoul", "Bern", "Sao Paulo", "Oslo"]
        lines = "".join(f"{rng.choice(cities)}\t{rng.randint(1990, 2020)}\t{rng.random()}\n"
                        for _ in range(2000)).encode()
        self.write("ignored", b"Oslo\n")
        self.same(TEST_PLUGINS / "typed.so", [lines], "--file", f"ignore={self.dir / 'ignored'}",
                  combine=True)

    def test_ranges_and_descending_keys(self):
        lines = b"b\na\n\nab\n\xff\n\x00\na b\n"
        self.same(TEST_PLUGINS / "orders.so", [lines], args=["descending"])

    def test_records_that_are_no_lines_and_jobs_without_reduce(self):
        rows = b'a,"x\ny"\r\nb,"1,2"\n'
        self.same_map(TEST_PLUGINS / "csv_rows.so", rows)
        self.same_map("grep", b"one\ntwo\nanother", args=["o"])

    def same_map(self, job, data, args=()):
        run = self.run_job(job, [self.write("rows", data)], args=args)
        self.assertEqual(self.phase(job, "map", data, args=args).stdout,
                         b"".join(self.parts(run.output)))


class WhatIsTold(FilterCase):
    def test_partitions_stand_in_front_where_the_job_chooses_them(self):
        lines = b"Seoul\t2001\t1\nBern\t2002\t2\nOslo\t2003\t3\n" * 20
        job = TEST_PLUGINS / "typed.so"
        told = self.phase(job, "map", lines, variables={"mapreduce_job_reduces": "7"}).stdout
        self.assertEqual(told, self.phase(job, "map", lines, "--partitions", "7").stdout)
        most = self.phase(job, "map", lines, variables={"mapreduce_job_reduces": "100000"}).stdout
        self.assertEqual(len(most.splitlines()), 60)
        many = self.phase(job, "map", lines, expect=64,
                          variables={"mapreduce_job_reduces": "100001"})
        self.assertIn("at most 100000 reduce tasks", many.text)
        numbers = {line.split(b"\t")[0] for line in told.splitlines()}
        self.assertLessEqual(numbers, {b"%05d" % i for i in range(7)})
        self.assertGreater(len(numbers), 1)

    def test_counters_speak_as_hadoop_streaming_wants(self):
        self.write("ignored", b"Oslo\n")
        lines = b"Oslo\t2003\t3\nBern\t2002\t2\nOslo\t2003\t3\n"
        ended = self.phase(TEST_PLUGINS / "typed.so", "map", lines, "--file", "ignore=ignored")
        self.assertEqual(ended.text, "reporter:counter:typed,ignored,2\n")

    def test_a_failure_names_record_and_place(self):
        bad = self.phase("secondary_sort", "map", b"a\t1\nb two\n", expect=65)
        self.assertIn("standard input:4, record 'b two'", bad.text)
        named = self.phase("secondary_sort", "map", b"a\t1\nb two\n", expect=65,
                           variables={"mapreduce_map_input_file": "hdfs://h/in.txt"})
        self.assertIn("hdfs://h/in.txt:4", named.text)
        for how, words in (("throw", "BOOM"), ("segv", "BOOM"), ("exit", "BOOM")):
            ended = self.phase(TEST_PLUGINS / "faulty.so", "map", b"a\nBOOM\nb\n", args=[how],
                               expect=1)
            self.assertIn(words, ended.text, how)
            self.assertIn("standard input", ended.text, how)

    def test_a_reduce_that_needs_the_names_of_inputs_is_refused(self):
        lines = self.sorted(self.phase("inverted_index", "map", b"to be or not to be\n").stdout)
        self.assertIn("input files", self.phase("inverted_index", "reduce", lines, expect=64).text)

    def test_lines_that_are_not_sorted_or_not_whole_are_refused(self):
        words = self.phase("wordcount", "map", b"b a c").stdout
        backwards = b"".join(sorted(words.splitlines(keepends=True), reverse=True))
        self.assertIn("line 2", self.phase("wordcount", "reduce", backwards, expect=65).text)
        self.assertIn("line 1", self.phase("wordcount", "reduce", b"a\n", expect=65).text)
        cut = words.splitlines()[0][:-2]
        self.assertIn("key 'a'", self.phase("wordcount", "reduce", cut, expect=1).text)
        short = words.splitlines()[0] + b"\nb\t!@\n"
        self.assertIn("state of key 'b'", self.phase("wordcount", "combine", short, expect=65).text)

    def test_a_closed_or_full_output_is_no_success(self):
        text = random_text(7, 3_000_000)
        with open("/dev/full", "wb") as full:
            ended = subprocess.run([SPILLWAY, "exec-plugin", "wordcount", "--map"], input=text,
                                   stdout=full, stderr=subprocess.PIPE, timeout=SECONDS_MAX,
                                   check=False)
        self.assertEqual(ended.returncode, 74, ended.stderr)
        self.assertIn(b"standard output", ended.stderr)


if __name__ == "__main__":
    unittest.main()
