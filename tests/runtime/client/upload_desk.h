// UploadDesk: puts the pieces of uploads together, as docs/formats/protocol.md asks of a
// coordinator. Ok with nothing: more is to come.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "mapreduce/base/status.h"
#include "runtime/protocol/spillway.pb.h"

namespace spillway {

class UploadDesk {
 public:
  Result<std::optional<wire::JobSpec>> Take(const wire::SubmitChunk& chunk) {
    std::string& bytes = uploads_[chunk.upload()];
    if (chunk.offset() > bytes.size()) return Aborted("an upload that is not known here");
    if (chunk.offset() == bytes.size()) bytes += chunk.bytes();  // Else it is a repetition.
    if (bytes.size() < chunk.total_bytes()) return std::optional<wire::JobSpec>();
    wire::JobSpec spec;
    if (!spec.ParseFromString(bytes)) return InvalidArgument("no job");
    return std::optional<wire::JobSpec>(std::move(spec));
  }

  /// As a restart does.
  void Forget() { uploads_.clear(); }

 private:
  std::map<std::uint64_t, std::string> uploads_;
};

}  // namespace spillway
