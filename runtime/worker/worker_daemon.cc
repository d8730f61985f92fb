#include "runtime/worker/worker_daemon.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

#include "mapreduce/base/units.h"
#include "runtime/core/worker_memory.h"
#include "runtime/protocol/wire_values.h"
#include "runtime/storage/disk_space.h"
#include "runtime/storage/machine.h"
#include "runtime/storage/posix_error.h"
#include "runtime/storage/posix_file_system.h"
#include "runtime/storage/scratch_directory.h"
#include "runtime/storage/system_clock.h"
#include "runtime/storage/unique_fd.h"
#include "runtime/transfer/fetch_service.h"
#include "runtime/transfer/job_directory.h"
#include "runtime/transfer/wake_event.h"
#include "runtime/transport/fetch_token.h"
#include "runtime/worker/executor_process.h"
#include "runtime/worker/job_preparer.h"
#include "runtime/worker/worker_machine.h"
#include "shuffle/store/disk_segment_store.h"
#include "shuffle/store/kill_point.h"

namespace spillway {

namespace {

constexpr std::uint64_t kWaitMsMax = 500;
constexpr std::uint64_t kAwayNoteMs = 10'000;
constexpr std::uint64_t kTokenLifeMs = 30ull * 24 * 3'600 * 1'000;
constexpr std::uint32_t kMessagesPerTurnMax = 1'000;
/// An address that nobody has (RFC 5737): the way to it is the way to other hosts.
constexpr const char* kAnywhere = "192.0.2.1";

/// The host in "tcp://host:port"; empty for other transports.
std::string HostOf(const std::string& endpoint) {
  const std::string tcp = "tcp://";
  if (!endpoint.starts_with(tcp)) return "";
  const std::string rest = endpoint.substr(tcp.size());
  std::string host = rest.substr(0, rest.rfind(':'));
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

/// The address of this host that the way to `host` begins at: where others of that network reach
/// us. Loopback when there is no way.
std::string LocalAddressTowards(const std::string& host) {
  std::string result = "127.0.0.1";
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (host.empty() || ::getaddrinfo(host.c_str(), "9", &hints, &found) != 0) return result;
  // Connecting a datagram socket sends nothing; the kernel only chooses the way.
  const UniqueFd fd(::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage own{};
  socklen_t bytes = sizeof own;
  char text[NI_MAXHOST];
  if (fd.valid() && ::connect(fd.get(), found->ai_addr, found->ai_addrlen) == 0 &&
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&own), &bytes) == 0 &&
      ::getnameinfo(reinterpret_cast<sockaddr*>(&own), bytes, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) == 0)
    result = found->ai_family == AF_INET6 ? "[" + std::string(text) + "]" : text;
  ::freeaddrinfo(found);
  return result;
}

/// Where the executors' socket lies: in a directory that only this user may enter, with a path
/// short enough for a socket's name. That is the scratch directory, which is swept up even when
/// this process is killed, or else one of its own, which goes with its object.
class SocketDirectory {
 public:
  static Result<std::unique_ptr<SocketDirectory>> Make(const std::string& scratch) {
    if (scratch.size() <= kPathBytesMax)
      return std::unique_ptr<SocketDirectory>(new SocketDirectory(scratch, false));
    std::string path = "/tmp/spillway-worker-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) return PosixError(errno, "make a directory", path);
    return std::unique_ptr<SocketDirectory>(new SocketDirectory(path, true));
  }
  ~SocketDirectory() {
    ::unlink(socket_path().c_str());
    if (own_) ::rmdir(path_.c_str());
  }
  std::string socket_path() const { return path_ + "/executors"; }
  std::string endpoint() const { return "ipc://" + socket_path(); }

 private:
  static constexpr std::size_t kPathBytesMax = 90;

  SocketDirectory(std::string path, bool own) : path_(std::move(path)), own_(own) {}
  const std::string path_;
  const bool own_;
};

}  // namespace

class WorkerDaemon::Loop {
 public:
  Loop(TransportContext& context, const WorkerSetup& setup)
      : context_(context), setup_(setup), memory_(setup.options.memory_bytes, setup.options.slots) {
    if (memory_.slots() < setup.options.slots)
      Log(std::to_string(memory_.slots()) + " slots instead of " +
          std::to_string(setup.options.slots) + ": " + FormatBytes(setup.options.memory_bytes) +
          " carry no more; give more with --memory");
  }

  ~Loop() {
    preparer_.reset();
    executors_.clear();  // Killed, and waited for, before their directories go.
    fetch_.reset();
    executor_socket_.reset();
    socket_directory_.reset();
  }

