"""Processes that die as by kill -9 between any two steps of a spill, the journal or a commit. What
a user would start again is started again: the output is the same bytes, nothing half was ever
visible, and nothing is left over."""

import os
import shutil
import signal
import subprocess
import unittest

from cluster_case import ClusterCase
from command_case import SECONDS_MAX, TEST_PLUGINS, CommandCase, count_words, random_text
from kill_points import (COORDINATOR, EXCHANGING, EXECUTOR, JOB, LOOP, REPLACING, RUN, START, STOP,
                         WORKER, deaths)

SPILLING = TEST_PLUGINS / "faulty.so"  # Writes each line and how often it came.
PARTITIONS = TEST_PLUGINS / "partitions.so"  # Sums by date and country, in directories.
SKEWED = TEST_PLUGINS / "skewed.so"  # Sums of keys that are nearly all in one partition.


def sales(days, number):
    return "".join(f"2024-01-{day:02}\t{country}\t{number}\n"
                   for day in days for country in ("at", "de")).encode()


class Death:
    """One process with this environment dies at the point, once."""

    made = 0

    def __init__(self, directory, name, passing):
        Death.made += 1
        self.what = f"{name}:{passing}"
        self.file = directory / f"died-{Death.made}"
        self.environment = {"SPILLWAY_KILL_AT": f"{self.what}:{self.file}"}

    def victim(self):
        """Its process id, once it has died; else None."""
        try:
            text = self.file.read_text()
        except FileNotFoundError:
            return None
        return int(text) if text.endswith("\n") else None


def scratch_left(spill):
    """What is in a spill directory beside the directory that each user has there."""
    return [str(path) for path in spill.glob("spillway-*/*")]


class KilledRuns(CommandCase):
    """`spillway run` on one machine: it is run once more."""

    def setUp(self):
        super().setUp()
        lines = [b"%06d %s\n" % (i * 7919 % 300_007, b"x" * (i % 120)) for i in range(300_000)]
        self.input = self.write("in.txt", b"".join(lines))
        self.few = self.write("few.txt", b"".join(lines[:100]))
        self.flags = ["--memory", "32M", "--threads", "1", "--reducers", "3", "--split-size", "3M",
                      "--compress", "none"]
        self.expected = self.parts(self.run_spilling().output)
        self.old = self.parts(self.run_spilling(inputs=[self.few]).output)

    def run_spilling(self, inputs=None, output=None, flags=()):
        return self.run_job(SPILLING, inputs or [self.input], *self.flags, *flags, args=["none"],
                            output=output)

    def test_at_every_point(self):
        for name, passing, moment in deaths(RUN, JOB, REPLACING, START, STOP):
            with self.subTest(point=name, passing=passing):
                self.die_and_run_again(name, passing, moment)

    def die_and_run_again(self, name, passing, moment):
        output = self.new_output()
        if moment == REPLACING:
            self.run_spilling(inputs=[self.few], output=output)
        death = Death(self.dir, name, passing)
        command = self.arguments(SPILLING, [self.input], output, *self.flags,
                                 *(["--overwrite"] if moment == REPLACING else []), args=["none"])
        ended = subprocess.run(command, capture_output=True, timeout=SECONDS_MAX,
                               env={**os.environ, **death.environment})
        self.assertIsNotNone(death.victim(), f"{death.what} is never passed")
        self.assertEqual(ended.returncode, -signal.SIGKILL, ended.stderr)
        if output.exists():
            self.assertIn(self.parts(output), [self.expected, self.old])
            self.assertTrue((output / "_SUCCESS").exists())
        if name in ("staging-made", "owner-created"):  # Could be anybody's still, and stays.
            for staging in output.parent.glob(f".{output.name}.spillway-*"):
                self.assertEqual(sum(p.stat().st_size for p in staging.iterdir()), 0)
                shutil.rmtree(staging)
        self.run_spilling(output=output, flags=["--overwrite"])
        self.assertEqual(self.parts(output), self.expected)
        self.assertEqual(scratch_left(self.spill), [])


