// How a coordinator goes on from the journal of the one before it.
#include <algorithm>
#include <utility>

#include "runtime/coordinator/coordinator_machine.h"
#include "runtime/coordinator/journal_records.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {

JobEntry& CoordinatorMachine::AddJob(JobId number, std::string job_id, wire::JobSpec spec,
                                     std::uint64_t unix_ms) {
  last_job_ = std::max(last_job_, number);
  job_numbers_[job_id] = number;
  if (!spec.submission_key().empty()) keys_[spec.submission_key()] = job_id;
  auto entry = std::make_unique<JobEntry>(NewJobEntry(number, std::move(job_id), std::move(spec)));
  entry->submitted_unix_ms = unix_ms;
  entry->submitted_ms = unix_ms;
  JobEntry& job = *entry;
  jobs_[number] = std::move(entry);
  job.Log(unix_ms, "accepted from " + job.spec.user());
  return job;
}

void CoordinatorMachine::ReserveJobNumbers(JobId last) { last_job_ = std::max(last_job_, last); }

void CoordinatorMachine::RestoreEnded(std::string_view summary) {
  wire::JobState state;
  if (!state.ParseFromArray(summary.data(), static_cast<int>(summary.size()))) return;
  const std::string job_id = state.job_id();
  // A key may have had several jobs, one after the other: it names the last, in whatever order
  // they come. Ids sort by time.
  if (!state.submission_key().empty()) {
    std::string& named = keys_[state.submission_key()];
    named = std::max(named, job_id);
  }
  if (!state.staging_dir().empty()) {
    StagingOptions staging;
    staging.output_dir = state.output_dir();
    staging.job_id = job_id;
    staging.owner = options_.owner;
    effects_.outputs.push_back({OutputOrder::Kind::kDrop,
                                state.staged_job(),
                                std::move(staging),
                                state.staging_dir(),
                                "",
                                {}});
    state.clear_staging_dir();
  }
  ended_[job_id] = std::move(state);
}

Status CoordinatorMachine::Restore(std::string_view bytes) {
  wire::JournalRecord record;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return DataLoss("a record of the journal cannot be read");
  restored_ = true;
  now_ = std::max<TimeMs>(now_, record.time_ms());
  switch (record.kind_case()) {
    case wire::JournalRecord::kAccepted: {
      wire::JobAccepted& accepted = *record.mutable_accepted();
      if (Job(accepted.job()) != nullptr) return DataLoss("a job was accepted twice");
      SPILLWAY_RETURN_IF_ERROR(CheckJobSpec(accepted.spec()));
      AddJob(accepted.job(), accepted.job_id(), std::move(*accepted.mutable_spec()),
             accepted.submitted_unix_ms());
      return OkStatus();
    }
    case wire::JournalRecord::kSubmitted: {
      JobEntry* const job = Job(record.submitted().job());
      if (job == nullptr) return DataLoss("a job was started that was never accepted");
      job->staged = true;
      job->staging_dir = record.submitted().staging_dir();
      job->staged_ms = now_;
      SubmitJob submit = job->ForScheduler();
      submit.options.small = IsSmall(*job);
      return scheduler_.Replay(submit, now_);
    }
    case wire::JournalRecord::kLoopCheckpointed:
      if (JobEntry* const job = Job(record.loop_checkpointed().job()))
        job->checkpoint_round = record.loop_checkpointed().round();
      return OkStatus();
    default: return RestoreEvent(record);
  }
}

Status CoordinatorMachine::RestoreEvent(const wire::JournalRecord& record) {
  const std::optional<Event> event = TakeEvent(record);
  if (!event.has_value()) return DataLoss("a record of the journal of no known kind");
  switch (record.kind_case()) {
    case wire::JournalRecord::kWorkerJoined: {
      const wire::WorkerJoined& joined = record.worker_joined();
      WorkerEntry* worker = workers_.Find(joined.worker());
      if (worker == nullptr) worker = &workers_.Add(joined.details(), joined.worker());
      worker->epoch = joined.epoch();
      break;
    }
    case wire::JournalRecord::kWorkerGone: {
      // The end of an epoch may come behind the beginning of the next one.
      const WorkerEntry* const worker = workers_.Find(record.worker_gone().worker());
      if (worker != nullptr && worker->epoch == record.worker_gone().epoch())
        workers_.Remove(record.worker_gone().worker());
      break;
    }
    case wire::JournalRecord::kStarted: {
      const wire::AttemptId& id = record.started().attempt();
      JobEntry* const job = Job(id.job());
      const WorkerEntry* const worker = workers_.Find(record.started().worker());
      if (job != nullptr && worker != nullptr && id.kind() == wire::MAP)
        job->CountPlace(id.task(), worker->details);
      break;
    }
    case wire::JournalRecord::kMapDone:
      if (JobEntry* job = Job(record.map_done().attempt().job())) Count(*job, record.map_done());
      break;
    case wire::JournalRecord::kReducesPlanned:
      if (JobEntry* job = Job(record.reduces_planned().job()))
        if (const ReducePlan& plan = std::get<ReducesPlanned>(*event).plan;
            plan.empty() || job->TakesPlan(plan))
          job->Apply(plan);
      break;
    case wire::JournalRecord::kCommitRequested: {
      const wire::CommitRequest& request = record.commit_requested();
      if (JobEntry* job = Job(request.attempt().job()))
        job->requests[{request.attempt().task(), request.attempt().attempt()}] = request;
      break;
    }
    case wire::JournalRecord::kPartCommitted: RestorePart(record.part_committed()); break;
    case wire::JournalRecord::kCancelled:
      if (JobEntry* job = Job(record.cancelled().job())) {
        job->killed = true;
        job->kill_reason = record.cancelled().reason();
      }
      break;
    default: break;
  }
  return scheduler_.Replay(*event, now_);
}

void CoordinatorMachine::RestorePart(const wire::PartCommitted& committed) {
  JobEntry* const job = Job(committed.attempt().job());
  if (job == nullptr) return;
  const auto request =
      job->requests.find({committed.attempt().task(), committed.attempt().attempt()});
  if (request == job->requests.end()) return;
  TakePart(*job, request->second, committed.epoch());
  job->requests.erase(request);
}

void CoordinatorMachine::Resume(TimeMs now) {
  now_ = std::max(now_, now);
  if (restored_) Feed(TakenOver{});
  for (const auto& [number, job] : jobs_) {
    job->Log(now_, "a new coordinator goes on with the job");
    if (job->staged) continue;
    effects_.outputs.push_back(
        {OutputOrder::Kind::kOpen, number, job->ForStaging(options_.owner), "", "", {}});
  }
}

}  // namespace spillway
