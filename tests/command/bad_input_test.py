"""Inputs and outputs that are not as they should be: exit code, message, nothing lost, no trace."""

import hashlib
import os
import resource
import shlex
import socket
import stat
import subprocess
import unittest

from bad_input_rows import ROWS, SCRATCH
from command_case import SPILLWAY, CommandCase, count_words

MESSAGE_BYTES_MAX = 1000


class Rows(CommandCase):
    """The catalogue of bad_input_rows.py."""

    def setUp(self):
        super().setUp()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.dir / "home"),
                            "TMPDIR": str(self.dir / "tmp")}
        for name in ("home", "tmp"):
            (self.dir / name).mkdir()

    def tree(self, root):
        """What lies below it: kind, mode and content by name. Without the empty directory that all
        runs share."""
        found = {}
        for path in root.rglob("*"):
            mode = path.lstat().st_mode
            content = None
            if stat.S_ISLNK(mode):
                content = os.readlink(path)
            elif stat.S_ISREG(mode):
                large = path.stat().st_blocks == 0 or path.stat().st_size > 1 << 20
                content = path.stat().st_size if large else hashlib.sha1(
                    path.read_bytes()).hexdigest()
            if path.name != SCRATCH or not stat.S_ISDIR(mode) or any(path.iterdir()):
                found[str(path.relative_to(root))] = (mode, content)
        return found

    def spillway(self, *words, cwd=None, variables=None, **more):
        return subprocess.run([SPILLWAY, *words], cwd=cwd or self.dir, timeout=60, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              env={**self.environment, **(variables or {})}, **more)

    def check(self, row, number):
        here = self.dir / f"row{number}"
        (here / "in").mkdir(parents=True)
        for name in ("in/a", "text"):
            (here / name).write_bytes(b"a b a\n")
        row.make(here)
        before = self.tree(self.dir)
        ended = self.spillway(*shlex.split(row.command), cwd=here, variables=row.variables)
        text = ended.stderr
        self.assertEqual(ended.returncode, row.code, text)
        for word in row.words:
            self.assertIn(word, text)
        self.assertTrue(text.startswith("spillway: ") and text.endswith("\n"), text)
        self.assertLess(len(text), MESSAGE_BYTES_MAX, text)
        self.assertTrue(text.replace("\n", "").isprintable(), repr(text))
        self.assertEqual(ended.stdout, "")
        self.assertEqual(self.tree(self.dir), before, "a trace was left, or something was lost")

    def test_every_row(self):
        names = [row.what for row in ROWS]
        self.assertEqual(len(names), len(set(names)))
        for number, row in enumerate(ROWS):
            with self.subTest(row.what):
                self.check(row, number)

    def test_what_nobody_but_root_may_read(self):
        """As another user, where the tests are run by root."""
        self.write("secret", b"x").chmod(0)
        (self.dir / "locked").mkdir(mode=0)
        user = {}
        if os.geteuid() == 0:
            user = {"user": 65534, "group": 65534, "extra_groups": []}
            os.chown(self.dir, 65534, 65534)
            if subprocess.run(["test", "-x", SPILLWAY], check=False, **user).returncode != 0:
                self.skipTest("the command lies where only root may go")
        ended = self.spillway("run", "wordcount", "-i", "secret", "locked", "-o", "out", **user)
        self.assertEqual(ended.returncode, 77, ended.stderr)
        for word in ("secret", "locked", "ermission denied"):
            self.assertIn(word, ended.stderr)
        self.assertFalse((self.dir / "out").exists())
        self.write("text", b"x").chmod(0o644)
        ended = self.spillway("run", "wordcount", "-i", "text", "-o", "locked/out", **user)
        self.assertEqual(ended.returncode, 77, ended.stderr)
        self.assertIn("the output: cannot look at locked/out: Permission denied", ended.stderr)

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            ended = self.spillway("coordinator", "--listen", f"127.0.0.1:{port}", "--insecure",
                                  "--journal", "journal")
        self.assertEqual(ended.returncode, 75, ended.stderr)
        for word in (f"127.0.0.1:{port}", "another process"):
            self.assertIn(word, ended.stderr)

    def test_files_that_may_not_grow(self):
        none = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        self.write("text", b"a b a\n")
        ended = self.spillway("run", "wordcount", "-i", "text", "-o", "out", preexec_fn=none)
        self.assertEqual(ended.returncode, 74, ended.stderr)
        self.assertIn("limit", ended.stderr)
        self.assertFalse((self.dir / "out").exists())

    def test_sixteen_open_files(self):
        few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
        self.write("text", b"a b a\n")
        ended = self.spillway("run", "wordcount", "-i", "text", "-o", "out", preexec_fn=few)
        self.assertEqual(ended.returncode, 0, ended.stderr)


class Inputs(CommandCase):
    """What looks odd and is fine."""

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

    def test_a_line_that_fits_the_memory(self):
        path = self.write("long", b"x" * 60_000_000)
        self.assertEqual(self.run_job("grep", [path], args=["x"]).summary["output_records"], 1)


class Outputs(CommandCase):
    def test_overwrite_replaces_the_whole_directory(self):
        path = self.write("in", b"x y")
        output = self.run_job("wordcount", [path], "--reducers", "3").output
        (output / "old").touch()
        self.run_job("wordcount", [path], "--reducers", "1", "--overwrite", output=output)
        self.assertEqual(sorted(p.name for p in output.iterdir()),
                         ["_SUCCESS", "_manifest.json", "part-00000"])

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
