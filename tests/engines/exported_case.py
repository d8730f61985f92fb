"""What the tests of exported jobs share: jobs with their inputs, run by Spillway and elsewhere."""

import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

SPILLWAY = os.environ["SPILLWAY"]
TEST_PLUGINS = pathlib.Path(os.environ["TEST_PLUGINS"])
ENGINES = pathlib.Path(os.environ["ENGINES"])
SKIPPED = 77
SECONDS_MAX = 400


def java_is_there():
    return shutil.which("java") is not None


class ExportedCase(unittest.TestCase):
    KIND = None  # Of `spillway export`.

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="spillway-exported-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        rng = random.Random(11)
        words = "to be or not that is the question déjà vu 한국어 ~tilde !bang".split()
        self.write("text", "".join(" ".join(rng.choices(words, k=rng.randint(0, 9))) + "\n"
                                   for _ in range(3000)))
        self.write("numbers", "".join(f"{rng.choice(words)}\t{rng.randint(-500, 500)}\n"
                                      for _ in range(3000)))
        cities = ["Seoul", "Bern", "Oslo", "São Paulo", "Ulan Bator"]
        self.write("readings", "".join(
            f"{rng.choice(cities)}\t{rng.randint(1990, 2020)}\t{rng.randint(-90, 90)}\n"
            for _ in range(2000)))

    def write(self, name, text):
        """A directory with two files."""
        (self.dir / name).mkdir()
        half = text.index("\n", len(text) // 2) + 1
        (self.dir / name / "a.txt").write_text(text[:half], encoding="utf-8", newline="")
        (self.dir / name / "b.txt").write_text(text[half:], encoding="utf-8", newline="")

    def call(self, command, expect=0, **more):
        ended = subprocess.run([str(word) for word in command], cwd=self.dir, capture_output=True,
                               timeout=SECONDS_MAX, check=False, **more)
        ended.text = (ended.stdout + ended.stderr).decode(errors="replace")
        if expect is not None:
            self.assertEqual(ended.returncode, expect, f"{command}\n{ended.text[-4000:]}")
        return ended

    def parts_of(self, directory):
        """The bytes of each part."""
        return [path.read_bytes() for path in sorted(pathlib.Path(directory).glob("part-*"))]

    def expected(self, job, name, reducers, *words):
        """What Spillway writes, as parts."""
        output = self.dir / "expected"
        self.call([SPILLWAY, "run", job, "-i", name, "-o", output, "--overwrite", "-q",
                   "--reducers", reducers, *words])
        return self.parts_of(output)

    def exported(self, job, *words):
        directory = self.dir / "job of mine"
        shutil.rmtree(directory, ignore_errors=True)
        self.call([SPILLWAY, "export", self.KIND, job, "-o", directory, *words])
        return directory

    def same_lines(self, got, expected):
        """Who has a key differs, and nothing else."""
        lines = [sorted(b"".join(parts).splitlines(keepends=True)) for parts in (got, expected)]
        self.assertNotEqual(lines[1], [])
        self.assertEqual(lines[0], lines[1])
