// Events for the scheduler, their records, and what the scheduler wants done.
#include <algorithm>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/coordinator/coordinator_machine.h"
#include "runtime/coordinator/journal_records.h"
#include "runtime/core/journalled.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {

namespace {
/// A message stays well below a frame's limit.
constexpr std::size_t kSegmentsPerMessage = 4'096;
}  // namespace

void CoordinatorMachine::Feed(Event event, const wire::JournalRecord* source) {
  events_.emplace_back(std::move(event), source == nullptr
                                             ? nullptr
                                             : std::make_unique<wire::JournalRecord>(*source));
  FeedAll();
}

void CoordinatorMachine::FeedAll() {
  if (feeding_) return;  // An action has an event of its own: it waits its turn.
  feeding_ = true;
  while (!events_.empty()) {
    const auto [event, source] = std::move(events_.front());
    events_.pop_front();
    Actions actions;
    scheduler_.Step(event, now_, actions);
    // Of a job that is over nothing is kept. Attempts may still end that did not stop in time.
    const bool over = JobOf(event) != 0 && Job(JobOf(event)) == nullptr;
    if (IsJournalled(event) && !over) {
      wire::JournalRecord record;
      if (source != nullptr) record = std::move(*source);
      PutEvent(event, record);
      // What others have seen of them must be known after a power cut, too: a worker's number, that
      // a job's attempts were numbered, from where on a takeover numbers new ones, and that a job
      // was killed, which its user was told.
      const bool durable =
          std::holds_alternative<WorkerJoined>(event) || std::holds_alternative<SubmitJob>(event) ||
          std::holds_alternative<CancelJob>(event) || std::holds_alternative<TakenOver>(event);
      Append(JobOf(event), record, durable);
    }
    for (const Action& action : actions) {
      if (const auto decision = DecisionOf(action)) {
        wire::JournalRecord record;
        PutEvent(*decision, record);
        Append(JobOf(*decision), record);
      }
    }
    for (const Action& action : actions) std::visit([this](const auto& a) { Do(a); }, action);
  }
  feeding_ = false;
}

void CoordinatorMachine::Append(JobId job, wire::JournalRecord& record, bool durable) {
  record.set_time_ms(now_);
  effects_.records.push_back({job, record.SerializeAsString()});
  effects_.durable = effects_.durable || durable;
}

// --- To workers.

void CoordinatorMachine::Post(WorkerId worker, const wire::Message& message) {
  WorkerEntry* const entry = workers_.Find(worker);
  if (entry != nullptr) Post(*entry, message.SerializeAsString());
}

void CoordinatorMachine::Post(WorkerEntry& worker, std::string message) {
  // Without a session it is away; what it missed is made up for when it is back.
  if (worker.channel == nullptr) return;
  if (worker.channel->Post(std::move(message))) return workers_.MarkDirty(worker);
  Log("worker " + std::to_string(worker.id) + " takes nothing any more and is given up");
  LoseWorker(worker);
}

WorkerEntry* CoordinatorMachine::WithJob(WorkerId id, JobId number) {
  WorkerEntry* const worker = workers_.Find(id);
  JobEntry* const job = Job(number);
  if (worker == nullptr || job == nullptr) return nullptr;
  if (std::exchange(worker->jobs[number], true)) return worker;
  if (job->start_message.empty()) {
    wire::Message message;
    wire::StartJob& start = *message.mutable_start_job();
    start.set_job(number);
    start.set_job_id(job->job_id);
    *start.mutable_spec() = job->spec;
    start.set_staging_dir(job->staging_dir);
    start.set_segment_job(SegmentJobOf(job->job_id));
    start.set_maps(job->inputs.maps());
    *start.mutable_inputs() = job->inputs.Names();
    if (start.inputs().ByteSizeLong() > kInputNamesBytesMax) {
      job->input_names = start.inputs().SerializeAsString();
      start.clear_inputs();
      start.set_inputs_bytes(job->input_names.size());
    }
    job->start_message = message.SerializeAsString();
  }
  Post(*worker, job->start_message);
  return worker;
}

