"""Limits that come from outside, for real jobs of the examples: disks of 48 MB as scratch and as
output, memory as a cgroup gives it, spill files that rot while the job reads them. Their output is
that of an undisturbed run, or they say what they need and leave nothing."""

import contextlib
import os
import random
import subprocess
import time
import unittest

import disks
from command_case import BIN_DIR, CommandCase
from memory_group import MemoryGroup

FITS, FITS_NOT = 250_000, 700_000  # Records of 100 bytes, and disks of 48 MB.
FLIP_SECONDS = 0.02
FLAGS = ["--memory", "32M", "--reducers", "4", "--split-size", "4M", "--compress", "none"]


class LimitedJob(CommandCase):
    def records(self, count):
        path = self.dir / f"{count}.in"
        if not path.exists():
            subprocess.run([str(BIN_DIR / "tera_generate"), str(count), str(path), "7"], check=True)
        return path

    def sort(self, count, *flags, **more):
        return self.run_job("tera_sort", [self.records(count)], *FLAGS, *flags, **more)

    def same(self, output, undisturbed):
        self.assertEqual(self.tree(output), self.tree(undisturbed.output))


@unittest.skipIf(disks.why_not(disks.SmallDisk), f"SKIPPED: {disks.why_not(disks.SmallDisk)}")
class SmallDisks(LimitedJob):
    def small_disk(self, name):
        disk = disks.SmallDisk(self.dir / name)
        self.addCleanup(disk.close)
        return self.dir / name

    def test_of_scratch(self):
        undisturbed = {count: self.sort(count) for count in (FITS, FITS_NOT)}
        beside, self.spill = self.spill, self.small_disk("scratch")
        self.same(self.sort(FITS).output, undisturbed[FITS])
        result = self.sort(FITS_NOT, expect=74)
        for said in (str(self.spill), "free", "--spill-dir"):
            self.assertIn(said, result.text)
        # With a second one beside it there is room again.
        self.same(self.sort(FITS_NOT, "--spill-dir", str(beside)).output, undisturbed[FITS_NOT])

    def test_of_output(self):
        undisturbed = self.sort(FITS)
        small = self.small_disk("output")
        self.same(self.sort(FITS, output=small / "fits").output, undisturbed)
        result = self.sort(FITS_NOT, output=small / "fits_not", expect=74)
        for said in (str(small), "free"):
            self.assertIn(said, result.text)
        self.assertEqual(sorted(p.name for p in small.iterdir()), ["fits"])


class MemoryOfAGroup(LimitedJob):
    """The page cache counts as well, and is what goes first."""

    def test_a_job_keeps_within_its_budget(self):
        if why := MemoryGroup.why_not():
            self.skipTest(f"SKIPPED: {why}")
        undisturbed = self.sort(FITS_NOT)
        group = MemoryGroup("spillway-test", 64 << 20)  # Twice the budget.
        self.addCleanup(group.close)
        output = self.new_output()
        command = self.arguments("tera_sort", [self.records(FITS_NOT)], output, *FLAGS)
        ran = subprocess.run(command, capture_output=True, text=True, preexec_fn=group.enter)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual(group.kills(), 0)
        self.same(output, undisturbed)
        self.expect_nothing_left(output, visible=True)


class RottenSpills(LimitedJob):
    def test_bits_that_flip_while_the_job_runs(self):
        undisturbed = self.sort(FITS)
        rng = random.Random(7)
        flips = 0
        for _ in range(3):
            output = self.new_output()
            command = self.arguments("tera_sort", [self.records(FITS)], output, *FLAGS)
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True) as process:
                end = time.monotonic() + 10
                for _ in range(5):
                    time.sleep(FLIP_SECONDS)
                    while not self.flip_bit(rng) and process.poll() is None:
                        self.assertLess(time.monotonic(), end)
                    flips += process.poll() is None
                _, stderr = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0, stderr)
            self.same(output, undisturbed)
            self.expect_nothing_left(output, visible=True)
        self.assertGreater(flips, 3)

    def flip_bit(self, rng):
        """Of a segment that is there; the number of bits."""
        with contextlib.suppress(OSError, ValueError):
            paths = sorted(path for path in self.spill.rglob("*.segment"))
            if not paths:
                return 0
            with rng.choice(paths).open("r+b", buffering=0) as file:
                at = rng.randrange(os.fstat(file.fileno()).st_size)
                file.seek(at)
                byte = file.read(1)[0] ^ (1 << rng.randrange(8))
                file.seek(at)
                file.write(bytes([byte]))
                return 1
        return 0


if __name__ == "__main__":
    unittest.main()
