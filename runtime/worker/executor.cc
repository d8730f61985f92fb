#include "runtime/worker/executor.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "mapreduce/base/units.h"
#include "runtime/protocol/frame.h"
#include "runtime/protocol/wire_values.h"
#include "runtime/storage/machine.h"
#include "runtime/task/crash_report.h"
#include "runtime/transfer/message_memory.h"
#include "runtime/transfer/wake_event.h"
#include "runtime/transport/socket.h"
#include "runtime/worker/attempt_run.h"
#include "runtime/worker/executor_job.h"

namespace spillway {

namespace {

constexpr int kExitFailed = 1;
/// Between looks at progress and hangs.
constexpr std::chrono::milliseconds kTickMs{250};
/// User code that is still running when the job is over is given this long, then it is cut off.
constexpr std::uint64_t kLastWaitMs = 300;
/// Beyond the memory budget, for each thread and for the process: stacks, which are mapped long
/// before they are touched, the allocator's arenas, and what a plugin allocates by itself.
constexpr std::uint64_t kThreadRoomBytes = 16 * kMiB;
constexpr std::uint64_t kProcessRoomBytes = 64 * kMiB;

/// Goes with the daemon, gains no rights, and leaves no core with the job's data behind.
Status Confine(std::int64_t parent) {
  // Sent when the thread that started us ends. It may have ended before this call, so look.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) return Cancelled("the worker is gone");
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  return OkStatus();
}

/// A plugin that allocates without end is refused memory, with its record's place, before the
/// machine has none left: at the most that the executor was ever given, since what it took while it
/// had more cannot be taken back.
class DataLimit {
 public:
  void Begin(std::uint32_t slots) {
    room_bytes_ = DataBytes() + slots * kThreadRoomBytes + kProcessRoomBytes;
  }

  void RaiseTo(std::uint64_t memory_bytes) {
    rlimit limit{};
    if (memory_bytes <= memory_bytes_ || ::getrlimit(RLIMIT_DATA, &limit) != 0) return;
    memory_bytes_ = memory_bytes;
    limit.rlim_cur = std::min<rlim_t>(room_bytes_ + memory_bytes, limit.rlim_max);
    ::setrlimit(RLIMIT_DATA, &limit);
  }

 private:
  std::uint64_t room_bytes_ = 0;
  std::uint64_t memory_bytes_ = 0;
};

class Executor {
 public:
  Executor(const ExecutorOptions& options, SlotBoard& board, ClientSocket& socket,
           TransportContext& transport)
      : options_(options), board_(board), socket_(socket), transport_(transport) {
    poller_.Add(socket_);
    poller_.AddFd(wake_.fd());
  }

  /// The process's exit code.
  int Run() {
    SayReady(OkStatus());
    while (!exiting_ && !stuck_) {
      poller_.Wait(kTickMs);
      wake_.Clear();
      while (auto received = socket_.Receive()) OnFrame(received->header.view());
      if (job_ != nullptr && std::chrono::steady_clock::now() >= next_tick_) LookAfterJob();
      Flush();
    }
    // Sockets and stores stay as they are: threads of the job may still use them.
    if (job_ != nullptr && !stuck_ && job_->Stop(kLastWaitMs)) job_.reset();
    Flush();
    static_cast<void>(job_.release());
    return stuck_ ? kExecutorStuckExitCode : 0;
  }

 private:
  void SayReady(const Status& status) {
    wire::Message message;
    message.mutable_executor_ready()->set_job(options_.job);
    if (!status.ok()) *message.mutable_executor_ready()->mutable_status() = ToWire(status);
    Post(std::move(message));
  }

  /// Any thread.
  void Post(wire::Message message) {
    {
      const std::lock_guard lock(mutex_);
      outbox_.push_back(std::move(message));
    }
    wake_.Set();
  }