void CoordinatorMachine::TellPlaces(WorkerEntry& worker, std::span<const SegmentRef> segments) {
  for (const SegmentRef& segment : segments) {
    if (segment.worker >= worker.told_places.size()) worker.told_places.resize(segment.worker + 1);
    if (worker.told_places[segment.worker]) continue;
    const WorkerEntry* const source = workers_.Find(segment.worker);
    if (source == nullptr) continue;
    worker.told_places[segment.worker] = true;
    wire::Message message;
    wire::WorkerPlace& place = *message.mutable_worker_place();
    place.set_worker(source->id);
    place.set_host(source->details.host());
    place.set_fetch_endpoint(source->details.fetch_endpoint());
    place.set_fetch_public_key(source->details.fetch_public_key());
    *place.mutable_scratch_dirs() = source->details.scratch_dirs();
    Post(worker, message.SerializeAsString());
  }
}

void CoordinatorMachine::Do(const StartMap& action) {
  WorkerEntry* const worker = WithJob(action.worker, action.attempt.job);
  if (worker == nullptr) return;
  wire::Message message;
  wire::StartMap& start = *message.mutable_start_map();
  *start.mutable_attempt() = ToWire(action.attempt);
  JobEntry& job = *Job(action.attempt.job);
  job.CountPlace(action.attempt.task, worker->details);
  job.inputs.Fill(action.attempt.task, start);
  for (const RecordPlace& skip : action.skips) *start.add_skips() = ToWire(skip);
  Post(*worker, message.SerializeAsString());
}

void CoordinatorMachine::Do(const StartReduce& action) {
  WorkerEntry* const worker = WithJob(action.worker, action.attempt.job);
  if (worker == nullptr) return;
  wire::Message message;
  wire::StartReduce& start = *message.mutable_start_reduce();
  *start.mutable_attempt() = ToWire(action.attempt);
  start.set_maps(action.sources.count);
  start.set_first_segment(action.sources.first);
  start.set_partitions(action.partitions);
  Post(*worker, message.SerializeAsString());
}

void CoordinatorMachine::Do(const StartCombine& action) {
  WorkerEntry* const worker = WithJob(action.worker, action.attempt.job);
  if (worker == nullptr) return;
  wire::Message message;
  wire::StartCombine& start = *message.mutable_start_combine();
  *start.mutable_attempt() = ToWire(action.attempt);
  start.set_partition(action.partition);
  start.set_first_segment(action.sources.first);
  start.set_segments(action.sources.count);
  start.set_segment(action.segment);
  Post(*worker, message.SerializeAsString());
}

void CoordinatorMachine::Do(const CutReduces& action) {
  JobEntry& job = *Job(action.job);
  job.Apply(action.plan);
  if (action.plan.empty())
    job.Log(now_, "only workers of an older version are left: partitions are reduced whole");
  for (const SplitPartition& split : action.plan.splits)
    job.Log(now_, "partition " + std::to_string(split.partition) + " is large: it is split among " +
                      std::to_string(split.pieces) + " combine tasks");
  std::uint32_t joined = 0;
  for (const JoinedPartitions& join : action.plan.joins) joined += join.count;
  if (joined > 0)
    job.Log(now_, std::to_string(joined) + " small partitions are reduced by " +
                      std::to_string(action.plan.joins.size()) + " tasks");
}

void CoordinatorMachine::Do(const SegmentsAvailable& action) {
  WorkerEntry* const worker = workers_.Find(action.worker);
  if (worker == nullptr || worker->channel == nullptr) return;
  TellPlaces(*worker, action.segments);
  for (std::size_t begin = 0; begin < action.segments.size(); begin += kSegmentsPerMessage) {
    wire::Message message;
    wire::SegmentsAvailable& available = *message.mutable_segments_available();
    *available.mutable_reduce() = ToWire(action.reduce);
    const std::size_t count = std::min(kSegmentsPerMessage, action.segments.size() - begin);
    for (const SegmentRef& segment : action.segments.subspan(begin, count))
      *available.add_segments() = ToWire(segment);
    Post(action.worker, message);
  }
}