class KilledExchanges(CommandCase):
    """`spillway run --overwrite=partitions`: it is run once more."""

    FLAGS = ["--reducers", "2", "--threads", "1"]

    def setUp(self):
        super().setUp()
        self.before = self.write("before.txt", sales((1, 2, 3), 1))
        self.fresh = self.write("fresh.txt", sales((2, 3, 4), 5))
        self.old, self.new = (self.tree(self.write_table(data, self.new_output()))
                              for data in (self.before, self.fresh))

    def write_table(self, data, output, *flags, death=None):
        command = self.arguments(PARTITIONS, [data], output, *self.FLAGS, *flags, args=["write"])
        ended = subprocess.run(command, capture_output=True, timeout=SECONDS_MAX,
                               env={**os.environ, **(death.environment if death else {})})
        self.assertEqual(ended.returncode, -signal.SIGKILL if death else 0, ended.stderr)
        return output

    def test_at_every_point(self):
        for name, passing, _ in deaths(RUN, EXCHANGING):
            with self.subTest(point=name, passing=passing):
                output = self.write_table(self.before, self.new_output())
                death = Death(self.dir, name, passing)
                self.write_table(self.fresh, output, "--overwrite=partitions", death=death)
                self.assertIsNotNone(death.victim(), f"{death.what} is never passed")
                for path in output.rglob("part-*"):
                    place = str(path.relative_to(output))
                    self.assertIn(path.read_bytes(), [self.old.get(place), self.new.get(place)])
                self.write_table(self.fresh, output, "--overwrite=partitions")
                self.assertEqual(self.tree(output), {**self.old, **self.new})
                self.assertEqual(list(self.dir.glob(f".{output.name}*")), [])
                self.assertEqual(scratch_left(self.spill), [])


class SmallJobCase(ClusterCase):
    """Jobs of a moment on a cluster whose processes die and are started again."""

    def setUp(self):
        super().setUp()
        self.text = random_text(11, 120_000)
        self.input = self.write("in.txt", self.text)
        self.few = self.write("few.txt", self.text[:1000])
        self.flags = ["--split-size", "30K", "--reducers", "3"]
        self.expected = self.run_embedded("wordcount", [self.input], *self.flags)
        lines = b"".join(self.parts(self.expected)).splitlines(keepends=True)
        self.assertEqual(sorted(lines), count_words(self.text))
        self.expected_loop = self.expected_exchange = None

    def start(self, moment):
        """Begins the job of the moment; the result goes to finish_same."""
        if moment == LOOP:
            return self.start_loop()
        if moment == EXCHANGING:
            return self.start_exchange()
        flags = list(self.flags)
        if moment == REPLACING:
            self.run_embedded("wordcount", [self.few])
            self.outputs -= 1  # The job takes the same one.
            flags.append("--overwrite")
        job = self.start_job("wordcount", [self.input], *flags)
        job.expected = self.expected
        return job

    def start_exchange(self):
        before = self.write("before.txt", sales((1, 2, 3), 1))
        fresh = self.write("fresh.txt", sales((2, 3, 4), 5))
        flags = ["--reducers", "2", "--overwrite=partitions"]
        if self.expected_exchange is None:
            for data in (before, fresh):
                self.expected_exchange = self.run_embedded(PARTITIONS, [data], *flags,
                                                           args=["write"])
                self.outputs -= 1  # The next one takes the same output.
            self.outputs += 1
        self.run_embedded(PARTITIONS, [before], "--reducers", "2", args=["write"])
        self.outputs -= 1
        job = self.start_job(PARTITIONS, [fresh], *flags, args=["write"])
        job.expected = self.expected_exchange
        return job

    def start_loop(self):
        points = self.write("points.txt", b"".join(
            b"%d %d.%03d %d.%03d\n" % (i % 2, i * 7919 % 101, i % 1000, i * 31 % 57, i * 13 % 1000)
            for i in range(3_000)))
        flags = ["--split-size", "16K", "--rounds", "40"]
        args = ["--tolerance=0", "--rate=0.0001"]
        if self.expected_loop is None:
            self.expected_loop = self.run_embedded("logistic_regression", [points], *flags,
                                                   args=args)
        job = self.start_job("logistic_regression", [points], *flags, "--checkpoint-every", "5",
                             args=args)
        job.expected = self.expected_loop
        return job

    def finish_same(self, job):
        self.finish_job(job)
        self.same_tree(job.expected, job.output)
        self.expect_scratch_empty()
        self.assertEqual(list(self.dir.glob(".out*")), [])

    def wait_for_death(self, death):
        self.wait_for(lambda: death.victim() is not None, f"a death at {death.what}")


class KilledCoordinators(SmallJobCase):
    def test_at_every_point_of_a_job(self):
        self.start_workers(2)
        for name, passing, moment in deaths(COORDINATOR, JOB, REPLACING, EXCHANGING):
            with self.subTest(point=name, passing=passing):
                self.restart_coordinator(death := Death(self.dir, name, passing))
                job = self.start(moment)
                self.wait_for_death(death)
                self.assertEqual(self.coordinator.wait(), -signal.SIGKILL)
                self.start_coordinator()
                self.finish_same(job)

    def restart_coordinator(self, death):
        self.coordinator.send_signal(signal.SIGTERM)
        self.coordinator.wait()
        self.begin_coordinator(**death.environment)
        self.wait_for(lambda: death.victim() or self.ask("cluster", "status"), "a coordinator")

    def test_at_every_point_of_its_start(self):
        for name, passing, _ in deaths(COORDINATOR, START):
            with self.subTest(point=name, passing=passing):
                self.stop_everything()
                self.workers = []
                self.endpoint = self.new_endpoint()
                self.journal = self.dir / f"journal-{name}"
                death = Death(self.dir, name, passing)
                self.begin_coordinator(**death.environment)
                self.wait_for_death(death)
                self.assertEqual(self.coordinator.wait(), -signal.SIGKILL)
                self.start_coordinator()
                self.start_workers(1)
                self.finish_same(self.start(JOB))