  void Flush() {
    {
      const std::lock_guard lock(mutex_);
      for (wire::Message& message : outbox_) unsent_.push_back(std::move(message));
      outbox_.clear();
    }
    while (!unsent_.empty()) {
      TransportMessage message;
      message.header = MessageBuffer::Copy(LoneFrame(unsent_.front()));
      const Status sent = socket_.Send(std::move(message));
      if (sent.code() == Code::kUnavailable) return;  // Full: with the next turn.
      // It would never be sent, and all that comes after it would wait for it.
      std::optional<wire::Message> failure;
      if (!sent.ok()) failure = FailureInsteadOf(unsent_.front(), sent);
      unsent_.pop_front();
      if (failure.has_value()) unsent_.push_front(*std::move(failure));
    }
  }

  void OnFrame(std::string_view bytes) {
    const Result<wire::Frame> frame = ParseFrame(bytes);
    if (!frame.ok()) return;
    for (const std::string& text : frame->messages()) {
      const Result<wire::Message> message = ParseMessage(text);
      if (message.ok()) OnMessage(*message);
    }
  }

  void OnMessage(const wire::Message& message) {
    if (message.has_executor_exit()) {
      exiting_ = true;
    } else if (message.has_executor_setup()) {
      if (job_ == nullptr) SetUp(message.executor_setup());
    } else if (job_ != nullptr) {
      if (message.has_memory_share()) data_limit_.RaiseTo(message.memory_share().bytes());
      job_->Handle(message);
    }
  }

  void SetUp(const wire::ExecutorSetup& setup) {
    auto job = ExecutorJob::Create(setup, {.transport = transport_,
                                           .board = board_,
                                           .post = [this](wire::Message m) { Post(std::move(m)); },
                                           .stuck = [this](const AttemptId&) { stuck_ = true; }});
    if (!job.ok()) {
      SayReady(job.status());
      return;
    }
    job_ = std::move(*job);
    data_limit_.Begin(setup.slots());
    data_limit_.RaiseTo(setup.memory().bytes());
  }

  void LookAfterJob() {
    next_tick_ = std::chrono::steady_clock::now() + kTickMs;
    job_->Tick();
    wire::Message message;
    *message.mutable_progress() = job_->Progress();
    if (message.progress().moved_size() > 0) Post(std::move(message));
  }

  const ExecutorOptions& options_;
  SlotBoard& board_;
  ClientSocket& socket_;
  TransportContext& transport_;
  Poller poller_;
  WakeEvent wake_;
  std::unique_ptr<ExecutorJob> job_;
  DataLimit data_limit_;
  std::deque<wire::Message> unsent_;
  std::chrono::steady_clock::time_point next_tick_;
  bool exiting_ = false;
  bool stuck_ = false;  // Set by job_->Tick.

  std::mutex mutex_;
  std::vector<wire::Message> outbox_;  // Guarded by mutex_.
};

/// Answers only when the process cannot begin.
Status Run(const ExecutorOptions& options) {
  SPILLWAY_RETURN_IF_ERROR(Confine(options.parent));
  SPILLWAY_ASSIGN_OR_RETURN(const auto board, SlotBoard::Attach(UniqueFd(options.board_fd)));
  const CrashRecorder recorder(*board);
  TransportContext for_fetches;
  auto to_daemon = std::make_unique<TransportContext>();
  ClientOptions client;
  client.endpoint = options.endpoint;
  SPILLWAY_ASSIGN_OR_RETURN(auto socket, ClientSocket::Connect(*to_daemon, client));
  Executor executor(options, *board, *socket, for_fetches);
  const int exit_code = executor.Run();
  board->SetFinished();
  socket.reset();     // Both wait, for a limited time,
  to_daemon.reset();  // until what was said is on its way.
  // A thread that hangs may hold a stream's lock.
  if (exit_code == 0) std::fflush(nullptr);
  // Nothing else is destroyed: threads that did not come back still use it.
  ::_exit(exit_code);
}

}  // namespace

void RunExecutor(const ExecutorOptions& options) {
  KeepMessageMemory();
  const Status status = Run(options);
  std::fprintf(stderr, "spillway executor: %s\n", status.message().c_str());
  ::_exit(kExitFailed);
}

}  // namespace spillway
