// Workers: the real machine, and the process around it.
#include <algorithm>
#include <utility>

#include "runtime/core/scheduler.h"
#include "runtime/protocol/frame.h"
#include "runtime/protocol/wire_values.h"
#include "tests/sim/simulated_worker.h"

namespace spillway {

namespace {

constexpr TimeMs kStopMsMax = 1'500;
constexpr TimeMs kGoneMsMax = 200;  // Until another worker is where one left.
constexpr const char* kNoSetUp = "the plugin cannot be loaded here";

}  // namespace

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
  options.link.channel = Channel();
  // Of one version before, and of the first.
  if (options_.older_workers && index % 2 == 0)
    options.link.version_max = index % 4 == 0 ? kProtocolVersionMin : kProtocolVersion - 1;
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
  for (const JobId job : effects.kill) {
    if (!worker.executors.contains(job)) continue;
    CheckKill(index, job);
    EndExecutor(index, job);
    At(now_ + 1, [this, index, life, job] {
      if (workers_[index]->life != life) return;
      workers_[index]->machine->OnExecutorEnded(job, {}, "killed", now_);
      CarryOut(index);
    });
  }
  for (const JobId job : effects.remove) {
    EndExecutor(index, job);
    std::erase_if(worker.segments, [&](const auto& s) { return std::get<0>(s) == job; });
  }
  if (effects.registered.has_value()) worker.epoch = effects.registered->epoch();
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
  CheckAttempts(index);
  for (std::string& frame : effects.frames) {
    Note(frame.size());
    if (trace_) TraceFrame("worker " + std::to_string(index) + " to coordinator", frame);
    CheckFrame(frame, index);
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

void SimulatedCluster::CheckAttempts(std::uint32_t index) {
  const Worker& worker = *workers_[index];
  std::uint32_t seats = 0, others = 0;
  for (const auto& [id, running] : worker.attempts) {
    if (running.epoch != worker.epoch)
      Fail("worker " + std::to_string(index) + " still runs what was given to it in epoch " +
           std::to_string(running.epoch) + "; it is in " + std::to_string(worker.epoch));
    if (!running.unknown) ++(JobOf(id.job).loop ? seats : others);
  }
  if (others > options_.slots || seats > options_.slots * kGangTasksPerSlotMax)
    Fail("worker " + std::to_string(index) + " runs " + std::to_string(others) + " attempts and " +
         std::to_string(seats) + " seats at once; it has " + std::to_string(options_.slots) +
         " slots");
}

/// Who is killed does nothing, or not what it is told.
void SimulatedCluster::CheckKill(std::uint32_t index, JobId job) {
  const Worker& worker = *workers_[index];
  bool works = false, is_deaf = false;
  for (const auto& [id, running] : worker.attempts)
    works |= id.job == job && worker.machine->has(id);
  for (const auto& [id, time] : worker.stops) is_deaf |= id.job == job;
  if (works && !is_deaf) Fail("worker " + std::to_string(index) + " kills an executor that works");
}

void SimulatedCluster::CheckStops(std::uint32_t index) {
  Worker& worker = *workers_[index];
  std::erase_if(worker.stops, [&](const auto& stop) { return !worker.machine->has(stop.first); });
  for (const auto& [id, time] : worker.stops)
    if (now_ > time + kStopMsMax)
      Fail(AttemptText(id) + " was told to stop on worker " + std::to_string(index) +
           ", which does not tell that it has");
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
      if (options_.hang_permille > 0) SayProgress(index);
      CheckStops(index);
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

}  // namespace spillway
