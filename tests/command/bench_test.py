"""`spillway bench disk-vs-memory`: what it prints and writes, what it finds, what it leaves."""

import csv
import json
import os
import signal
import subprocess
import unittest
import xml.etree.ElementTree

from command_case import SECONDS_MAX, SPILLWAY, TEST_PLUGINS, CommandCase

KIB = 1024


class Bench(CommandCase):
    def setUp(self):
        super().setUp()
        self.scratch = self.dir / "scratch"

    def command(self, *words):
        return [SPILLWAY, "bench", "disk-vs-memory", *map(str, words[:1]), "--scratch",
                str(self.scratch), *map(str, words[1:])]

    def bench(self, *words, expect=0, env=None):
        result = subprocess.run(self.command(*words), capture_output=True, timeout=SECONDS_MAX,
                                env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})
        result.out = result.stdout.decode()
        result.text = result.stderr.decode()
        self.assertEqual(result.returncode, expect, result.text + result.out)
        self.expect_scratch_empty()
        return result

    def expect_scratch_empty(self):
        left = [str(p) for p in self.scratch.rglob("*") if p.is_file()]
        self.assertEqual(left, [], "files were left")

    def test_both_modes_are_shown_as_tables_and_bars(self):
        result = self.bench("k_means", "--size", "200K", "--rounds", "3")
        self.assertIn("k_means: 200 KiB of points; 3 iterations after the first; the output is the "
                      "same bytes\n", result.out)
        rows = [line.split() for line in result.out.splitlines()]
        for heading in ("first later min max read written spilled shuffled peak RSS CPU",
                        "whole first all later rest prepare map reduce commit CPU in kernel cores"):
            self.assertIn(["mode", *heading.split()], rows)
        memory, disk = ([row for row in rows if row and row[0] == mode and len(row) > 10]
                        for mode in ("memory", "disk"))
        self.assertEqual((len(memory), len(disk)), (2, 2))
        ratio, = (row for row in rows if row and row[0] == "disk/memory")
        self.assertRegex(" ".join(ratio), r"^disk/memory [0-9.]+x [0-9.]+x$")
        self.assertIn("▏", result.out.replace("█", "▏"))
        self.assertIn("spillway: k_means: disk mode\n", result.text)

    def test_terminals_without_utf_8_get_plain_bars(self):
        result = self.bench("k_means", "--size", "50K", "--rounds", "1", "-q",
                            env={"LC_ALL": "C"})
        self.assertTrue(result.out.isascii())
        self.assertIn("#", result.out)
        self.assertEqual(result.text, "")

    def test_csv_html_svg_and_json_tell_the_same(self):
        table, page, picture = (self.dir / f"out.{ending}" for ending in ("csv", "html", "svg"))
        result = self.bench("logistic_regression", "--size", "100K", "--rounds", "4", "--csv",
                            table, "--html", page, "--svg", picture, "--json", "--", "--rate=0.3")
        told = json.loads(result.out.splitlines()[-1])
        example, = told["examples"]
        self.assertTrue(example["same_output"])
        self.assertEqual(example["arguments"], ["--rate=0.3"])
        modes = {mode["mode"]: mode for mode in example["modes"]}
        with table.open(newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(list(rows[0]), ["example", "mode", "iteration", "seconds", "cpu_seconds",
                                         "read_bytes", "written_bytes", "spilled_bytes",
                                         "shuffled_bytes", "peak_rss_bytes"])
        for mode, figures in modes.items():
            mine = [row for row in rows if row["mode"] == mode]
            self.assertEqual([row["iteration"] for row in mine], ["0", "1", "2", "3", "4", "all"])
            for row, seconds in zip(mine[1:], figures["iteration_seconds"]):
                self.assertAlmostEqual(float(row["seconds"]), seconds, delta=1e-6)
            for field in ("read_bytes", "written_bytes", "shuffled_bytes", "peak_rss_bytes"):
                self.assertEqual(int(mine[-1][field]), figures[field])
                self.assertGreater(figures[field], 0, field)
        # Each job of disk mode reads the input again.
        self.assertGreaterEqual(modes["memory"]["read_bytes"], 100 * KIB)
        self.assertEqual(modes["disk"]["read_bytes"], 5 * modes["memory"]["read_bytes"])
        text = page.read_text()
        for foreign in ("http", "<script", "src=", "url("):
            self.assertNotIn(foreign, text)
        root = xml.etree.ElementTree.fromstring(text.replace("<!DOCTYPE html>", ""))
        self.assertEqual(len(root.findall(".//svg")), 1)
        self.assertEqual(len(root.findall(".//polyline")), 2)
        self.assertEqual(len(root.findall(".//table")), 2)
        self.assertIn("--rate=0.3", text)
        svg = xml.etree.ElementTree.parse(picture).getroot()
        self.assertTrue(svg.tag.endswith("}svg"))

    def test_all_examples_run_without_a_name(self):
        words = self.command("--size", "64K", "--rounds", "2", "--json", "-q")
        words[3:6] = ["--scratch", str(self.scratch), "--size"]
        result = subprocess.run(words, capture_output=True, timeout=SECONDS_MAX)
        told = json.loads(result.stdout.splitlines()[-1])
        self.assertEqual([example["example"] for example in told["examples"]],
                         ["k_means", "logistic_regression", "page_rank", "connected_components"])
        self.expect_scratch_empty()
        for example in told["examples"]:
            self.assertEqual([mode["exit_code"] for mode in example["modes"]], [0, 0], example)
            self.assertIs(example["same_output"], True)
        self.assertEqual(result.returncode, 0)

    def test_a_plugin_of_ones_own_whose_modes_differ_is_an_error_of_its_own(self):
        path = self.write("lines.txt", b"a\nb\n")
        result = self.bench(TEST_PLUGINS / "modes.so", "-i", path, expect=76)
        self.assertIn("THE OUTPUTS DIFFER: from byte 9 on", result.out)
        self.assertIn("wrote different bytes", result.text)

    def test_a_mode_that_fails_is_told_and_the_other_one_runs(self):
        path = self.write("words.txt", b"a b\n")
        result = self.bench("wordcount", "-i", path, expect=64)
        self.assertIn("no memory mode: ", result.out)
        self.assertIn("not iterative", result.out)
        bad = self.write("points.txt", b"0 1 2\n0 x 3\n")
        result = self.bench("k_means", "-i", bad, "--json", "--", "1", expect=65)
        modes = json.loads(result.out)["examples"][0]["modes"]
        for mode in modes:
            self.assertIn("points.txt:6", mode["message"])
            self.assertEqual(mode["exit_code"], 65)

    def test_slips_of_the_pen_are_answered(self):
        for words, said in ((["wordcount"], "sample data is made for k_means, "),
                            (["k_maens"], "Did you mean k_means?"),
                            (["k_means", "--csv", self.dir / "none/out.csv"], "cannot be written"),
                            (["k_means", "--size", "1"], "--size")):
            result = self.bench(*words, expect=64)
            self.assertIn(said, result.text)
            self.assertEqual(result.out, "")

    def test_an_interrupt_ends_the_run_and_removes_everything(self):
        # More rounds than anybody waits for.
        process = subprocess.Popen(
            self.command("logistic_regression", "--size", "100K", "--rounds", "1000000", "--",
                         "--tolerance=0"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            for line in process.stderr:
                if "memory mode" in line:
                    break
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
        self.assertEqual(process.returncode, 130)
        self.assertEqual(out, "")
        self.expect_scratch_empty()


if __name__ == "__main__":
    unittest.main()
