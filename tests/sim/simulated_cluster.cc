#include "tests/sim/simulated_cluster.h"

#include <algorithm>
#include <utility>

#include "runtime/protocol/frame.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {

namespace {

constexpr TimeMs kClientPollMs = 100;
constexpr std::uint32_t kAttemptsMax = 4;
constexpr TimeMs kRestartMsMax = 300;
constexpr TimeMs kGoneMsMax = 200;  // Until another worker is where one left.
constexpr std::size_t kTraceCharsMax = 160;
constexpr const char* kNoRoom = "no room for the output";
constexpr const char* kNoSetUp = "the plugin cannot be loaded here";

std::uint64_t Mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t hash = (a ^ (b + 0x9E37'79B9'7F4A'7C15u)) * 0xBF58'476D'1CE4'E5B9u;
  return hash ^ (hash >> 29);
}

/// What a map of a job writes for a partition, whoever runs it.
std::uint64_t MapContent(JobId job, std::uint32_t map, std::uint32_t partition) {
  return Mix(Mix(job, map), partition);
}

std::uint64_t PartContent(JobId job, std::uint32_t maps, std::uint32_t partition) {
  std::uint64_t content = 0;
  for (std::uint32_t map = 0; map < maps; ++map)
    content = Mix(content, MapContent(job, map, partition));
  return content;
}

SchedulerOptions SimScheduler() {
  SchedulerOptions options;
  options.lease_ms = 2'000;
  options.stop_timeout_ms = 3'000;
  options.avoid_ms = 100;
  options.set_aside_ms = 500;
  return options;
}

}  // namespace

struct SimulatedCluster::Worker {
  std::uint64_t life = 0;  ///< Grows with each start; what an earlier one began is void.
  std::unique_ptr<WorkerMachine> machine;
  TimeMs wake = 0;
  std::uint64_t epoch = 0;
  bool paused = false;
  bool draining = false;
  std::vector<std::function<void()>> missed;  ///< While it was paused.
  TimeMs heartbeat_due = 0;

