#include "tests/sim/simulated_cluster.h"

#include <algorithm>
#include <utility>

#include "runtime/protocol/frame.h"
#include "runtime/protocol/wire_values.h"
#include "tests/sim/simulated_worker.h"

namespace spillway {

namespace {

constexpr TimeMs kClientPollMs = 100;
constexpr TimeMs kKillAgainMs = 500;
constexpr TimeMs kTimeoutMs = 500;  // The coordinator waits 10 s longer.
constexpr std::uint32_t kAttemptsMax = 4;
constexpr std::uint64_t kQuestion = 1, kKill = 2;  // Of requests.
constexpr TimeMs kRestartMsMax = 300;
constexpr TimeMs kPowerCutMsMax = 40;  // Behind a turn that may be lost.
constexpr std::size_t kTraceCharsMax = 160;
constexpr const char* kNoRoom = "no room for the output";
constexpr const char* kNoSetUp = "the plugin cannot be loaded here";

SchedulerOptions SimScheduler() {
  SchedulerOptions options;
  options.lease_ms = 2'000;
  options.stop_timeout_ms = 3'000;
  options.avoid_ms = 100;
  options.set_aside_ms = 500;
  options.reduce_plan = ReducePlanOptions::Tiny();
  options.reduce_plan.join_bytes_max = 64 << 10;
  return options;
}

}  // namespace

SimulatedCluster::SimulatedCluster(std::uint64_t seed, const SimulationOptions& options,
                                   std::vector<Fault> faults)
    : options_(options), faults_(std::move(faults)), random_(seed), jobs_(options.jobs) {}
SimulatedCluster::~SimulatedCluster() = default;

ChannelLimits SimulatedCluster::Channel() const {
  ChannelLimits limits;
  if (options_.small_channels) {
    limits.frame_bytes_max = 200;
    limits.window_bytes = 600;
    limits.resend_ms = 200;
  }
  return limits;
}

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
    jobs_[job].doomed = Chance(options_.doomed_permille);
    jobs_[job].varying = Chance(options_.varying_permille);
    jobs_[job].loop = !jobs_[job].doomed && Chance(options_.loop_permille);
    if (Chance(options_.kill_permille)) jobs_[job].kill_ms = Below(options_.faults_end_ms);
    At(10 + Below(200), [this, job] { Client(job); });
  }
  ScheduleFaults();
  while (!queue_.empty() && failure_.empty() && !(AllEnded() && WhatIsLeft().empty())) {
    // The order of what is moved from does not change.
    Timed next = std::move(const_cast<Timed&>(queue_.top()));
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
    if (worker.draining) return "a drain" + on;
  }
  if (coordinator_ == nullptr) return "";
  const ClusterView view = coordinator_->scheduler().ViewCluster();
  if (view.jobs > 0) return "a job in the scheduler";
  if (view.slots_taken > 0) return "a taken slot in the scheduler";
  return "";
}

std::string SimulatedCluster::JobTables() const {
  const std::string tables = "\n" + Tables();
  return tables.substr(0, tables.find("\nworker "));
}

std::string SimulatedCluster::Tables() const {
  return coordinator_ == nullptr ? "" : coordinator_->scheduler().DumpTables();
}

std::string SimulatedCluster::Check() const {
  for (const Job& job : jobs_)
    if (const std::string wrong = CheckEnd(job); !wrong.empty()) return wrong;
  if (options_.RunsMapsOnce() && maps_run_ != options_.maps * options_.jobs)
    return std::to_string(maps_run_) + " maps were run, and nothing that was done was lost";
  return "";
}

std::string SimulatedCluster::CheckEnd(const Job& job) const {
  const wire::JobState& state = *job.ended;
  const std::string& why = state.status().message();
  if (state.status().code() != 0) {
    if (job.published_by.has_value()) return "a job failed that was published: " + why;
    const auto says = [&](const char* text) { return why.find(text) != std::string::npos; };
    const bool expected =
        (job.kill_ms.has_value() && says("cancelled")) || (job.varying && says("deterministic")) ||
        // What fails on one worker after the other fails the job.
        (setups_failed_ > 0 && says(kNoSetUp)) || (job.loop && says("submit it again"));
    if (expected) return "";
    if (!job.doomed) return "a job failed: " + why;
    if (setups_failed_ > 0) return "";
    std::uint32_t failures = 0;
    for (const auto& [task, times] : failures_) failures = std::max(failures, times);
    return failures >= kAttemptsMax ? "" : "a job failed before its task's last attempt";
  }
  if (job.doomed) return "a job succeeded that has a task which always fails";
  if (!job.published_by.has_value()) return "a job ended without being published";
  const wire::TaskStats& stats = state.stats();
  // What a map did may be forgotten with the power, when its output is no more needed.
  const bool forgets = options_.power_cut_ms + options_.turn_loss_permille > 0 &&
                       stats.input_records() < options_.maps;
  if ((stats.input_records() != options_.maps && !forgets) ||
      stats.output_records() != PartsOf(job))
    return "of " + std::to_string(options_.maps) + " maps " +
           std::to_string(stats.input_records()) + " were counted, and of " +
           std::to_string(PartsOf(job)) + " parts " + std::to_string(stats.output_records());
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
  options.channel = Channel();
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
  if (former_tables_.has_value() && JobTables() != *former_tables_)
    Fail("a restored coordinator stands where the former one did not:\n" + *former_tables_ +
         "\n--- and now" + JobTables());
  former_tables_.reset();
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
    const auto index = static_cast<std::uint32_t>(std::stoul(send.peer.substr(1)));
    CheckFrame(send.frame, index);
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
  for (const OutputOrder& order : effects.outputs) {
    const auto client = static_cast<std::uint32_t>(std::stoul(order.staging.output_dir.substr(1)));
    clients_[order.job] = client;
    if (order.kind == OutputOrder::Kind::kCommit) jobs_[client].publication_ordered = true;
    At(now_ + 1 + Below(20), [this, order, life = coordinator_life_] {
      if (life == coordinator_life_ && coordinator_ != nullptr) KeepOutput(order);
    });
  }
  WakeCoordinator();
}

