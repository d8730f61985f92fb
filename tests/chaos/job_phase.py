"""In which phase a job on a cluster is, as its files tell: asking the coordinator would take longer
than some phases last."""

import os
import time

from cells import COMMIT, FETCH, IDLE, MAP, MERGE, PHASES, REDUCE, SPILL, SPLIT

LOOK_SECONDS = 0.001


def names_in(directory):
    try:
        return os.listdir(directory)
    except OSError:
        return []


class JobPhase:
    """Of one job, a process of the client with its `output`."""

    def __init__(self, job, maps, spill_dirs):
        self.job = job
        self.maps = maps
        self.spill_dirs = spill_dirs  # A list of directories for each worker.
        self.staging_prefix = f".{job.output.name}.spillway-"

    def now(self, victim):
        """The phase; `victim` is the worker in whose disks a spill is looked for."""
        if self.job.poll() is not None:
            return IDLE
        parent = self.job.output.parent
        staging = [name for name in names_in(parent) if name.startswith(self.staging_prefix)]
        if self.job.output.exists():
            return COMMIT
        if not staging:
            return SPLIT
        names = names_in(parent / staging[0])
        if any(name.startswith(("part-", "_")) for name in names):
            return COMMIT
        if parts := names_in(parent / staging[0] / "attempts"):
            return REDUCE if any(map(self.has_bytes, (parent / staging[0] / "attempts" / part
                                                      for part in parts))) else MERGE
        committed = 0
        for worker, directories in enumerate(self.spill_dirs):
            segments = [name for directory in directories for name in self.segments_in(directory)]
            if worker == victim and any(name.endswith(".tmp") for name in segments):
                return SPILL
            committed += sum(1 for name in segments if not name.endswith(".tmp"))
        return FETCH if committed >= self.maps else MAP

    @staticmethod
    def has_bytes(path):
        try:
            return path.stat().st_size > 0
        except OSError:
            return False

    @staticmethod
    def segments_in(spill):
        """Names of the segments' files below a spill directory; see store/disk_segment_store.h."""
        return [name for place, _, names in os.walk(spill) for name in names
                if ".segment" in name]

    def wait_for(self, phase, victim, seconds_max):
        """Waits until the job is in the phase, or past it; the phase that it is in then."""
        end = time.monotonic() + seconds_max
        while True:
            now = self.now(victim)
            past = now == IDLE or PHASES.index(now) > PHASES.index(phase)
            if now == phase or past or time.monotonic() > end:
                return now
            time.sleep(LOOK_SECONDS)
