// What workers say, and their sessions.
#include <algorithm>
#include <set>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/coordinator/coordinator_machine.h"
#include "runtime/coordinator/journal_records.h"
#include "runtime/protocol/frame.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {

namespace {

constexpr std::uint32_t kSlotsMax = 4'096;
constexpr std::size_t kNameBytesMax = 256;

Status CheckRegister(const wire::Register& details) {
  if (details.incarnation() == 0) return InvalidArgument("it does not name its process");
  if (details.slots() == 0 || details.slots() > kSlotsMax)
    return InvalidArgument("it has " + std::to_string(details.slots()) + " slots; 1 to " +
                           std::to_string(kSlotsMax) + " are possible");
  if (details.name().size() > kNameBytesMax || details.host().size() > kNameBytesMax ||
      details.rack().size() > kNameBytesMax)
    return InvalidArgument("its name, host or rack is longer than " +
                           std::to_string(kNameBytesMax) + " bytes");
  return OkStatus();
}

/// The attempt that the message ends, whatever came of it.
const wire::AttemptId* EndedBy(const wire::Message& message) {
  switch (message.kind_case()) {
    case wire::Message::kMapDone: return &message.map_done().attempt();
    case wire::Message::kAttemptFailed: return &message.attempt_failed().attempt();
    case wire::Message::kAttemptStopped: return &message.attempt_stopped().attempt();
    case wire::Message::kSegmentLost:
      return message.segment_lost().ended() ? &message.segment_lost().reduce() : nullptr;
    default: return nullptr;
  }
}

}  // namespace

void CoordinatorMachine::OnRegister(const std::string& peer, Role role, const std::string& key,
                                    const wire::Register& details) {
  wire::Message answer;
  wire::Registered& registered = *answer.mutable_registered();
  const auto refuse = [&](const Status& why) {
    *registered.mutable_refused() = ToWire(why);
    effects_.frames.push_back({peer, LoneFrame(answer, kProtocolVersionMin)});
    Log("refused worker " + EscapeForLog(details.name()) + ": " + why.message());
  };
  if (options_.authenticated && role == Role::kNone)
    return refuse(PermissionDenied("its key was revoked; give it a key of role worker"));
  if (options_.authenticated && role != Role::kWorker)
    return refuse(PermissionDenied("its key has the role " + std::string(RoleName(role)) +
                                   ", which may not register workers; use a key of role worker"));
  const auto version = NegotiateVersion(details.version_min(), details.version_max());
  if (!version.ok()) return refuse(version.status());
  if (const Status checked = CheckRegister(details); !checked.ok()) return refuse(checked);

  WorkerEntry* worker = workers_.FindIncarnation(details.incarnation());
  if (worker != nullptr && worker->channel != nullptr && worker->key != key)
    return refuse(PermissionDenied("its process is known here by another key"));
  // The network copied or delayed it: a newer one has been answered.
  if (worker != nullptr && worker->channel != nullptr && details.registration() != 0 &&
      details.registration() <= worker->details.registration())
    return;
  const bool resumes = worker != nullptr && details.epoch() == worker->epoch &&
                       scheduler_.HasWorker(worker->id, worker->epoch);
  if (worker == nullptr) {
    worker = &workers_.Add(details);
    worker->epoch = details.epoch() + 1;
  } else if (!resumes) {
    worker->epoch = std::max(worker->epoch, details.epoch()) + 1;
  }
  worker->details = details;
  worker->details.clear_attempts();
  worker->peer = peer;
  worker->key = key;
  workers_.OpenSession(*worker, random_() | 1, *version, options_.channel);
  registered.set_version(*version);
  registered.set_worker(worker->id);
  registered.set_epoch(worker->epoch);
  registered.set_session(worker->channel->session());
  registered.set_registration(details.registration());
  registered.set_coordinator_epoch(options_.epoch);
  registered.set_heartbeat_ms(options_.heartbeat_ms);
  registered.set_lease_ms(options_.scheduler.lease_ms);
  registered.set_fetch_secret_key(secrets_.fetchers.secret_key);
  registered.set_fetch_public_key(secrets_.fetchers.public_key);
  registered.set_token_key(secrets_.token_key);
  for (const auto& [number, job] : jobs_) {
    registered.add_jobs(number);
    worker->jobs[number] = false;
  }
  effects_.frames.push_back({peer, LoneFrame(answer, *version)});
  if (resumes) return Resumed(*worker, details);

  Log(WorkerText(*worker) + " joined with " + std::to_string(details.slots()) +
      (details.slots() == 1 ? " slot" : " slots"));
  wire::JournalRecord record;
  *record.mutable_worker_joined()->mutable_details() = worker->details;
  Feed(WorkerJoined{.worker = worker->id,
                    .epoch = worker->epoch,
                    .slots = details.slots(),
                    .host = details.host(),
                    .rack = details.rack(),
                    .small_jobs_only = details.small_jobs_only(),
                    .runs_plans = RunsPlans(details)},
       &record);
}

