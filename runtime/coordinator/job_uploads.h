// JobUploads: job specs that arrive in pieces. Bounded in number and bytes; a piece that comes
// twice does no harm. Pure; owned by the machine.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "mapreduce/base/status.h"
#include "runtime/core/attempt_id.h"
#include "runtime/protocol/spillway.pb.h"

namespace spillway {

struct JobUploadLimits {
  std::uint64_t spec_bytes_max = 256 << 20;  ///< Of one job; a million splits take some 30 MB.
  std::uint64_t total_bytes_max = 512 << 20;
  std::size_t uploads_max = 64;
  std::uint64_t idle_ms = 60'000;  ///< An upload that does not go on is dropped.
};

class JobUploads {
 public:
  explicit JobUploads(const JobUploadLimits& limits = {}) : limits_(limits) {}

  /// Takes a piece. The whole spec when it was the last one, else nothing.
  /// Unavailable: too many uploads at once. Aborted: the piece does not follow those that are here;
  /// the upload begins again. InvalidArgument: the spec is too large.
  Result<std::optional<std::string>> Take(const wire::SubmitChunk& chunk, TimeMs now);

  /// The job that came of an upload: the last piece may come again.
  void Remember(std::uint64_t upload, JobId job);
  std::optional<JobId> Find(std::uint64_t upload) const;

  void DropIdle(TimeMs now);

 private:
  struct Upload {
    std::string bytes;
    std::uint64_t total_bytes = 0;
    TimeMs moved_ms = 0;
  };
  const JobUploadLimits limits_;
  std::map<std::uint64_t, Upload> uploads_;
  std::uint64_t bytes_ = 0;
  std::map<std::uint64_t, JobId> done_;
  std::deque<std::uint64_t> done_order_;  // Oldest first.
};

}  // namespace spillway
