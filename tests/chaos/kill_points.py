"""Every kill point of the sources (shuffle/store/kill_point.h), and which processes pass it in what
moment. tests/house/kill_points_check.py compares the names with the sources, kill_points_test.py
has each of these processes die at each of its points."""

# Processes: `spillway run` on one machine, and those of a cluster.
RUN, COORDINATOR, WORKER, EXECUTOR = "run", "coordinator", "worker", "executor"

# Moments: in a job, in one that replaces an output, or some directories of one, in a loop that
# keeps its state, when a process starts, and when it is told to stop.
JOB, REPLACING, EXCHANGING = "job", "replacing", "exchanging"
LOOP, START, STOP = "loop", "start", "stop"

FIRST = (1,)
SEVERAL = (1, 2)  # Passings: the first, and one in the middle of things.

# name: (moment, passings, processes)
POINTS = {
    # A segment: one map task's sorted output.
    "segment-created": (JOB, SEVERAL, (RUN, EXECUTOR)),
    "segment-written": (JOB, SEVERAL, (RUN, EXECUTOR)),
    "segment-closed": (JOB, FIRST, (RUN, EXECUTOR)),
    "segment-published": (JOB, SEVERAL, (RUN, EXECUTOR)),
    # A part: the file of one attempt of a reduce.
    "part-created": (JOB, FIRST, (RUN, EXECUTOR)),
    "part-written": (JOB, FIRST, (RUN, EXECUTOR)),
    "part-synced": (JOB, FIRST, (RUN, EXECUTOR)),
    "part-closed": (JOB, FIRST, (RUN, EXECUTOR)),
    "part-named": (JOB, SEVERAL, (RUN, EXECUTOR)),
    "part-granted": (JOB, SEVERAL, (RUN, EXECUTOR)),
    # A loop's state.
    "checkpoint-created": (LOOP, SEVERAL, (EXECUTOR,)),
    "checkpoint-written": (LOOP, SEVERAL, (EXECUTOR,)),
    "checkpoint-aside": (LOOP, SEVERAL, (EXECUTOR,)),
    "checkpoint-renamed": (LOOP, SEVERAL, (EXECUTOR,)),
    "checkpoint-removed": (LOOP, FIRST, (EXECUTOR,)),
    # The staging directory of an output.
    "staging-made": (JOB, FIRST, (RUN, COORDINATOR)),
    "owner-created": (JOB, FIRST, (RUN, COORDINATOR)),
    "staging-marked": (JOB, FIRST, (RUN, COORDINATOR)),
    "staging-ready": (JOB, FIRST, (RUN, COORDINATOR)),
    "staging-synced": (JOB, FIRST, (COORDINATOR,)),
    "staging-emptied": (REPLACING, FIRST, (RUN, COORDINATOR)),
    # The commit of an output.
    "output-part-moved": (JOB, SEVERAL, (RUN, COORDINATOR)),
    "output-cleared": (JOB, FIRST, (RUN, COORDINATOR)),
    "output-file-created": (JOB, FIRST, (RUN, COORDINATOR)),
    "output-file-written": (JOB, FIRST, (RUN, COORDINATOR)),
    "output-file-synced": (JOB, SEVERAL, (RUN, COORDINATOR)),
    "output-whole": (JOB, FIRST, (RUN, COORDINATOR)),
    "output-exchanged": (REPLACING, FIRST, (RUN, COORDINATOR)),
    "output-published": (JOB, FIRST, (RUN, COORDINATOR)),
    "output-synced": (JOB, FIRST, (RUN, COORDINATOR)),
    "output-old-removed": (REPLACING, FIRST, (RUN, COORDINATOR)),
    "output-cleaned": (JOB, FIRST, (RUN, COORDINATOR)),
    # The commit of some directories of an output.
    "exchange-marked": (EXCHANGING, SEVERAL, (RUN, COORDINATOR)),
    "exchange-list-written": (EXCHANGING, FIRST, (RUN, COORDINATOR)),
    "exchange-listed": (EXCHANGING, FIRST, (RUN, COORDINATOR)),
    "exchange-moved": (EXCHANGING, SEVERAL, (RUN, COORDINATOR)),
    "exchange-described": (EXCHANGING, FIRST, (RUN, COORDINATOR)),
    "exchange-unmarked": (EXCHANGING, SEVERAL, (RUN, COORDINATOR)),
    # Scratch directories.
    "scratch-made": (START, FIRST, (RUN, WORKER)),
    "scratch-marker-written": (START, FIRST, (RUN, WORKER)),
    "scratch-marked": (START, FIRST, (RUN, WORKER)),
    "scratch-emptied": (STOP, FIRST, (RUN, WORKER)),
    "scratch-unmarked": (STOP, FIRST, (RUN, WORKER)),
    # The journal, and the turns of which it has the decisions.
    "journal-file-made": (START, FIRST, (COORDINATOR,)),
    "journal-taking": (START, FIRST, (COORDINATOR,)),
    "journal-taken": (START, FIRST, (COORDINATOR,)),
    "journal-begun": (JOB, (3,), (COORDINATOR,)),
    "journal-written": (JOB, (2, 6), (COORDINATOR,)),
    "journal-committed": (JOB, (2, 4, 6), (COORDINATOR,)),
    "turn-decided": (JOB, (3,), (COORDINATOR,)),
    "turn-sent": (JOB, (1, 4), (COORDINATOR,)),
    # A worker's turns, and the files that it keeps for a job.
    "worker-ordered": (JOB, SEVERAL, (WORKER,)),
    "worker-telling": (JOB, (3, 8), (WORKER,)),
    "worker-told": (JOB, (3, 8), (WORKER,)),
    "job-directory-made": (JOB, FIRST, (WORKER,)),
    "job-files-pinned": (JOB, FIRST, (WORKER,)),
    "job-files-removed": (JOB, FIRST, (WORKER,)),
}


def deaths(process, *moments):
    """(name, passing, moment) of each death that the process is to die in these moments."""
    return [(name, passing, moment) for name, (moment, passings, processes) in POINTS.items()
            if process in processes and moment in moments for passing in passings]
