"""Inputs and outputs that are not as they should be: exit code, message, nothing lost, no trace."""

import os
import stat
import subprocess
import unittest

from command_case import CommandCase, count_words


class Inputs(CommandCase):
    def refuses(self, inputs, *words, expect=66):
        text = self.run_job("wordcount", inputs, expect=expect).text
        for word in words:
            self.assertIn(word, text)

    def test_all_missing_inputs_are_listed_at_once(self):
        self.refuses([self.dir / "a", self.write("b", b"x"), self.dir / "c"], "/a", "/c")

    def test_an_empty_glob_and_an_empty_directory(self):
        self.refuses([self.dir / "*.nothing"], "no file matches")
        (self.dir / "empty").mkdir()
        self.refuses([self.dir / "empty"], "holds no files")

    def test_pipes_devices_and_loops_of_links(self):
        os.mkfifo(self.dir / "pipe")
        self.refuses([self.dir / "pipe", "/dev/null"], "pipe", "/dev/null", "only regular files")
        loop = self.dir / "loop"
        loop.mkdir()
        (loop / "again").symlink_to(loop)
        self.refuses([loop], "contain itself")
        (self.dir / "self").symlink_to(self.dir / "self")
        self.refuses([self.dir / "self"], "self")

    def test_an_unreadable_file(self):
        path = self.write("secret", b"x")
        path.chmod(0)
        if os.geteuid() == 0:
            self.skipTest("root reads everything")
        self.refuses([path], "secret", expect=77)

    def test_a_file_named_twice(self):
        path = self.write("a", b"x")
        (self.dir / "link").symlink_to(path)
        self.refuses([path, path], "named twice", expect=64)
        self.refuses([path, self.dir / "link"], "named twice", expect=64)

    def test_links_within_a_directory_are_read_once(self):
        (self.dir / "in").mkdir()
        path = self.write("in/b", b"x y")
        (self.dir / "in/a").symlink_to(path)
        result = self.run_job("wordcount", [self.dir / "in"], "--reducers", "1")
        self.assertEqual(self.parts(result.output), [b"x\t1\ny\t1\n"])

    def test_directories_and_globs(self):
        (self.dir / "deep/er").mkdir(parents=True)
        texts = {"deep/b": b"b b", "deep/a": b"a", "deep/er/c": b"c c c", "deep/.hidden": b"no",
                 "deep/_SUCCESS": b"no"}
        for name, text in texts.items():
            self.write(name, text)
        expected = count_words(b"a b b c c c")
        for inputs in ([self.dir / "deep"], [self.dir / "deep" / "?", self.dir / "deep/er"]):
            result = self.run_job("wordcount", inputs, "--reducers", "1")
            self.assertEqual(b"".join(self.parts(result.output)), b"".join(expected))

    def test_a_line_over_the_memory(self):
        path = self.write("long", b"x" * 60_000_000)
        result = self.run_job("grep", [path], "--memory", "32M", args=["x"], expect=65)
        self.assertIn("long:0", result.text)
        self.assertIn("--memory", result.text)
        self.assertEqual(self.run_job("grep", [path], args=["x"]).summary["output_records"], 1)


class Outputs(CommandCase):
    def test_an_output_that_exists_is_kept(self):
        path = self.write("in", b"x")
        output = self.new_output()
        output.mkdir()
        command = self.arguments("wordcount", [path], output)
        result = subprocess.run(command, capture_output=True, timeout=60)
        self.assertEqual(result.returncode, 73)
        self.assertIn(b"--overwrite", result.stderr)
        self.assertEqual(list(output.iterdir()), [])

    def test_overwrite_replaces_the_whole_directory(self):
        path = self.write("in", b"x y")
        output = self.run_job("wordcount", [path], "--reducers", "3").output
        (output / "old").touch()
        self.run_job("wordcount", [path], "--reducers", "1", "--overwrite", output=output)
        self.assertEqual(sorted(p.name for p in output.iterdir()),
                         ["_SUCCESS", "_manifest.json", "part-00000"])

    def test_overwrite_keeps_the_old_output_when_the_job_fails(self):
        output = self.run_job("wordcount", [self.write("in", b"x")]).output
        before = self.parts(output)
        torn = self.write("torn", b"x" * 150)
        command = self.arguments("tera_sort", [torn], output, "--overwrite")
        self.assertEqual(subprocess.run(command, capture_output=True, timeout=60).returncode, 65)
        self.assertEqual(self.parts(output), before)

    def test_output_inside_the_input_and_without_a_parent(self):
        inside = self.dir / "in"
        inside.mkdir()
        self.write("in/a", b"x")
        self.run_job("wordcount", [inside], output=inside / "out", expect=64)
        result = self.run_job("wordcount", [inside], output=self.dir / "no/such/out", expect=66)
        self.assertIn("does not exist", result.text)

    def test_what_would_be_overwritten_is_no_input(self):
        output = self.run_job("wordcount", [self.write("in", b"x y")]).output
        before = self.parts(output)
        for inputs in ([output / "part-00000"], [f"{output}/part-*"], [output]):
            command = self.arguments("wordcount", inputs, output, "--overwrite")
            result = subprocess.run(command, capture_output=True, timeout=60)
            self.assertEqual(result.returncode, 64, result.stderr.decode())
        self.assertEqual(self.parts(output), before)

    def test_a_planted_link_in_the_scratch_directory_is_refused(self):
        path = self.write("in", b"x")
        target = self.dir / "precious"
        target.mkdir()
        (target / "file").touch()
        (self.spill / f"spillway-{os.getuid()}").symlink_to(target)
        command = self.arguments("wordcount", [path], self.new_output())
        result = subprocess.run(command, capture_output=True, timeout=60)
        self.assertEqual(result.returncode, 77, result.stderr.decode())
        self.assertTrue((target / "file").exists())

    def test_parts_are_readable_by_the_umask(self):
        old = os.umask(0o027)
        self.addCleanup(os.umask, old)
        output = self.run_job("wordcount", [self.write("in", b"x")]).output
        self.assertEqual(stat.S_IMODE((output / "part-00000").stat().st_mode), 0o640)

    def test_dry_run_writes_nothing(self):
        path = self.write("in", b"x y z")
        output = self.new_output()
        result = subprocess.run(self.arguments("wordcount", [path], output, "--dry-run"),
                                capture_output=True, timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertFalse(output.exists())
        self.assertEqual(list(self.spill.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
