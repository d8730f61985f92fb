"""scripts/dev bench --works iterative, on small data: every work has its rows, and the modes their
ratios; what fails is told and is an error."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

RUN = pathlib.Path(os.environ["SOURCE"]) / "bench/jobs/run.py"
BUILD = os.environ["BUILD"]


class IterativeWorks(unittest.TestCase):
    def bench(self, *words, expect=0):
        with tempfile.TemporaryDirectory(prefix="spillway-works-") as data:
            result = subprocess.run(
                [sys.executable, RUN, "--build", BUILD, "--data", data, "--bytes", "1000",
                 "--points", "3000", "--edges", "3000", "--runs", "1", *words],
                capture_output=True, text=True, timeout=250)
        self.assertEqual(result.returncode, expect, result.stderr)
        lines = [line for line in result.stdout.splitlines() if line.startswith("| ")]
        heading, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
        return [dict(zip(heading, row)) for row in rows]

    def test_points_have_limit_and_both_modes_with_ratios(self):
        rows = self.bench("--works", "k_means,k_means_64,logistic_regression")
        programs = ["hand-written limit", "Spillway, memory mode", "Spillway, disk mode"]
        self.assertEqual([row["program"] for row in rows], programs * 3)
        for row in rows:
            self.assertRegex(row["first"], r"^[0-9.]+ m?s$")
            self.assertRegex(row["later"], r"^[0-9.]+ m?s$")
            self.assertRegex(row["later / limit's"], r"^[0-9.]+x$")
            self.assertRegex(row["later / memory's"], r"^[0-9.]+x$")
        self.assertEqual(rows[1]["goal"], "60 % of the limit")

    def test_graphs_have_a_limit_and_both_modes(self):
        rows = self.bench("--works", "page_rank")
        self.assertEqual([row["program"] for row in rows],
                         ["hand-written limit", "Spillway, memory mode", "Spillway, disk mode"])
        self.assertEqual(rows[0]["later / limit's"], "1.00x")


if __name__ == "__main__":
    unittest.main()
