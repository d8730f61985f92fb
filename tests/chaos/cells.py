"""The matrix of faults: what happens to whom in which phase of a job, what of it a seed chooses,
and which cells were hit."""

import collections
import dataclasses
import random
import textwrap

# Phases of a job, in their order. Whether it is in one is seen from its files (job_phase.py).
IDLE, SPLIT, MAP, SPILL, FETCH, MERGE, REDUCE, COMMIT = PHASES = (
    "idle", "split", "map", "spill", "fetch", "merge", "reduce", "commit")

WORKER, COORDINATOR, EXECUTOR = ROLES = ("worker", "coordinator", "executor")

# Faults, and the roles that can suffer them.
FAULTS = {
    "kill": ROLES,  # As by kill -9; the daemons are started again.
    "stop": ROLES,  # Stands still for longer than the lease, and goes on.
    "cut": (WORKER, COORDINATOR),  # Nothing from it, nothing to it, for longer than the lease.
    "mute": (WORKER, COORDINATOR),  # What it sends is lost; it hears the others.
    "deaf": (WORKER, COORDINATOR),  # What others send to it is lost; they hear it.
    "slow": (WORKER, COORDINATOR),  # Delay and loss: a thin line that drops what does not fit.
    "full": (WORKER, COORDINATOR),  # The disk of its spills, or of the journal, has no room.
    "broken": (WORKER, COORDINATOR),  # That disk answers EIO, and loses what was not synced.
    "flip": (WORKER,),  # One bit of a segment; a journal cannot be computed again.
    "clock": (WORKER, COORDINATOR),  # The time of day is set forward or back.
}

JOBS = ("count", "words", "sort", "loop")


def is_possible(fault, role, phase):
    """Before a job has begun there are neither executors nor segments."""
    return phase not in (IDLE, SPLIT) or (role != EXECUTOR and fault != "flip")


def is_possible_in(job, cell):
    """A loop's rounds all lie in its map tasks, which leave no segments."""
    fault, _, phase = cell
    return job != "loop" or (phase in (IDLE, SPLIT, MAP, COMMIT) and fault != "flip")


CELLS = [(fault, role, phase) for fault, roles in FAULTS.items() for role in roles
         for phase in PHASES if is_possible(fault, role, phase)]


@dataclasses.dataclass
class Event:
    """One fault: planned for `phase`, and seen to come in `hit`; None: not yet."""
    fault: str
    role: str
    phase: str
    victim: int  # Of the workers; the coordinator is one only.
    hit: str = None
    skipped: str = None  # Why it cannot come on this machine.
    missed: str = None  # Why it did not come, or not in its phase.

    def text(self):
        whom = self.role if self.role == COORDINATOR else f"{self.role} {self.victim}"
        text = f"{self.fault} {whom} in {self.hit or self.phase}"
        if self.skipped or self.hit is None:
            return f"{text} ({'skipped' if self.skipped else 'missed'})"
        return text if self.hit == self.phase else f"{text} (for {self.phase})"


class Plan:
    """What a seed stands for. The first event of seed S is cell S of the matrix, in an order that
    mixes it, so that as many seeds as there are cells have every one."""

    STRIDE = 67  # Has no divisor in common with the number of cells.

    def __init__(self, seed, workers):
        self.seed = seed
        self.rng = rng = random.Random(seed)
        first = CELLS[seed * self.STRIDE % len(CELLS)]
        # "count" has the longest phases, so it is the most frequent.
        self.job = rng.choice([job for job in JOBS if is_possible_in(job, first)] + ["count"] * 2)
        possible = [cell for cell in CELLS if is_possible_in(self.job, cell)]
        cells = [first] + rng.sample(possible, rng.choice([0, 0, 1, 1, 2]))
        self.events = [Event(*cell, victim=rng.randrange(workers)) for cell in cells]
        self.events.sort(key=lambda event: PHASES.index(event.phase))

    def text(self):
        return f"{self.job}: " + ", ".join(event.text() for event in self.events)


class Report:
    """How often each cell was hit, and why those were not that were not."""

    def __init__(self):
        self.hits = collections.Counter()
        self.skipped = {}  # fault: why
        self.missed = {}  # cell: why, of the last time that it was planned

    def add(self, events):
        for event in events:
            cell = event.fault, event.role, event.phase
            if event.skipped:
                self.skipped[event.fault] = event.skipped
            elif event.hit:
                self.hits[event.fault, event.role, event.hit] += 1
            if event.hit != event.phase:
                self.missed[cell] = event.missed or (
                    f"it came in {event.hit}: its phase was over" if event.hit else
                    "the run ended before it")

    def why_not(self):
        """Lines for the cells that were not hit."""
        reasons = collections.defaultdict(lambda: collections.defaultdict(list))
        for cell in CELLS:
            fault, role, phase = cell
            if not self.hits[cell] and fault not in self.skipped:
                why = self.missed.get(cell, "no seed of this run plans it")
                reasons[why][f"{fault} {role}"].append(phase)
        for why, rows in reasons.items():
            yield f"not hit, {why}:"
            text = "; ".join(f"{row}: {' '.join(phases)}" for row, phases in rows.items())
            yield from textwrap.wrap(text, 96, initial_indent="  ", subsequent_indent="  ")

    def shown(self, *cell):
        """A number; "-": not hit yet; nothing where there is no such cell."""
        return self.hits[cell] or ("-" if cell in CELLS else "")

    def text(self):
        lines = ["fault    role         " + "".join(f"{phase:>8}" for phase in PHASES)]
        for fault, roles in FAULTS.items():
            for role in roles:
                shown = "".join(f"{self.shown(fault, role, phase):>8}" for phase in PHASES)
                if fault in self.skipped:
                    shown = f"  SKIPPED: {self.skipped[fault]}"
                lines.append(f"{fault:<9}{role:<13}{shown}")
        hit = sum(1 for cell in CELLS if self.hits[cell])
        lines.append(f"{hit} of {len(CELLS)} cells hit; where nothing stands there is no such "
                     "cell: without a job there are neither executors nor segments")
        lines.extend(self.why_not())
        return "\n".join(lines) + "\n"
