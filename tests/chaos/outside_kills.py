#!/usr/bin/env python3
"""kill -9 from outside, at random moments, of whatever a job consists of:
outside_kills.py [--minutes N] [--seed S]

Jobs run on this machine (`spillway run`) and on clusters. What is killed is what a user would
find in the list of processes, and it is begun again as a user would. Of the embedded run the
output is there as a whole or not at all after each kill; at the end every output has the bytes of
an undisturbed run, and nothing is left over: no scratch, no staging, no process."""

import argparse
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import unittest

from chaos_jobs import job_of, make_jobs, remove_jobs
from cluster_case import SPILLWAY, ClusterCase
from command_case import CommandCase

JOBS = ["count", "words", "sort", "loop"]
KILLS_MAX = 6  # Of one job; then it may come to its end.
PAUSE_SECONDS = (0.0, 0.6)  # Between kills.
DEAD_SECONDS = (0.0, 0.3)
WORKERS = 2


class KilledRuns(CommandCase):
    """`spillway run` on this machine."""

    def __init__(self, name, seed, jobs_dir):
        super().__init__("run_job_again_and_again")
        self.rng = random.Random(seed)
        self.wanted = job_of(jobs_dir, name)
        self.happened = []

    def command(self, output):
        wanted = self.wanted
        return self.arguments(wanted.job, [wanted.input], output, "--memory", "64M", "--threads",
                              "2", *wanted.flags, args=wanted.args)

    def run_job_again_and_again(self):
        output = self.new_output()
        seconds_max = 0.2
        for _ in range(KILLS_MAX):
            process = subprocess.Popen(self.command(output), stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE)
            with process:
                seconds = self.rng.uniform(0, seconds_max)
                self.happened.append(f"killed after {seconds:.3f} s")
                try:
                    text = process.communicate(timeout=seconds)[1]
                    self.assertEqual(process.returncode, 0, text)
                    break
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            seconds_max *= 1.6
            self.whole_or_absent(output)
            if output.exists():  # It was killed when all was done.
                break
        if not output.exists():
            ran = subprocess.run(self.command(output), capture_output=True, text=True)
            self.assertEqual(ran.returncode, 0, ran.stderr)
        self.whole_or_absent(output)
        self.assertTrue(output.exists())
        # Whoever starts next removes what the killed ones have left.
        other = self.new_output()
        ran = subprocess.run(self.command(other), capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.expect_nothing_left(output, visible=True)
        self.expect_nothing_left(other, visible=True)

    def whole_or_absent(self, output):
        if output.exists():
            tree = tree_of(output)
            # Killed between the output's rename and its last step, it leaves its marker there.
            tree.pop("_SPILLWAY_OWNER", None)
            self.assertEqual(tree, tree_of(self.wanted.expected))


class KilledClusters(ClusterCase):
    """A job on a cluster whose processes die, the client's as well."""

    def __init__(self, name, seed, jobs_dir):
        super().__init__("run_job")
        self.rng = random.Random(seed)
        self.wanted = job_of(jobs_dir, name)
        self.happened = []

    def setUp(self):
        super().setUp()
        self.start_workers(WORKERS)

    def begin(self, output):
        wanted = self.wanted
        command = self.job_command("run", wanted.job, [wanted.input], output, *wanted.flags,
                                   "--submission-key", "kills", args=wanted.args)
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def run_job(self):
        output = self.new_output()
        client = self.begin(output)
        for _ in range(self.rng.randint(1, KILLS_MAX)):
            time.sleep(self.rng.uniform(*PAUSE_SECONDS))
            if client.poll() is not None:
                break
            client = self.kill_somebody(client, output)
        self.end(client, output)
        self.assertEqual(tree_of(output), tree_of(self.wanted.expected))
        self.wait_for_workers(WORKERS)
        self.expect_scratch_empty()
        self.assertEqual(list(self.dir.glob(".out*")), [])

    def end(self, client, output):
        with client:
            text = client.communicate(timeout=240)[1].decode(errors="replace")
        self.assertEqual(client.returncode, 0, f"{text}\n{self.logs()}")

    def kill_somebody(self, client, output):
        whom = self.rng.choice(["coordinator", "client"] + 2 * ["worker", "executor"])
        self.happened.append(whom)
        if whom == "client":
            client.kill()
            client.communicate()
            time.sleep(self.rng.uniform(*DEAD_SECONDS))
            return self.begin(output)
        if whom == "coordinator":
            self.coordinator.kill()
            self.coordinator.wait()
            time.sleep(self.rng.uniform(*DEAD_SECONDS))
            self.start_coordinator()
            return client
        number = self.rng.randrange(WORKERS)
        worker = self.workers[number]
        if whom == "executor":
            for pid in self.children(worker):
                os.kill(pid, signal.SIGKILL)
            return client
        worker.kill()
        worker.wait()
        time.sleep(self.rng.uniform(*DEAD_SECONDS))
        again = self.start_worker(host=f"h{number}", spill_dirs=worker.spill_dirs)
        self.workers.remove(again)
        self.workers[number] = again
        return client


def tree_of(directory):
    """The content of all files, by their paths."""
    return {str(path.relative_to(directory)): path.read_bytes()
            for path in directory.rglob("*") if path.is_file()}


def run_one(case):
    """Seconds, and what was wrong: an empty text when nothing was."""
    started = time.monotonic()
    try:
        result = unittest.TestResult()
        case.run(result)
        wrong = "\n".join(text for _, text in result.failures + result.errors)
    except Exception:
        wrong = traceback.format_exc()
    return time.monotonic() - started, wrong


def run_until(end, seed, jobs_dir):
    """Of rounds until then: how many there were, and the seeds of those that failed."""
    rounds, failed = 0, []
    while rounds == 0 or time.monotonic() < end:
        name = JOBS[seed % len(JOBS)]
        case = (KilledRuns, KilledClusters)[seed // len(JOBS) % 2](name, seed, jobs_dir)
        seconds, wrong = run_one(case)
        what = f"{type(case).__name__} {name}: {', '.join(case.happened)}"
        print(f"{'FAILED' if wrong else 'ok':<7}seed {seed:<6}{seconds:5.1f} s  {what}", flush=True)
        if wrong:
            failed.append(seed)
            print(wrong, flush=True)
        rounds += 1
        seed += 1
    return rounds, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    arguments = parser.parse_args()
    jobs_dir = pathlib.Path(tempfile.mkdtemp(prefix="spillway-kills-"))
    try:
        make_jobs(jobs_dir)
        end = time.monotonic() + 60 * arguments.minutes
        rounds, failed = run_until(end, arguments.seed, jobs_dir)
    finally:
        remove_jobs(jobs_dir)
    for seed in failed:
        print(f"outside kills: seed {seed} failed; again: "
              f"scripts/dev kills --minutes 0 --seed {seed}")
    print(f"outside kills: {rounds - len(failed)} of {rounds} rounds ok, with {SPILLWAY}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
