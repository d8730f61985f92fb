// FakeTask: a spillway_task for tests, which serves given batches of groups and keeps what is
// collected and written. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/abi.h"

namespace spillway {

struct FakeTask {
  /// Sorted records, and where in them groups begin; see spillway_groups.
  struct Batch {
    std::vector<std::pair<std::string, std::string>> records;
    std::vector<std::uint32_t> groups;
  };

  FakeTask() {
    task.struct_bytes = sizeof task;
    task.host = this;
    task.next_groups = [](void* host, spillway_groups* out) {
      static_cast<FakeTask*>(host)->Serve(out);
      return 0;
    };
    task.write = [](void* host, const char* data, std::size_t bytes) {
      static_cast<FakeTask*>(host)->text.append(data, bytes);
      return 0;
    };
    task.fail = [](void* host, std::int32_t why, const char* what, std::size_t bytes) {
      static_cast<FakeTask*>(host)->code = why;
      static_cast<FakeTask*>(host)->message.assign(what, bytes);
    };
  }
  FakeTask(const FakeTask&) = delete;
  FakeTask& operator=(const FakeTask&) = delete;

  void Serve(spillway_groups* out) {
    current = {};
    if (!batches.empty()) {
      current = std::move(batches.front());
      batches.pop_front();
    }
    views.clear();
    for (const auto& [key, value] : current.records)
      views.push_back({key.data(), value.data(), static_cast<std::uint32_t>(key.size()),
                       static_cast<std::uint32_t>(value.size())});
    out->record_count = static_cast<std::uint32_t>(views.size());
    out->records = views.data();
    out->groups = current.groups.data();
    out->group_count = static_cast<std::uint32_t>(current.groups.size());
  }

  spillway_task task{};
  std::deque<Batch> batches;
  Batch current;
  std::vector<spillway_record> views;
  std::string text;     ///< What was written.
  std::string message;  ///< Of the failure.
  std::int32_t code = 0;
};

}  // namespace spillway