/// The worker was away and kept what it had. What it says it has is compared with what the
/// scheduler believes; a commit that was granted is said again, so that nobody removes its part.
void CoordinatorMachine::Resumed(WorkerEntry& worker, const wire::Register& details) {
  LogInJobs(WorkerText(worker) + " is back with " + std::to_string(details.attempts_size()) +
            " attempts");
  WorkerResumed resumed{worker.id, worker.epoch, {}};
  for (const wire::AttemptId& id : details.attempts()) {
    JobEntry* const job = Job(id.job());
    const bool is_final = job != nullptr && (job->map_only() || id.kind() == wire::REDUCE);
    if (is_final && id.task() < job->parts.size() && job->parts[id.task()].epoch != 0 &&
        job->parts[id.task()].attempt == id.attempt()) {
      wire::Message grant;
      *grant.mutable_commit_grant()->mutable_attempt() = id;
      grant.mutable_commit_grant()->set_epoch(job->parts[id.task()].epoch);
      Post(worker.id, grant);
      continue;
    }
    resumed.attempts.push_back(FromWire(id));
  }
  // What was said of loops meanwhile is lost, in both directions; so is all that a coordinator
  // before this one knew of them.
  std::set<JobId> loops;
  for (const AttemptId& id : resumed.attempts) loops.insert(id.job);
  for (const JobId number : loops)
    if (JobEntry* const job = Job(number)) TellLoop(worker, *job);
  Feed(std::move(resumed));
}

void CoordinatorMachine::OnSessionFrame(const std::string& peer, const std::string& key,
                                        wire::Frame frame) {
  WorkerEntry* const worker = workers_.FindSession(frame.session());
  // A session's number is no secret of its worker's: its key is.
  if (worker != nullptr && worker->key != key)
    return LogGarbage("a peer sent a frame of " + WorkerText(*worker) + " under another key");
  if (worker == nullptr || !scheduler_.HasWorker(worker->id, worker->epoch)) {
    return SayRegisterAgain(peer, frame.session(), frame.version());
  }
  worker->peer = peer;
  std::vector<std::string> delivered;
  const WorkerId id = worker->id;
  worker->channel->Accept(std::move(frame), now_, delivered);
  workers_.MarkDirty(*worker);
  if (!worker->told_loops.empty()) TellMore(*worker);  // What was acknowledged has made room.
  Feed(Heartbeat{id, worker->epoch});
  for (const std::string& text : delivered) {
    // What was said may end the worker.
    WorkerEntry* const speaker = workers_.Find(id);
    if (speaker == nullptr || speaker->channel == nullptr) return;
    const Result<wire::Message> message = ParseMessage(text);
    if (message.ok()) OnWorkerMessage(*speaker, *message);
  }
}

void CoordinatorMachine::OnWorkerMessage(WorkerEntry& worker, const wire::Message& message) {
  // It was given up, and its job has ended without it: its slot is all that is left.
  const wire::AttemptId* const ended = EndedBy(message);
  if (ended != nullptr && Job(ended->job()) == nullptr) {
    if (Owns(worker, *ended)) Feed(AttemptStopped{FromWire(*ended)});
    return;
  }
  switch (message.kind_case()) {
    case wire::Message::kHeartbeat: worker.health = message.heartbeat(); return;
    case wire::Message::kProgress: return OnProgress(worker, message.progress());
    case wire::Message::kMapDone: return OnMapDone(worker, message.map_done());
    case wire::Message::kAttemptFailed: return OnAttemptFailed(worker, message.attempt_failed());
    case wire::Message::kAttemptStopped:
      return OnAttemptStopped(worker, FromWire(message.attempt_stopped().attempt()));
    case wire::Message::kSegmentLost: return OnSegmentLost(worker, message.segment_lost());
    case wire::Message::kCommitRequest: return OnCommitRequest(worker, message.commit_request());
    case wire::Message::kLoopContribution:
      return OnLoopContribution(worker, message.loop_contribution());
    case wire::Message::kLoopCheckpoint: return OnLoopCheckpoint(worker, message.loop_checkpoint());
    case wire::Message::kDrain:
      LogInJobs(WorkerText(worker) + " drains");
      return Feed(DrainWorker{worker.id, worker.epoch});
    case wire::Message::kLeave:
      LogInJobs(WorkerText(worker) + " leaves");
      // Goodbye.
      SayRegisterAgain(worker.peer, worker.channel->session(), worker.channel->version());
      return LoseWorker(worker);
    default: return;  // A newer peer's; the negotiated version does not need it.
  }
}

void CoordinatorMachine::SayRegisterAgain(const std::string& peer, std::uint64_t session,
                                          std::uint32_t version) {
  wire::Message message;
  message.mutable_register_again()->set_session(session);
  effects_.frames.push_back({peer, LoneFrame(message, version)});
}

bool CoordinatorMachine::Owns(const WorkerEntry& worker, const wire::AttemptId& id) const {
  return scheduler_.WorkerOf(FromWire(id)) == worker.id;
}

void CoordinatorMachine::LoseWorker(WorkerEntry& worker) {
  const WorkerLost lost{worker.id, worker.epoch};
  workers_.CloseSession(worker);
  gone_.push_back(worker.id);
  Feed(lost);
}

