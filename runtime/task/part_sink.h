// PartSink: where a task's formatted output goes. One attempt, one thread.
#pragma once

#include <string_view>

#include "mapreduce/base/status.h"

namespace spillway {

class PartSink {
 public:
  virtual ~PartSink() = default;
  virtual Status Append(std::string_view bytes) = 0;
};

}  // namespace spillway
