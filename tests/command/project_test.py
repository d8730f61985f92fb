"""`spillway new`, and running a directory of sources: what is made builds, passes its own tests,
and does in the command what it does in the test kit."""

import json
import os
import subprocess
import unittest

from command_case import SPILLWAY, CommandCase

KINDS = ("counting", "join", "sort", "iterative")
SECONDS_MAX = 300


class ProjectCase(CommandCase):
    def spillway(self, *words, expect=0):
        ended = subprocess.run([SPILLWAY, *words], cwd=self.dir, capture_output=True, text=True,
                               timeout=SECONDS_MAX)
        self.assertEqual(ended.returncode, expect, f"{words}\n{ended.stderr}")
        return ended


class New(ProjectCase):
    def test_each_kind_builds_passes_its_tests_and_runs(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.spillway("new", f"my-{kind}", "--kind", kind)
                project = self.dir / f"my-{kind}"
                self.assertIn(f"my-{kind}.cc", os.listdir(project))
                ran = self.spillway("run", f"my-{kind}", "--json")
                summary = json.loads(ran.stdout.splitlines()[-1])
                self.assertEqual(summary["job_name"], f"my-{kind}")
                self.assertGreater(summary["output_records"], 0)
                self.assertTrue((project / "out/_SUCCESS").exists())
                subprocess.run(["cmake", "--build", project / "build"], check=True,
                               stdout=subprocess.PIPE, timeout=SECONDS_MAX)
                tests = subprocess.run(["ctest", "--test-dir", project / "build"], text=True,
                                       stdout=subprocess.PIPE, timeout=SECONDS_MAX)
                self.assertEqual(tests.returncode, 0, tests.stdout)
                self.assertRegex(tests.stdout, "100% tests passed.*out of 1")

    def test_the_sample_outputs(self):
        outputs = {}
        for kind in KINDS:
            self.spillway("new", kind, "--kind", kind)
            self.spillway("run", f"./{kind}", "--reducers", "1", "--quiet")
            outputs[kind] = b"".join(self.parts(self.dir / kind / "out")).decode()
        self.assertIn("\nto\t4\n", outputs["counting"])
        self.assertEqual(sorted(outputs["join"].splitlines()), sorted((
            "Ada Lovelace\tpaper", "Ada Lovelace\tink", "Grace Hopper\tnanosecond wire",
            "Charles Babbage\tbrass wheels", "Charles Babbage\tlevers")))
        self.assertEqual(outputs["iterative"].count("\n"), 2)
        self.spillway("run", "./iterative", "--mode", "disk", "-o", "by_disk", "--quiet")
        self.assertEqual(b"".join(self.parts(self.dir / "by_disk")).decode(), outputs["iterative"])
        heights = [int(line.split("\t")[0]) for line in outputs["sort"].splitlines()]
        self.assertEqual(heights, sorted(heights, reverse=True))

    def test_an_existing_directory_is_left_alone(self):
        (self.dir / "taken").mkdir()
        self.spillway("new", "taken", expect=73)
        self.assertEqual(os.listdir(self.dir / "taken"), [])
        self.assertIn("did you mean", self.spillway(
            "new", "x", "--kind", "cuonting", expect=64).stderr.lower())


class RunOfADirectory(ProjectCase):
    def setUp(self):
        super().setUp()
        self.spillway("new", "job")
        self.project = self.dir / "job"

    def test_runs_again_with_what_was_changed(self):
        self.spillway("run", "job", "-q")
        source = self.project / "job.h"
        source.write_text(source.read_text().replace("out.Emit(lower_, 1)", "out.Emit(lower_, 7)"))
        self.spillway("run", "job", "-q")
        self.assertIn(b"to\t28\n", b"".join(self.parts(self.project / "out")))

    def test_takes_inputs_and_an_output_of_its_own(self):
        text = self.write("in.txt", b"x y x\n")
        self.spillway("run", "job", "-i", str(text), "-o", "counts", "-q", "--reducers", "1")
        self.assertEqual(self.parts(self.dir / "counts"), [b"x\t2\ny\t1\n"])
        self.assertFalse((self.project / "out").exists())
        self.spillway("run", "job", "-i", str(text), "-o", "counts", "-q", expect=73)

    def test_replaces_nothing_that_is_no_output(self):
        (self.project / "out").mkdir()
        (self.project / "out/mine.txt").write_text("mine")
        ended = self.spillway("run", "job", expect=73)
        self.assertIn("is no job's output", ended.stderr)
        self.assertEqual((self.project / "out/mine.txt").read_text(), "mine")

    def test_shows_what_the_compiler_says(self):
        with (self.project / "job.cc").open("a") as source:
            source.write("this is no C++;\n")
        ended = self.spillway("run", "job", "--json", expect=65)
        self.assertIn("job.cc:", ended.stderr)
        self.assertEqual(json.loads(ended.stdout)["status"], "BAD_DATA")
        self.assertFalse((self.project / "out").exists())

    def test_needs_a_project_with_one_plugin(self):
        (self.dir / "empty").mkdir()
        self.assertIn("CMakeLists.txt", self.spillway("run", "./empty", expect=66).stderr)
        lists = self.project / "CMakeLists.txt"
        lists.write_text(lists.read_text() + "spillway_add_plugin(other job.cc)\n")
        ended = self.spillway("run", "job", expect=64)
        self.assertRegex(ended.stderr, "several plugins.*job/build/job.so .*job/build/other.so")


if __name__ == "__main__":
    unittest.main()