void CoordinatorMachine::Do(const SegmentInvalidated& action) {
  wire::Message message;
  *message.mutable_segment_invalidated()->mutable_reduce() = ToWire(action.reduce);
  *message.mutable_segment_invalidated()->mutable_segment() = ToWire(action.segment);
  Post(action.worker, message);
}

void CoordinatorMachine::Do(const StopAttempt& action) {
  JobEntry* const job = Job(action.attempt.job);
  if (job != nullptr && action.attempt.kind == TaskKind::kMap)
    job->reading.erase({action.attempt.task, action.attempt.attempt});
  wire::Message message;
  *message.mutable_stop_attempt()->mutable_attempt() = ToWire(action.attempt);
  message.mutable_stop_attempt()->set_reason(static_cast<std::uint32_t>(action.reason));
  Post(action.worker, message);
}

/// The part is durable under its attempt's name, so the grant is the commit: whatever becomes of
/// the worker afterwards, the task is done.
void CoordinatorMachine::Do(const GrantCommit& action) {
  JobEntry* const job = Job(action.attempt.job);
  const auto found = job->requests.find({action.attempt.task, action.attempt.attempt});
  if (found == job->requests.end()) return;  // Granted before, and said again.
  TakePart(*job, found->second, action.epoch);
  job->requests.erase(found);
  effects_.durable = true;
  Feed(Committed{action.attempt, action.epoch});
  wire::Message message;
  *message.mutable_commit_grant()->mutable_attempt() = ToWire(action.attempt);
  message.mutable_commit_grant()->set_epoch(action.epoch);
  Post(action.worker, message);
  CancelIfStuck(*job);
}

void CoordinatorMachine::TakePart(JobEntry& job, const wire::CommitRequest& request,
                                  std::uint32_t epoch) {
  const std::uint32_t task = request.attempt().task();
  if (task >= job.parts.size()) return;
  JobEntry::Part& part = job.parts[task];
  part.attempt = request.attempt().attempt();
  part.epoch = epoch;
  part.info = PartInfoOf(request.part());
  Add(job.stats, request.stats());
  if (request.has_load()) job.loads.Take(task, request.load());
  for (std::uint32_t other = task + 1; const wire::JoinedPart& joined : request.joined()) {
    if (other >= job.parts.size()) return;
    job.parts[other] = {part.attempt, part.epoch, PartInfoOf(joined.part())};
    job.loads.Take(other++, joined.load());
    ++job.joined_parts;
  }
  if (!job.map_only()) return;
  job.reading.erase({task, part.attempt});
  job.counted_maps[task] = true;
  if (++job.maps_counted == job.counted_maps.size()) job.maps_done_ms = now_;
}

void CoordinatorMachine::Do(const RefuseCommit& action) {
  if (JobEntry* job = Job(action.attempt.job))
    job->requests.erase({action.attempt.task, action.attempt.attempt});
  wire::Message message;
  *message.mutable_commit_refuse()->mutable_attempt() = ToWire(action.attempt);
  Post(action.worker, message);
}

void CoordinatorMachine::Do(const DiscardSegment& action) {
  wire::Message message;
  message.mutable_discard_segment()->set_job(action.job);
  *message.mutable_discard_segment()->mutable_segment() = ToWire(action.segment);
  Post(action.segment.worker, message);
}

// --- Jobs and workers.

void CoordinatorMachine::Do(const CommitJob& action) {
  JobEntry* const job = Job(action.job);
  job->committing = true;
  if (job->reduces_done_ms == 0) job->reduces_done_ms = now_;
  effects_.durable = true;
  effects_.outputs.push_back({OutputOrder::Kind::kCommit, job->number,
                              job->ForStaging(options_.owner), job->staging_dir,
                              "  \"job\": \"" + job->spec.name() + "\",\n", job->Winners()});
}

void CoordinatorMachine::Do(const JobEnded& action) {
  JobEntry* const job = Job(action.job);
  if (job == nullptr) return;
  job->tally = action.tally;
  EndJob(*job, action.status);
}

