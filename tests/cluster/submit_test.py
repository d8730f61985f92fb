"""Jobs that go on without their client: submitted, watched, waited for and killed by id; several at
once; and what changed on the disk since they were submitted."""

import ctypes
import json
import os
import shutil
import signal
import struct
import subprocess
import time
import unittest

from cluster_case import SECONDS_MAX
from command_case import random_text
from slow_job_case import SLOW, SlowJobCase

IN_CLOSE_NOWRITE, IN_OPEN = 0x10, 0x20  # Of inotify.
KILL_SECONDS_MAX = 5
EXIT_INTERRUPTED = 130
EXIT_OUTPUT_EXISTS = 73


class SubmitCase(SlowJobCase):
    def submit(self, job, inputs, *flags, args=(), output=None, expect=0):
        """The answer of `spillway submit`, with `output`."""
        output = output or self.new_output()
        result = subprocess.run(self.job_command("submit", job, inputs, output, *flags, args=args),
                                capture_output=True, text=True, timeout=SECONDS_MAX)
        self.assertEqual(result.returncode, expect, result.stderr)
        answer = json.loads(result.stdout.splitlines()[-1])
        answer["output"] = output
        return answer

    def submit_slow(self, *flags, slow=3):
        return self.submit(SLOW, [self.input], *self.flags, *flags, args=[f"slow:{slow}"])

    def wait(self, job, expect=0):
        """Waits for the job's end; the result is that of the command."""
        result = self.client("jobs", "wait", job["job_id"])
        self.assertEqual(result.code, expect, f"{result.err}\n{self.logs()}")
        return result

    def status(self, job):
        return self.ask("jobs", "status", job["job_id"])

    def expect_no_trace(self, output, by):
        """Of a job that did not end well, from the time `by` on."""
        def gone():
            return not (any(self.children(worker) for worker in self.workers) or
                        self.scratch_of_jobs() or
                        list(output.parent.glob(f".{output.name}.spillway-*")))
        self.wait_for(gone, "processes and files to go")
        self.assertLess(time.monotonic(), by)
        self.assertFalse(output.exists())