  struct Running {
    std::uint64_t executor = 0;
    std::uint32_t maps = 0;
    std::map<std::uint32_t, SegmentRef> segments;
    bool reading = false;
    std::uint64_t epoch = 0;  ///< Of the worker when it was given.
  };
  std::map<JobId, std::uint64_t> executors;  ///< Alive: job -> its number.
  std::map<AttemptId, Running> attempts;
  std::set<std::tuple<JobId, std::uint32_t, std::uint32_t>> segments;
};

SimulatedCluster::SimulatedCluster(std::uint64_t seed, const SimulationOptions& options,
                                   std::vector<Fault> faults)
    : options_(options), faults_(std::move(faults)), random_(seed), jobs_(options.jobs) {}
SimulatedCluster::~SimulatedCluster() = default;

void SimulatedCluster::At(TimeMs time, std::function<void()> what) {
  queue_.push({std::max(time, now_), order_++, std::move(what)});
}

void SimulatedCluster::Note(std::uint64_t what) { trace_hash_ = Mix(trace_hash_, Mix(now_, what)); }

void SimulatedCluster::Fail(const std::string& what) {
  if (failure_.empty()) failure_ = "at " + std::to_string(now_) + " ms: " + what;
}

std::string SimulatedCluster::Run() {
  StartCoordinator();
  for (std::uint32_t i = 0; i < options_.workers; ++i) {
    workers_.push_back(std::make_unique<Worker>());
    StartWorker(i);
  }
  for (std::uint32_t job = 0; job < options_.jobs; ++job) {
    jobs_[job].upload = random_() | 1;
    At(10 + Below(200), [this, job] { Client(job); });
  }
  ScheduleFaults();
  while (!queue_.empty() && failure_.empty() && !(AllEnded() && WhatIsLeft().empty())) {
    Timed next = queue_.top();
    queue_.pop();
    now_ = next.time;
    if (now_ > options_.end_ms) {
      Fail(AllEnded() ? WhatIsLeft() + " is left when all jobs have ended"
                      : "a job did not end\n" + Tables());
      break;
    }
    if (order_ > options_.events_max) Fail("messages cause ever more messages");
    next.what();
  }
  return failure_.empty() ? Check() : failure_;
}

bool SimulatedCluster::AllEnded() const {
  return std::all_of(jobs_.begin(), jobs_.end(),
                     [](const Job& job) { return job.ended.has_value(); });
}

std::string SimulatedCluster::WhatIsLeft() const {
  if (!staged_.empty()) return "a staged output";
  for (std::uint32_t i = 0; i < workers_.size(); ++i) {
    const Worker& worker = *workers_[i];
    const std::string on = " on worker " + std::to_string(i);
    if (!worker.segments.empty()) return "a segment" + on;
    if (!worker.executors.empty()) return "an executor" + on;
    if (!worker.attempts.empty()) return "an attempt" + on;
  }
  return "";
}

std::string SimulatedCluster::Tables() const {
  return coordinator_ == nullptr ? "" : coordinator_->scheduler().DumpTables();
}

std::string SimulatedCluster::Check() const {
  for (std::uint32_t job = 0; job < jobs_.size(); ++job) {
    const wire::JobState& state = *jobs_[job].ended;
    if (state.status().code() != 0) {
      // What fails on one worker after the other fails the job, and then nothing is published.
      const bool expected = setups_failed_ > 0 && jobs_[job].publications == 0 &&
                            state.status().message().find(kNoSetUp) != std::string::npos;
      if (!expected) return "a job failed: " + state.status().message();
      continue;
    }
    if (jobs_[job].publications == 0) return "a job ended without being published";
  }
  return "";
}

// --- The coordinator.

void SimulatedCluster::StartCoordinator() {
  CoordinatorMachineOptions options;
  options.scheduler = SimScheduler();
  options.heartbeat_ms = 200;
  options.authenticated = false;
  options.random_seed = random_();
  options.epoch = ++coordinator_life_;
  options.owner = "sim";
  options.small_job_bytes_max = 0;
  coordinator_wake_ = 0;
  coordinator_ = std::make_unique<CoordinatorMachine>(options, FetchSecrets());
  for (const std::string& summary : history_) coordinator_->RestoreEnded(summary);
  std::vector<std::pair<std::uint64_t, std::string>> records;
  for (const auto& [job, rows] : journal_) records.insert(records.end(), rows.begin(), rows.end());
  coordinator_->ReserveJobNumbers(last_ended_job_);
  std::sort(records.begin(), records.end());
  for (const auto& [sequence, record] : records) {
    const Status restored = coordinator_->Restore(record);
    if (!restored.ok()) Fail("the journal cannot be restored: " + restored.message());
  }
  coordinator_->Resume(now_);
  CarryOutCoordinator();
}

void SimulatedCluster::CarryOutCoordinator() {
  if (coordinator_ == nullptr) return;
  Effects effects = coordinator_->TakeEffects(now_);
  if (!CommitTurn(effects)) return;
  for (const SendFrame& send : effects.frames) {
    Note(send.frame.size());
    if (trace_) TraceFrame("coordinator to " + send.peer, send.frame);
    if (send.peer[0] == 'c') {  // A client: its network is good.
      TellClient(static_cast<std::uint32_t>(std::stoul(send.peer.substr(1))), send.frame);
      continue;
    }
    NoteGrants(send.frame);
    const auto index = static_cast<std::uint32_t>(std::stoul(send.peer.substr(1)));
    const std::uint64_t life = std::stoull(send.peer.substr(send.peer.find('.') + 1));
    Send(
        [this, index, life, frame = send.frame] {
          Worker& worker = *workers_[index];
          if (worker.life != life || worker.machine == nullptr) return;
          worker.machine->OnCoordinatorFrame(frame, now_);
          CarryOut(index);
        },
        index);
  }
  for (const OutputOrder& order : effects.outputs)
    At(now_ + 1 + Below(20), [this, order, life = coordinator_life_] {
      if (life == coordinator_life_ && coordinator_ != nullptr) KeepOutput(order);
    });
  WakeCoordinator();
}

bool SimulatedCluster::CommitTurn(Effects& effects) {
  if (effects.records.empty() && effects.archived.empty()) return true;
  // The disk is full or broken, and nothing of the turn is in the journal; or the process dies with
  // all of it there. In both cases nobody hears of it.
  const bool fails = options_.commit_failure_permille > 0 && now_ < options_.faults_end_ms &&
                     Chance(options_.commit_failure_permille);
  if (!fails || Chance(500)) {
    unsynced_.push_back({std::move(effects.records), std::move(effects.archived)});
    if (effects.durable) SyncJournal(unsynced_.size());
  }
  if (!fails) return true;
  ++commits_failed_;
  if (trace_) trace_(std::to_string(now_) + " the coordinator's commit fails");
  CrashCoordinator({now_, Fault::Kind::kCoordinatorCrash, 0, Below(kRestartMsMax)});
  return false;
}

void SimulatedCluster::SyncJournal(std::size_t turns) {
  const auto end = unsynced_.begin() + static_cast<std::ptrdiff_t>(turns);
  for (auto turn = unsynced_.begin(); turn != end; ++turn) {
    for (AppendRecord& record : turn->records)
      journal_[record.job].push_back({journal_sequence_++, std::move(record.bytes)});
    for (ArchiveJob& job : turn->archived) {
      journal_.erase(job.job);
      history_.push_back(std::move(job.summary));
      last_ended_job_ = std::max(last_ended_job_, job.job);
    }
  }
  unsynced_.erase(unsynced_.begin(), end);
}

void SimulatedCluster::TellClient(std::uint32_t job, const std::string& bytes) {
  const auto frame = ParseFrame(bytes);
  const auto message = ParseMessage(frame->messages(0));
  const wire::Reply& reply = message->reply();
  // Or it has joined the job of before a restart, whose output is opened only now.
  const bool no_room =
      (reply.has_status() && reply.status().message() == kNoRoom) ||
      (reply.has_job() && reply.job().ended() && reply.job().status().message() == kNoRoom);
  if (no_room) {
    jobs_[job].upload = random_() | 1;  // It submits again.
    jobs_[job].upload_key.clear();
    return;
  }
  if (reply.has_status()) Fail("a client is refused: " + reply.status().message());
  if (reply.has_submitted()) jobs_[job].upload_key = reply.submitted().job_id();
  if (reply.has_job() && reply.job().ended()) jobs_[job].ended = reply.job();
}

/// A grant that somebody was told is the commit: no other attempt is ever granted, whatever the
/// coordinator has lost since.
void SimulatedCluster::NoteGrants(const std::string& bytes) {
  const auto frame = ParseFrame(bytes);
  for (const std::string& text : frame->messages()) {
    const auto message = ParseMessage(text);
    if (!message.ok() || !message->has_commit_grant()) continue;
    const AttemptId id = FromWire(message->commit_grant().attempt());
    const auto [known, is_new] = granted_.emplace(std::pair(id.job, id.task), id.attempt);
    if (!is_new && known->second != id.attempt)
      Fail("part " + std::to_string(id.task) + " of job " + std::to_string(id.job) +
           " was granted to attempt " + std::to_string(known->second) + ", and now to " +
           std::to_string(id.attempt));
  }
}

void SimulatedCluster::WakeCoordinator() {
  const auto due = coordinator_->next_tick_ms();
  if (!due.has_value()) return;
  const TimeMs time = std::max(*due, now_ + 1);
  if (coordinator_wake_ > now_ && coordinator_wake_ <= time) return;
  coordinator_wake_ = time;
  At(time, [this, life = coordinator_life_] {
    if (life != coordinator_life_ || coordinator_ == nullptr) return;
    coordinator_->Tick(now_);
    CarryOutCoordinator();
  });
}

void SimulatedCluster::KeepOutput(const OutputOrder& order) {
  Status status;
  if (order.kind == OutputOrder::Kind::kOpen) {
    const bool fails = options_.open_failure_permille > 0 && now_ < options_.faults_end_ms &&
                       Chance(options_.open_failure_permille);
    if (fails) {
      ++opens_failed_;
      staged_.erase(order.job);  // What an earlier try has made is removed first.
      status = ResourceExhausted(kNoRoom);
    } else {
      staged_.insert(order.job);
    }
  } else if (order.kind == OutputOrder::Kind::kDrop) {
    staged_.erase(order.job);
    return;
  } else {
    Job& job = jobs_[static_cast<std::size_t>(std::stoul(order.staging.output_dir.substr(1)))];
    ++job.publications;
    staged_.erase(order.job);
    for (const CommittedPart& part : order.parts) {
      const auto file = part_files_.find({order.job, part.part, part.attempt});
      if (file == part_files_.end()) return Fail("a part that was granted is not there");
      if (file->second != PartContent(order.job, options_.map_only ? 1 : options_.maps, part.part))
        return Fail("a part has a wrong content");
      const auto [known, is_new] = job.published.emplace(part.part, file->second);
      if (!is_new && known->second != file->second) return Fail("a published part changed");
    }
  }
  coordinator_->OnOutputDone(order, status, "/staging", now_);
  CarryOutCoordinator();
}

// --- The network.

void SimulatedCluster::Send(std::function<void()> deliver, std::uint32_t index) {
  const bool faulty = now_ < options_.faults_end_ms;
  if (cut_.contains(index)) return;
  if (faulty && Chance(options_.lose_permille)) return;
  const int copies = faulty && Chance(options_.double_permille) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy)
    // A healed network keeps the order, as a connection does.
    At(now_ + 1 + Below(faulty ? options_.delay_ms_max : 1), [this, index, deliver] {
      if (cut_.contains(index)) return;
      Worker& worker = *workers_[index];
      if (worker.paused) {
        worker.missed.push_back(deliver);
      } else {
        deliver();
      }
    });
}