void CoordinatorMachine::EndJob(JobEntry& job, const Status& status) {
  job.status = status;
  job.ended_ms = std::max<TimeMs>(now_, 1);
  job.Log(now_, status.ok() ? "done" : "ended: " + status.message());
  Log("job " + job.job_id + (status.ok() ? " is done" : " ended: " + status.message()));
  if (!status.ok())
    effects_.outputs.push_back({OutputOrder::Kind::kDrop,
                                job.number,
                                job.ForStaging(options_.owner),
                                job.staging_dir,
                                "",
                                {}});
  wire::Message message;
  message.mutable_end_job()->set_job(job.number);
  for (const auto& [id, worker] : workers_.all()) worker->told_loops.erase(job.number);
  for (const auto& [id, worker] : workers_.all())
    if (worker->jobs.erase(job.number) > 0) Post(*worker, message.SerializeAsString());
  AnswerWaiters(job);

  wire::JobState state = job.State(nullptr, now_);
  job.log.Put(state);
  if (!status.ok()) {  // This coordinator may die before it has dropped what is staged.
    state.set_staged_job(job.number);
    state.set_staging_dir(job.staging_dir);
  }
  effects_.archived.push_back({job.number, job.job_id, state.SerializeAsString()});
  effects_.durable = true;
  const std::string job_id = job.job_id;
  job_numbers_.erase(job_id);
  jobs_.erase(job.number);
  ended_[job_id] = std::move(state);
  while (ended_.size() > options_.ended_jobs_kept) {
    const auto oldest = ended_.begin();
    const auto key = keys_.find(oldest->second.submission_key());
    if (key != keys_.end() && key->second == oldest->first) keys_.erase(key);
    ended_.erase(oldest);
  }
}

void CoordinatorMachine::OnOutputDone(const OutputOrder& order, const Status& status,
                                      const std::string& staging_dir, TimeMs now) {
  now_ = now;
  JobEntry* const job = Job(order.job);
  if (job == nullptr) return;
  if (order.kind == OutputOrder::Kind::kCommit) return Feed(JobCommitted{order.job, status});

  const auto [begin, end] = submitters_.equal_range(order.job);
  for (auto it = begin; it != end; ++it) {
    if (!status.ok()) {
      SayNo(it->second.peer, it->second.request, status);
      continue;
    }
    wire::Reply reply;
    reply.set_id(it->second.request);
    reply.mutable_submitted()->set_job(job->number);
    reply.mutable_submitted()->set_job_id(job->job_id);
    Say(it->second.peer, reply);
  }
  submitters_.erase(begin, end);
  if (!status.ok()) return EndJob(*job, status);
  job->staged = true;
  job->staging_dir = staging_dir;
  job->staged_ms = now_;
  job->Log(now_, "started: " + std::to_string(job->inputs.maps()) + " maps, " +
                     std::to_string(job->reduces()) + " reduces");
  SubmitJob submit = job->ForScheduler();
  submit.options.small = IsSmall(*job);
  wire::JournalRecord record;
  record.mutable_submitted()->set_staging_dir(staging_dir);
  const JobId number = job->number;
  const bool killed = job->killed;
  const std::string reason = job->kill_reason;
  Feed(std::move(submit), &record);
  if (killed) Feed(CancelJob{number, reason});
}

void CoordinatorMachine::Do(const WorkerExpired& action) {
  WorkerEntry* const worker = workers_.Find(action.worker);
  if (worker == nullptr || worker->epoch != action.epoch) return;
  LogInJobs(WorkerText(*worker) + " is lost: not heard of for " +
            std::to_string(options_.scheduler.lease_ms) + " ms");
  workers_.CloseSession(*worker);
  gone_.push_back(worker->id);
}

void CoordinatorMachine::Do(const WorkerDrained& action) {
  wire::Message message;
  message.mutable_drained();
  Post(action.worker, message);
}

void CoordinatorMachine::Do(const Warning& action) {
  JobEntry* const warned = Job(action.attempt.job);
  if (warned != nullptr) warned->Warn(now_, action.text);
  Log(action.text);
  if (action.kind != WarningKind::kWorkerSetAside) return;
  // It concerns whoever would have had its slots.
  for (const auto& [number, job] : jobs_)
    if (job.get() != warned) job->Log(now_, action.text);
}

}  // namespace spillway