  Status Open() {
    SPILLWAY_RETURN_IF_ERROR(OpenScratch());
    SPILLWAY_RETURN_IF_ERROR(OpenExecutorSocket());
    SPILLWAY_RETURN_IF_ERROR(OpenFetchService());
    SPILLWAY_ASSIGN_OR_RETURN(coordinator_,
                              ClientSocket::Connect(context_, setup_.options.coordinator));
    machine_ = std::make_unique<WorkerMachine>(MachineOptions());
    preparer_ = std::make_unique<JobPreparer>(files_, scratch_dirs_, context_,
                                              setup_.options.coordinator, [this] { wake_.Set(); });
    return OkStatus();
  }

  Status Run() {
    for (;;) {
      CarryOut();
      if (!outcome_.ok() || done_) return outcome_;
      Wait();
      if (leave_.exchange(false)) machine_->Leave(Now());
      if (drain_.exchange(false)) machine_->Drain(Now());
      ReceiveFromCoordinator();
      ReceiveFromExecutors();
      for (JobPreparer::Prepared& prepared : preparer_->Take()) OnPrepared(prepared);
      ReapExecutors();
      Beat();
      const TimeMs now = Now();
      if (const auto due = machine_->next_tick_ms(); due.has_value() && *due <= now)
        machine_->Tick(now);
    }
  }

  void Drain() {
    drain_ = true;
    wake_.Set();
  }
  void Leave() {
    leave_ = true;
    wake_.Set();
  }

 private:
  struct Executor {
    std::unique_ptr<ExecutorProcess> process;
    PeerId peer;  ///< Empty until it said that it is ready.
  };

  TimeMs Now() const {
    using namespace std::chrono;
    return static_cast<TimeMs>(
        duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count());
  }

  void Log(const std::string& line) {
    if (setup_.log) setup_.log(line);
  }

  // --- Opening.

  Status OpenScratch() {
    std::random_device random;
    incarnation_ = (std::uint64_t{random()} << 32 | random()) | 1;
    const std::string name = "worker-" + std::to_string(incarnation_);
    for (const std::string& directory : setup_.options.spill_dirs) {
      SPILLWAY_RETURN_IF_ERROR(ScratchDirectory::RemoveLeftovers(directory).status());
      SPILLWAY_ASSIGN_OR_RETURN(auto scratch, ScratchDirectory::Create(directory, name));
      scratch_dirs_.push_back(scratch->path());
      scratch_.push_back(std::move(scratch));
    }
    return OkStatus();
  }

  Status OpenExecutorSocket() {
    SPILLWAY_ASSIGN_OR_RETURN(socket_directory_, SocketDirectory::Make(scratch_dirs_.front()));
    ServerOptions options;
    options.endpoint = socket_directory_->endpoint();
    SPILLWAY_ASSIGN_OR_RETURN(executor_socket_, ServerSocket::Bind(context_, options));
    return OkStatus();
  }

  Status OpenFetchService() {
    const bool secure = IsSecure();
    FetchServiceOptions options;
    options.socket.endpoint = setup_.options.fetch_listen;
    if (options.socket.endpoint.empty())
      options.socket.endpoint =
          "tcp://" + LocalAddressTowards(HostOf(setup_.options.coordinator.endpoint)) + ":0";
    if (secure) {
      options.socket.keys = NewKeyPair();
      fetch_public_key_ = options.socket.keys.public_key;
      options.socket.authority = [this](std::string_view key) {
        const std::lock_guard lock(fetchers_mutex_);
        return !fetchers_key_.empty() && key == fetchers_key_ ? Role::kWorker : Role::kNone;
      };
    }
    options.socket.insecure = !secure;
    options.server.requires_token = true;
    SPILLWAY_ASSIGN_OR_RETURN(
        fetch_, FetchService::Start(context_, options, [this](auto job) { return StoreOf(job); }));
    return OkStatus();
  }

  WorkerMachineOptions MachineOptions() const {
    WorkerMachineOptions options;
    wire::Register& details = options.details;
    details.set_incarnation(incarnation_);
    details.set_name(setup_.options.name);
    details.set_host(setup_.options.host);
    details.set_rack(setup_.options.rack);
    details.set_slots(memory_.slots());
    details.set_memory_bytes(setup_.options.memory_bytes);
    details.set_fetch_endpoint(AnnouncedFetchEndpoint());
    details.set_fetch_public_key(fetch_public_key_);
    for (const std::string& directory : scratch_dirs_) details.add_scratch_dirs(directory);
    details.set_pid(static_cast<std::uint64_t>(::getpid()));
    details.set_small_jobs_only(setup_.small_jobs_only);
    options.executors_max = memory_.executors_max();
    if (setup_.protocol_version_max != 0) options.link.version_max = setup_.protocol_version_max;
    return options;
  }