// --- Workers.

void SimulatedCluster::StartWorker(std::uint32_t index) {
  Worker& worker = *workers_[index];
  const std::uint64_t life = worker.life + 1;
  worker = Worker();
  worker.life = life;
  WorkerMachineOptions options;
  options.details.set_incarnation(random_() | 1);
  options.details.set_name("w" + std::to_string(index));
  options.details.set_host("h" + std::to_string(index));
  options.details.set_slots(options_.slots);
  options.link.register_retry_ms = 100;
  if (options_.older_workers && index % 2 == 0) options.link.version_max = kProtocolVersion - 1;
  options.stop_timeout_ms = 500;
  options.executors_max = options_.executors_max;
  worker.machine = std::make_unique<WorkerMachine>(options);
  CarryOut(index);
}

void SimulatedCluster::CarryOut(std::uint32_t index) {
  Worker& worker = *workers_[index];
  if (worker.machine == nullptr) return;
  WorkerEffects effects = worker.machine->TakeEffects(now_);
  if (worker.machine->registered()) by_id_[worker.machine->id()] = index;
  const std::uint64_t life = worker.life;
  const auto end_executor = [&](JobId job) {
    worker.executors.erase(job);
    std::erase_if(worker.attempts, [&](const auto& entry) { return entry.first.job == job; });
  };
  for (const JobId job : effects.kill) {
    if (!worker.executors.contains(job)) continue;
    end_executor(job);
    At(now_ + 1, [this, index, life, job] {
      if (workers_[index]->life != life) return;
      workers_[index]->machine->OnExecutorEnded(job, {}, "killed", now_);
      CarryOut(index);
    });
  }
  for (const JobId job : effects.remove) {
    end_executor(job);
    std::erase_if(worker.segments, [&](const auto& s) { return std::get<0>(s) == job; });
  }
  if (effects.registered.has_value()) worker.epoch = effects.registered->epoch();
  for (const auto& [id, running] : worker.attempts)
    if (running.epoch != worker.epoch)
      Fail("worker " + std::to_string(index) + " still runs what was given to it in epoch " +
           std::to_string(running.epoch) + "; it is in " + std::to_string(worker.epoch));
  for (const auto& [start, number] : effects.prepare)
    At(now_ + 1 + Below(50), [this, index, life, job = start.job(), number = number] {
      if (workers_[index]->life == life) Prepare(index, job, number);
    });
  for (const JobId job : effects.spawn) {
    worker.executors[job] = random_();
    wire::Message ready;
    ready.mutable_executor_ready()->set_job(job);
    At(now_ + 1 + Below(10), [this, index, life, job, ready, number = worker.executors[job]] {
      if (workers_[index]->life != life) return;
      const auto found = workers_[index]->executors.find(job);
      if (found != workers_[index]->executors.end() && found->second == number)
        ToWorkerMachine(index, job, ready);
    });
  }
  for (const auto& discard : effects.discards)
    worker.segments.erase({discard.job, discard.segment.map_task, discard.segment.attempt});
  for (const auto& [job, message] : effects.to_executors) Executor(index, job, message);
  if (worker.attempts.size() > options_.slots)
    Fail("worker " + std::to_string(index) + " runs " + std::to_string(worker.attempts.size()) +
         " attempts at once; it has " + std::to_string(options_.slots) + " slots");
  for (std::string& frame : effects.frames) {
    Note(frame.size());
    if (trace_) TraceFrame("worker " + std::to_string(index) + " to coordinator", frame);
    Send(
        [this, index, life, frame = std::move(frame)] {
          if (coordinator_ == nullptr) return;
          coordinator_->OnFrame("w" + std::to_string(index) + "." + std::to_string(life),
                                Role::kNone, frame, now_);
          CarryOutCoordinator();
        },
        index);
  }
  if (!effects.refused.ok()) Fail("a worker is refused: " + effects.refused.message());
  if (effects.exit) {
    ++workers_gone_;
    return EndWorker(index, Below(kGoneMsMax));
  }
  WakeWorker(index);
}

