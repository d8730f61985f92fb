#include "runtime/local/local_executor.h"

#include <chrono>
#include <utility>

#include "mapreduce/base/check.h"
#include "runtime/protocol/wire_values.h"
#include "runtime/worker/job_runtime.h"

namespace spillway {

namespace {
/// A cancelled job ends within seconds.
constexpr std::uint64_t kStopTimeoutMs = 4'000;
}  // namespace

LocalExecutor::LocalExecutor(std::shared_ptr<const PreparedJob> job)
    : job_(std::move(job)),
      // The batches of a loop have that memory; what they leave no room for goes to the disk.
      segment_budget_(job_->in_seats() ? 0 : SegmentBudgetBytes(job_->memory)) {}

LocalExecutor::~LocalExecutor() { SPILLWAY_CHECK(engine_ == nullptr); }

Status LocalExecutor::Open(const std::string& run_id) {
  DiskSegmentStoreOptions options;
  for (const std::string& directory : job_->spill_dirs) {
    SPILLWAY_RETURN_IF_ERROR(ScratchDirectory::RemoveLeftovers(directory).status());
    SPILLWAY_ASSIGN_OR_RETURN(auto scratch, ScratchDirectory::Create(directory, run_id));
    options.directories.push_back(scratch->path());
    scratch_.push_back(std::move(scratch));
  }
  disk_ = std::make_unique<DiskSegmentStore>(files_, options);
  segments_ = std::make_unique<HybridSegmentStore>(segment_budget_, *disk_);
  source_ = std::make_unique<LocalSegmentSource>(*segments_);
  SPILLWAY_ASSIGN_OR_RETURN(board_, SlotBoard::Create(job_->memory.threads));
  return OkStatus();
}

void LocalExecutor::Handle(const wire::Message& message) {
  if (message.has_start_job() && engine_ == nullptr) {
    wire::StartJob start = message.start_job();
    // Too many names for a message: a worker asks for them, and here they are.
    if (start.inputs_bytes() > 0)
      for (const FoundFile& file : job_->inputs) start.mutable_inputs()->add_names(file.path);
    auto engine = TaskEngine::Create(
        start,
        {.plugin = *job_->plugin,
         .files = files_,
         .segments = *segments_,
         .source = *source_,
         .board = *board_,
         .post = [this](wire::Message m) { Post(std::move(m)); },
         .stuck = [this](const AttemptId& id) { OnStuck(id); }},
        {.memory = job_->memory, .stop_timeout_ms = kStopTimeoutMs, .alone = true});
    failure_ = engine.status();
    if (engine.ok()) engine_ = std::move(engine).value();
    return;
  }
  if (engine_ != nullptr) return engine_->Handle(message);
  wire::Message failed;
  if (message.has_start_map())
    *failed.mutable_attempt_failed()->mutable_attempt() = message.start_map().attempt();
  else if (message.has_start_reduce())
    *failed.mutable_attempt_failed()->mutable_attempt() = message.start_reduce().attempt();
  else if (message.has_start_combine())
    *failed.mutable_attempt_failed()->mutable_attempt() = message.start_combine().attempt();
  else
    return;
  *failed.mutable_attempt_failed()->mutable_status() = ToWire(failure_);
  Post(std::move(failed));
}

/// Its thread is where it was, and the slot says so.
void LocalExecutor::OnStuck(const AttemptId& id) {
  ++stuck_;
  if (!stuck_text_.empty()) return;
  stuck_text_ = AttemptText(id);
  for (std::uint32_t slot = 0; slot < board_->slots(); ++slot)
    if (const auto report = board_->Read(slot); report.has_value() && report->attempt == id)
      stuck_text_ += ": " + SlotText(*report, "hangs", files_);
}

void LocalExecutor::Tick() {
  if (engine_ != nullptr) engine_->Tick();
}

wire::Progress LocalExecutor::Progress() {
  return engine_ == nullptr ? wire::Progress() : engine_->Progress();
}

void LocalExecutor::Post(wire::Message message) {
  {
    const std::lock_guard lock(mutex_);
    outbox_.push_back(std::move(message));
  }
  posted_.notify_one();
}

std::vector<wire::Message> LocalExecutor::Take(std::uint64_t wait_ms) {
  std::unique_lock lock(mutex_);
  posted_.wait_for(lock, std::chrono::milliseconds(wait_ms), [this] { return !outbox_.empty(); });
  return std::exchange(outbox_, {});
}

void LocalExecutor::Close() {
  if (engine_ != nullptr && !engine_->Stop(stuck_ > 0 ? 0 : kStopTimeoutMs)) {
    // Threads still use them: what they write goes nowhere, what they hold goes with the process.
    static_cast<void>(engine_.release());
    static_cast<void>(board_.release());
    static_cast<void>(source_.release());
    static_cast<void>(segments_.release());
    static_cast<void>(disk_.release());
  }
  engine_.reset();
  scratch_.clear();
}

}  // namespace spillway
