#!/usr/bin/env python3
"""Runs jobs on clusters to which things happen: chaos.py [--runs N] [--from SEED] | --seed SEED

Each seed is a run of its own: which job, and what happens to whom in which phase (cells.py). A
failing seed is printed with what it saw; the same seed plans the same things again, while their
moments, being those of real processes, are only nearly the same. At the end it is told which cells
of the matrix were hit, and why others cannot be here.
"""

import argparse
import concurrent.futures
import pathlib
import sys
import tempfile
import time
import traceback
import unittest

import clock
import disks
import host_network
from cells import Plan, Report
from chaos_case import NETWORK_FAULTS, WORKERS, ChaosCase
from chaos_jobs import make_jobs, remove_jobs


def missing_faults():
    """Faults that this machine cannot have, and why."""
    missing = {}
    reasons = {NETWORK_FAULTS: host_network.why_not(), ("clock",): clock.why_not(),
               ("full",): disks.why_not(disks.SmallDisk),
               ("broken",): disks.why_not(disks.FailingDisk)}
    for faults, reason in reasons.items():
        if reason is not None:
            missing.update(dict.fromkeys(faults, reason))
    return missing


def run_seed(seed, jobs_dir, missing):
    """The plan as it went, seconds, and what was wrong: an empty text when nothing was."""
    started = time.monotonic()
    plan = Plan(seed, WORKERS)
    try:
        result = unittest.TestResult()
        ChaosCase(plan, jobs_dir, missing).run(result)
        wrong = "\n".join(text for _, text in result.failures + result.errors)
    except Exception:
        wrong = traceback.format_exc()
    return plan, time.monotonic() - started, wrong


def run_all(seeds, at_once, jobs_dir, missing):
    report, failed = Report(), []
    with concurrent.futures.ProcessPoolExecutor(at_once) as pool:
        runs = [pool.submit(run_seed, seed, jobs_dir, missing) for seed in seeds]
        for run in concurrent.futures.as_completed(runs):
            plan, seconds, wrong = run.result()
            report.add(plan.events)
            print(f"{'FAILED' if wrong else 'ok':<7}seed {plan.seed:<6}{seconds:5.1f} s  "
                  f"{plan.text()}", flush=True)
            if wrong:
                failed.append(plan.seed)
                print(wrong, flush=True)
    return report, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--from", type=int, default=1, dest="first", metavar="SEED")
    parser.add_argument("--seed", type=int, help="this one only")
    parser.add_argument("--at-once", type=int, default=2, metavar="N",
                        help="runs at a time; most of a run is waiting")
    parser.add_argument("--report", type=pathlib.Path, help="also write the cells to this file")
    arguments = parser.parse_args()
    first, runs = ((arguments.first, arguments.runs) if arguments.seed is None else
                   (arguments.seed, 1))
    missing = missing_faults()
    jobs_dir = pathlib.Path(tempfile.mkdtemp(prefix="spillway-chaos-"))
    try:
        make_jobs(jobs_dir)
        report, failed = run_all(range(first, first + runs), arguments.at_once, jobs_dir, missing)
    finally:
        remove_jobs(jobs_dir)
    report.skipped.update(missing)
    text = report.text()
    print(text, end="")
    if arguments.report is not None:
        arguments.report.write_text(text)
    for seed in sorted(failed):
        print(f"chaos: seed {seed} failed; again: scripts/dev chaos --seed {seed}")
    print(f"chaos: {runs - len(failed)} of {runs} runs ok, seeds {first} to {first + runs - 1}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
