"""One run of chaos: a cluster, a job, and what a plan (cells.py) does to them. The job must end
well all the same, with the bytes of the oracle, and nothing may be left over."""

import contextlib
import os
import random
import signal
import subprocess
import time

from cells import COORDINATOR, EXECUTOR, IDLE, WORKER
from chaos_jobs import job_of
from clock import Clock
from cluster_case import SPILLWAY, ClusterCase
from disks import Busy, FailingDisk, SmallDisk
from host_network import HostNetwork
from job_phase import JobPhase

WORKERS = 3
HOSTS = ["coordinator", "client", *(f"h{i}" for i in range(WORKERS))]
PORT = 7077
PHASE_SECONDS_MAX = 30
HOLD_SECONDS = (2.3, 3.0)  # Past the lease, which is 2 s.
DEAD_SECONDS = (0.0, 0.5)  # Until a daemon is started again.
TARGET_SECONDS_MAX = 0.5  # Until there is an executor, or a segment.
HOUR = 3600
CLOCK_STEPS = [-24 * HOUR, -HOUR, -10, 10, HOUR, 24 * HOUR]

NETWORK_FAULTS = ("cut", "mute", "deaf", "slow")


class NotInjected(Exception):
    """What the event needs is not there in this moment."""


class ChaosCase(ClusterCase):
    """`missing`: for each fault that this machine cannot have, why."""

    def __init__(self, plan, jobs_dir, missing):
        super().__init__("run_plan")
        self.plan = plan
        self.missing = missing
        self.rng = random.Random(plan.seed * 7919 + 1)
        self.wanted = job_of(jobs_dir, plan.job)
        self.network = None
        for event in plan.events:
            event.skipped = missing.get(event.fault)

    # --- The cluster, with hosts, disks and clocks as the plan needs them.

    def planned(self, fault, role, victim=None):
        return any((event.fault, event.role) == (fault, role) and not event.skipped and
                   victim in (None, event.victim) for event in self.plan.events)

    def setUp(self):
        if not any(fault in self.missing for fault in NETWORK_FAULTS):
            self.network = HostNetwork(HOSTS)
            self.addCleanup(self.network.close)  # After the processes, which end before.
        self.disks, self.clocks = {}, {}
        super().setUp()
        self.daemons = []  # The worker processes of h0, h1, ...
        for victim in range(WORKERS):
            spill = self.disk_for(WORKER, victim, f"disk-{victim}")
            self.clock_for(WORKER, victim)
            self.daemons.append(self.begin_worker(victim, spill))
        self.wait_for_workers(WORKERS)

    def new_endpoint(self):
        if self.network is None:
            return super().new_endpoint()
        self.keys = self.dir / "keys"
        subprocess.run([SPILLWAY, "keys", "init", self.keys], check=True, capture_output=True)
        return f"tcp://{self.network.addresses['coordinator']}:{PORT}"

    def new_journal(self):
        self.clock_for(COORDINATOR)
        return self.disk_for(COORDINATOR, None, "disk") / "journal"

    def on_host(self, name):
        return [] if self.network is None else self.network.command(name)

    def disk_for(self, role, victim, name):
        """Where the process writes: on a disk that can suffer what is planned for it."""
        path = self.dir / name
        kinds = {"broken": FailingDisk, "full": SmallDisk}
        for fault, kind in kinds.items():
            if self.planned(fault, role, victim):
                self.disks[role, victim] = disk = kind(path)
                self.addCleanup(disk.close)
                return path
        path.mkdir()
        return path

    def clock_for(self, role, victim=None):
        if self.planned("clock", role, victim):
            self.clocks[role, victim] = Clock(self.dir / f"clock-{role}-{victim}")

    def environment(self, role, victim=None):
        clock = self.clocks.get((role, victim))
        return {} if clock is None else clock.environment

    def begin_coordinator(self, **environment):
        super().begin_coordinator(**environment, **self.environment(COORDINATOR))

    def begin_worker(self, victim, spill):
        return self.start_worker(host=f"h{victim}", spill_dirs=[spill],
                                 **self.environment(WORKER, victim))

    # --- The run.

    def run_plan(self):
        events = list(self.plan.events)
        while events and events[0].phase == IDLE:
            self.suffer(events.pop(0), lambda event: IDLE)
        job = self.start_job(self.wanted.job, [self.wanted.input], *self.wanted.flags,
                             args=self.wanted.args)
        seen = JobPhase(job, self.wanted.maps, [daemon.spill_dirs for daemon in self.daemons])
        for event in events:
            self.suffer(event, lambda event: seen.wait_for(event.phase, event.victim,
                                                           PHASE_SECONDS_MAX))
        self.finish_job(job)
        self.same_tree(self.wanted.expected, job.output)
        self.wait_for_workers(WORKERS)
        self.expect_scratch_empty()
        self.assertEqual(list(self.dir.glob(".out*")), [])
        self.end_workers()

    def suffer(self, event, wait):
        """Waits for the event's moment, has it happen, and ends it."""
        if event.skipped:
            return
        phase = wait(event)
        try:
            end = getattr(self, event.fault)(event)
        except NotInjected as why:
            event.missed = str(why)
            return
        event.hit = phase
        if end is None:
            return
        time.sleep(self.rng.uniform(*(DEAD_SECONDS if event.fault == "kill" else HOLD_SECONDS)))
        end()

    def end_workers(self):
        """A worker that is told to leave takes its files with it."""
        for daemon in self.daemons:
            self.wait_until_registered(daemon)
            daemon.send_signal(signal.SIGTERM)
        for daemon in self.daemons:
            self.wait_for(lambda: daemon.poll() is not None, f"{daemon.name} to leave")
            self.assertEqual(daemon.returncode, 0, self.logs())
            left = [str(path) for spill in daemon.spill_dirs for path in spill.glob("spillway-*/*")]
            self.assertEqual(left, [])

    # --- What can happen. Each returns what ends it, if anything.

    def host(self, event):
        return "coordinator" if event.role == COORDINATOR else f"h{event.victim}"

    def disk(self, event):
        return self.disks[event.role, None if event.role == COORDINATOR else event.victim]

    def daemon(self, event):
        return self.coordinator if event.role == COORDINATOR else self.daemons[event.victim]

    def processes(self, event):
        """Process ids of who is meant; a worker stands still, or dies, with its executors."""
        daemon = self.daemon(event)
        if event.role == EXECUTOR:
            return self.soon(lambda: self.children(daemon), "no executor ran in that moment")
        return [daemon.pid] + (self.children(daemon) if event.role == WORKER else [])

    def soon(self, what, why_not):
        """What there is to be hit."""
        end = time.monotonic() + TARGET_SECONDS_MAX
        while time.monotonic() < end:
            if found := what():
                return found
            time.sleep(0.001)
        raise NotInjected(why_not)

    def send(self, pids, number):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def restart(self, event):
        """Of a daemon, dead or alive."""
        daemon = self.daemon(event)
        daemon.kill()
        daemon.wait()
        if event.role == COORDINATOR:
            self.start_coordinator()
        else:
            self.daemons[event.victim] = self.begin_worker(event.victim, daemon.spill_dirs[0])

    def kill(self, event):
        self.send(self.processes(event), signal.SIGKILL)
        return None if event.role == EXECUTOR else lambda: self.restart(event)

    def stop(self, event):
        pids = self.processes(event)
        self.send(pids, signal.SIGSTOP)
        return lambda: self.send(pids, signal.SIGCONT)

    def cut(self, event):
        self.network.cut(self.host(event))
        return lambda: self.network.heal(self.host(event))

    def mute(self, event):
        self.network.mute(self.host(event))
        return lambda: self.network.speak(self.host(event))

    def deaf(self, event):
        self.network.deafen(self.host(event))
        return lambda: self.network.speak(self.host(event))

    def slow(self, event):
        self.network.slow(self.host(event))
        return lambda: self.network.quicken(self.host(event))

    def full(self, event):
        self.disk(event).fill()

        def clear():
            self.disk(event).clear()
            if event.role == COORDINATOR:  # It may have stopped, or be about to.
                self.wait_for(lambda: self.coordinator.poll() is not None or
                              self.ask("cluster", "status"), "the coordinator to stop or go on")
            if self.daemon(event).poll() is not None:
                self.restart(event)
        return clear

    def broken(self, event):
        disk = self.disk(event)
        disk.fail()

        def repair():
            daemon = self.daemon(event)
            daemon.kill()
            daemon.wait()

            def repaired():
                with contextlib.suppress(Busy):  # Its executors end with it, not before it.
                    # A journal must have survived. Scratch need not, and what is left of it after
                    # a power cut may have lost its marker: then it would stay.
                    back = disk.repair if event.role == COORDINATOR else disk.replace
                    back()
                    return True
            self.wait_for(repaired, "the disk to be free")
            self.restart(event)
        return repair

    def flip(self, event):
        def flipped():
            with contextlib.suppress(OSError, ValueError):  # It goes meanwhile.
                paths = [path for spill in self.daemon(event).spill_dirs
                         for path in spill.rglob("*.segment")]
                if paths:
                    self.flip_bit(self.rng.choice(sorted(paths)))
                    return True
        self.soon(flipped, "no segment was there in that moment")

    def flip_bit(self, path):
        with path.open("r+b", buffering=0) as file:
            at = self.rng.randrange(path.stat().st_size)
            file.seek(at)
            byte = file.read(1)[0] ^ (1 << self.rng.randrange(8))
            file.seek(at)
            file.write(bytes([byte]))

    def clock(self, event):
        clock = self.clocks[event.role, None if event.role == COORDINATOR else event.victim]
        clock.set_ahead(self.rng.choice(CLOCK_STEPS))
        return lambda: clock.set_ahead(0)