void SimulatedCluster::Prepare(std::uint32_t index, JobId job, std::uint64_t number) {
  Status status;
  const bool faulty = now_ < options_.faults_end_ms;
  if (faulty && Chance(100)) status = Unavailable("away");
  if (faulty && options_.setup_failure_permille > 0 && Chance(options_.setup_failure_permille)) {
    ++setups_failed_;
    status = Aborted(kNoSetUp);
  }
  workers_[index]->machine->OnPrepared(job, number, status, now_);
  CarryOut(index);
}

/// The process ends, and another one comes in its place.
void SimulatedCluster::EndWorker(std::uint32_t index, TimeMs down_ms) {
  const std::uint64_t life = workers_[index]->life + 1;
  *workers_[index] = Worker();
  workers_[index]->life = life;
  At(now_ + down_ms, [this, index] { StartWorker(index); });
}

void SimulatedCluster::WakeWorker(std::uint32_t index) {
  Worker& worker = *workers_[index];
  TimeMs time = worker.heartbeat_due;
  if (const auto due = worker.machine->next_tick_ms()) time = std::min(time, *due);
  time = std::max(time, now_ + 1);
  if (worker.wake > now_ && worker.wake <= time) return;
  worker.wake = time;
  At(time, [this, index, life = worker.life] {
    Worker& w = *workers_[index];
    if (w.life != life || w.machine == nullptr || w.paused) return;
    if (now_ >= w.heartbeat_due) {
      w.heartbeat_due = now_ + w.machine->heartbeat_ms();
      w.machine->Heartbeat({}, now_);
    }
    w.machine->Tick(now_);
    CarryOut(index);
  });
}

