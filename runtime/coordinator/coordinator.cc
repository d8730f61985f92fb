#include "runtime/coordinator/coordinator.h"

#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <utility>

#include "runtime/coordinator/output_keeper.h"
#include "runtime/protocol/frame.h"
#include "runtime/protocol/wire_values.h"
#include "runtime/storage/job_journal.h"
#include "runtime/storage/posix_file_system.h"
#include "runtime/storage/system_clock.h"
#include "runtime/storage/unique_fd.h"
#include "runtime/transport/fetch_token.h"
#include "shuffle/store/kill_point.h"

namespace spillway {

namespace {

constexpr std::uint64_t kBeatMs = 5'000;
constexpr std::uint64_t kWaitMsMax = 1'000;
constexpr std::uint64_t kKeysLookMs = 1'000;
constexpr std::uint32_t kHistoryKept = 10'000;
constexpr const char* kFetchPublicKey = "fetch-public-key";
constexpr const char* kFetchSecretKey = "fetch-secret-key";
constexpr const char* kTokenKey = "token-key";
constexpr const char* kLastJob = "last-job";

std::uint64_t MicrosecondsSince(std::chrono::steady_clock::time_point then) {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(
      duration_cast<microseconds>(steady_clock::now() - then).count());
}

/// Processor time of the calling thread.
std::uint64_t ThreadCpuUs() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

/// The value of that name, made and kept when there is none.
Result<std::string> KeptValue(JobJournal& journal, const char* name, const std::string& fresh) {
  SPILLWAY_ASSIGN_OR_RETURN(const auto known, journal.GetValue(name));
  if (known.has_value()) return *known;
  journal.SetValue(name, fresh);
  return fresh;
}

Result<FetchSecrets> KeptSecrets(JobJournal& journal) {
  const KeyPair fresh = NewKeyPair();
  FetchSecrets secrets;
  SPILLWAY_ASSIGN_OR_RETURN(secrets.fetchers.public_key,
                            KeptValue(journal, kFetchPublicKey, fresh.public_key));
  SPILLWAY_ASSIGN_OR_RETURN(secrets.fetchers.secret_key,
                            KeptValue(journal, kFetchSecretKey, fresh.secret_key));
  SPILLWAY_ASSIGN_OR_RETURN(secrets.token_key, KeptValue(journal, kTokenKey, NewFetchKey()));
  return secrets;
}

}  // namespace

class Coordinator::Loop {
 public:
  Loop(const CoordinatorSetup& options, std::unique_ptr<JobJournal> journal)
      : options_(options),
        journal_(std::move(journal)),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        base_ms_(SystemUnixMs()) {}

  Status Open(TransportContext& context) {
    CoordinatorMachineOptions machine = options_.machine;
    machine.epoch = journal_->epoch();
    machine.owner = "coordinator-" + journal_->name();
    machine.random_seed = std::random_device()() | (journal_->epoch() << 32);
    SPILLWAY_ASSIGN_OR_RETURN(const FetchSecrets secrets, KeptSecrets(*journal_));
    machine_ = std::make_unique<CoordinatorMachine>(machine, secrets);
    SPILLWAY_RETURN_IF_ERROR(Restore());
    if (!machine_->has_jobs()) {
      // Workers that come back have nothing that counts: what they did is not carried on.
      const TimeMs now = machine_->now_ms();
      machine_ = std::make_unique<CoordinatorMachine>(machine, secrets);
      journal_->Clear(0);
      SPILLWAY_RETURN_IF_ERROR(RestoreEnded());
      base_ms_ = std::max(base_ms_, now);
    }
    base_ms_ = std::max(base_ms_, machine_->now_ms());
    for (const CoordinatorEndpoint& endpoint : options_.endpoints) {
      SPILLWAY_ASSIGN_OR_RETURN(auto socket, ServerSocket::Bind(context, endpoint.server));
      poller_.Add(*socket);
      sockets_.push_back(std::move(socket));
    }
    poller_.AddFd(wake_.get());
    keeper_ = std::make_unique<OutputKeeper>(files_, options_.guarded_dirs, [this] { Wake(); });
    return OkStatus();
  }

