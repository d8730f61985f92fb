"""What `spillway completion` prints completes command lines, and man pages are such as man takes
without a warning. Shells that are not installed are skipped, and said so."""

import os
import pathlib
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest

from command_case import BIN_DIR, SPILLWAY

BASH_TRY = """
set -u
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
_spillway
printf '%s\\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"}
"""
SECONDS_MAX = 60


def script(shell):
    return subprocess.run([SPILLWAY, "completion", shell], check=True, stdout=subprocess.PIPE,
                          text=True).stdout


class Completion(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="spillway-completion-")
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)
        (self.dir / "mine.so").touch()
        self.environment = dict(os.environ, HOME=str(self.dir),
                                PATH=f"{pathlib.Path(SPILLWAY).parent}:{os.environ['PATH']}")

    def need(self, program):
        if shutil.which(program) is None:
            self.skipTest(f"SKIPPED: {program} is not installed")

    def check(self, complete):
        """`complete` answers with the candidates for the last of the words."""
        self.assertEqual(sorted(complete("spillway", "s")), ["stream", "submit"])
        self.assertEqual(sorted(complete("spillway", "jobs", "l")), ["list", "logs"])
        self.assertEqual(complete("spillway", "run", "--compr"), ["--compress"])
        self.assertEqual(complete("spillway", "run", "--compress", "l"), ["lz4"])
        self.assertEqual(sorted(complete("spillway", "new", "--kind", "")),
                         ["counting", "iterative", "join", "sort"])
        self.assertEqual(complete("spillway", "keys", "add", "--expo"), ["--export"])
        for words in (["run"], ["submit"], ["plugin", "inspect"]):
            self.assertEqual(complete("spillway", *words, "wordc"), ["wordcount"])
            self.assertIn("mine.so", complete("spillway", *words, "mine"))
        self.assertNotIn("wordcount", complete("spillway", "run", "grep", "wordc"))

    def test_bash(self):
        path = self.dir / "spillway.bash"
        path.write_text(script("bash"))

        def complete(*words):
            ended = subprocess.run(["bash", "-c", BASH_TRY, "bash", path, *words], text=True,
                                   capture_output=True, cwd=self.dir, env=self.environment)
            self.assertEqual((ended.returncode, ended.stderr), (0, ""))
            return ended.stdout.split()
        self.check(complete)
        self.assertEqual(complete("spillway", "run", "-i", ""), [])  # Files, by bash itself.

    def test_fish(self):
        self.need("fish")
        path = self.dir / "spillway.fish"
        path.write_text(script("fish"))

        def complete(*words):
            ended = subprocess.run(
                ["fish", "-N", "-c", f"source {path}; complete -C '{' '.join(words)}'"], text=True,
                capture_output=True, check=True, cwd=self.dir, env=self.environment)
            return [line.split("\t")[0] for line in ended.stdout.splitlines()]
        self.check(complete)

    def test_zsh(self):
        self.need("zsh")
        (self.dir / "_spillway").write_text(script("zsh"))
        # Completes in a terminal of its own, as zsh does nowhere else.
        main, end = os.openpty()
        environment = dict(self.environment, TERM="dumb", PS1="READY>", PROMPT="READY>")
        zsh = subprocess.Popen(["zsh", "-f", "-i"], stdin=end, stdout=end, stderr=end,
                               env=environment, cwd=self.dir, start_new_session=True)
        os.close(end)
        self.addCleanup(os.close, main)
        self.addCleanup(zsh.wait)
        self.addCleanup(zsh.kill)

        def type_in(text, until):
            os.write(main, text.encode())
            seen, give_up = "", time.monotonic() + SECONDS_MAX
            while not re.search(until, seen):
                self.assertLess(time.monotonic(), give_up, f"{text!r} gave {seen!r}")
                if select.select([main], [], [], 1)[0]:
                    seen += os.read(main, 4096).decode(errors="replace")
            return seen

        type_in(f"fpath=({self.dir} $fpath); autoload -Uz compinit; compinit -u -d {self.dir}/d; "
                "echo is-$((40 + 2))\n", "is-42")
        for typed, completed in (("spillway run --compr", "--compress "),
                                 ("spillway run --compress l", "lz4 "),
                                 ("spillway run wordco", "wordcount "),
                                 ("spillway submit min", "mine.so "),
                                 ("spillway jobs ki", "kill "),
                                 ("spillway versi", "version ")):
            # What zsh adds; then a comment makes the line harmless.
            rest = completed[len(typed.split()[-1]):]
            type_in(typed + "\t", re.escape(typed) + ".*" + re.escape(rest.strip()))
            type_in("\x15", "")

    def test_another_shell_is_refused(self):
        ended = subprocess.run([SPILLWAY, "completion", "tcsh"], capture_output=True, text=True)
        self.assertEqual(ended.returncode, 64)
        self.assertIn("bash, zsh and fish", ended.stderr)


class ManPages(unittest.TestCase):
    PAGES = sorted((BIN_DIR.parent / "share/man/man1").glob("*.1"))

    def test_there_is_one_for_each_command(self):
        names = {page.stem for page in self.PAGES}
        overview = subprocess.run([SPILLWAY, "help"], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout
        commands = re.findall(r"^  ([a-z-]+(?: [a-z-]+)?)  ", overview, re.MULTILINE)
        self.assertIn("jobs list", commands)
        self.assertEqual(names, {"spillway"} | {
            "spillway-" + command.replace(" ", "-") for command in commands})

    def test_man_takes_them_without_a_warning(self):
        if shutil.which("man") is None:
            self.skipTest("SKIPPED: man is not installed")
        for page in self.PAGES:
            ended = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page],
                                   capture_output=True, text=True)
            self.assertEqual((ended.returncode, ended.stderr), (0, ""), page.name)

    def test_options_can_be_copied(self):
        if shutil.which("man") is None:
            self.skipTest("SKIPPED: man is not installed")
        text = subprocess.run(["man", "-E", "UTF-8", "-l",
                               BIN_DIR.parent / "share/man/man1/spillway-run.1"], check=True,
                              text=True, stdout=subprocess.PIPE,
                              env=dict(os.environ, MANPAGER="cat", MANWIDTH="100")).stdout
        self.assertIn("--split-size", re.sub(".\b", "", text))


if __name__ == "__main__":
    unittest.main()