bool SimulatedCluster::CommitTurn(Effects& effects) {
  if (effects.records.empty() && effects.archived.empty()) return true;
  // The disk is full or broken, and nothing of the turn is in the journal; or the process dies with
  // all of it there. In both cases nobody hears of it.
  const bool fails = options_.commit_failure_permille > 0 && now_ < options_.faults_end_ms &&
                     Chance(options_.commit_failure_permille);
  if (!effects.durable && now_ < options_.faults_end_ms && Chance(options_.turn_loss_permille))
    At(now_ + 1 + Below(kPowerCutMsMax), [this] {
      CutPower({now_, Fault::Kind::kPowerCut, 0, Below(kRestartMsMax)});
    });
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

void SimulatedCluster::TellClient(std::uint32_t index, const std::string& bytes) {
  Job& job = jobs_[index];
  if (now_ < options_.faults_end_ms && Chance(options_.client_lose_permille)) return;
  const auto frame = ParseFrame(bytes);
  const auto message = ParseMessage(frame->messages(0));
  const wire::Reply& reply = message->reply();
  // Or it has joined the job of before a restart, whose output is opened only now.
  const bool no_room =
      (reply.has_status() && reply.status().message() == kNoRoom) ||
      (reply.has_job() && reply.job().ended() && reply.job().status().message() == kNoRoom);
  if (no_room) {
    job.upload = random_() | 1;  // It submits again.
    job.upload_key.clear();
    ++job.submissions;
    job.killed = false;
    return;
  }
  if (reply.has_status()) Fail("a client is refused: " + reply.status().message());
  if (reply.id() == kKill && !job.publication_ordered) job.killed = true;
  if (reply.has_submitted()) {
    job.upload_key = reply.submitted().job_id();
    // The upload's job is over; the next one joins it by its key, as runtime/client does.
    if (job.upload_key.empty()) job.upload = random_() | 1;
  }
  if (reply.has_job() && reply.job().ended()) job.ended = reply.job();
}

/// Of frames in both directions. A grant that somebody was told is the commit: no other attempt is
/// ever granted, whatever the coordinator has lost since.
void SimulatedCluster::CheckFrame(const std::string& bytes, std::uint32_t worker) {
  static const std::string grant_tag = "\xEA\x01";  // Most frames have none, and are not parsed.
  const bool is_older = options_.older_workers && worker % 4 == 0;
  if (!is_older && bytes.find(grant_tag) == std::string::npos) return;
  const auto frame = ParseFrame(bytes);
  if (is_older && frame->session() != 0 && frame->messages_size() > 1)
    Fail("a frame with several messages in version " + std::to_string(frame->version()));
  for (const std::string& text : frame->messages()) {
    const auto message = ParseMessage(text);
    if (!message.ok() || !message->has_commit_grant()) continue;
    const AttemptId id = FromWire(message->commit_grant().attempt());
    const auto joined = joined_.find(id);
    const std::uint32_t parts = joined == joined_.end() ? 1 : joined->second;
    for (std::uint32_t part = id.task; part < id.task + parts; ++part) {
      const auto [known, is_new] = granted_.emplace(std::pair(id.job, part), id.attempt);
      if (!is_new && known->second != id.attempt)
        Fail("part " + std::to_string(part) + " of job " + std::to_string(id.job) +
             " was granted to attempt " + std::to_string(known->second) + ", and now to " +
             std::to_string(id.attempt));
    }
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
    staged_.erase(order.job);
    Publish(order);
  }
  coordinator_->OnOutputDone(order, status, "/staging", now_);
  CarryOutCoordinator();
}

/// Once, or again by a coordinator that does not know whether the one before it has.
void SimulatedCluster::Publish(const OutputOrder& order) {
  Job& job = JobOf(order.job);
  if (job.killed) return Fail("a job was published that its client was told is killed");
  if (job.published_by.value_or(order.job) != order.job)
    return Fail("two jobs published the output of one client");
  job.published_by = order.job;
  const std::size_t parts = job.loop ? 1 : PartsOf(job);  // Of a loop the first seat's.
  if (order.parts.size() != parts)
    return Fail(std::to_string(order.parts.size()) + " parts were published of " +
                std::to_string(parts));
  std::map<std::uint32_t, std::uint32_t> maps;  // The attempt of each that was read.
  for (const CommittedPart& part : order.parts) {
    const auto file = part_files_.find({order.job, part.part, part.attempt});
    if (file == part_files_.end()) return Fail("a part that was granted is not there");
    const auto& [content, read] = file->second;
    if (part.info.xxh3 != content) return Fail("a part is not what the manifest says");
    if (!job.varying && content != WantedContent(order.job, part.part))
      return Fail("a part has a wrong content");
    for (const auto& [map, attempt] : read)
      if (job.varying && maps.emplace(map, attempt).first->second != attempt)
        return Fail("two versions of map " + std::to_string(map) + " are in one output");
    const auto [known, is_new] = job.published.emplace(part.part, content);
    if (!is_new && known->second != content) return Fail("a published part changed");
  }
  if (job.published.size() != parts) Fail("a part was published twice");
}

std::uint64_t SimulatedCluster::WantedContent(JobId job, std::uint32_t part) {
  if (JobOf(job).loop) return part == 0 ? LoopResult(job) : 0;
  const AttemptId first{job, TaskKind::kMap, part, 0};
  if (options_.map_only) return MapContent(first, 0);
  std::uint64_t content = 0;
  for (std::uint32_t map = 0; map < options_.maps; ++map)
    content += MapContent({job, TaskKind::kMap, map, 0}, part);
  return content;
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

// --- Clients and faults.

wire::JobSpec SimulatedCluster::SpecOf(std::uint32_t job) const {
  wire::JobSpec spec;
  spec.set_name("sim");
  spec.set_submission_key(std::string(kOwnKeyPrefix) + std::to_string(job) + "-" +
                          std::to_string(jobs_[job].submissions));
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
  spec.set_map_only(options_.map_only || jobs_[job].loop);
  spec.set_parts(PartsOf(jobs_[job]));
  spec.set_associative(options_.associative);
  if (jobs_[job].loop) *spec.mutable_loop() = LoopOf(job);
  spec.mutable_limits()->set_attempts_max(kAttemptsMax);
  spec.mutable_limits()->set_speculate(options_.speculate);
  if (options_.hang_permille > 0) spec.mutable_limits()->set_task_timeout_ms(kTimeoutMs);
  return spec;
}

void SimulatedCluster::Client(std::uint32_t index) {
  At(now_ + kClientPollMs, [this, index] { Client(index); });
  Job& job = jobs_[index];
  if (job.ended.has_value() || coordinator_ == nullptr) return;
  if (now_ < options_.faults_end_ms && Chance(options_.client_lose_permille)) return;
  wire::Message message;
  wire::Request& request = *message.mutable_request();
  request.set_id(kQuestion);
  if (job.upload_key.empty()) {
    const std::string bytes = SpecOf(index).SerializeAsString();
    request.mutable_submit()->set_upload(job.upload + coordinator_life_);
    request.mutable_submit()->set_total_bytes(bytes.size());
    request.mutable_submit()->set_bytes(bytes);
  } else if (job.kill_ms.has_value() && now_ >= *job.kill_ms && !job.killed) {
    request.set_id(kKill);
    request.mutable_kill()->set_job_id(job.upload_key);
    job.kill_ms = now_ + kKillAgainMs;
  } else {
    request.mutable_job()->set_job_id(job.upload_key);
  }
  coordinator_->OnFrame("c" + std::to_string(index), Role::kNone, LoneFrame(message), now_);
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
    case Fault::Kind::kCoordinatorCrash:
      if (coordinator_ != nullptr) former_tables_ = JobTables();
      return CrashCoordinator(fault);
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
    // Who was told to stop still has its time, and is deaf when that has passed.
    for (auto& [id, told] : worker.stops) told = now_;
    for (const auto& what : std::exchange(worker.missed, {}))
      if (worker.life == life) what();
    if (worker.life == life) CarryOut(index);
  });
}

void SimulatedCluster::CrashExecutor(const Fault& fault) {
  Worker& worker = *workers_[fault.worker];
  if (worker.machine == nullptr || worker.executors.empty()) return;
  const JobId job = std::next(worker.executors.begin(),
                              static_cast<std::ptrdiff_t>(Below(worker.executors.size())))
                        ->first;
  std::optional<AttemptId> guilty;
  for (const auto& [id, running] : worker.attempts)
    if (id.job == job && !running.wrote && !running.hangs && Chance(200) && MayFail(id)) {
      guilty = id;
      break;
    }
  LoseExecutor(fault.worker, job, guilty);
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
