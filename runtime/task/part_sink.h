// PartSink: where a task's formatted output goes: to its part, or to a directory of the job's
// output. One attempt, one thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "mapreduce/base/status.h"

namespace spillway {

class PartSink {
 public:
  virtual ~PartSink() = default;
  virtual Status Append(std::string_view bytes) = 0;
  virtual Status AppendTo(std::string_view directory, std::string_view bytes,
                          std::uint64_t records) = 0;
};

}  // namespace spillway
