"""`spillway stream` against the pipeline that it stands for:
cat INPUT | mapper | LC_ALL=C sort -s -t TAB -k 1,1 | reducer."""

import os
import random
import signal
import stat
import subprocess
import time
import unittest

from command_case import SPILLWAY, CommandCase

SECONDS_MAX = 120
SHAPES = ((), ("--split-size", "10K"), ("--split-size", "4K", "--threads", "3"))
PYTHON_COUNTS = """#!/usr/bin/env python3
import itertools, sys
rows = (line.rstrip(b"\\n").partition(b"\\t") for line in sys.stdin.buffer)
for key, group in itertools.groupby(rows, key=lambda row: row[0]):
    values = [row[2] for row in group]
    sys.stdout.buffer.write(b"%s\\t%d\\t%s\\n" % (key, len(values), values[0][:10]))
"""


class StreamCase(CommandCase):
    def stream(self, mapper, reducer, *flags, inputs=("in.txt",), expect=0, combiner=None):
        """Runs it in self.dir, and checks that nothing is left over."""
        output = self.new_output()
        command = [SPILLWAY, "stream", "-m", mapper, "-o", str(output), "-q",
                   "--spill-dir", str(self.spill), *flags]
        command += ["-r", reducer] if reducer is not None else []
        command += ["-c", combiner] if combiner is not None else []
        command += ["-i", *inputs]
        ended = subprocess.run(command, cwd=self.dir, capture_output=True, timeout=SECONDS_MAX)
        ended.text = ended.stderr.decode(errors="replace")
        self.assertEqual(ended.returncode, expect, f"{command}\n{ended.text}")
        self.expect_nothing_left(output, visible=expect == 0)
        ended.output = output
        return ended

    def one_part(self, *words, **more):
        return b"".join(self.parts(
            self.stream(*words, "--reducers", "1", **more).output))

    def pipeline(self, mapper, reducer, name="in.txt"):
        script = (f"cat {name} | ({mapper}) | LC_ALL=C sort -s -t '\t' -k 1,1 | ({reducer})")
        return subprocess.run(["/bin/sh", "-c", script], cwd=self.dir, check=True,
                              stdout=subprocess.PIPE).stdout

    def executable(self, name, text):
        path = self.write(name, text.encode())
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def same_as_pipeline(self, mapper, reducer, combiner=None):
        expected = self.pipeline(mapper, reducer)
        for shape in SHAPES:
            got = self.one_part(mapper, reducer, *shape, combiner=combiner)
            self.assertEqual(got, expected, (mapper, reducer, shape))


class AgainstThePipeline(StreamCase):
    def setUp(self):
        super().setUp()
        rng = random.Random(1)
        words = [b"w%d" % (i * i % 97) for i in range(60)]
        words += [b"", b"\xff\xfe", b"a b", b"caf\xc3\xa9"]
        lines = []
        for i in range(3000):
            form = rng.randrange(4)
            line = rng.choice(words)
            if form > 0:
                line += b"\t%d" % i
            if form > 1:
                line += b"\tmore \x00\x01\x0b\r"
            lines.append(line)
        self.write("in.txt", b"\n".join(lines) + b"\n")

    def test_lines_come_back_as_they_were_in_the_order_of_their_keys(self):
        self.same_as_pipeline("cat", "cat")

    def test_shell_and_awk(self):
        self.same_as_pipeline("tr -cs 'a-z0-9' '\\n'", "uniq -c")
        self.same_as_pipeline("awk -F'\\t' '{print $1 \"\\t\" length($0)}'",
                              "awk -F'\\t' '{s[$1] += $2} END {for (k in s) print k, s[k]}' "
                              "| LC_ALL=C sort")

    def test_a_python_reducer_by_a_relative_path(self):
        self.executable("counts.py", PYTHON_COUNTS)
        self.same_as_pipeline("cat", "./counts.py")

    def test_a_combiner_changes_nothing(self):
        total = "awk -F'\\t' '$1 != k {if (NR > 1) print k \"\\t\" n; k = $1; n = 0} " \
                "{n += $2} END {if (NR) print k \"\\t\" n}'"
        self.same_as_pipeline("tr -cs 'a-z' '\\n' | sed 's/$/\\t1/'", total, combiner=total)

    def test_without_a_reducer_the_sorted_lines_are_the_output(self):
        self.assertEqual(self.one_part("cat", None), self.pipeline("cat", "cat"))

    def test_none_does_not_sort(self):
        ended = self.stream("cat", "NONE", "--split-size", "10K")
        self.assertEqual(b"".join(self.parts(ended.output)), (self.dir / "in.txt").read_bytes())

    def test_several_parts_hold_each_key_once(self):
        ended = self.stream("cat", "cut -f 1 | uniq", "--reducers", "4")
        parts = self.parts(ended.output)
        self.assertEqual(len(parts), 4)
        keys = b"".join(parts).splitlines()
        self.assertEqual(len(keys), len(set(keys)))

    def test_spilled_lines_are_the_same(self):
        self.write("big.txt", b"".join(b"%06d\t%s\n" % (i * 7919 % 100_003, b"x" * 400)
                                       for i in range(100_003)))
        got = self.one_part("cat", "cat", "--memory", "32M", inputs=("big.txt",))
        self.assertEqual(got, self.pipeline("cat", "cat", "big.txt"))


