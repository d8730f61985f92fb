#include "runtime/coordinator/output_keeper.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "runtime/storage/content_hash.h"

namespace spillway {

namespace {
constexpr std::size_t kKnownFilesMax = 1'000;
}  // namespace

OutputKeeper::OutputKeeper(FileSystem& files, std::vector<std::string> guarded_dirs,
                           std::function<void()> wake)
    : files_(files),
      guarded_dirs_(std::move(guarded_dirs)),
      wake_(std::move(wake)),
      outputs_(files),
      thread_([this] { Loop(); }) {}

OutputKeeper::~OutputKeeper() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  given_.notify_one();
  thread_.join();
}

void OutputKeeper::Give(OutputOrder order) {
  {
    const std::lock_guard lock(mutex_);
    orders_.emplace_back(std::move(order));
  }
  given_.notify_one();
}

void OutputKeeper::Give(FileOrder order) {
  bool refused = false;
  {
    const std::lock_guard lock(mutex_);
    refused = file_orders_ >= kFileOrdersMax;
    if (refused) {
      done_.push_back(
          FileDone{std::move(order), Unavailable("too many files are asked for"), "", false});
    } else {
      ++file_orders_;
      orders_.emplace_back(std::move(order));
    }
  }
  if (refused) return wake_();
  given_.notify_one();
}

std::vector<KeeperDone> OutputKeeper::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(done_, {});
}

void OutputKeeper::Loop() {
  for (;;) {
    std::variant<OutputOrder, FileOrder> order;
    {
      std::unique_lock lock(mutex_);
      given_.wait(lock, [this] { return ending_ || !orders_.empty(); });
      if (orders_.empty()) return;
      order = std::move(orders_.front());
      orders_.pop_front();
      if (std::holds_alternative<FileOrder>(order)) --file_orders_;
    }
    auto done = std::visit([this](auto& o) { return Do(o); }, order);
    if (!done.has_value()) continue;
    {
      const std::lock_guard lock(mutex_);
      done_.push_back(*std::move(done));
    }
    wake_();
  }
}

/// Whoever submits a job chooses its output: not what the coordinator itself lives on.
Status OutputKeeper::CheckPlace(const std::string& output_dir) const {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path output = fs::weakly_canonical(output_dir, error);
  for (const std::string& guarded : guarded_dirs_) {
    const fs::path place = fs::weakly_canonical(guarded, error);
    const auto ends = std::mismatch(output.begin(), output.end(), place.begin(), place.end());
    if (ends.first == output.end() || ends.second == place.end())
      return PermissionDenied("the output '" + output_dir +
                              "' lies at, in or above a directory of the coordinator's own; "
                              "choose another --output");
  }
  return OkStatus();
}

/// What is served is what was pinned, and nothing else that this process may read.
Status OutputKeeper::CheckContent(const FileOrder& order) {
  SPILLWAY_ASSIGN_OR_RETURN(const FileInfo info, files_.Stat(order.path));
  if (info.kind != FileKind::kRegular) return BadData("'" + order.path + "' is not a regular file");
  const std::string name = order.sha256 + order.path;
  const auto known = known_.find(name);
  if (known != known_.end() && known->second.inode == info.inode &&
      known->second.bytes == info.bytes && known->second.mtime_ns == info.mtime_ns)
    return OkStatus();
  SPILLWAY_ASSIGN_OR_RETURN(const std::string hash, FileSha256(order.path));
  if (hash != order.sha256)
    return BadData(
        "'" + order.path +
        "' is not the file that was submitted: its SHA-256 differs; submit the job again");
  if (known_.size() >= kKnownFilesMax) known_.clear();
  known_[name] = info;
  return OkStatus();
}

std::optional<KeeperDone> OutputKeeper::Do(OutputOrder& order) {
  if (order.kind == OutputOrder::Kind::kOpen) {
    Status refused = CheckPlace(order.staging.output_dir);
    if (!refused.ok()) return OutputDone{std::move(order), std::move(refused), ""};
  }
  OutputDone done = outputs_.Do(std::move(order));
  if (done.order.kind == OutputOrder::Kind::kDrop) return std::nullopt;
  return done;
}

std::optional<KeeperDone> OutputKeeper::Do(FileOrder& order) {
  FileDone done;
  const auto read = [&]() -> Status {
    SPILLWAY_RETURN_IF_ERROR(CheckContent(order));
    SPILLWAY_ASSIGN_OR_RETURN(const FileInfo info, files_.Stat(order.path));
    if (order.offset > info.bytes)
      return InvalidArgument("an offset behind the end of '" + order.path + "'");
    SPILLWAY_ASSIGN_OR_RETURN(const auto file, files_.Open(order.path));
    done.bytes.resize(std::min<std::uint64_t>(info.bytes - order.offset, kFileBytesMax));
    SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t got,
                              file->ReadAt(order.offset, done.bytes.size(), done.bytes.data()));
    done.bytes.resize(got);
    done.last = order.offset + got >= info.bytes;
    return OkStatus();
  };
  done.status = read();
  done.order = std::move(order);
  return done;
}

}  // namespace spillway