  /// A wildcard is no address: others are told the one that the way to the coordinator begins at.
  std::string AnnouncedFetchEndpoint() const {
    const std::string& bound = fetch_->endpoint();
    const std::string host = HostOf(bound);
    if (host != "0.0.0.0" && host != "::" && host != "*") return bound;
    const std::string towards = HostOf(setup_.options.coordinator.endpoint);
    return "tcp://" + LocalAddressTowards(towards.empty() ? kAnywhere : towards) +
           bound.substr(bound.rfind(':'));
  }

  bool IsSecure() const { return setup_.secure_fetch || !setup_.options.coordinator.keys.empty(); }

  // --- Events.

  void Wait() {
    std::uint64_t wait = kWaitMsMax;
    const TimeMs now = Now();
    const auto by = [&](TimeMs time) { wait = std::min(wait, time > now ? time - now : 0); };
    if (const auto due = machine_->next_tick_ms()) by(*due);
    by(beat_due_ms_);
    if (more_messages_) wait = 0;
    if (poll_changed_) {
      poll_changed_ = false;
      poller_.Clear();
      poller_.Add(*coordinator_);
      poller_.Add(*executor_socket_);
      poller_.AddFd(wake_.fd());
      for (const auto& [job, executor] : executors_) poller_.AddFd(executor.process->end_fd());
    }
    poller_.Wait(std::chrono::milliseconds(wait));
    wake_.Clear();
  }

  void ReceiveFromCoordinator() {
    while (auto message = coordinator_->Receive())
      machine_->OnCoordinatorFrame(message->header.view(), Now());
    const std::string news = coordinator_->TakeConnectionNews();
    if (!news.empty()) Log("coordinator " + setup_.options.coordinator.endpoint + ": " + news);
    if (news.starts_with("refused"))
      outcome_ = PermissionDenied("the coordinator at " + setup_.options.coordinator.endpoint +
                                  " does not know this worker's key; add it there with 'spillway "
                                  "keys add NAME --role worker'");
  }

  void ReceiveFromExecutors() {
    more_messages_ = false;
    std::uint32_t budget = kMessagesPerTurnMax;
    while (auto incoming = executor_socket_->Receive()) {
      const auto frame = ParseFrame(incoming->message.header.view());
      if (!frame.ok()) continue;
      for (const std::string& text : frame->messages()) {
        const auto message = ParseMessage(text);
        if (message.ok()) OnExecutorMessage(incoming->peer, *message);
      }
      if (--budget == 0) {
        more_messages_ = true;
        return;
      }
    }
  }

  void OnExecutorMessage(const PeerId& peer, const wire::Message& message) {
    if (message.has_executor_ready() && !message.executor_ready().has_status()) {
      // It asks for its setup. What it is to do may follow at once: when it cannot, it says so.
      const auto found = executors_.find(message.executor_ready().job());
      if (found == executors_.end() || !found->second.peer.empty()) return;
      found->second.peer = peer;
      peers_[peer] = found->first;
      SendSetup(found->first, peer);
      return machine_->OnExecutorMessage(found->first, message, Now());
    }
    const auto job = peers_.find(peer);
    if (job == peers_.end() || executors_[job->second].peer != peer) return;
    machine_->OnExecutorMessage(job->second, message, Now());
  }

  void SendSetup(JobId job, const PeerId& peer) {
    wire::Message message;
    wire::ExecutorSetup& setup = *message.mutable_executor_setup();
    *setup.mutable_job() = jobs_[job];
    setup.set_slots(memory_.slots());
    *setup.mutable_memory() = MemoryShareNow();
    for (const std::string& directory : scratch_dirs_) setup.add_scratch_dirs(directory);
    setup.set_host(setup_.options.host);
    setup.set_worker(machine_->id());
    setup.set_fetch_secret_key(registered_.fetch_secret_key());
    setup.set_fetch_public_key(registered_.fetch_public_key());
    if (!IsSecure()) {
      setup.clear_fetch_secret_key();
      setup.clear_fetch_public_key();
    }
    const FetchGrant grant{job, SystemUnixMs() + kTokenLifeMs};
    setup.set_fetch_token(MintFetchToken(registered_.token_key(), grant));
    setup.set_fetch_token_expires_unix_ms(grant.expires_unix_ms);
    SendTo(peer, message);
  }

