#!/usr/bin/env python3
"""Plants known bugs, one at a time, and counts the seeds until a simulation finds each:
planted_bugs.py BUILD [--seeds N] [--only NAME]

A simulation that finds nothing proves nothing until it is known what it would have found. The
sources are copied to BUILD/planted, so that the checkout is never touched; a bug that is not found
within N seeds, or whose place is no longer in the sources, fails the run.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ["CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "mapreduce", "runtime",
           "shuffle", "examples", "tests", "bench", "scripts", "docs"]
PROGRAMS = ["sim_test", "runtime_core_test"]


@dataclasses.dataclass(frozen=True)
class Edit:
    path: str
    right: str
    wrong: str


class Bug:
    """One edit, or several where something else makes up for each alone."""

    def __init__(self, name, path, right, wrong, *more):
        self.name = name
        self.edits = [Edit(path, right, wrong), *more]


BUGS = [
    Bug("two grants for one task", "runtime/core/scheduler.cc",
        "if (task.granted == event.attempt.attempt) {\n    Do(GrantCommit",
        "if (true) {\n    Do(GrantCommit"),
    Bug("a zombie's commit counts", "runtime/core/scheduler.cc",
        "if (index == kNoIndex || attempts_[index].stopping) return;\n"
        "  JobState& job = *attempts_[index].job;\n"
        "  if (event.attempt.kind != job.final_kind()) return;",
        "if (index == kNoIndex) return;\n"
        "  JobState& job = *attempts_[index].job;\n"
        "  if (event.attempt.kind != job.final_kind()) return;"),
    Bug("a lost segment's map stays done", "runtime/core/task_transitions.cc",
        "  job.tasks(TaskKind::kMap)[map].done = false;\n  --job.done(TaskKind::kMap);\n", ""),
    Bug("a reduce is not told that a segment is void", "runtime/core/task_transitions.cc",
        "if (position < reduce.announced)", "if (false && position < reduce.announced)"),
    Bug("a lost worker's attempts are not run again", "runtime/core/task_transitions.cc",
        "    Release(attempt, SlotFate::kTaken);  // The slot goes with its worker.\n"
        "    Requeue(job, id.kind, id.task);\n",
        "    Release(attempt, SlotFate::kTaken);  // The slot goes with its worker.\n"
        "    (void)id;\n"),
    Bug("slots are not given back", "runtime/core/task_transitions.cc",
        "if (fate == SlotFate::kFree) workers_.FreeSlot(worker);",
        "if (fate == SlotFate::kFree && now_ % 2 == 0) workers_.FreeSlot(worker);"),
    Bug("attempt numbers start again after a restart", "runtime/core/takeover.cc",
        "job->attempt_floor += kAttemptFloorStep;", ""),
    Bug("what a worker still runs is not compared", "runtime/core/takeover.cc",
        "for (const AttemptId& id : gone) On(AttemptStopped{id});", ""),
    Bug("finished maps are not journalled", "runtime/coordinator/journal_records.cc",
        "  void operator()(const AttemptDone& e) {\n"
        "    *record_.mutable_map_done()->mutable_attempt() = ToWire(e.attempt);\n",
        "  void operator()(const AttemptDone& e) {\n"
        "    *record_.mutable_stopped()->mutable_attempt() = ToWire(e.attempt);\n"),
    Bug("ended jobs are not cleared away", "runtime/worker/worker_machine.cc",
        "case wire::Message::kEndJob: return RemoveJob(message.end_job().job());",
        "case wire::Message::kEndJob: return;"),
    Bug("registrations are not numbered, and words of old sessions count",
        "runtime/coordinator/worker_messages.cc",
        "details.registration() <= worker->details.registration())", "false)",
        Edit("runtime/worker/worker_link.cc",
             "if (session == 0 || session == channel_->session()) RegisterAgain();",
             "(void)session;\n        RegisterAgain();"),
        Edit("runtime/worker/worker_link.cc",
             "message->has_registered() && Answers(message->registered())",
             "message->has_registered() && channel_ == nullptr")),
    Bug("the answer to any registration begins a session", "runtime/worker/worker_link.cc",
        "  return registered.registration() == details_.registration() &&\n"
        "         registered.registration() > registration_;",
        "  return channel_ == nullptr || registered.registration() > registration_;"),
    Bug("a grant is told before it is on the disk", "runtime/coordinator/scheduler_actions.cc",
        "  effects_.durable = true;\n  Feed(Committed{", "  Feed(Committed{"),
    Bug("a worker's number may be lost with the power",
        "runtime/coordinator/scheduler_actions.cc",
        "std::holds_alternative<WorkerJoined>(event) ||\n", ""),
    Bug("a job's beginning may be lost with the power",
        "runtime/coordinator/scheduler_actions.cc",
        "std::holds_alternative<SubmitJob>(event) ||\n", ""),
    Bug("ends are lost with their session", "runtime/worker/worker_link.cc",
        "if (wanted) kept_.push_back(std::move(text));", "(void)wanted;"),
    Bug("lost frames are not sent again", "runtime/protocol/reliable_channel.cc",
        "if (sent_ > acknowledged_ && now >= resend_due_ms_) {",
        "if (false && now >= resend_due_ms_) {"),
    Bug("frames are taken out of order", "runtime/protocol/reliable_channel.cc",
        "if (frame.first_sequence() > received_ + 1) return;  // Something before it was lost.",
        "if (frame.first_sequence() > received_ + 1) received_ = frame.first_sequence() - 1;"),
    Bug("frames are taken twice", "runtime/protocol/reliable_channel.cc",
        "const std::uint64_t skip = received_ + 1 - frame.first_sequence();",
        "const std::uint64_t skip = 0;"),
    Bug("a worker keeps what a new epoch voids", "runtime/worker/worker_machine.cc",
        "if (fresh || !goes_on) gone.push_back(number);", "if (!goes_on) gone.push_back(number);"),
    Bug("an executor's death is not told", "runtime/worker/worker_machine.cc",
        "for (const AttemptId& id : rest) EndAttempt(StoppedMessage(id));\n"
        "  if (job->phase", "if (job->phase"),
]


def run(command, cwd, **more):
    return subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **more)


class Planted:
    """A copy of the sources with its own build."""

    def __init__(self, build):
        self.sources = build / "planted" / "sources"
        self.build = build / "planted" / "build"
        self.planted = {}  # What was changed, as it was.
        shutil.rmtree(self.sources, ignore_errors=True)
        self.sources.mkdir(parents=True)
        for name in FOLDERS:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.sources / name)
            elif (ROOT / name).exists():
                shutil.copy2(ROOT / name, self.sources / name)
        made = run(["cmake", "-S", self.sources, "-B", self.build, "-G", "Ninja",
                    "-DCMAKE_BUILD_TYPE=Release",
                    "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG",
                    "-DSPILLWAY_TESTS=ON", "-DSPILLWAY_BENCH=OFF"], self.sources)
        if made.returncode != 0:
            sys.exit(made.stdout)

    def plant(self, bug):
        """False, and nothing done, when an edit's place is not in the sources just once."""
        texts = {}
        for edit in bug.edits:
            path = self.sources / edit.path
            text = texts.get(path, path.read_text())
            if text.count(edit.right) != 1:
                return False
            texts[path] = text.replace(edit.right, edit.wrong)
        self.planted = {path: path.read_text() for path in texts}
        for path, text in texts.items():
            path.write_text(text)
        return True

    def pull_out(self):
        for path, text in self.planted.items():
            path.write_text(text)

    def compile(self):
        made = run(["cmake", "--build", self.build, "-j", str(os.cpu_count()), "--target",
                    *PROGRAMS], self.sources)
        if made.returncode != 0:
            sys.exit(made.stdout)

    def seeds_to_find(self, seeds):
        """How many seeds it took; None: they all passed."""
        first = 1
        step = 100
        while first <= seeds:
            count = min(step, seeds - first + 1)
            environment = dict(os.environ, SPILLWAY_SIM_FIRST=str(first),
                               SPILLWAY_SIM_SEEDS=str(count))
            for program in PROGRAMS:
                failed = self.failing_seed(program, environment, first)
                if failed is not None:
                    return failed
            first += count
            step *= 2
        return None

    def failing_seed(self, program, environment, first):
        try:
            ran = run([self.build / "bin" / program, "--gtest_filter=*Simulation*",
                       "--gtest_break_on_failure=0"], self.sources, env=environment, timeout=600)
        except subprocess.TimeoutExpired:
            return first
        if ran.returncode == 0:
            return None
        named = [int(seed) for seed in re.findall(r"seed (\d+)", ran.stdout)]
        return min(named) if named else first


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=5000)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    planted = Planted(arguments.build.resolve())
    missed = 0
    print("seeds  planted bug", flush=True)
    bugs = [bug for bug in BUGS if arguments.only in bug.name]
    for bug in bugs:
        if not planted.plant(bug):
            print(f" GONE  {bug.name}: its place has changed; plant it anew", flush=True)
            missed += 1
            continue
        planted.compile()
        seeds = planted.seeds_to_find(arguments.seeds)
        planted.pull_out()
        if seeds is None:
            missed += 1
            print(f"MISSED {bug.name}: not in {arguments.seeds} seeds", flush=True)
        else:
            print(f"{seeds:5}  {bug.name}", flush=True)
    print(f"{len(bugs) - missed} of {len(bugs)} planted bugs found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
