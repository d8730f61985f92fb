#include "runtime/worker/worker_machine.h"

#include <algorithm>
#include <utility>

#include "runtime/protocol/wire_values.h"

namespace spillway {

namespace {

wire::Message StoppedMessage(const AttemptId& id) {
  wire::Message message;
  *message.mutable_attempt_stopped()->mutable_attempt() = ToWire(id);
  return message;
}

wire::Message FailedMessage(const AttemptId& id, const Status& status) {
  wire::Message message;
  *message.mutable_attempt_failed()->mutable_attempt() = ToWire(id);
  *message.mutable_attempt_failed()->mutable_status() = ToWire(status);
  return message;
}

/// The attempt that a message starts.
std::optional<AttemptId> StartedAttempt(const wire::Message& message) {
  if (message.has_start_map()) return FromWire(message.start_map().attempt());
  if (message.has_start_reduce()) return FromWire(message.start_reduce().attempt());
  if (message.has_start_combine()) return FromWire(message.start_combine().attempt());
  return std::nullopt;
}

/// The attempt that a message for an executor is about.
std::optional<AttemptId> SubjectOf(const wire::Message& message) {
  switch (message.kind_case()) {
    case wire::Message::kSegmentsAvailable: return FromWire(message.segments_available().reduce());
    case wire::Message::kSegmentInvalidated:
      return FromWire(message.segment_invalidated().reduce());
    case wire::Message::kStopAttempt: return FromWire(message.stop_attempt().attempt());
    case wire::Message::kCommitGrant: return FromWire(message.commit_grant().attempt());
    case wire::Message::kCommitRefuse: return FromWire(message.commit_refuse().attempt());
    default: return StartedAttempt(message);
  }
}

}  // namespace

WorkerMachine::WorkerMachine(const WorkerMachineOptions& options)
    : options_(options),
      link_(
          options.details, [this] { return AttemptIds(); }, options.link) {}

std::vector<AttemptId> WorkerMachine::AttemptIds() const {
  std::vector<AttemptId> ids;
  for (const auto& [id, attempt] : attempts_) ids.push_back(id);
  return ids;
}

WorkerMachine::Job* WorkerMachine::FindJob(JobId number) {
  const auto found = jobs_.find(number);
  return found == jobs_.end() ? nullptr : &found->second;
}

// --- The coordinator's side.

void WorkerMachine::OnCoordinatorFrame(std::string_view bytes, TimeMs now) {
  const WorkerLink::News news = link_.OnFrame(bytes, now);
  if (news.registered.has_value()) OnRegistered(*news.registered, news.fresh, now);
  for (const wire::Message& message : news.messages) OnMessage(message, now);
}

void WorkerMachine::OnRegistered(const wire::Registered& registered, bool fresh, TimeMs now) {
  if (registered.has_refused()) {
    effects_.refused = FromWire(registered.refused());
    return;
  }
  effects_.registered = registered;
  effects_.log.push_back("registered as worker " + std::to_string(registered.worker()));
  std::vector<JobId> gone;
  for (const auto& [number, job] : jobs_) {
    const bool goes_on = std::find(registered.jobs().begin(), registered.jobs().end(), number) !=
                         registered.jobs().end();
    if (fresh || !goes_on) gone.push_back(number);
  }
  for (const JobId number : gone) RemoveJob(number);
  if (fresh) places_.clear();
  drain_said_ = false;
  if (draining_) Drain(now);
}

void WorkerMachine::OnMessage(const wire::Message& message, TimeMs now) {
  switch (message.kind_case()) {
    case wire::Message::kStartJob: {
      const wire::StartJob& start = message.start_job();
      if (jobs_.contains(start.job())) return;
      Job& job = jobs_[start.job()];
      job.start = start;
      return Prepare(job);
    }
    case wire::Message::kEndJob: return EndJob(message.end_job().job());
    case wire::Message::kStartMap:
    case wire::Message::kStartReduce:
    case wire::Message::kStartCombine: return StartAttempt(*StartedAttempt(message), message, now);
    case wire::Message::kStopAttempt:
      return StopAttempt(FromWire(message.stop_attempt().attempt()), message, now);
    case wire::Message::kCommitGrant:
    case wire::Message::kCommitRefuse: {
      const auto found = attempts_.find(*SubjectOf(message));
      if (found == attempts_.end()) return;
      const AttemptId id = found->first;
      if (found->second.given) Forward(id.job, message, now);
      // A refused attempt answers that it stopped; a granted one has nothing more to say.
      if (message.has_commit_grant()) {
        attempts_.erase(id);
      } else if (found->second.given) {
        found->second.stopping = true;
      } else {
        EndAttempt(StoppedMessage(id));
      }
      return;
    }
    case wire::Message::kSegmentsAvailable:
    case wire::Message::kSegmentInvalidated:
      if (attempts_.contains(*SubjectOf(message))) Forward(SubjectOf(message)->job, message, now);
      return;
    case wire::Message::kWorkerPlace: {
      places_[message.worker_place().worker()] = message.worker_place();
      for (auto& [number, job] : jobs_) {
        job.told_places.erase(message.worker_place().worker());
        if (job.phase == JobPhase::kReady) SendPlaces(number, job);
      }
      return;
    }
    case wire::Message::kDiscardSegment:
      effects_.discards.push_back(
          {message.discard_segment().job(), FromWire(message.discard_segment().segment())});
      return;
    // To the executor that is there. One that comes later asks.
    case wire::Message::kLoopBegin: return ForwardLoop(message.loop_begin().job(), message, now);
    case wire::Message::kLoopRound: return ForwardLoop(message.loop_round().job(), message, now);
    case wire::Message::kDrained: return Leave(now);
    default: return;
  }
}

/// Attempts that the coordinator no longer waited for end with their job: it has their slots back.
void WorkerMachine::EndJob(JobId number) {
  std::vector<AttemptId> ids;
  for (const auto& [id, attempt] : attempts_)
    if (id.job == number) ids.push_back(id);
  for (const AttemptId& id : ids) EndAttempt(StoppedMessage(id));
  RemoveJob(number);
}

void WorkerMachine::StartAttempt(const AttemptId& id, const wire::Message& message, TimeMs now) {
  if (!attempts_.try_emplace(id).second) return;  // Said twice.
  Job* const job = FindJob(id.job);
  if (job == nullptr) return EndAttempt(StoppedMessage(id));
  // While it had no seats, an executor was not told how its loop goes on. A new one asks.
  const bool missed =
      job->start.spec().has_loop() && job->phase == JobPhase::kReady && !HasOther(id);
  if (missed) Replace(id.job, *job);
  Forward(id.job, message, now);
}

bool WorkerMachine::HasOther(const AttemptId& id) const {
  return std::any_of(attempts_.begin(), attempts_.end(), [&](const auto& entry) {
    return entry.first.job == id.job && entry.first != id;
  });
}

void WorkerMachine::StopAttempt(const AttemptId& id, const wire::Message& message, TimeMs now) {
  const auto found = attempts_.find(id);
  Job* const job = FindJob(id.job);
  if (found == attempts_.end() || job == nullptr) return Answer(StoppedMessage(id));
  if (found->second.given) {
    found->second.stopping = true;
    found->second.stop_due_ms = now + options_.stop_timeout_ms;
    return Forward(id.job, message, now);
  }
  std::erase_if(job->waiting, [&](const wire::Message& m) { return SubjectOf(m) == id; });
  EndAttempt(StoppedMessage(id));
}

// --- Executors.

void WorkerMachine::Forward(JobId number, const wire::Message& message, TimeMs now) {
  Job* const job = FindJob(number);
  if (job == nullptr) return;
  job->waiting.push_back(message);
  if (job->phase == JobPhase::kReady) return Flush(number, *job);
  if (job->phase == JobPhase::kFailed) return FailAttempts(number, *job);
  if (job->phase == JobPhase::kDown) MaybeSpawn(number, *job, now);
}

void WorkerMachine::ForwardLoop(JobId number, const wire::Message& message, TimeMs now) {
  const bool seated = std::any_of(attempts_.begin(), attempts_.end(),
                                  [&](const auto& entry) { return entry.first.job == number; });
  if (seated) Forward(number, message, now);
}

void WorkerMachine::MaybeSpawn(JobId number, Job& job, TimeMs now) {
  // What is left of attempts that died with their executor wakes nobody.
  const bool wanted = std::any_of(job.waiting.begin(), job.waiting.end(),
                                  [](const auto& m) { return StartedAttempt(m).has_value(); });
  if (!wanted) return job.waiting.clear();
  if (job.phase != JobPhase::kDown || now < job.respawn_due_ms) return;
  MakeRoom();
  job.phase = JobPhase::kStarting;
  effects_.spawn.push_back(number);
}

void WorkerMachine::MakeRoom() {
  std::uint32_t alive = 0;
  std::set<JobId> busy;
  for (const auto& [id, attempt] : attempts_) busy.insert(id.job);
  std::pair<const JobId, Job>* idlest = nullptr;
  for (auto& entry : jobs_) {
    const Job& job = entry.second;
    if (job.phase != JobPhase::kStarting && job.phase != JobPhase::kReady) continue;
    ++alive;
    if (job.phase == JobPhase::kStarting || busy.contains(entry.first)) continue;
    if (idlest == nullptr || job.last_end < idlest->second.last_end) idlest = &entry;
  }
  if (alive < options_.executors_max || idlest == nullptr) return;
  Replace(idlest->first, idlest->second);
}

void WorkerMachine::Replace(JobId number, Job& job) {
  job.phase = JobPhase::kYielding;
  effects_.kill.push_back(number);
}

void WorkerMachine::SendPlaces(JobId number, Job& job) {
  for (const auto& [worker, place] : places_) {
    if (!job.told_places.insert(worker).second) continue;
    wire::Message message;
    *message.mutable_worker_place() = place;
    effects_.to_executors.push_back({number, std::move(message)});
  }
}

void WorkerMachine::Flush(JobId number, Job& job) {
  SendPlaces(number, job);
  for (wire::Message& message : job.waiting) {
    if (const auto id = StartedAttempt(message)) attempts_[*id].given = true;
    effects_.to_executors.push_back({number, std::move(message)});
  }
  job.waiting.clear();
}

void WorkerMachine::FailAttempts(JobId number, Job& job) {
  job.waiting.clear();
  std::vector<AttemptId> ids;
  for (const auto& [id, attempt] : attempts_)
    if (id.job == number && !attempt.committing) ids.push_back(id);
  for (const AttemptId& id : ids) EndAttempt(FailedMessage(id, job.failure));
}

void WorkerMachine::Prepare(Job& job) {
  job.phase = JobPhase::kPreparing;
  job.preparation = ++preparations_;
  effects_.prepare.push_back({job.start, job.preparation});
}

void WorkerMachine::OnPrepared(JobId number, std::uint64_t preparation, const Status& status,
                               TimeMs now) {
  if (!awaits(number, preparation)) return;
  Job& job = jobs_[number];
  if (status.ok()) {
    job.deaths_in_row = 0;
    job.phase = JobPhase::kDown;
    return MaybeSpawn(number, job, now);
  }
  effects_.log.push_back("job " + job.start.job_id() + " cannot run here: " + status.message());
  job.failure = status;
  if (status.code() == Code::kUnavailable && ++job.deaths_in_row <= options_.respawns_max) {
    job.phase = JobPhase::kUnprepared;
    job.respawn_due_ms = now + RespawnWait(job.deaths_in_row);
    return;
  }
  job.phase = JobPhase::kFailed;
  FailAttempts(number, job);
}

/// An executor speaks for the attempts of its job, and for nothing else.
bool WorkerMachine::MayPassOn(JobId number, const wire::Message& message) const {
  if (const auto id = EndedAttempt(message)) return id->job == number;
  if (message.has_segment_lost()) return message.segment_lost().reduce().job() == number;
  if (message.has_loop_contribution()) return message.loop_contribution().seat().job() == number;
  if (message.has_loop_checkpoint()) return message.loop_checkpoint().seat().job() == number;
  if (!message.has_progress()) return false;
  return std::all_of(message.progress().moved().begin(), message.progress().moved().end(),
                     [&](const auto& moved) { return moved.attempt().job() == number; });
}

void WorkerMachine::OnExecutorMessage(JobId number, const wire::Message& message, TimeMs) {
  Job* const job = FindJob(number);
  if (job == nullptr) return;
  if (job->phase == JobPhase::kYielding) return;  // It has nothing to say any more.
  if (message.has_executor_ready()) {
    const Status status = FromWire(message.executor_ready().status());
    if (message.executor_ready().has_status() && !status.ok()) {
      job->phase = JobPhase::kFailed;
      job->failure = status;
      effects_.kill.push_back(number);
      return FailAttempts(number, *job);
    }
    job->phase = JobPhase::kReady;
    job->told_places.clear();
    return Flush(number, *job);
  }
  if (message.has_executor_exit()) {  // User code hangs in it, and it asks to be replaced.
    effects_.kill.push_back(number);
    return;
  }
  if (!MayPassOn(number, message)) return;
  if (message.has_commit_request()) {
    const auto found = attempts_.find(FromWire(message.commit_request().attempt()));
    if (found == attempts_.end()) return;
    found->second.committing = true;
    job->deaths_in_row = 0;
    return Answer(message);
  }
  if (message.has_map_done()) job->deaths_in_row = 0;
  if (EndedAttempt(message).has_value()) return EndAttempt(message);
  Answer(message);
}

/// Tells the coordinator how an attempt ended, once.
void WorkerMachine::EndAttempt(const wire::Message& end) {
  const AttemptId id = *EndedAttempt(end);
  if (attempts_.erase(id) == 0) return;
  if (Job* const job = FindJob(id.job)) job->last_end = ++ends_;
  Answer(end);
}

void WorkerMachine::OnExecutorEnded(JobId number, const std::vector<wire::Message>& ends,
                                    const std::string& how, TimeMs now) {
  Job* const job = FindJob(number);
  if (job == nullptr) return;
  const bool yielded = job->phase == JobPhase::kYielding;
  effects_.log.push_back("the executor of job " + job->start.job_id() + " ended: " +
                         (yielded ? "it had nothing to do, and another one takes its place" : how));
  for (const wire::Message& end : ends) EndAttempt(end);
  std::vector<AttemptId> rest;
  for (auto& [id, attempt] : attempts_) {
    if (id.job != number || !attempt.given) continue;
    // Who waits for a grant has nothing left to do: its part is durable. The part of one that is
    // refused, or stops, goes with the staging directory.
    attempt.given = false;
    if (!attempt.committing || attempt.stopping) rest.push_back(id);
  }
  for (const AttemptId& id : rest) EndAttempt(StoppedMessage(id));
  if (job->phase == JobPhase::kFailed) return;
  job->phase = JobPhase::kDown;
  if (yielded) return MaybeSpawn(number, *job, now);
  // What a record does to it says nothing against the worker.
  const bool blamed = std::any_of(ends.begin(), ends.end(), [](const wire::Message& end) {
    return end.has_attempt_failed() && end.attempt_failed().has_record();
  });
  if (blamed) {
    job->deaths_in_row = 0;
    return MaybeSpawn(number, *job, now);
  }
  if (++job->deaths_in_row > options_.respawns_max) {
    job->phase = JobPhase::kFailed;
    job->failure = Aborted("the executor of the job died " + std::to_string(job->deaths_in_row) +
                           " times in a row on this worker, the last time: " + how);
    return FailAttempts(number, *job);
  }
  job->respawn_due_ms = now + (job->deaths_in_row == 1 ? 0 : RespawnWait(job->deaths_in_row));
  MaybeSpawn(number, *job, now);
}

std::uint64_t WorkerMachine::RespawnWait(std::uint32_t times) const {
  return std::min(options_.respawn_ms << std::min(times - 1, 10u), options_.respawn_ms_max);
}

void WorkerMachine::RemoveJob(JobId number) {
  if (jobs_.erase(number) == 0) return;
  std::erase_if(attempts_, [&](const auto& entry) { return entry.first.job == number; });
  effects_.remove.push_back(number);
}

// --- Time, and the end.

void WorkerMachine::Heartbeat(const wire::Heartbeat& health, TimeMs) {
  // What is sent again shows life as well, and heartbeats must not pile up behind it.
  if (!link_.registered() || link_.unacknowledged() > 0) return;
  wire::Message message;
  *message.mutable_heartbeat() = health;
  link_.Post(message);
}

void WorkerMachine::Drain(TimeMs now) {
  draining_ = true;
  // Without a coordinator nobody gives work, and without jobs nobody needs what is here.
  if (!link_.registered() && jobs_.empty()) return Leave(now);
  if (drain_said_ || !link_.registered()) return;
  drain_said_ = true;
  wire::Message message;
  message.mutable_drain();
  link_.Post(message);
}

void WorkerMachine::Leave(TimeMs now) {
  if (leave_due_ms_.has_value()) return;
  leave_due_ms_ = now + (link_.registered() ? options_.leave_timeout_ms : 0);
  wire::Message message;
  message.mutable_leave();
  link_.Post(message);
}

void WorkerMachine::Tick(TimeMs now) {
  const bool away = now > link_.heard_ms() + options_.away_ms;
  if (draining_ && jobs_.empty() && away) Leave(now);
  for (auto& [number, job] : jobs_) {
    if (job.phase == JobPhase::kDown && !job.waiting.empty()) MaybeSpawn(number, job, now);
    if (job.phase == JobPhase::kUnprepared && now >= job.respawn_due_ms) Prepare(job);
  }
  std::set<JobId> stubborn;
  for (auto& [id, attempt] : attempts_) {
    if (!attempt.stop_due_ms.has_value() || *attempt.stop_due_ms > now) continue;
    attempt.stop_due_ms.reset();
    stubborn.insert(id.job);
  }
  for (const JobId number : stubborn) effects_.kill.push_back(number);
}

WorkerEffects WorkerMachine::TakeEffects(TimeMs now) {
  // Who leaves does not register any more: an end of the session is a goodbye.
  if (leave_due_ms_.has_value() && !link_.registered()) effects_.exit = true;
  while (!effects_.exit) {
    auto frame = link_.NextFrame(now);
    if (!frame.has_value()) break;
    effects_.frames.push_back(*std::move(frame));
  }
  if (leave_due_ms_.has_value() && (now >= *leave_due_ms_ || link_.unacknowledged() == 0))
    effects_.exit = true;
  return std::exchange(effects_, WorkerEffects());
}

std::optional<TimeMs> WorkerMachine::next_tick_ms() const {
  std::optional<TimeMs> next = link_.due_ms();
  const auto by = [&](TimeMs time) {
    if (!next.has_value() || time < *next) next = time;
  };
  for (const auto& [number, job] : jobs_)
    if ((job.phase == JobPhase::kDown && !job.waiting.empty()) ||
        job.phase == JobPhase::kUnprepared)
      by(job.respawn_due_ms);
  for (const auto& [id, attempt] : attempts_)
    if (attempt.stop_due_ms.has_value()) by(*attempt.stop_due_ms);
  if (leave_due_ms_.has_value()) by(*leave_due_ms_);
  return next;
}

}  // namespace spillway