class Submit(SubmitCase):
    def setUp(self):
        super().setUp()
        self.start_workers(2)

    def test_one_key_is_one_job(self):
        output = self.new_output()
        flags = [*self.flags, "--submission-key", "today"]
        first = self.submit(SLOW, [self.input], *flags, args=["slow:3"], output=output)
        again = self.submit(SLOW, [self.input], *flags, args=["slow:3"], output=output)
        self.assertEqual(first["job_id"], again["job_id"])
        self.assertEqual([first["reattached"], again["reattached"]], [False, True])
        self.wait(first)
        # Also when it is over and its output is there.
        late = self.submit(SLOW, [self.input], *flags, args=["slow:3"], output=output)
        self.assertEqual([late["job_id"], late["reattached"]], [first["job_id"], True])
        self.assertEqual(len(self.ask("jobs", "list", "--all")["jobs"]), 1)
        self.same_tree(self.expected, output)

    def test_the_key_of_a_killed_job_is_free_again(self):
        flags = [*self.flags, "--submission-key", "tonight"]
        first = self.submit(SLOW, [self.input], *flags, args=["slow:20"])
        self.client("jobs", "kill", first["job_id"])
        second = self.submit(SLOW, [self.input], *flags, args=["slow:0"])
        self.assertNotEqual(first["job_id"], second["job_id"])
        self.assertFalse(second["reattached"])
        self.wait(second)
        self.same_tree(self.expected, second["output"])

    def test_one_output_has_one_job_at_a_time(self):
        output = self.new_output()
        first = self.submit(SLOW, [self.input], *self.flags, args=["slow:20"], output=output)
        refused = subprocess.run(
            self.job_command("submit", SLOW, [self.input], output, "--overwrite", args=["slow:0"]),
            capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(refused.returncode, EXIT_OUTPUT_EXISTS, refused.stderr)
        self.assertIn(first["job_id"], refused.stderr)
        self.client("jobs", "kill", first["job_id"])
        self.wait(self.submit(SLOW, [self.input], *self.flags, args=["slow:0"], output=output))
        self.same_tree(self.expected, output)

    def test_what_no_job_has_written_is_not_overwritten(self):
        output = self.new_output()
        output.mkdir()
        job = self.submit(SLOW, [self.input], *self.flags, "--overwrite", args=["slow:3"],
                          output=output)
        (output / "mine").write_bytes(b"data")
        self.assertIn("no job's output", self.wait(job, expect=EXIT_OUTPUT_EXISTS).err)
        early = subprocess.run(
            self.job_command("run", SLOW, [self.input], output, "--overwrite", args=["slow:0"]),
            capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        self.assertEqual(early.returncode, EXIT_OUTPUT_EXISTS, early.stderr)
        self.assertIn("remove the directory yourself", early.stderr)
        self.assertEqual((output / "mine").read_bytes(), b"data")

    def test_a_job_is_seen_from_its_beginning_to_its_end(self):
        job = self.submit_slow()
        job_id = job["job_id"]
        listed = self.client("jobs", "list")
        self.assertEqual(listed.code, 0)
        self.assertIn(job_id, listed.out)
        self.assertEqual([j["job_id"] for j in self.ask("jobs", "list")["jobs"]], [job_id])
        text = self.client("jobs", "status", job_id)
        self.assertEqual(text.code, 0)
        for word in [job_id, "faulty", "maps", "/24", "reduces", "/3", str(job["output"])]:
            self.assertIn(word, text.out)
        self.assertFalse(self.status(job)["ended"])
        self.assertEqual(self.wait(job).out, "")
        waited = json.loads(self.client("jobs", "wait", job_id, "--json").out)
        self.assertEqual([waited["state"], waited["status"], waited["ended"]], ["done", "OK", True])
        self.assertIn("no jobs", self.client("jobs", "list").out)
        self.assertEqual(self.ask("jobs", "list")["jobs"], [])
        self.assertEqual(self.ask("jobs", "list", "--all")["jobs"][0]["state"], "done")
        self.assertEqual(self.status(job)["maps_done"], self.MAPS)
        logs = self.client("jobs", "logs", job_id)
        self.assertIn("24 maps", logs.out)
        lines = [json.loads(line)["line"]
                 for line in self.client("jobs", "logs", job_id, "--json").out.splitlines()]
        self.assertEqual(lines, logs.out.splitlines())
        self.same_tree(self.expected, job["output"])
        killed = self.client("jobs", "kill", job_id)  # Over is what was wanted.
        self.assertEqual([killed.code, "done" in killed.err], [0, True])

    def test_logs_follow_a_job_to_its_end(self):
        job = self.submit_slow()
        logs = self.client("jobs", "logs", job["job_id"], "--follow")
        self.assertEqual(logs.code, 0)
        self.assertTrue(self.status(job)["ended"])
        self.assertIn("done", logs.out.splitlines()[-1])

    def test_a_job_that_nobody_knows(self):
        for verb in ["status", "wait", "logs", "kill"]:
            for job_id in ["20200101-000000-0001", "../../etc", "\x1b[31m"]:
                with self.subTest(verb=verb, job_id=job_id):
                    result = self.client("jobs", verb, job_id)
                    self.assertEqual(result.code, 66, result.err)
                    self.assertIn("there is no job", result.err)
                    self.assertNotIn("\x1b", result.err)

    def test_wait_exits_as_the_job_did(self):
        bad = self.write("bad.txt", b"fine\nBOOM\nfine too\n")
        failed = self.submit(SLOW, [bad], args=["throw"])
        result = self.wait(failed, expect=1)
        self.assertIn("bad.txt:5", result.err)
        killed = self.submit_slow()
        self.client("jobs", "kill", killed["job_id"], "--reason", "wrong input")
        self.assertIn("wrong input", self.wait(killed, expect=EXIT_INTERRUPTED).err)

    def test_a_killed_job_leaves_nothing(self):
        hanging = self.write("hang.txt", b"fine\nBOOM\n")
        for name, submit in [("running", lambda: self.submit_slow(slow=20)),
                             ("hanging", lambda: self.submit(SLOW, [hanging], args=["hang"]))]:
            for json_flag in [[], ["--json"]]:
                with self.subTest(job=name, json=json_flag):
                    job = submit()
                    self.wait_for(lambda: self.status(job)["maps_running"] > 0, "a running map")
                    by = time.monotonic() + KILL_SECONDS_MAX
                    result = self.client("jobs", "kill", job["job_id"], *json_flag)
                    self.assertEqual(result.code, 0, result.err)
                    self.expect_no_trace(job["output"], by)
                    if json_flag:
                        self.assertEqual(json.loads(result.out)["state"], "killed")
                    else:
                        self.assertIn("killed", result.err)

    def test_ctrl_c_of_run_kills_the_job(self):
        job = self.start_job(SLOW, [self.input], *self.flags, args=["slow:20"])
        self.wait_for_maps(1)
        by = time.monotonic() + KILL_SECONDS_MAX
        job.send_signal(signal.SIGINT)
        self.finish_job(job, expect=EXIT_INTERRUPTED)
        self.expect_no_trace(job.output, by)
        self.assertEqual(self.ask("jobs", "list", "--all")["jobs"][0]["state"], "killed")

    def test_ctrl_c_of_submit_wait_leaves_the_job(self):
        output = self.new_output()
        command = self.job_command("submit", SLOW, [self.input], output, *self.flags, "--wait",
                                   args=["slow:3"])
        waiting = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.wait_for_maps(1)
        waiting.send_signal(signal.SIGINT)
        out, err = waiting.communicate(timeout=SECONDS_MAX)
        self.assertEqual(waiting.returncode, EXIT_INTERRUPTED, err)
        self.assertIn(b"jobs wait", err)
        self.wait(json.loads(out.splitlines()[0]))
        self.same_tree(self.expected, output)

    def test_slots_are_shared_by_priority(self):
        self.start_worker(slots=2)
        self.wait_for_workers(3)
        common = self.submit_slow("--priority", "1", slow=10)
        urgent = self.submit_slow("--priority", "3", slow=10)
        taken = []
        while not (self.status(common)["ended"] or self.status(urgent)["ended"]):
            pair = [self.status(job)["maps_running"] for job in [common, urgent]]
            both_have_more = all(self.status(job)["maps_done"] + n < self.MAPS
                                 for job, n in zip([common, urgent], pair))
            if both_have_more and pair[1] > 0:  # The second one may come a moment later.
                taken.append(pair)
        ones, threes = map(sum, zip(*taken))
        self.assertGreater(ones, 0)
        self.assertGreater(threes, 1.8 * ones, taken)
        for job in [common, urgent]:
            self.wait(job)
            self.same_tree(self.expected, job["output"])


class ChangedSince(SubmitCase):
    """The job is submitted before there are workers, and something changes."""

    def setUp(self):
        super().setUp()
        self.plugin = self.dir / "mine.so"
        shutil.copy(SLOW, self.plugin)

    def submit_mine(self, *flags):
        return self.submit(self.plugin, [self.input], *self.flags, *flags, args=["slow:3"])

    def change_plugin(self):
        changed = self.dir / "new.so"
        changed.write_bytes(self.plugin.read_bytes() + b"\0")
        changed.rename(self.plugin)

    def test_a_plugin_that_changed_before_a_worker_had_it_is_not_used(self):
        job = self.submit_mine()
        self.change_plugin()
        self.start_workers(1)
        result = self.wait(job, expect=65)
        self.assertIn("mine.so", result.err)
        self.assertIn("SHA-256", result.err)
        self.assertFalse(job["output"].exists())

    def test_a_plugin_that_changes_during_the_job_is_used_as_it_was(self):
        self.start_workers(2)
        job = self.submit_mine()
        self.wait_for_maps(4)
        self.change_plugin()
        for worker in self.workers:
            for pid in self.children(worker):
                os.kill(pid, signal.SIGKILL)  # Those that come instead load it again.
        self.wait(job)
        self.same_tree(self.expected, job["output"])

    def test_an_input_that_vanished_is_named(self):
        job = self.submit_mine()
        self.input.unlink()
        self.start_workers(2)
        result = self.wait(job, expect=66)
        self.assertIn("in.txt", result.err)
        self.assertFalse(job["output"].exists())
        self.expect_scratch_empty()

    def test_an_input_that_was_replaced_is_named(self):
        job = self.submit_mine()
        other = self.write("other.txt", self.input.read_bytes()[::-1])
        other.rename(self.input)
        self.start_workers(2)
        result = self.wait(job, expect=65)
        self.assertIn("in.txt", result.err)
        self.assertIn("changed", result.err)

    def test_an_input_that_grew_is_read_as_far_as_it_was_planned(self):
        job = self.submit_mine()
        with self.input.open("ab") as file:
            file.write(b"one more\n")
        self.start_workers(2)
        self.wait(job)
        self.same_tree(self.expected, job["output"])

    def test_a_side_file_is_read_once_by_each_worker(self):
        side = self.write("side.bin", os.urandom(100_000))
        job = self.submit_mine("--file", f"model={side}")
        libc = ctypes.CDLL(None, use_errno=True)
        watch = libc.inotify_init1(os.O_NONBLOCK)
        self.addCleanup(os.close, watch)
        # Both, because equal events in a row are one.
        self.assertGreaterEqual(
            libc.inotify_add_watch(watch, bytes(side), IN_OPEN | IN_CLOSE_NOWRITE), 0)
        self.start_worker(slots=2)
        self.wait_for_maps(6)
        self.start_worker(slots=2)  # Later: not at the same time.
        self.wait(job)
        self.assertIn("registered", self.workers[1].log.read_text())
        self.same_tree(self.expected, job["output"])
        events = [mask for _, mask, _, _ in struct.iter_unpack("iIII", os.read(watch, 1 << 16))]
        self.assertEqual(events, [IN_OPEN, IN_CLOSE_NOWRITE] * 2)


class FullDisk(SubmitCase):
    def tmpfs(self, size):
        place = self.dir / "small-disk"
        place.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place],
                                 capture_output=True, text=True)
        if mounted.returncode != 0:
            reason = f"cannot mount a small tmpfs: {mounted.stderr.strip()}"
            print(f"SKIPPED: {self.id()}: {reason}", flush=True)
            self.skipTest(reason)
        self.addCleanup(subprocess.run, ["umount", "-l", place], capture_output=True)
        return place

    def test_a_full_spill_directory_is_set_aside(self):
        text = self.write("t.txt", random_text(5, 3_000_000, vocabulary=50_000))
        flags = ["--split-size", "500K", "--reducers", "2", "--compress", "none"]
        embedded = self.run_embedded("inverted_index", [text], *flags)
        full = self.tmpfs("2M")
        self.start_worker(spill_dirs=[self.dir / "roomy", full])
        self.wait_for_workers(1)
        (full / "filler").write_bytes(bytes(1_900_000))
        job = self.run_on_cluster("inverted_index", [text], *flags)
        self.same_tree(embedded, job.output)
        self.expect_scratch_empty()

    def test_also_when_it_is_the_first(self):
        text = self.write("t.txt", random_text(5, 1_000_000))
        embedded = self.run_embedded("wordcount", [text], "--split-size", "200K")
        full = self.tmpfs("2M")
        self.start_worker(spill_dirs=[full, self.dir / "roomy"])
        self.wait_for_workers(1)
        (full / "filler").write_bytes(bytes((1 << 21) - 8192))
        job = self.run_on_cluster("wordcount", [text], "--split-size", "200K")
        self.same_tree(embedded, job.output)


if __name__ == "__main__":
    unittest.main()