  wire::MemoryShare MemoryShareNow() const {
    const auto executors = static_cast<std::uint32_t>(executors_.size());
    wire::MemoryShare share;
    share.set_bytes(memory_.executor_bytes(executors));
    share.set_executors(executors);
    return share;
  }

  /// Tells the executors when there are more or fewer of them. Who has not asked for its setup yet
  /// gets its share with it.
  void ShareMemory() {
    if (executors_.size() == sharers_) return;
    sharers_ = executors_.size();
    wire::Message message;
    *message.mutable_memory_share() = MemoryShareNow();
    for (const auto& [job, executor] : executors_)
      if (!executor.peer.empty()) SendTo(executor.peer, message);
  }

  void OnPrepared(JobPreparer::Prepared& prepared) {
    const JobId job = prepared.what.start.job();
    // It ended meanwhile, or began anew: its removal is ordered.
    if (!machine_->awaits(job, prepared.what.number)) return;
    if (prepared.status.ok()) {
      jobs_[job] = std::move(prepared.what.start);
      DiskSegmentStoreOptions options;
      for (const std::string& directory : scratch_dirs_)
        options.directories.push_back(JobDirectory(directory, job));
      const std::lock_guard lock(stores_mutex_);
      stores_[job] = std::make_shared<DiskSegmentStore>(files_, options);
    }
    machine_->OnPrepared(job, prepared.what.number, prepared.status, Now());
  }

  void ReapExecutors() {
    for (auto it = executors_.begin(); it != executors_.end();) {
      auto end = it->second.process->Reap(files_);
      if (!end.has_value()) {
        ++it;
        continue;
      }
      // What it had said before its end counts, as far as it has arrived.
      ReceiveFromExecutors();
      const JobId job = it->first;
      peers_.erase(it->second.peer);
      it = executors_.erase(it);
      poll_changed_ = true;
      machine_->OnExecutorEnded(job, end->ends, end->how, Now());
    }
  }

  void Beat() {
    const TimeMs now = Now();
    if (now < beat_due_ms_) return;
    beat_due_ms_ = now + machine_->heartbeat_ms();
    wire::Heartbeat health;
    health.set_resident_bytes(ResidentBytes() + ExecutorsResidentBytes());
    health.set_spill_free_bytes(FreeBytesOfAll(scratch_dirs_));
    machine_->Heartbeat(health, now);
    const bool away = machine_->registered() && now > machine_->heard_ms() + kAwayNoteMs;
    if (away != away_)
      Log(away ? "the coordinator is away; tasks go on" : "the coordinator is back");
    away_ = away;
  }

  std::uint64_t ExecutorsResidentBytes() const {
    std::uint64_t bytes = 0;
    for (const auto& [job, executor] : executors_)
      bytes += ResidentBytesOf(executor.process->pid());
    return bytes;
  }

  // --- Effects.

  void CarryOut() {
    WorkerEffects effects = machine_->TakeEffects(Now());
    if (effects.registered.has_value()) OnRegistered(*effects.registered);
    for (const JobId job : effects.kill) {
      const auto found = executors_.find(job);
      if (found != executors_.end()) found->second.process->Kill();
    }
    for (const JobId job : effects.remove) RemoveJob(job);
    for (auto& preparation : effects.prepare) preparer_->Prepare(std::move(preparation));
    for (const JobId job : effects.spawn) Spawn(job);
    ShareMemory();
    for (const auto& [job, message] : effects.to_executors) {
      const auto found = executors_.find(job);
      if (found != executors_.end() && !found->second.peer.empty())
        SendTo(found->second.peer, message);
    }
    if (!effects.to_executors.empty()) KillPoint("worker-ordered");
    for (const auto& discard : effects.discards) Discard(discard.job, discard.segment);
    const bool tells = !effects.frames.empty();
    if (tells) KillPoint("worker-telling");
    for (const std::string& frame : effects.frames) {
      TransportMessage message;
      message.header = MessageBuffer::Copy(frame);
      const Status sent = coordinator_->Send(std::move(message));
      static_cast<void>(sent.ok());  // Said again when it is not acknowledged.
    }
    if (tells) KillPoint("worker-told");
    for (const std::string& line : effects.log) Log(line);
    if (!effects.refused.ok()) outcome_ = effects.refused;
    done_ = effects.exit;
  }

  void OnRegistered(const wire::Registered& registered) {
    registered_ = registered;
    // Before the first heartbeat `cluster status` knows of no memory and no disk.
    beat_due_ms_ = 0;
    fetch_->server().SetTokenKey(registered.token_key());
    const std::lock_guard lock(fetchers_mutex_);
    fetchers_key_ = registered.fetch_public_key();
  }

