#include "runtime/coordinator/job_uploads.h"

#include <iterator>
#include <utility>

namespace spillway {

namespace {
constexpr std::size_t kRememberedMax = 1'000;
}  // namespace

Result<std::optional<std::string>> JobUploads::Take(const wire::SubmitChunk& chunk, TimeMs now) {
  if (chunk.total_bytes() > limits_.spec_bytes_max)
    return InvalidArgument("the job's description has " + std::to_string(chunk.total_bytes()) +
                           " bytes, more than " + std::to_string(limits_.spec_bytes_max) +
                           ": choose a larger --split-size or fewer inputs");
  DropIdle(now);
  if (!uploads_.contains(chunk.upload())) {
    if (chunk.offset() != 0)
      return Aborted("a piece of an upload that is not known: begin it again");
    if (uploads_.size() >= limits_.uploads_max)
      return Unavailable("too many jobs are being submitted at once; try again");
  }
  Upload& upload = uploads_[chunk.upload()];
  upload.total_bytes = chunk.total_bytes();
  upload.moved_ms = now;
  const std::uint64_t have = upload.bytes.size();
  const std::string& more = chunk.bytes();
  if (chunk.offset() + more.size() > have) {
    if (chunk.offset() != have || have + more.size() > upload.total_bytes)
      return Aborted("a piece of a job's description that does not follow the one before");
    if (bytes_ + more.size() > limits_.total_bytes_max)
      return Unavailable("too many jobs are being submitted at once; try again");
    upload.bytes += more;
    bytes_ += more.size();
  }
  if (upload.bytes.size() < upload.total_bytes) return std::optional<std::string>();
  std::string whole = std::move(upload.bytes);
  bytes_ -= whole.size();
  uploads_.erase(chunk.upload());
  return std::optional<std::string>(std::move(whole));
}

void JobUploads::Remember(std::uint64_t upload, JobId job) {
  if (!done_.try_emplace(upload, job).second) return;
  done_order_.push_back(upload);
  if (done_order_.size() <= kRememberedMax) return;
  done_.erase(done_order_.front());
  done_order_.pop_front();
}

std::optional<JobId> JobUploads::Find(std::uint64_t upload) const {
  const auto found = done_.find(upload);
  if (found == done_.end()) return std::nullopt;
  return found->second;
}

void JobUploads::DropIdle(TimeMs now) {
  for (auto it = uploads_.begin(); it != uploads_.end();) {
    const bool idle = it->second.moved_ms + limits_.idle_ms < now;
    if (idle) bytes_ -= it->second.bytes.size();
    it = idle ? uploads_.erase(it) : std::next(it);
  }
}

}  // namespace spillway