  Status Run() {
    machine_->Resume(Now());
    SPILLWAY_RETURN_IF_ERROR(CarryOut());
    while (!stopping_.load(std::memory_order_relaxed)) {
      poller_.Wait(std::chrono::milliseconds(WaitMs()));
      const auto began = std::chrono::steady_clock::now();
      const std::uint64_t cpu_began_us = ThreadCpuUs();
      std::uint64_t ignored;
      while (::read(wake_.get(), &ignored, sizeof ignored) > 0) {
      }
      LookAtKeys();
      Receive(began);
      for (KeeperDone& done : keeper_->Take()) std::visit([this](auto& d) { Apply(d); }, done);
      const TimeMs now = Now();
      if (const auto due = machine_->next_tick_ms(); due.has_value() && *due <= now)
        machine_->Tick(now);
      SPILLWAY_RETURN_IF_ERROR(CarryOut());
      if (now >= beat_due_ms_) {
        beat_due_ms_ = now + kBeatMs;
        SPILLWAY_RETURN_IF_ERROR(journal_->Beat(now));
      }
      stats_.turn_us.Add(MicrosecondsSince(began));
      stats_.turn_cpu_us.Add(ThreadCpuUs() - cpu_began_us);
    }
    return OkStatus();
  }

  void Stop() {
    stopping_.store(true, std::memory_order_relaxed);
    Wake();
  }

  const std::string& endpoint() const { return sockets_.front()->endpoint(); }
  const CoordinatorStats& stats() const { return stats_; }

 private:
  /// Unix time as it was at the start, or the journal's last where that is later; from then on it
  /// goes as the steady clock does, so that a clock that is set moves nothing here.
  TimeMs Now() const {
    using namespace std::chrono;
    return base_ms_ +
           static_cast<TimeMs>(duration_cast<milliseconds>(steady_clock::now() - start_).count());
  }

  void Wake() {
    const std::uint64_t one = 1;
    const ssize_t ignored = ::write(wake_.get(), &one, sizeof one);
    static_cast<void>(ignored);
  }

  Status Restore() {
    SPILLWAY_RETURN_IF_ERROR(RestoreEnded());
    std::uint64_t records = 0;
    SPILLWAY_RETURN_IF_ERROR(journal_->Load([&](JobId, std::string_view record) {
      ++records;
      return machine_->Restore(record);
    }));
    if (records > 0)
      Log("went on from " + std::to_string(records) + " records of the journal, epoch " +
          std::to_string(journal_->epoch()));
    return OkStatus();
  }

  Status RestoreEnded() {
    SPILLWAY_ASSIGN_OR_RETURN(const auto last_job, journal_->GetValue(kLastJob));
    if (last_job.has_value()) last_job_ = std::strtoull(last_job->c_str(), nullptr, 10);
    machine_->ReserveJobNumbers(last_job_);
    SPILLWAY_ASSIGN_OR_RETURN(
        const auto history,
        journal_->History(static_cast<std::uint32_t>(options_.machine.ended_jobs_kept)));
    for (const EndedJob& ended : history) machine_->RestoreEnded(ended.summary);
    return OkStatus();
  }

  int WaitMs() {
    std::uint64_t wait = kWaitMsMax;
    const TimeMs now = Now();
    if (const auto due = machine_->next_tick_ms())
      wait = std::min(wait, *due > now ? *due - now : 0);
    if (more_frames_) wait = 0;
    return static_cast<int>(wait);
  }

  void Receive(std::chrono::steady_clock::time_point began) {
    more_frames_ = false;
    std::uint32_t budget = options_.frames_per_turn_max;
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
      while (auto incoming = sockets_[i]->Receive()) {
        ++stats_.frames;
        const CoordinatorEndpoint& endpoint = options_.endpoints[i];
        const Role role = endpoint.server.keys.empty()
                              ? endpoint.role_without_keys
                              : RoleNow(endpoint, incoming->key, incoming->role);
        // A peer is known by its socket and its name there.
        machine_->OnFrame(std::string(1, static_cast<char>(i)) + incoming->peer, role,
                          incoming->message.header.view(), Now(), incoming->key);
        if (--budget == 0 || MicrosecondsSince(began) >= options_.receive_us_max) {
          more_frames_ = true;
          return;
        }
      }
    }
  }

  /// A key's role as of the last look: a question for each frame would be one for each heartbeat.
  Role RoleNow(const CoordinatorEndpoint& endpoint, const std::string& key, Role role) {
    if (!endpoint.withdrawn) return role;
    const auto [known, fresh] = keys_.try_emplace({key, role});
    if (fresh) known->second = {&endpoint, endpoint.withdrawn(key, role)};
    return known->second.withdrawn ? Role::kNone : role;
  }

  void LookAtKeys() {
    if (keys_.empty() || Now() < keys_due_ms_) return;
    keys_due_ms_ = Now() + kKeysLookMs;
    for (auto& [held, known] : keys_) {
      const auto& [key, role] = held;
      const bool withdrawn = known.endpoint->withdrawn(key, role);
      if (withdrawn == known.withdrawn) continue;
      known.withdrawn = withdrawn;
      Log("the key " + key + " of role " + std::string(RoleName(role)) +
          (withdrawn ? " was revoked" : " is authorized again"));
      if (withdrawn) machine_->RevokeKey(key, Now());
    }
  }

