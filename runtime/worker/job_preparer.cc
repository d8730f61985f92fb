#include "runtime/worker/job_preparer.h"

#include <chrono>
#include <utility>

#include "runtime/protocol/frame.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {

namespace {
constexpr std::chrono::milliseconds kLook{100};
constexpr int kLooksPerTry = 20;
constexpr int kTriesMax = 5;
}  // namespace

JobPreparer::JobPreparer(FileSystem& files, std::vector<std::string> scratch_dirs,
                         TransportContext& context, ClientOptions coordinator,
                         std::function<void()> wake)
    : files_(files),
      scratch_dirs_(std::move(scratch_dirs)),
      context_(context),
      coordinator_(std::move(coordinator)),
      wake_(std::move(wake)),
      thread_([this] { Loop(); }) {}

JobPreparer::~JobPreparer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  given_.notify_one();
  thread_.join();
}

void JobPreparer::Prepare(WorkerEffects::Preparation what) {
  {
    const std::lock_guard lock(mutex_);
    orders_.emplace_back(std::move(what));
  }
  given_.notify_one();
}

void JobPreparer::Remove(std::uint64_t job, std::unique_ptr<ExecutorProcess> executor) {
  {
    const std::lock_guard lock(mutex_);
    orders_.emplace_back(Removal{job, std::move(executor)});
  }
  given_.notify_one();
}

std::vector<JobPreparer::Prepared> JobPreparer::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(prepared_, {});
}

void JobPreparer::Loop() {
  for (;;) {
    std::variant<WorkerEffects::Preparation, Removal> order;
    {
      std::unique_lock lock(mutex_);
      given_.wait(lock, [this] { return ending_ || !orders_.empty(); });
      if (ending_) return;  // The scratch directories go as a whole.
      order = std::move(orders_.front());
      orders_.pop_front();
    }
    if (auto* removal = std::get_if<Removal>(&order)) {
      removal->executor.reset();
      RemoveJobFiles(files_, scratch_dirs_, removal->job);
      continue;
    }
    Prepared prepared{std::move(std::get<WorkerEffects::Preparation>(order)), OkStatus()};
    prepared.status = PrepareJobFiles(
        files_, scratch_dirs_,
        [this](std::uint64_t job, const std::string& name, std::uint64_t offset) {
          return Ask(job, name, offset);
        },
        prepared.what.start);
    {
      const std::lock_guard lock(mutex_);
      prepared_.push_back(std::move(prepared));
    }
    wake_();
  }
}

Result<wire::FileBytes> JobPreparer::Ask(std::uint64_t job, const std::string& name,
                                         std::uint64_t offset) {
  if (socket_ == nullptr) {
    SPILLWAY_ASSIGN_OR_RETURN(socket_, ClientSocket::Connect(context_, coordinator_));
  }
  wire::Message message;
  wire::Request& request = *message.mutable_request();
  request.set_id(++last_request_);
  request.mutable_file()->set_job(job);
  request.mutable_file()->set_name(name);
  request.mutable_file()->set_offset(offset);
  Poller poller;
  poller.Add(*socket_);
  for (int tries = 0; tries < kTriesMax; ++tries) {
    TransportMessage out;
    out.header = MessageBuffer::Copy(LoneFrame(message));
    SPILLWAY_RETURN_IF_ERROR(socket_->Send(std::move(out)));
    for (int looks = 0; looks < kLooksPerTry; ++looks) {
      if (ending_) return Cancelled("the worker ends");
      poller.Wait(kLook);
      while (auto in = socket_->Receive()) {
        const auto frame = ParseFrame(in->header.view());
        if (!frame.ok() || frame->messages_size() == 0) continue;
        auto answer = ParseMessage(frame->messages(0));
        if (!answer.ok() || answer->reply().id() != request.id()) continue;
        if (answer->reply().has_status()) return FromWire(answer->reply().status());
        return std::move(*answer->mutable_reply()->mutable_file());
      }
    }
  }
  return Unavailable("the coordinator does not answer");
}

}  // namespace spillway
