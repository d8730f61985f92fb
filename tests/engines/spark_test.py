"""Jobs that `spillway export spark-pipe` made, on Spark in local mode: the output is Spillway's."""

import os
import subprocess
import sys
import unittest

import exported_case
from exported_case import ENGINES, SKIPPED, TEST_PLUGINS, ExportedCase

PYTHON = ENGINES / "spark/bin/python"


def why_not():
    """Why Spark does not run here, or None."""
    if not PYTHON.exists():
        return f"no Spark in {PYTHON.parent.parent}; scripts/test.sh --engines installs it"
    if not exported_case.java_is_there():
        return "no java; scripts/test.sh --engines installs it"
    found = subprocess.run([PYTHON, "-c", "import pyspark"], capture_output=True, text=True,
                           check=False)
    return None if found.returncode == 0 else f"pyspark does not load: {found.stderr.strip()}"


class OnSpark(ExportedCase):
    KIND = "spark-pipe"

    def on_spark(self, directory, name, *words, expect=0):
        self.runs = getattr(self, "runs", 0) + 1
        output = self.dir / f"out{self.runs}"
        options = ("--master local[2] --driver-memory 600m --conf spark.ui.enabled=false "
                   f"--conf spark.local.dir={self.dir} pyspark-shell")
        ended = self.call([PYTHON, directory / "run.py", *words, name, output], expect=expect,
                          env=dict(os.environ, PYSPARK_SUBMIT_ARGS=options,
                                   PYSPARK_PYTHON=str(PYTHON), SPARK_LOCAL_IP="127.0.0.1"))
        ended.parts = self.parts_of(output)
        return ended

    def test_words_are_counted(self):
        got = self.on_spark(self.exported("wordcount"), "text", "--reducers", "3").parts
        self.assertEqual(len(got), 3)
        self.same_lines(got, self.expected("wordcount", "text", 3))

    def test_secondary_sort_keeps_the_order_of_values_in_each_part(self):
        directory = self.exported("secondary_sort", "--", "--top=5")
        got = self.on_spark(directory, "numbers", "--reducers", "3").parts
        expected = self.expected("secondary_sort", "numbers", 3, "--", "--top=5")
        self.same_lines(got, expected)
        one = self.on_spark(directory, "numbers").parts
        self.assertEqual(b"".join(one), b"".join(
            self.expected("secondary_sort", "numbers", 1, "--", "--top=5")))

    def test_a_partitioner_of_the_jobs_own_gives_the_same_parts(self):
        (self.dir / "ignored").write_text("Oslo\n")
        job, side = TEST_PLUGINS / "typed.so", f"ignore={self.dir / 'ignored'}"
        ended = self.on_spark(self.exported(job, "--file", side), "readings", "--reducers", "3")
        self.assertEqual(ended.parts, self.expected(job, "readings", 3, "--file", side))
        self.assertRegex(ended.text, r"typed: ignored = [1-9]")

    def test_what_fails_in_the_plugin_or_on_the_way_fails_the_job(self):
        bad = self.on_spark(self.exported("secondary_sort"), "text", expect=None)
        self.assertNotEqual(bad.returncode, 0)
        self.assertIn("no TAB in the line", bad.text)
        (self.dir / "latin").write_bytes(b"caf\xe9\n")
        latin = self.on_spark(self.exported("wordcount"), "latin", expect=None)
        self.assertNotEqual(latin.returncode, 0)
        self.assertIn("U+FFFD", latin.text)


if __name__ == "__main__":
    if reason := why_not():
        print("SKIPPED:", reason)
        sys.exit(SKIPPED)
    unittest.main()