  void Apply(OutputDone& done) {
    machine_->OnOutputDone(done.order, done.status, done.staging_dir, Now());
  }

  void Apply(FileDone& done) {
    wire::Message message;
    wire::Reply& reply = *message.mutable_reply();
    reply.set_id(done.order.request);
    if (done.status.ok()) {
      reply.mutable_file()->set_bytes(std::move(done.bytes));
      reply.mutable_file()->set_last(done.last);
    } else {
      *reply.mutable_status() = ToWire(done.status);
    }
    Send({done.order.peer, LoneFrame(message)});
  }

  void Send(SendFrame send) {
    const auto socket = static_cast<std::size_t>(static_cast<unsigned char>(send.peer[0]));
    TransportMessage message;
    message.header = MessageBuffer::Copy(send.frame);
    // A peer that is gone, or does not listen, comes back or is given up by its lease.
    const Status sent = sockets_[socket]->Send(send.peer.substr(1), std::move(message));
    static_cast<void>(sent.ok());
  }

  Status CarryOut() {
    Effects effects = machine_->TakeEffects(Now());
    const bool decided = !effects.records.empty();
    if (decided) KillPoint("turn-decided");
    for (const AppendRecord& record : effects.records) {
      if (options_.watch) options_.watch(record.bytes);
      journal_->Append(record.job, record.bytes);
    }
    stats_.records += effects.records.size();
    for (const ArchiveJob& job : effects.archived) {
      journal_->EndJob(job.job, job.job_id, job.summary);
      journal_->SetValue(kLastJob, std::to_string(std::max(job.job, last_job_)));
      last_job_ = std::max(job.job, last_job_);
    }
    if (!effects.archived.empty()) journal_->TrimHistory(kHistoryKept);
    SPILLWAY_RETURN_IF_ERROR(
        journal_->Commit(effects.durable ? Durability::kDurable : Durability::kProcess));
    for (SendFrame& frame : effects.frames) Send(std::move(frame));
    if (decided) KillPoint("turn-sent");
    for (OutputOrder& order : effects.outputs) keeper_->Give(std::move(order));
    for (FileOrder& order : effects.files) keeper_->Give(std::move(order));
    for (const std::string& line : effects.log) Log(line);
    return OkStatus();
  }

  void Log(const std::string& line) {
    if (options_.log) options_.log(line);
  }

  const CoordinatorSetup options_;
  const std::unique_ptr<JobJournal> journal_;
  PosixFileSystem files_;
  std::unique_ptr<CoordinatorMachine> machine_;
  std::vector<std::unique_ptr<ServerSocket>> sockets_;
  Poller poller_;
  const UniqueFd wake_;
  std::atomic<bool> stopping_{false};
  bool more_frames_ = false;

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  TimeMs base_ms_ = 0;
  TimeMs beat_due_ms_ = 0;
  TimeMs keys_due_ms_ = 0;
  struct KnownKey {
    const CoordinatorEndpoint* endpoint = nullptr;
    bool withdrawn = false;
  };
  /// Of peers that were heard; as many as were ever authorized.
  std::map<std::pair<std::string, Role>, KnownKey> keys_;
  JobId last_job_ = 0;  ///< That ended, or a later one.
  CoordinatorStats stats_;
  std::unique_ptr<OutputKeeper> keeper_;  ///< Wakes the loop: goes first.
};

Coordinator::Coordinator(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
Coordinator::~Coordinator() = default;

Result<std::unique_ptr<Coordinator>> Coordinator::Open(TransportContext& context,
                                                       const CoordinatorSetup& options) {
  JournalOptions journal_options;
  journal_options.directory = options.journal_dir;
  if (!options.endpoints.empty())
    journal_options.endpoint = options.endpoints.front().server.endpoint;
  journal_options.now_unix_ms = SystemUnixMs();
  SPILLWAY_ASSIGN_OR_RETURN(auto journal, JobJournal::Open(journal_options));
  auto loop = std::make_unique<Loop>(options, std::move(journal));
  SPILLWAY_RETURN_IF_ERROR(loop->Open(context));
  return std::unique_ptr<Coordinator>(new Coordinator(std::move(loop)));
}

const std::string& Coordinator::endpoint() const { return loop_->endpoint(); }
Status Coordinator::Run() { return loop_->Run(); }
void Coordinator::Stop() { loop_->Stop(); }
const CoordinatorStats& Coordinator::stats() const { return loop_->stats(); }

}  // namespace spillway