void CoordinatorMachine::RevokeKey(const std::string& key, TimeMs now) {
  now_ = now;
  for (const auto& [id, worker] : workers_.all()) {
    if (worker->channel == nullptr || worker->key != key) continue;
    LogInJobs(WorkerText(*worker) + " is lost: its key was revoked");
    LoseWorker(*worker);
  }
}

void CoordinatorMachine::OnProgress(const WorkerEntry& worker, const wire::Progress& progress) {
  for (const wire::Progress::Moved& moved : progress.moved()) {
    if (!Owns(worker, moved.attempt())) continue;
    JobEntry* const job = Job(moved.attempt().job());
    if (job == nullptr) continue;
    if (moved.attempt().kind() == wire::MAP)
      job->reading[{moved.attempt().task(), moved.attempt().attempt()}] = moved.input_bytes();
    Feed(AttemptProgress{FromWire(moved.attempt()), moved.fraction()});
  }
}

void CoordinatorMachine::OnMapDone(WorkerEntry& worker, const wire::MapDone& done) {
  JobEntry* const job = Job(done.attempt().job());
  const TaskKind kind = FromWire(done.attempt()).kind;
  if (job == nullptr || job->map_only() || kind == TaskKind::kReduce ||
      !Owns(worker, done.attempt()))
    return;
  Count(*job, done);
  wire::JournalRecord record;
  *record.mutable_map_done() = done;
  Feed(AttemptDone{FromWire(done.attempt()),
                   done.segment_bytes(),
                   {done.partition_hashes().begin(), done.partition_hashes().end()},
                   {done.record_hashes().begin(), done.record_hashes().end()},
                   done.partition_sizes()},
       &record);
}

void CoordinatorMachine::Count(JobEntry& job, const wire::MapDone& done) {
  if (done.attempt().kind() == wire::COMBINE) return job.CountCombine(done);
  const std::uint32_t map = done.attempt().task();
  job.reading.erase({map, done.attempt().attempt()});
  if (map >= job.counted_maps.size() || job.counted_maps[map]) return;
  job.counted_maps[map] = true;
  if (done.beside().directories_size() > 0)
    job.beside[map] = {done.attempt().attempt(), 0, PartInfoOf(done.beside())};
  Add(job.stats, done.stats());
  AddHeavyKeys(done.stats(), job.heavy_keys);
  if (++job.maps_counted == job.counted_maps.size()) job.maps_done_ms = now_;
}

void CoordinatorMachine::OnAttemptFailed(WorkerEntry& worker, const wire::AttemptFailed& failed) {
  JobEntry* const job = Job(failed.attempt().job());
  if (job == nullptr || !Owns(worker, failed.attempt())) return;
  const AttemptId id = FromWire(failed.attempt());
  AttemptFailed event{id, FromWire(failed.status()), std::nullopt};
  if (event.status.ok()) event.status = InternalError("the attempt failed without saying why");
  if (failed.has_record())
    event.record = FailedRecord{FromWire(failed.record().place()),
                                failed.record().path().substr(0, kStatusTextBytesMax)};
  job->Log(now_,
           AttemptText(id) + " on " + WorkerText(worker) + " failed: " + event.status.message());
  if (id.kind == TaskKind::kMap) job->reading.erase({id.task, id.attempt});
  if (id.kind == job->final_kind()) job->requests.erase({id.task, id.attempt});
  Feed(std::move(event));
}

void CoordinatorMachine::OnAttemptStopped(WorkerEntry& worker, const AttemptId& id) {
  if (!Owns(worker, ToWire(id))) return;
  // It may have asked for its commit just before it was told.
  if (JobEntry* const job = Job(id.job)) job->requests.erase({id.task, id.attempt});
  Feed(AttemptStopped{id});
}

void CoordinatorMachine::OnSegmentLost(WorkerEntry& worker, const wire::SegmentLost& lost) {
  JobEntry* const job = Job(lost.reduce().job());
  if (job == nullptr || !Owns(worker, lost.reduce())) return;
  job->Warn(now_, lost.message().substr(0, kStatusTextBytesMax));
  Feed(SegmentLost{FromWire(lost.reduce()), lost.map_task(), lost.map_attempt(), lost.ended()});
}

void CoordinatorMachine::OnCommitRequest(WorkerEntry& worker, const wire::CommitRequest& request) {
  JobEntry* const job = Job(request.attempt().job());
  if (job == nullptr || !Owns(worker, request.attempt())) return;
  const AttemptId id = FromWire(request.attempt());
  if (id.kind != job->final_kind()) return;
  const std::uint32_t parts = static_cast<std::uint32_t>(request.joined_size()) + 1;
  // Its join was dissolved meanwhile, and it was told to stop: its end frees its slot. A worker
  // that counts otherwise is left to the time-out of its attempt.
  if (parts != scheduler_.PartitionsOf(id)) return;
  job->requests[{id.task, id.attempt}] = request;
  wire::JournalRecord record;
  *record.mutable_commit_requested() = request;
  Feed(CommitRequested{id}, &record);
}

}  // namespace spillway