class LinesAndFiles(StreamCase):
    def test_files_without_a_last_newline_are_parted(self):
        self.write("a.txt", b"2 a")
        self.write("b.txt", b"1 b")
        self.assertEqual(self.one_part("cat", "cat", inputs=("a.txt", "b.txt")), b"1 b\n2 a\n")

    def test_a_long_line(self):
        line = b"k\t" + b"x" * 3_000_000
        self.write("in.txt", line + b"\nj\n")
        self.assertEqual(self.one_part("cat", "cat"), b"j\n" + line + b"\n")

    def test_what_a_mapper_writes_at_its_end_counts(self):
        self.write("in.txt", b"a\nb\n")
        self.assertEqual(self.one_part("cat; printf z", "cat"), b"a\nb\nz\n")

    def test_side_files_are_there_by_their_names(self):
        self.write("in.txt", b"a\nb\nc\nb\n")
        (self.dir / "lists").mkdir()
        self.write("lists/stop.txt", b"b\n")
        self.write("count.sh", b"#!/bin/sh\nuniq -c | sed 's/^ *//'\n")  # Not executable.
        flags = ["--file", "lists/stop.txt", "--file", "run me=count.sh"]
        self.assertEqual(self.one_part("grep -vxf stop.txt", "'./run me'", *flags), b"1 a\n1 c\n")
        listed = self.one_part("cat >/dev/null; ls; pwd", "cat", *flags).splitlines()
        self.assertEqual(listed[1:], [b"run me", b"stop.txt"])
        self.assertFalse(os.path.exists(listed[0]), "the directory was left")

    def test_side_files_that_are_not_there_or_have_no_name(self):
        self.write("in.txt", b"a\n")
        for value, code, words in (("lost", 66, "lost"), ("a/b=in.txt", 64, "NAME"),
                                   ("a=", 64, "NAME"), ("x=..", 64, "'..'"), ("..", 64, "NAME")):
            ended = self.stream("cat", "cat", "--file", value, expect=code)
            self.assertIn(words, ended.text, value)

    def test_tasks_know_what_they_are(self):
        self.write("in.txt", b"x\n")
        names = "echo $mapreduce_task_ismap $mapreduce_task_partition $mapreduce_job_reduces"
        self.assertEqual(self.one_part(f"cat >/dev/null; {names}", f"cat; {names}"),
                         b"true 0 1\nfalse 0 1\n")


