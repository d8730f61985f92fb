"""A worker keeps within its --memory, whatever runs on it: the resident memory of its daemon and of
all its executors together, looked at every few milliseconds."""

import pathlib
import subprocess
import threading
import unittest

from cluster_case import ClusterCase
from command_case import BIN_DIR
from slow_job_case import SLOW

MIB = 1 << 20
RECORD_BYTES = 100


def resident_bytes(pid):
    """0 when there is no such process any more."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(lines[0].split()[1]) * 1024 if lines else 0


class Watch:
    """While it lasts: the most that a worker and its executors had together, and the most executors
    that there were at once."""

    def __init__(self, case, worker):
        self.case, self.worker = case, worker
        self.peak_bytes = self.executors = 0
        self.peak = ""
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def run(self):
        while not self.ended.wait(0.002):
            executors = self.case.children(self.worker)
            each = [resident_bytes(pid) for pid in [self.worker.pid, *executors]]
            self.executors = max(self.executors, len(executors))
            if sum(each) > self.peak_bytes:
                self.peak_bytes = sum(each)
                self.peak = " + ".join(f"{bytes_ / MIB:.0f}" for bytes_ in each) + " MiB"


class Memory(ClusterCase):
    def records(self, megabytes, seed):
        path = self.dir / f"records-{seed}.bin"
        count = megabytes * 1_000_000 // RECORD_BYTES
        subprocess.run([BIN_DIR / "tera_generate", str(count), path, str(seed)], check=True)
        return path

    def expect_within(self, budget_bytes, watch):
        self.assertLessEqual(watch.peak_bytes, budget_bytes * 1.1, watch.peak)

    def test_two_jobs_at_once_share_it(self):
        worker = self.start_worker(slots=2, memory="256M")
        self.wait_for_workers(1)
        inputs = [self.records(400, seed) for seed in (1, 2)]
        flags = ["--split-size", "100M", "--reducers", "2", "--no-sync"]
        with Watch(self, worker) as watch:
            first = self.start_job("tera_sort", [inputs[0]], *flags)
            # The first job's tasks have all that there is for them when the second one comes.
            self.wait_for(lambda: watch.peak_bytes > 128 * MIB, "tasks of the first job")
            second = self.start_job("tera_sort", [inputs[1]], *flags)
            for job in (first, second):
                self.finish_job(job)
        self.assertEqual(watch.executors, 2, "the jobs did not run at once")
        self.expect_within(256 * MIB, watch)
        for job, path in zip((first, second), inputs):
            self.same_tree(self.run_embedded("tera_sort", [path], *flags), job.output)

    def test_three_jobs_keep_within_what_has_room_for_two(self):
        # How often an executor has to go for another depends on how their tasks come to lie.
        worker = self.start_worker(slots=2, memory="96M")
        self.wait_for_workers(1)
        lines = b"".join(b"%05d %s\n" % (i * 7919 % 100_003, b"x" * 50) for i in range(400))
        path = self.write("in.txt", lines)
        flags = ["--split-size", str(len(lines) // 20 + 1), "--reducers", "1", "--no-sync"]
        expected = self.run_embedded(SLOW, [path], *flags, args=["slow:0"])
        with Watch(self, worker) as watch:
            jobs = [self.start_job(SLOW, [path], *flags, args=["slow:3"]) for _ in range(3)]
            for job in jobs:
                self.same_tree(expected, self.finish_job(job).output)
        self.expect_within(96 * MIB, watch)


if __name__ == "__main__":
    unittest.main()
