"""Unmodified mrjob programs on Spillway, through the stand-in for the hadoop command: what they
print, and their counters, are those of mrjob's local runner."""

import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HADOOP = os.environ["HADOOP"]
PYTHON = pathlib.Path(os.environ["ENGINES"]) / "mrjob/bin/python"
PROGRAMS = pathlib.Path(__file__).resolve().parent / "mrjob"
SKIPPED = 77
SECONDS_MAX = 300
WORDS = "a an apple pear plum fig can't déjà vu 1 22 333".split()


def why_not():
    """Why mrjob does not run here, or None."""
    if not PYTHON.exists():
        return f"no mrjob in {PYTHON.parent.parent}; scripts/test.sh --engines installs it"
    found = subprocess.run([PYTHON, "-c", "import mrjob.job"], capture_output=True, text=True,
                           check=False)
    return None if found.returncode == 0 else f"mrjob does not load: {found.stderr.strip()}"


def counters_of(text, groups):
    """GROUP: NAME: AMOUNT of mrjob's own log."""
    found, group = {}, None
    for line in text.splitlines():
        if match := re.fullmatch(r"\t\t(.*)=(\d+)", line):
            if group in groups:
                counted = found.setdefault(group, {})
                counted[match[1]] = counted.get(match[1], 0) + int(match[2])
        elif match := re.fullmatch(r"\t(\S.*)", line):
            group = match[1]
    return found


class MrjobPrograms(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="spillway-mrjob-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        rng = random.Random(3)
        for name in ("one.txt", "two.txt"):
            lines = (" ".join(rng.choices(WORDS, k=rng.randint(0, 9))) for _ in range(500))
            (self.dir / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self.dir / "stop.txt").write_text("a an the\n")
        (self.dir / "mrjob.conf").write_text("runners: {}\n")

    def run_program(self, name, runner, *words):
        command = [PYTHON, PROGRAMS / name, "-r", runner, "-c", self.dir / "mrjob.conf"]
        if runner == "hadoop":
            command += ["--hadoop-bin", HADOOP]
        ended = subprocess.run(
            [*map(str, command), *words, "one.txt", "two.txt"], cwd=self.dir, capture_output=True,
            text=True, encoding="utf-8", timeout=SECONDS_MAX, check=False,
            env=dict(os.environ, SPILLWAY_HADOOP_ROOT=str(self.dir / "root"), USER="tester",
                     PYTHONIOENCODING="utf-8"))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return ended

    def same(self, name, *words, groups=()):
        ended = {runner: self.run_program(name, runner, *words) for runner in ("local", "hadoop")}
        lines = {runner: sorted(one.stdout.splitlines()) for runner, one in ended.items()}
        self.assertNotEqual(lines["local"], [])
        self.assertEqual(lines["hadoop"], lines["local"])
        counted = {runner: counters_of(one.stderr, groups) for runner, one in ended.items()}
        self.assertEqual(counted["hadoop"], counted["local"])
        self.assertEqual(set(counted["hadoop"]), set(groups), ended["hadoop"].stderr)
        left = [p for p in (self.dir / "root").rglob("*") if p.is_file() or p.name.startswith(".")]
        self.assertEqual(left, [], "files of the job were left")

    def test_word_count_with_a_combiner(self):
        self.same("word_count.py")

    def test_two_steps_with_sorted_values(self):
        self.same("sort_values.py")

    def test_sorted_values_with_several_reducers(self):
        self.same("sort_values.py", "-D", "mapreduce.job.reduces=3")

    def test_a_file_argument(self):
        self.same("file_argument.py", "--stop-words", "stop.txt")

    def test_counters(self):
        self.same("counters.py", groups=("text", "words"))

    def test_a_failure_is_mrjobs_to_tell(self):
        (self.dir / "fails.py").write_text(
            "from mrjob.job import MRJob\n"
            "class Fails(MRJob):\n"
            "    def mapper(self, _, line):\n"
            "        raise ValueError('told you')\n"
            "        yield\n"
            "if __name__ == '__main__':\n"
            "    Fails.run()\n")
        ended = subprocess.run(
            [PYTHON, "fails.py", "-r", "hadoop", "-c", "mrjob.conf", "--hadoop-bin", HADOOP,
             "-D", "mapreduce.map.maxattempts=1", "one.txt"], cwd=self.dir, capture_output=True,
            text=True, timeout=SECONDS_MAX, check=False,
            env=dict(os.environ, SPILLWAY_HADOOP_ROOT=str(self.dir / "root"), USER="tester"))
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("told you", ended.stderr)
        self.assertIn("Step 1 of 1 failed", ended.stderr)


if __name__ == "__main__":
    if reason := why_not():
        print("SKIPPED:", reason)
        sys.exit(SKIPPED)
    unittest.main()