void SimulatedCluster::ToWorkerMachine(std::uint32_t index, JobId job,
                                       const wire::Message& message) {
  Worker& worker = *workers_[index];
  if (worker.paused) {
    worker.missed.push_back([this, index, job, message] { ToWorkerMachine(index, job, message); });
    return;
  }
  worker.machine->OnExecutorMessage(job, message, now_);
  CarryOut(index);
}

// --- Executors.

void SimulatedCluster::Executor(std::uint32_t index, JobId job, const wire::Message& message) {
  Worker& worker = *workers_[index];
  const auto executor = worker.executors.find(job);
  if (executor == worker.executors.end()) return;
  const std::uint64_t life = executor->second;
  const std::uint64_t work_ms = 5 + Below(60);
  if (message.has_start_map()) {
    const wire::StartMap start = message.start_map();
    if (!worker.attempts
             .try_emplace(FromWire(start.attempt()),
                          Worker::Running{life, 0, {}, false, worker.epoch})
             .second)
      return;
    At(now_ + work_ms, [this, index, life, start] { FinishMap(index, life, start); });
  } else if (message.has_start_reduce()) {
    const AttemptId id = FromWire(message.start_reduce().attempt());
    worker.attempts.try_emplace(
        id, Worker::Running{life, message.start_reduce().maps(), {}, false, worker.epoch});
    TryReduce(index, id);
  } else if (message.has_segments_available()) {
    const AttemptId id = FromWire(message.segments_available().reduce());
    const auto found = worker.attempts.find(id);
    if (found == worker.attempts.end()) return;
    for (const wire::SegmentRef& segment : message.segments_available().segments())
      found->second.segments[segment.map_task()] = FromWire(segment);
    TryReduce(index, id);
  } else if (message.has_segment_invalidated()) {
    const auto found = worker.attempts.find(FromWire(message.segment_invalidated().reduce()));
    if (found != worker.attempts.end() && !found->second.reading)
      found->second.segments.erase(message.segment_invalidated().segment().map_task());
  } else if (message.has_stop_attempt() || message.has_commit_refuse()) {
    const AttemptId id = FromWire(message.has_stop_attempt() ? message.stop_attempt().attempt()
                                                             : message.commit_refuse().attempt());
    worker.attempts.erase(id);
    if (options_.map_only || id.kind == TaskKind::kReduce)
      part_files_.erase({id.job, id.task, id.attempt});
    wire::Message stopped;
    *stopped.mutable_attempt_stopped()->mutable_attempt() = ToWire(id);
    At(now_ + 1, [this, index, life, job, stopped] {
      const auto alive = workers_[index]->executors.find(job);
      if (alive != workers_[index]->executors.end() && alive->second == life)
        ToWorkerMachine(index, job, stopped);
    });
  } else if (message.has_commit_grant()) {
    worker.attempts.erase(FromWire(message.commit_grant().attempt()));
  }
}

