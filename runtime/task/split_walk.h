// SplitWalk: the blocks of a map task's splits, one after the other, with the records to pass over
// marked, given to the plugin under the task's guard. A failure names the record. One task, one
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "runtime/task/map_task.h"
#include "runtime/task/task_host.h"

namespace spillway {

class SplitWalk {
 public:
  /// All arguments outlive the walk.
  SplitWalk(const MapTaskSpec& spec, const MapTaskResources& resources, TaskHost& host)
      : spec_(spec), resources_(resources), host_(host) {}

  /// Calls the plugin for each block of the range, until it fails.
  Status Walk(const SplitRange& range, const std::function<int(const spillway_block&)>& call);

  std::uint64_t input_bytes() const { return input_bytes_; }
  /// Where user code failed, when it was on a record.
  const std::optional<RecordPlace>& bad_record() const { return bad_record_; }

 private:
  Status CheckUnchanged(const SplitRange& range) const;
  void CountInput(std::uint64_t file_bytes);
  void SkipBadRecords(spillway_block* block);

  const MapTaskSpec& spec_;
  const MapTaskResources& resources_;
  TaskHost& host_;
  std::vector<const char*> skips_;
  std::uint64_t input_bytes_ = 0;
  std::optional<RecordPlace> bad_record_;
};

}  // namespace spillway
