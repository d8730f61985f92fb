// The scheduler's tables as text.
#include "runtime/core/scheduler_machine.h"

namespace spillway {
namespace {

std::string Numbers(const char* name, const auto& numbers) {
  std::string text = std::string(" ") + name;
  for (const auto& number : numbers) text += " " + std::to_string(number);
  return text;
}

std::string TroubleText(const TaskTrouble& trouble) {
  std::string text = " failures " + std::to_string(trouble.failures) + " losses " +
                     std::to_string(trouble.segment_losses) + " avoid until " +
                     std::to_string(trouble.avoid_until_ms);
  if (trouble.last_record.has_value())
    text += " at " + std::to_string(trouble.last_record->file_index) + ":" +
            std::to_string(trouble.last_record->offset);
  for (const RecordPlace& skip : trouble.skips)
    text += " skip " + std::to_string(skip.file_index) + ":" + std::to_string(skip.offset);
  return text + Numbers("failed on", trouble.failed_on) + " \"" + trouble.last_message + "\"";
}

std::string TaskText(const TaskState& task) {
  std::string text = " attempts " + std::to_string(task.attempts);
  if (task.done) text += " done";
  if (task.granted != kNoAttempt) text += " granted " + std::to_string(task.granted);
  if (task.commit_epoch != 0) text += " epoch " + std::to_string(task.commit_epoch);
  return text;
}

}  // namespace

void Scheduler::Machine::DumpJob(const JobState& job, std::string& text) const {
  const JobTally& tally = job.tally;
  text +=
      "job " + std::to_string(job.id) + " phase " + std::to_string(static_cast<int>(job.phase)) +
      " live " + std::to_string(job.live) + " floor " + std::to_string(job.attempt_floor) +
      Numbers("tally",
              std::initializer_list<std::uint32_t>{tally.attempts_started, tally.attempts_failed,
                                                   tally.attempts_stopped, tally.maps_rerun,
                                                   tally.records_skipped}) +
      " \"" + job.end_status.message() + "\"\n";
  for (const ReduceLayout::Split& split : job.layout.splits())
    text += "  partition " + std::to_string(split.partition) + " has " +
            std::to_string(split.done) + " of " + std::to_string(split.pieces) +
            (split.whole ? " pieces, is whole\n" : " pieces\n");
  for (const TaskKind kind : kTaskKinds) {
    for (std::uint32_t task = 0; task < job.total(kind); ++task) {
      const TaskState& state = job.tasks(kind)[task];
      text += std::string("  ") + TaskKindName(kind) + " " + std::to_string(task) + TaskText(state);
      if (job.waiting(kind).contains(task)) text += " waits";
      const std::uint32_t segment = job.layout.SegmentOf(kind, task);
      if (kind != TaskKind::kReduce && job.phase != JobPhase::kOver && job.segments.has(segment))
        text += " segment of " + std::to_string(job.segments.ref(segment).attempt) + " on " +
                std::to_string(job.segments.ref(segment).worker);
      if (kind == TaskKind::kReduce && job.layout.PartitionsOf(task) > 1)
        text += " of " + std::to_string(job.layout.PartitionsOf(task)) + " partitions";
      if (kind == TaskKind::kMap && job.hashes.first_attempt(task) != kNoAttempt)
        text += " hash " + std::to_string(job.hashes.first_hash(task)) + " of " +
                std::to_string(job.hashes.first_attempt(task));
      if (const TaskTrouble* trouble = job.FindTrouble(kind, task)) text += TroubleText(*trouble);
      text += "\n";
      for (AttemptIndex i = state.first_live; i != kNoIndex; i = attempts_[i].next_of_task) {
        const Attempt& attempt = attempts_[i];
        text +=
            "    attempt " + std::to_string(attempt.id.attempt) + " on " +
            std::to_string(workers_[attempt.worker].id) + (attempt.backup ? " backup" : "") +
            (attempt.stopping ? " stopping " + std::to_string(static_cast<int>(attempt.stop_reason))
                              : "") +
            " since " + std::to_string(attempt.started_ms) + "\n";
      }
    }
  }
}

std::string Scheduler::Machine::DumpTables() const {
  std::string text;
  for (const auto& [id, job] : jobs_)
    if (job->phase != JobPhase::kOver) DumpJob(*job, text);
  for (WorkerIndex index = 0; index < workers_.size(); ++index) {
    const Worker& worker = workers_[index];
    if (!worker.alive) continue;
    text += "worker " + std::to_string(worker.id) + " epoch " + std::to_string(worker.epoch) +
            " slots " + std::to_string(worker.slots_taken) + "/" + std::to_string(worker.slots) +
            " segments " + std::to_string(worker.segments) + (worker.draining ? " draining" : "") +
            (worker.drained ? " drained" : "") + (worker.away ? " away" : "") +
            (worker.small_jobs_only ? " small jobs only" : "") +
            (worker.runs_plans ? "" : " without plans") + " failures " +
            std::to_string(worker.failures_in_row) + (worker.set_aside ? " set aside" : "") + "\n";
  }
  for (const auto& [id, worker] : abandoned_)
    text += "abandoned " + AttemptText(id) + " of job " + std::to_string(id.job) + " on " +
            std::to_string(workers_[worker].id) + "\n";
  text += "waiting maps " + std::to_string(waiting_maps_) + "\n";
  return text;
}

}  // namespace spillway