class KilledWorkers(SmallJobCase):
    """One worker, so that whatever is passed is passed by it."""

    def setUp(self):
        super().setUp()
        self.spill_dir = self.dir / "spill-of-all"

    def begin_worker(self, slots=1, **environment):
        """The only one, also when the test of another point has failed."""
        for worker in self.workers:
            worker.kill()
            worker.wait()
        return self.start_worker(slots=slots, spill_dirs=[self.spill_dir], **environment)

    def end_worker(self, worker, code=0):
        """Stops it, and expects that its scratch goes."""
        self.wait_until_registered(worker)
        worker.send_signal(signal.SIGTERM)
        self.assertEqual(worker.wait(timeout=SECONDS_MAX), code, worker.log.read_text())
        if code == 0:
            self.assertEqual(scratch_left(self.spill_dir), [])

    def test_executors_at_every_point(self):
        for name, passing, moment in deaths(EXECUTOR, JOB, LOOP):
            with self.subTest(point=name, passing=passing):
                death = Death(self.dir, name, passing)
                worker = self.begin_worker(**death.environment)
                job = self.start(moment)
                self.wait_for_death(death)
                self.assertNotEqual(death.victim(), worker.pid)
                self.finish_same(job)
                self.end_worker(worker)

    def test_executors_while_they_combine_and_reduce_several_partitions(self):
        rows = self.write("rows.tsv", b"".join(b"%c%03d\t%d\n" % (b"hhha"[i % 4], i * i % 101, i)
                                               for i in range(6_000)))
        split = (SKEWED, [rows], ["--split-size", "4K", "--split-partition", "1K",
                                  "--reducers", "3"], ["combiner"])
        joined = ("wordcount", [self.input], ["--split-size", "30K", "--reducers", "40"], [])
        maps = self.run_job(*split[:2], *split[2], args=split[3]).summary["maps"]
        for name, passing, job, planned in (
                ("segment-written", maps + 1, split, "is split among 2 combine tasks"),
                ("segment-published", maps + 2, split, "is split among 2 combine tasks"),
                ("part-written", 3, joined, "small partitions are reduced by"),
                ("part-named", 4, joined, "small partitions are reduced by"),
                ("part-granted", 2, joined, "small partitions are reduced by")):
            with self.subTest(point=name, passing=passing):
                plugin, inputs, flags, args = job
                expected = self.run_embedded(plugin, inputs, *flags, "--threads", "1", args=args)
                death = Death(self.dir, name, passing)
                worker = self.begin_worker(slots=2, **death.environment)
                started = self.start_job(plugin, inputs, *flags, args=args)
                self.wait_for_death(death)
                started.expected = expected
                self.finish_same(started)
                self.assertIn(planned,
                              self.client("jobs", "logs", started.summary["job_id"]).out)
                self.end_worker(worker)

    def test_workers_at_every_point_of_a_job(self):
        for name, passing, moment in deaths(WORKER, JOB):
            with self.subTest(point=name, passing=passing):
                death = Death(self.dir, name, passing)
                worker = self.begin_worker(**death.environment)
                job = self.start(moment)
                self.wait_for_death(death)
                self.assertEqual(worker.wait(timeout=SECONDS_MAX), -signal.SIGKILL)
                heir = self.begin_worker()
                self.finish_same(job)
                self.end_worker(heir)

    def test_workers_at_every_point_of_start_and_stop(self):
        for name, passing, moment in deaths(WORKER, START, STOP):
            with self.subTest(point=name, passing=passing):
                death = Death(self.dir, name, passing)
                worker = self.begin_worker(**death.environment)
                if moment == STOP:
                    self.finish_same(self.start(JOB))
                    self.end_worker(worker, code=-signal.SIGKILL)
                self.assertEqual(worker.wait(timeout=SECONDS_MAX), -signal.SIGKILL)
                self.assertEqual(death.victim(), worker.pid)
                heir = self.begin_worker()
                self.finish_same(self.start(JOB))
                self.end_worker(heir)


if __name__ == "__main__":
    unittest.main()