void SimulatedCluster::FinishMap(std::uint32_t index, std::uint64_t life,
                                 const wire::StartMap& start) {
  Worker& worker = *workers_[index];
  const AttemptId id = FromWire(start.attempt());
  const auto found = worker.attempts.find(id);
  if (found == worker.attempts.end() || found->second.executor != life) return;
  wire::Message message;
  // One failure less than ends the job.
  std::uint32_t& failures = map_failures_[{id.job, id.task}];
  if (now_ < options_.faults_end_ms && failures + 1 < kAttemptsMax &&
      Chance(options_.attempt_failure_permille)) {
    ++failures;
    worker.attempts.erase(found);
    *message.mutable_attempt_failed()->mutable_attempt() = start.attempt();
    *message.mutable_attempt_failed()->mutable_status() = ToWire(Unavailable("a passing failure"));
    return ToWorkerMachine(index, id.job, message);
  }
  ++maps_run_;
  if (options_.map_only) {
    part_files_[{id.job, id.task, id.attempt}] = PartContent(id.job, 1, id.task);
    *message.mutable_commit_request()->mutable_attempt() = start.attempt();
  } else {
    worker.attempts.erase(found);
    worker.segments.insert({id.job, id.task, id.attempt});
    *message.mutable_map_done()->mutable_attempt() = start.attempt();
    for (std::uint32_t part = 0; part < options_.reduces; ++part) {
      const std::uint64_t content = MapContent(id.job, id.task, part);
      message.mutable_map_done()->add_partition_hashes(content);
      message.mutable_map_done()->mutable_partition_sizes()->push_back(
          static_cast<char>(content % 100));
    }
  }
  ToWorkerMachine(index, id.job, message);
}

void SimulatedCluster::TryReduce(std::uint32_t index, const AttemptId& id) {
  Worker::Running& running = workers_[index]->attempts.at(id);
  if (running.reading || running.segments.size() < running.maps) return;
  running.reading = true;
  At(now_ + 5 + Below(60),
     [this, index, id, life = running.executor] { FinishReduce(index, life, id); });
}

