"""What can happen to a running job: flipped bytes in spills, kill -9, Ctrl-C, full disks, few open
files, inputs that change."""

import os
import resource
import signal
import subprocess
import time
import unittest

from command_case import TEST_PLUGINS, CommandCase, count_words, random_text

FAULTY = TEST_PLUGINS / "faulty.so"
SECONDS_MAX = 60


class RunningJob(CommandCase):
    """A job whose only reducer waits at a gate when all maps are done and partly merged."""

    def setUp(self):
        super().setUp()
        self.lines = b"".join(b"%07d %s\n" % (i * 7919 % 1_000_003, b"x" * (i % 90))
                              for i in range(400_000))
        self.input = self.write("in.txt", self.lines)
        self.gate = self.dir / "gate"

    def start(self, *flags):
        output = self.new_output()
        command = self.arguments(FAULTY, [self.input], output, "--memory", "32M", "--reducers", "1",
                                 "--threads", "1", "--split-size", "4M", "--compress", "none",
                                 *flags, args=[f"gate:{self.gate}"])
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, output

    def wait_for(self, what):
        end = time.monotonic() + SECONDS_MAX
        while time.monotonic() < end:
            found = what()
            if found:
                return found
            time.sleep(0.01)
        self.fail("waited in vain")

    def segments(self, process):
        """The committed segment files, once the reducer is at the gate: then nothing is written."""
        def at_rest():
            try:
                before = sorted((p, p.stat().st_size) for p in self.spill.rglob("*") if p.is_file())
            except FileNotFoundError:
                return None  # It was renamed after it was listed.
            before = [(p, size) for p, size in before if size > 5000]
            files = [p for p, size in before]
            staged = list(self.dir.glob(".out*/attempts/part-*"))
            if not files or not staged or any(p.suffix == ".tmp" for p in files):
                return None
            time.sleep(0.3)
            same = [(p, p.stat().st_size) for p in files if p.exists()] == before
            return files if same and process.poll() is None else None
        return self.wait_for(at_rest)

    def finish(self, process, expect=0):
        self.gate.touch()
        stdout, stderr = process.communicate(timeout=120)
        self.assertEqual(process.returncode, expect, stderr.decode())
        return stdout.decode(), stderr.decode()

    def expected(self):
        counts = {}
        for line in self.lines.splitlines():
            counts[line] = counts.get(line, 0) + 1
        return b"".join(b"%s\t%d\n" % item for item in sorted(counts.items()))


class FlippedBytes(RunningJob):
    def test_a_flipped_byte_is_found_named_and_healed(self):
        for place in (0.3, 0.6, 0.9):
            with self.subTest(place=place):
                self.gate.unlink(missing_ok=True)
                process, output = self.start()
                victim = max(self.segments(process), key=lambda p: p.stat().st_size)
                with victim.open("r+b") as file:
                    file.seek(int(victim.stat().st_size * place))
                    byte = file.read(1)
                    file.seek(-1, os.SEEK_CUR)
                    file.write(bytes([byte[0] ^ 0x10]))
                stdout, _ = self.finish(process)
                self.assertIn('"maps_rerun":1', stdout.replace(" ", ""))
                self.assertIn(victim.name, stdout)
                self.assertEqual(b"".join(self.parts(output)), self.expected())
                self.expect_nothing_left(output, visible=True)

    def test_a_lost_segment_is_computed_again(self):
        process, output = self.start()
        victim = self.segments(process)[-1]
        os.truncate(victim, victim.stat().st_size // 2)
        self.finish(process)
        self.assertEqual(b"".join(self.parts(output)), self.expected())


class Ended(RunningJob):
    def test_leftovers_of_kill_9_go_at_the_next_start(self):
        process, output = self.start()
        self.segments(process)
        process.kill()
        process.wait()
        self.assertFalse(output.exists())
        self.assertTrue(list(self.spill.rglob("*")), "the test needs leftovers")
        self.assertTrue(list(self.dir.glob(".out*")))
        self.run_job("wordcount", [self.input], output=output)   # Checks that nothing is left.

    def test_another_running_job_keeps_its_files(self):
        process, output = self.start()
        self.segments(process)
        small = self.write("small.txt", b"a b a\n")
        result = subprocess.run(self.arguments("wordcount", [small], self.new_output()),
                                capture_output=True, timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.finish(process)
        self.assertEqual(b"".join(self.parts(output)), self.expected())

    def test_signals_stop_cleanly(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(signal=number):
                process, output = self.start()
                self.segments(process)
                process.send_signal(number)
                time.sleep(0.2)
                self.finish(process, expect=code)
                self.gate.unlink()
                self.assertFalse(output.exists())
                self.expect_nothing_left(output, visible=False)

    def test_a_second_signal_forces(self):
        process, output = self.start()
        self.segments(process)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)
        self.assertEqual(process.returncode, 130)
        self.assertFalse(output.exists())


class ChangedInput(RunningJob):
    def test_a_file_rewritten_during_the_job_is_bad_data(self):
        late = self.write("late.txt", b"x\n" * 3000)
        # The first map task waits at the gate; the second reads the file that changed meanwhile.
        output = self.new_output()
        command = self.arguments(FAULTY, [self.write("first.txt", b"GATE\n"), late], output,
                                 "--threads", "1", "--split-size", "4K",
                                 args=[f"map-gate:{self.gate}"])
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        self.wait_for(lambda: (self.dir / "gate.waiting").exists())
        time.sleep(0.05)
        late.write_bytes(b"y\n" * 3000)
        self.gate.touch()
        _, stderr = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 65, stderr.decode())
        self.assertIn("late.txt was changed", stderr.decode())
        self.expect_nothing_left(output, visible=False)


class Limits(CommandCase):
    def mount_small_disk(self, size):
        if os.geteuid() != 0:
            self.skipTest("mounting a small file system needs root")
        mount = self.dir / "small"
        mount.mkdir()
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", mount],
                              capture_output=True)
        if made.returncode != 0:
            self.skipTest(f"tmpfs cannot be mounted here: {made.stderr.decode().strip()}")
        self.addCleanup(subprocess.run, ["umount", mount], check=True)
        return mount

    def test_few_open_files(self):
        texts = [random_text(seed, 20_000) for seed in range(30)]
        inputs = [self.write(f"in{i}", text) for i, text in enumerate(texts)]
        output = self.new_output()
        command = self.arguments("wordcount", inputs, output, "--reducers", "40", "--memory", "32M",
                                 "--split-size", "20000")
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
        result = subprocess.run(command, capture_output=True, timeout=120, preexec_fn=limit)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        lines = b"".join(self.parts(output)).splitlines(keepends=True)
        self.assertEqual(sorted(lines), count_words(*texts))

    def test_a_full_disk_says_path_need_and_free(self):
        mount = self.mount_small_disk("4m")
        text = self.write("in", b"".join(b"%d-%d\n" % (i, i * 31) for i in range(2_000_000)))
        self.spill, kept = mount, self.spill
        result = self.run_job(FAULTY, [text], "--memory", "32M", args=["none"], expect=74)
        self.assertIn(str(mount), result.text)
        # A second directory with room lets the job pass.
        flags = ["--memory", "32M", "--spill-dir", str(kept)]
        self.run_job(FAULTY, [text], *flags, args=["none"])

    def test_an_output_disk_that_fills_up(self):
        mount = self.mount_small_disk("2m")
        text = self.write("in", b"".join(b"%d\n" % i for i in range(1_000_000)))
        result = self.run_job("grep", [text], args=["1"], output=mount / "out", expect=74)
        self.assertIn(str(mount), result.text)


if __name__ == "__main__":
    unittest.main()