  void Spawn(JobId job) {
    ExecutorProcessOptions options;
    options.endpoint = socket_directory_->endpoint();
    options.job = job;
    options.slots = memory_.slots();
    auto process = ExecutorProcess::Start(options);
    if (!process.ok()) return machine_->OnExecutorEnded(job, {}, process.status().message(), Now());
    executors_[job] = {std::move(process).value(), {}};
    poll_changed_ = true;
  }

  void RemoveJob(JobId job) {
    const auto found = executors_.find(job);
    std::unique_ptr<ExecutorProcess> executor;
    if (found != executors_.end()) {
      executor = std::move(found->second.process);
      executor->Kill();  // Nothing of the job is wanted any more.
      peers_.erase(found->second.peer);
      executors_.erase(found);
      poll_changed_ = true;
    }
    jobs_.erase(job);
    {
      const std::lock_guard lock(stores_mutex_);
      stores_.erase(job);
    }
    fetch_->server().ForgetJob(job);
    preparer_->Remove(job, std::move(executor));
  }

  void Discard(JobId job, const SegmentRef& segment) {
    const auto store = StoreOf(job);
    const auto start = jobs_.find(job);
    if (store == nullptr || start == jobs_.end()) return;
    const SegmentId id{start->second.segment_job(), segment.map_task, segment.attempt};
    fetch_->server().Forget(job, id);
    const Status discarded = store->Discard(id);
    static_cast<void>(discarded.ok());  // The job's directory goes as a whole.
  }

  std::shared_ptr<SegmentStore> StoreOf(JobId job) {
    const std::lock_guard lock(stores_mutex_);
    const auto found = stores_.find(job);
    return found == stores_.end() ? nullptr : found->second;
  }

  void SendTo(const PeerId& peer, const wire::Message& wire_message) {
    TransportMessage message;
    message.header = MessageBuffer::Copy(LoneFrame(wire_message));
    // An executor that cannot be reached has ended, and is reaped.
    const Status sent = executor_socket_->Send(peer, std::move(message));
    static_cast<void>(sent.ok());
  }

  TransportContext& context_;
  const WorkerSetup setup_;
  const WorkerMemory memory_;
  PosixFileSystem files_;
  std::uint64_t incarnation_ = 0;
  std::vector<std::unique_ptr<ScratchDirectory>> scratch_;
  std::vector<std::string> scratch_dirs_;
  std::unique_ptr<SocketDirectory> socket_directory_;
  std::unique_ptr<ServerSocket> executor_socket_;
  std::unique_ptr<ClientSocket> coordinator_;
  std::string fetch_public_key_;
  std::mutex fetchers_mutex_;
  std::string fetchers_key_;  // Guarded by fetchers_mutex_: the transport asks.
  std::mutex stores_mutex_;
  std::map<JobId, std::shared_ptr<SegmentStore>> stores_;  // Guarded: the fetch service asks.
  std::unique_ptr<FetchService> fetch_;
  std::unique_ptr<WorkerMachine> machine_;
  wire::Registered registered_;

  std::map<JobId, wire::StartJob> jobs_;  ///< That are prepared.
  std::map<JobId, Executor> executors_;
  std::size_t sharers_ = 0;  ///< Executors when their shares were last told.
  std::map<PeerId, JobId> peers_;
  const WakeEvent wake_;
  Poller poller_;
  bool poll_changed_ = true;
  bool more_messages_ = false;
  bool away_ = false;
  TimeMs beat_due_ms_ = 0;
  std::atomic<bool> drain_{false}, leave_{false};
  bool done_ = false;
  Status outcome_;
  std::unique_ptr<JobPreparer> preparer_;  ///< Wakes the loop: goes first.
};

WorkerDaemon::WorkerDaemon(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
WorkerDaemon::~WorkerDaemon() = default;

Result<std::unique_ptr<WorkerDaemon>> WorkerDaemon::Open(TransportContext& context,
                                                         const WorkerSetup& setup) {
  auto loop = std::make_unique<Loop>(context, setup);
  SPILLWAY_RETURN_IF_ERROR(loop->Open());
  return std::unique_ptr<WorkerDaemon>(new WorkerDaemon(std::move(loop)));
}

Status WorkerDaemon::Run() { return loop_->Run(); }
void WorkerDaemon::Drain() { loop_->Drain(); }
void WorkerDaemon::Leave() { loop_->Leave(); }

}  // namespace spillway