void SimulatedCluster::FinishReduce(std::uint32_t index, std::uint64_t life, const AttemptId& id) {
  Worker& worker = *workers_[index];
  const auto found = worker.attempts.find(id);
  if (found == worker.attempts.end() || found->second.executor != life) return;
  wire::Message message;
  std::uint64_t content = 0;
  for (const auto& [map, segment] : found->second.segments) {
    const auto source = by_id_.find(segment.worker);
    const bool reached =
        source != by_id_.end() && (source->second == index || !cut_.contains(source->second)) &&
        workers_[source->second]->machine != nullptr &&
        workers_[source->second]->machine->id() == segment.worker &&
        workers_[source->second]->segments.contains({id.job, map, segment.attempt});
    if (!reached) {
      wire::SegmentLost& lost = *message.mutable_segment_lost();
      *lost.mutable_reduce() = ToWire(id);
      lost.set_map_task(map);
      lost.set_map_attempt(segment.attempt);
      lost.set_ended(true);
      worker.attempts.erase(found);
      return ToWorkerMachine(index, id.job, message);
    }
    content = Mix(content, MapContent(id.job, map, id.task));
  }
  part_files_[{id.job, id.task, id.attempt}] = content;
  *message.mutable_commit_request()->mutable_attempt() = ToWire(id);
  ToWorkerMachine(index, id.job, message);
}

// --- Clients and faults.

void SimulatedCluster::Client(std::uint32_t job) {
  At(now_ + kClientPollMs, [this, job] { Client(job); });
  if (jobs_[job].ended.has_value() || coordinator_ == nullptr) return;
  wire::Message message;
  wire::Request& request = *message.mutable_request();
  request.set_id(1);
  if (jobs_[job].upload_key.empty()) {
    wire::JobSpec spec;
    spec.set_name("sim");
    spec.set_submission_key("job-" + std::to_string(job));
    spec.mutable_plugin()->set_path("/plugin.so");
    spec.mutable_plugin()->set_sha256(std::string(32, 'x'));
    spec.set_output_dir("/" + std::to_string(job));
    spec.add_inputs()->set_path("/in");
    for (std::uint32_t map = 0; map < options_.maps; ++map) {
      wire::MapInput& input = *spec.add_maps();
      input.set_bytes(1);
      input.add_ranges()->set_bytes(1);
    }
    spec.set_input_bytes(options_.maps);
    spec.set_map_only(options_.map_only);
    spec.set_parts(options_.map_only ? options_.maps : options_.reduces);
    spec.mutable_limits()->set_attempts_max(kAttemptsMax);
    spec.mutable_limits()->set_speculate(options_.speculate);
    const std::string bytes = spec.SerializeAsString();
    request.mutable_submit()->set_upload(jobs_[job].upload + coordinator_life_);
    request.mutable_submit()->set_total_bytes(bytes.size());
    request.mutable_submit()->set_bytes(bytes);
  } else {
    request.mutable_job()->set_job_id(jobs_[job].upload_key);
  }
  coordinator_->OnFrame("c" + std::to_string(job), Role::kNone, LoneFrame(message), now_);
  CarryOutCoordinator();
}

std::uint32_t SimulatedCluster::jobs_failed() const {
  return static_cast<std::uint32_t>(std::count_if(jobs_.begin(), jobs_.end(), [](const Job& job) {
    return job.ended.has_value() && job.ended->status().code() != 0;
  }));
}

void SimulatedCluster::ScheduleFaults() {
  for (const Fault& fault : faults_) At(fault.time, [this, fault] { Strike(fault); });
}

void SimulatedCluster::Strike(const Fault& fault) {
  if (trace_) trace_(FaultText(fault));
  switch (fault.kind) {
    case Fault::Kind::kCoordinatorCrash: return CrashCoordinator(fault);
    case Fault::Kind::kPowerCut: return CutPower(fault);
    case Fault::Kind::kWorkerCrash: return CrashWorker(fault);
    case Fault::Kind::kWorkerPause: return PauseWorker(fault);
    case Fault::Kind::kExecutorCrash: return CrashExecutor(fault);
    case Fault::Kind::kPartition: return CutWorker(fault);
    case Fault::Kind::kWorkerDrain: return DrainWorker(fault);
    case Fault::Kind::kWorkerLeave: return DismissWorker(fault);
  }
}

