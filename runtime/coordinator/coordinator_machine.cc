#include "runtime/coordinator/coordinator_machine.h"

#include <algorithm>
#include <utility>

#include "mapreduce/base/units.h"
#include "mapreduce/version.h"
#include "runtime/protocol/frame.h"

namespace spillway {

namespace {
constexpr std::uint64_t kGarbageNoteMs = 10'000;
}  // namespace

CoordinatorMachine::CoordinatorMachine(const CoordinatorMachineOptions& options,
                                       const FetchSecrets& secrets)
    : options_(options),
      secrets_(secrets),
      scheduler_(options.scheduler),
      random_(options.random_seed) {}
CoordinatorMachine::~CoordinatorMachine() = default;

void CoordinatorMachine::OnFrame(const std::string& peer, Role role, std::string_view bytes,
                                 TimeMs now, const std::string& key) {
  now_ = now;
  Result<wire::Frame> frame = ParseFrame(bytes);
  if (!frame.ok())
    return LogGarbage("a peer (" + std::string(RoleName(role)) + ") sent " +
                      frame.status().message());
  if (frame->session() != 0) {
    if (!options_.authenticated || role == Role::kWorker)
      return OnSessionFrame(peer, key, *std::move(frame));
    // Its key was revoked: when it registers it is told so.
    if (role == Role::kNone) SayRegisterAgain(peer, frame->session(), frame->version());
    return;
  }
  for (const std::string& text : frame->messages()) {
    const Result<wire::Message> message = ParseMessage(text);
    if (!message.ok()) continue;
    if (message->has_register_()) OnRegister(peer, role, key, message->register_());
    if (message->has_request()) OnRequest(peer, role, message->request());
  }
}

void CoordinatorMachine::Tick(TimeMs now) {
  now_ = now;
  const auto tick = scheduler_.next_tick_ms();
  if (tick.has_value() && *tick <= now) Feed(spillway::Tick{});
  uploads_.DropIdle(now);
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    if (it->second.deadline_ms > now) {
      ++it;
      continue;
    }
    const auto [number, waiter] = *it;
    it = waiters_.erase(it);
    JobEntry* const job = Job(number);
    if (job == nullptr) continue;
    wire::Reply reply;
    reply.set_id(waiter.request);
    const auto view = scheduler_.ViewJob(number);
    *reply.mutable_job() = job->State(view.has_value() ? &*view : nullptr, now_);
    Say(waiter.peer, reply);
  }
}

Effects CoordinatorMachine::TakeEffects(TimeMs now) {
  now_ = now;
  // One that comes back is a new worker: what it had counts no more in either case.
  for (const WorkerId id : std::exchange(gone_, {})) {
    const WorkerEntry* const worker = workers_.Find(id);
    if (worker == nullptr || scheduler_.HasWorker(id, worker->epoch)) continue;
    workers_.Remove(id);
    TellGone(id);
  }
  workers_.Flush(now, [&](const std::string& peer, std::string frame) {
    effects_.frames.push_back({peer, std::move(frame)});
  });
  return std::exchange(effects_, Effects());
}

std::optional<TimeMs> CoordinatorMachine::next_tick_ms() const {
  std::optional<TimeMs> next = scheduler_.next_tick_ms();
  const auto by = [&](std::optional<TimeMs> time) {
    if (time.has_value() && (!next.has_value() || *time < *next)) next = time;
  };
  by(workers_.due_ms());
  for (const auto& [job, waiter] : waiters_) by(waiter.deadline_ms);
  return next;
}

void CoordinatorMachine::LogInJobs(const std::string& line) {
  for (const auto& [number, job] : jobs_) job->Log(now_, line);
  Log(line);
}

void CoordinatorMachine::LogGarbage(const std::string& line) {
  if (now_ < garbage_noted_ms_ + kGarbageNoteMs) return;
  Log(line);
  garbage_noted_ms_ = now_;
}

void CoordinatorMachine::TellGone(WorkerId id) {
  wire::Message message;
  message.mutable_worker_place()->set_worker(id);
  message.mutable_worker_place()->set_gone(true);
  for (const auto& [number, worker] : workers_.all()) {
    if (id >= worker->told_places.size() || !worker->told_places[id]) continue;
    worker->told_places[id] = false;
    Post(*worker, message.SerializeAsString());
  }
}

JobEntry* CoordinatorMachine::Job(JobId number) {
  const auto found = jobs_.find(number);
  return found == jobs_.end() ? nullptr : found->second.get();
}

bool CoordinatorMachine::IsSmall(const JobEntry& job) const {
  return !job.is_loop() && job.spec.input_bytes() <= options_.small_job_bytes_max;
}

std::optional<wire::JobState> CoordinatorMachine::StateOf(const std::string& job_id) const {
  const auto number = job_numbers_.find(job_id);
  if (number != job_numbers_.end()) {
    const auto view = scheduler_.ViewJob(number->second);
    return jobs_.at(number->second)->State(view.has_value() ? &*view : nullptr, now_);
  }
  const auto ended = ended_.find(job_id);
  if (ended == ended_.end()) return std::nullopt;
  wire::JobState state = ended->second;
  state.clear_log();
  return state;
}

wire::ClusterState CoordinatorMachine::ViewCluster() const {
  wire::ClusterState state;
  state.set_version(SPILLWAY_VERSION);
  state.set_coordinator_epoch(options_.epoch);
  state.set_jobs(static_cast<std::uint32_t>(jobs_.size()));
  for (const auto& [id, worker] : workers_.all()) {
    const auto view = scheduler_.ViewWorker(id);
    if (!view.has_value()) continue;
    wire::WorkerState& one = *state.add_workers();
    one.set_worker(id);
    one.set_name(worker->details.name());
    one.set_host(worker->details.host());
    one.set_rack(worker->details.rack());
    one.set_slots(view->slots);
    one.set_slots_taken(view->slots_taken);
    one.set_draining(view->draining);
    one.set_set_aside(view->set_aside);
    one.set_memory_bytes(worker->details.memory_bytes());
    one.set_pid(worker->details.pid());
    one.set_resident_bytes(worker->health.resident_bytes());
    one.set_spill_free_bytes(worker->health.spill_free_bytes());
  }
  return state;
}

}  // namespace spillway