class Commands(StreamCase):
    def setUp(self):
        super().setUp()
        self.write("in.txt", b"".join(b"%d\tvalue\n" % i for i in range(50_000)))

    def test_that_fail_fail_the_job_with_their_last_words(self):
        for role in ("mapper", "reducer"):
            bad = "cat >/dev/null; echo told you >&2; exit 3"
            words = (bad, "cat") if role == "mapper" else ("cat", bad)
            text = self.stream(*words, "--retries", "0", expect=1).text
            self.assertIn(f"the {role} '{bad}' exited with 3", text)
            self.assertIn("told you", text)

    def test_that_exit_with_1_fail_whatever_they_wrote(self):
        self.assertIn("exited with 1", self.stream("cat", "cat; exit 1", expect=1).text)

    def test_that_are_not_there_are_named(self):
        for words in (("./no-such", "cat"), ("cat", "./no-such")):
            text = self.stream(*words, expect=66).text
            self.assertIn("'./no-such' exited with 127, so there is no such command", text)
            self.assertIn("attempt 0", text)
            self.assertNotIn("attempt 1", text)
            self.assertRegex(text, "not found\nWhat to do: check that the file is there")

    def test_that_cannot_be_executed_are_named(self):
        self.write("map.py", b"print()\n")
        text = self.stream("./map.py", "cat", expect=77).text
        self.assertIn("'./map.py' exited with 126, so it is not executable", text)
        self.assertNotIn("attempt 1", text)

    def test_that_hang_are_ended_and_the_message_tells_of_commands(self):
        text = self.stream("sleep 60", "cat", "--retries", "0", "--threads", "1", "--timeout",
                           "1s", expect=1).text
        self.assertIn("for --timeout", text)
        self.assertRegex(text, "all threads hang.*map task 0, attempt 0: command 'sleep 60' hangs")
        self.assertIn("a command that neither reads nor writes", text)

    def test_that_hang_do_not_outlive_the_job(self):
        # A shell with a child; the job ends by a time-out, by another task's failure, by a signal.
        hang = "cat >/dev/null; echo $$ >> pids; sleep 600; true"
        self.stream("cat", hang, "--retries", "0", "--timeout", "1s", expect=1)
        self.expect_ended(1)
        fails = "while ! test -s pids; do sleep 0.02; done; exit 3"
        self.stream("cat", f"if test $mapreduce_task_partition = 0; then {fails}; fi; {hang}",
                    "--retries", "0", "--reducers", "2", "--threads", "2", expect=1)
        self.expect_ended(1)
        job = subprocess.Popen([SPILLWAY, "stream", "-m", "cat", "-r", hang, "-i", "in.txt", "-o",
                                "stopped", "-q"], cwd=self.dir, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while not (self.dir / "pids").exists() and time.monotonic() < end:
            time.sleep(0.02)
        job.terminate()
        job.wait()
        self.expect_ended(1)

    def expect_ended(self, commands):
        """Of those that have written their numbers, none is there, nor what it had started."""
        pids = (self.dir / "pids").read_text().split()
        (self.dir / "pids").unlink()
        self.assertGreaterEqual(len(pids), commands)
        end = time.monotonic() + 10
        left = pids
        while left and time.monotonic() < end:
            left = [line for line in subprocess.run(["ps", "-eo", "stat=,pid=,ppid=,args="],
                                                    capture_output=True, text=True)
                    .stdout.splitlines()
                    if not line.startswith("Z") and set(line.split()[1:3]) & set(pids)
                    or "sleep 600" in line and str(os.getpid()) not in line]
            time.sleep(0.05)
        self.assertEqual(left, [])

    def test_that_die_of_a_signal_name_it(self):
        text = self.stream("cat", "kill -9 $$", "--retries", "0", expect=1).text
        self.assertIn("was ended by signal 9", text)
        # What perl and ssh answer when they fail.
        text = self.stream("cat", "exit 255", "--retries", "0", expect=1).text
        self.assertIn("exited with 255", text)

    def test_may_write_nothing(self):
        self.assertEqual(self.one_part("cat", "cat >/dev/null"), b"")
        self.assertEqual(self.one_part("cat >/dev/null", "cat"), b"")

    def test_may_read_nothing(self):
        self.assertEqual(self.one_part("cat", "echo unread"), b"unread\n")
        self.assertEqual(self.one_part("exec <&-; echo unread", "cat"), b"unread\n")
        self.assertEqual(self.one_part("head -n 1", "cat"), b"0\tvalue\n")

    def test_may_flood_stderr(self):
        flood = "yes some words on stderr | head -c 20000000 >&2; cat"
        ended = self.stream(flood, flood, "--reducers", "1")
        self.assertLess(len(ended.stderr), 300_000)
        self.assertIn("the rest is left out", ended.text)
        self.assertEqual(b"".join(self.parts(ended.output)), self.pipeline("cat", "cat"))

    def test_count_by_lines_on_stderr(self):
        ended = subprocess.run(
            [SPILLWAY, "stream", "-m", "echo reporter:counter:lines,seen,7 >&2; cat",
             "-r", "echo reporter:counter:lines,seen,2 >&2; cat", "-i", "in.txt", "-o", "out",
             "--reducers", "1", "--split-size", "1G"], cwd=self.dir, capture_output=True, text=True)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertRegex(ended.stderr, "lines: seen 9")

    def test_that_hang_are_interrupted(self):
        running = subprocess.Popen(
            [SPILLWAY, "stream", "-m", "touch started; sleep 600", "-r", "cat", "-i", "in.txt",
             "-o", "out"], cwd=self.dir, stderr=subprocess.PIPE, start_new_session=True)
        while not (self.dir / "started").exists() and running.poll() is None:
            pass
        os.killpg(running.pid, signal.SIGINT)  # As the terminal does.
        _, err = running.communicate(timeout=SECONDS_MAX)
        self.assertEqual(running.returncode, 130, err)
        self.assertFalse((self.dir / "out").exists())


class Mistakes(StreamCase):
    def test_are_told(self):
        self.write("in.txt", b"x\n")
        ended = subprocess.run([SPILLWAY, "stream", "-i", "in.txt", "-o", "o"], cwd=self.dir,
                               capture_output=True, text=True)
        self.assertEqual(ended.returncode, 64)
        self.assertIn("missing: -m CMD", ended.stderr)
        self.assertIn("--reducers 4", self.stream("cat", "4", expect=64).text)
        self.assertIn("nothing to combine",
                      self.stream("cat", "NONE", combiner="cat", expect=64).text)


if __name__ == "__main__":
    unittest.main()