void SimulatedCluster::CrashCoordinator(const Fault& fault) {
  if (coordinator_ == nullptr) return;
  SyncJournal(unsynced_.size());  // The kernel has it.
  coordinator_.reset();
  ++coordinator_restarts_;
  At(now_ + fault.lasts_ms, [this] { StartCoordinator(); });
}

/// Turns are lost from the last one back, as far as the last that had to be durable: a transaction
/// that was torn counts as none.
void SimulatedCluster::CutPower(const Fault& fault) {
  if (coordinator_ == nullptr) return;
  SyncJournal(static_cast<std::size_t>(Below(unsynced_.size() + 1)));
  turns_lost_ += static_cast<std::uint32_t>(unsynced_.size());
  unsynced_.clear();
  CrashCoordinator(fault);
}

void SimulatedCluster::CrashWorker(const Fault& fault) {
  if (workers_[fault.worker]->machine != nullptr) EndWorker(fault.worker, fault.lasts_ms);
}

void SimulatedCluster::PauseWorker(const Fault& fault) {
  Worker& paused = *workers_[fault.worker];
  if (paused.machine == nullptr || paused.paused) return;
  paused.paused = true;
  At(now_ + fault.lasts_ms, [this, index = fault.worker, life = paused.life] {
    Worker& worker = *workers_[index];
    if (worker.life != life) return;
    worker.paused = false;
    for (const auto& what : std::exchange(worker.missed, {}))
      if (worker.life == life) what();
    if (worker.life == life) CarryOut(index);
  });
}

void SimulatedCluster::CrashExecutor(const Fault& fault) {
  Worker& worker = *workers_[fault.worker];
  if (worker.machine == nullptr || worker.paused || worker.executors.empty()) return;
  const JobId job = worker.executors.begin()->first;
  worker.executors.erase(job);
  std::erase_if(worker.attempts, [&](const auto& entry) { return entry.first.job == job; });
  worker.machine->OnExecutorEnded(job, {}, "crashed", now_);
  CarryOut(fault.worker);
}

void SimulatedCluster::CutWorker(const Fault& fault) {
  cut_.insert(fault.worker);
  At(now_ + fault.lasts_ms, [this, index = fault.worker] { cut_.erase(index); });
}

void SimulatedCluster::DrainWorker(const Fault& fault) {
  Worker& worker = *workers_[fault.worker];
  if (worker.machine == nullptr || worker.paused || worker.draining) return;
  // When all drain, nobody can do the work that would end the draining.
  const auto staying =
      std::count_if(workers_.begin(), workers_.end(), [](const auto& w) { return !w->draining; });
  if (staying < 2) return;
  worker.draining = true;
  worker.machine->Drain(now_);
  CarryOut(fault.worker);
}

void SimulatedCluster::DismissWorker(const Fault& fault) {
  Worker& worker = *workers_[fault.worker];
  if (worker.machine == nullptr || worker.paused || worker.draining) return;
  worker.machine->Leave(now_);
  CarryOut(fault.worker);
}

void SimulatedCluster::TraceFrame(const std::string& way, const std::string& bytes) {
  const auto frame = ParseFrame(bytes);
  std::string line = std::to_string(now_) + " " + way;
  if (!frame.ok()) return trace_(line + " a frame that cannot be read");
  line += " session " + std::to_string(frame->session() % 10'000) + " first " +
          std::to_string(frame->first_sequence()) + " acknowledged " +
          std::to_string(frame->acknowledged());
  trace_(line);
  for (const std::string& text : frame->messages()) {
    const auto message = ParseMessage(text);
    if (message.ok()) trace_("      " + message->ShortDebugString().substr(0, kTraceCharsMax));
  }
}

}  // namespace spillway
