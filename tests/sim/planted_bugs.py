#!/usr/bin/env python3
"""Plants known bugs, one at a time, and counts the seeds until a simulation finds each:
planted_bugs.py BUILD [--seeds N] [--only NAME] [--table FILE]

A simulation that finds nothing proves nothing until it is known what it would have found. The
sources are copied to BUILD/planted, so that the checkout is never touched; only what differs is
written, so that objects are used again. A bug that is not found within N seeds, or whose place is
no longer in the sources, fails the run.
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
SECONDS_MAX = 120  # Of each simulation; one that goes wrong on every seed is slow.


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
        "  job.tasks(kind)[task].done = false;\n  --job.done(kind);\n", ""),
    Bug("a reduce is not told that a segment is void", "runtime/core/task_transitions.cc",
        "if (position < reader.announced)", "if (false && position < reader.announced)"),
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
        "case wire::Message::kEndJob: return EndJob(message.end_job().job());",
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
    Bug("a job's beginning may be lost with the power",
        "runtime/coordinator/scheduler_actions.cc",
        " || std::holds_alternative<SubmitJob>(event)", ""),
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
    Bug("who stops while it waits for a grant is forgotten with its executor",
        "runtime/worker/worker_machine.cc",
        "if (!attempt.committing || attempt.stopping) rest", "if (!attempt.committing) rest"),
    Bug("a stop is not enforced", "runtime/worker/worker_machine.cc",
        "for (const JobId number : stubborn) effects_.kill.push_back(number);", ""),
    Bug("room is made by killing who works", "runtime/worker/worker_machine.cc",
        "if (job.phase == JobPhase::kStarting || busy.contains(entry.first)) continue;",
        "if (job.phase == JobPhase::kStarting) continue;"),
    Bug("what is stopped before it was given starts all the same",
        "runtime/worker/worker_machine.cc",
        "  std::erase_if(job->waiting, [&](const wire::Message& m) "
        "{ return SubjectOf(m) == id; });\n", ""),
    Bug("a drain is not said to the next coordinator", "runtime/worker/worker_machine.cc",
        "  drain_said_ = false;\n", ""),
    Bug("an executor that died is not replaced", "runtime/worker/worker_machine.cc",
        "    if (job.phase == JobPhase::kDown && !job.waiting.empty()) "
        "MaybeSpawn(number, job, now);\n", ""),
    Bug("a kill changes nothing", "runtime/core/scheduler.cc",
        '  EndJob(*job, Cancelled("the job was cancelled: " + event.reason));\n', ""),
    Bug("a kill may be lost with the power", "runtime/coordinator/scheduler_actions.cc",
        "std::holds_alternative<CancelJob>(event) || ", ""),
    Bug("failures are not counted", "runtime/core/task_transitions.cc",
        "    ++trouble.failures;\n", "    (void)trouble;\n"),
    Bug("a task has one try less", "runtime/core/failure_policy.cc",
        "const bool last_try = c.trouble.failures + 1 >=",
        "const bool last_try = c.trouble.failures + 2 >="),
    Bug("outputs that differ are not noticed", "runtime/core/task_transitions.cc",
        "if (difference.empty()) return;", "return;"),
    Bug("a part is not published", "runtime/coordinator/job_entry.cc",
        "for (std::uint32_t part = 0; part < output_parts(); ++part)\n    winners",
        "for (std::uint32_t part = 1; part < output_parts(); ++part)\n    winners"),
    Bug("a map counts again when it runs again", "runtime/coordinator/worker_messages.cc",
        "if (map >= job.counted_maps.size() || job.counted_maps[map]) return;",
        "if (map >= job.counted_maps.size()) return;"),
    Bug("leases are not renewed", "runtime/core/scheduler.cc",
        "if (worker != WorkerTable::kNone) workers_.Renew(worker, now_);", "(void)worker;"),
    Bug("leases do not run out", "runtime/core/job_ending.cc",
        "if (options_.lease_ms == 0) return;\n  for", "if (true) return;\n  for"),
    Bug("what hangs is not timed out", "runtime/core/job_ending.cc",
        "if (timeout_ms == 0) return;\n  while", "if (true) return;\n  while"),
    Bug("the rival of a map that is done goes on", "runtime/core/scheduler.cc",
        "  StopRunningOf(job, id, StopReason::kOtherWon);\n", ""),
    Bug("a lost piece of a partition is not combined again", "runtime/core/task_transitions.cc",
        "  Requeue(job, TaskKind::kCombine, combine);\n", ""),
    Bug("a lost piece of a partition still counts", "runtime/core/task_transitions.cc",
        "  --split.done;\n", "  (void)split.done;\n"),
    Bug("a reduce does not wait for its pieces", "runtime/core/job_state.h",
        "return split == nullptr || split->ready();", "return split == nullptr || true;"),
    Bug("pieces leave a map out", "runtime/core/reduce_plan.cc",
        "return {border(piece), border(piece + 1) - border(piece)};",
        "return {border(piece), border(piece + 1) - border(piece) - (piece == 1 ? 1 : 0)};"),
    Bug("how reduces are cut is not in the journal", "runtime/core/journalled.cc",
        "return ReducesPlanned{a.job, a.plan};", "return (void)a, std::nullopt;"),
    Bug("a join's commit is that of its first partition", "runtime/core/scheduler.cc",
        "  for (std::uint32_t i = 0; i < partitions; ++i) {\n    TaskState& task",
        "  for (std::uint32_t i = 0; i < 1; ++i) {\n    TaskState& task"),
    Bug("joined partitions are not reduced when their task failed",
        "runtime/core/task_transitions.cc",
        "    Requeue(job, TaskKind::kReduce, reduce + i);\n", ""),
    Bug("joined parts are not taken with the first", "runtime/coordinator/scheduler_actions.cc",
        "    job.parts[other] = {part.attempt, part.epoch, PartInfoOf(joined.part())};\n", ""),
    Bug("older workers run what they do not know", "runtime/core/reduce_layout.cc",
        "  if (kind == TaskKind::kMap) return false;\n",
        "  if (kind != TaskKind::kMap || applied_ || !applied_) return false;\n"),
    Bug("a plan that nobody knows stays", "runtime/core/slot_assignment.cc",
        "  DropPlansNobodyRuns();\n", ""),
    Bug("a grant that was not used stays", "runtime/core/task_transitions.cc",
        "  if (!task.done && task.granted == attempt.id.attempt) task.granted = kNoAttempt;\n", ""),
    Bug("a worker leaves while its segments are needed", "runtime/core/task_transitions.cc",
        "|| worker.slots_taken > 0 || worker.segments > 0) return;",
        "|| worker.slots_taken > 0) return;"),
    Bug("who is back is not told of segments again", "runtime/core/takeover.cc",
        "    attempt.announced = 0;\n", ""),
    Bug("numbers of jobs are used again", "runtime/coordinator/restoring.cc",
        "{ last_job_ = std::max(last_job_, last); }", "{ (void)last; }"),
    Bug("frames of other sessions are taken", "runtime/worker/worker_link.cc",
        "if (channel_ == nullptr || frame->session() != channel_->session()) return news;",
        "if (channel_ == nullptr) return news;"),
    Bug("what is acknowledged does not open the window", "runtime/protocol/reliable_channel.cc",
        "      if (acknowledged_ <= sent_) sent_bytes_ -= bytes;\n", ""),
    Bug("a part that comes twice fills a round", "runtime/coordinator/loop_rounds.cc",
        "  if (here_[part]) return false;\n", ""),
    Bug("parts of another round count", "runtime/coordinator/loop_rounds.cc",
        "round != this->round() ||", "round > this->round() ||",
        Edit("runtime/coordinator/loop_messages.cc",
             "if (contribution.generation() != rounds.generation() || "
             "contribution.round() != rounds.round())\n    return;",
             "if (contribution.generation() != rounds.generation()) return;")),
    Bug("a new coordinator goes on in the old generation", "runtime/coordinator/loop_messages.cc",
        "BeginRounds(job, options_.epoch * kGenerationsMax);", "BeginRounds(job, 1);"),
    Bug("a seat that ended is waited for", "runtime/coordinator/loop_messages.cc",
        "if (job.is_loop() && job.rounds != nullptr && job.rounds->IsHere(0) && HasLostParts(job))",
        "if (false)"),
    Bug("an executor that missed its loop is given a seat", "runtime/worker/worker_machine.cc",
        "  if (missed) Replace(id.job, *job);\n", "  (void)missed;\n"),
    Bug("what ends after its job keeps its slot", "runtime/coordinator/worker_messages.cc",
        "    if (Owns(worker, *ended)) Feed(AttemptStopped{FromWire(*ended)});\n", ""),
    Bug("a worker's former end makes it unknown", "runtime/coordinator/restoring.cc",
        "      if (worker != nullptr && worker->epoch == record.worker_gone().epoch())\n",
        "      if (worker != nullptr)\n"),
    Bug("who comes late is not told the rounds before", "runtime/coordinator/loop_messages.cc",
        "worker.told_loops[job.number] = {job.rounds->kept_from(), 0};",
        "worker.told_loops[job.number] = {job.rounds->round(), 0};"),
    Bug("who is back is not told of its loop", "runtime/coordinator/worker_messages.cc",
        "if (JobEntry* const job = Job(number)) TellLoop(worker, *job);", "(void)number;"),
    Bug("a job that failed is published", "runtime/core/job_ending.cc",
        "  if (job.phase != JobPhase::kActive || !job.finals_done()) return;\n",
        "  if (!job.finals_done() &&\n      job.done(job.final_kind()) + 1 != "
        "job.total(job.final_kind()))\n    return;\n"
        "  if (job.phase != JobPhase::kActive) return;\n"),
    Bug("a part of a job is not in the journal", "runtime/core/journalled.cc",
        "!std::holds_alternative<Tick>(event)", "!std::holds_alternative<Tick>(event) &&\n"
        "         !std::holds_alternative<AttemptFailed>(event)"),
    Bug("the last job of a key is not known after a restart", "runtime/coordinator/restoring.cc",
        "  if (!spec.submission_key().empty()) keys_[spec.submission_key()] = job_id;\n", ""),
]


def run(command, cwd, **more):
    return subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **more)


def mirror(source, copy):
    """Makes `copy` what `source` is. What is the same keeps its time, and its objects."""
    if source.is_dir():
        copy.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in source.iterdir() if path.name != "__pycache__"}
        for extra in {path.name for path in copy.iterdir()} - names:
            path = copy / extra
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for name in names:
            mirror(source / name, copy / name)
    elif not copy.exists() or copy.read_bytes() != source.read_bytes():
        copy.write_bytes(source.read_bytes())
        copy.chmod(source.stat().st_mode)


class Cluster:
    """Whole clusters (cluster_sim.cc)."""
    name, program = "cluster", "cluster_sim"

    def command(self, program, seeds):
        return [program, "--seeds", str(seeds), "--until-wrong"], {}


class Scheduler:
    """The scheduler by itself, which more events reach (scheduler_simulation_test.cc)."""
    name, program = "scheduler", "runtime_core_test"

    def command(self, program, seeds):
        return ([program, "--gtest_filter=SchedulerSimulation.*"],
                {"SPILLWAY_SIM_FIRST": "1", "SPILLWAY_SIM_SEEDS": str(seeds)})


SIMULATIONS = [Cluster(), Scheduler()]


class Planted:
    """A copy of the sources with its own build."""

    def __init__(self, build):
        self.sources = build / "planted"
        self.build = self.sources / "build" / "release"
        self.planted = {}  # What was changed, as it was.
        self.sources.mkdir(parents=True, exist_ok=True)
        for name in FOLDERS:
            if (ROOT / name).exists():
                mirror(ROOT / name, self.sources / name)
        # Objects are shared with the checkout's own build where there is a compiler cache.
        self.environment = dict(os.environ, CCACHE_BASEDIR=str(self.sources), CCACHE_NOHASHDIR="1")
        launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        made = self.run(["cmake", "--preset", "release", "-DSPILLWAY_TESTS=ON",
                         "-DSPILLWAY_BENCH=OFF", *launcher])
        if made.returncode != 0:
            sys.exit(made.stdout)

    def run(self, command, **more):
        return run(command, self.sources, env=self.environment, **more)

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
        made = self.run(["cmake", "--build", self.build, "-j", str(os.cpu_count()), "--target",
                         *(simulation.program for simulation in SIMULATIONS)])
        if made.returncode != 0:
            sys.exit(made.stdout)

    def seeds_to_find(self, seeds):
        """The simulation that found it and how many seeds it took; None: none has."""
        found = [(seed, simulation.name) for simulation in SIMULATIONS
                 if (seed := self.failing_seed(simulation, seeds)) is not None]
        return min(found, default=None)

    def failing_seed(self, simulation, seeds):
        command, environment = simulation.command(self.build / "bin" / simulation.program, seeds)
        try:
            ran = run(command, self.sources, env=dict(os.environ, **environment),
                      timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return None
        if ran.returncode == 0:
            return None
        named = re.search(r"\bseed (\d+)", ran.stdout)
        if named:
            return int(named.group(1))
        # The process died without saying where. The fewest seeds of which one is wrong tell it.
        half = seeds // 2
        earlier = self.failing_seed(simulation, half) if half > 0 else None
        return earlier or seeds


def look_for(planted, bugs, seeds):
    """A row for each bug: how many seeds it took, which simulation found it, its name."""
    rows = []
    for bug in bugs:
        if planted.plant(bug):
            try:
                planted.compile()
                found = planted.seeds_to_find(seeds)
            finally:
                planted.pull_out()
            rows.append((*(found or ("NOT FOUND", "")), bug.name))
        else:
            rows.append(("GONE", "its place has changed; plant it anew", bug.name))
        print("{:>9}  {:<10} {}".format(*rows[-1]), flush=True)
    return rows


def table(rows):
    """As docs/reliability.md has it."""
    lines = ["| planted bug | seeds | found by the simulated |", "|---|---|---|"]
    return "\n".join(lines + [f"| {name} | {seeds} | {found} |" for seeds, found, name in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--only", default="", metavar="NAME")
    parser.add_argument("--table", type=pathlib.Path, help="also write a table for the docs to it")
    arguments = parser.parse_args()
    planted = Planted(arguments.build.resolve())
    print("    seeds  simulation planted bug", flush=True)
    rows = look_for(planted, [bug for bug in BUGS if arguments.only in bug.name], arguments.seeds)
    if arguments.table is not None:
        arguments.table.write_text(table(rows) + "\n")
    missed = [name for seeds, _, name in rows if not isinstance(seeds, int)]
    print(f"{len(rows) - len(missed)} of {len(rows)} planted bugs found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
