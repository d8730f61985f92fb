// TestHost: one attempt of a task inside a test. It is what the command is to a plugin: it takes
// what is collected and written, serves sorted groups, and keeps counters and the failure. Calls go
// through the plugin's own C interface, so a test runs the code that a job runs. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"
#include "mapreduce/output_path.h"

namespace spillway {

/// What a task may ask of its job: the arguments behind `--`, and side files by name.
struct TestSetup {
  std::vector<std::string> args = {};
  std::map<std::string, std::string> side_files = {};
};

/// Group and name of a counter, and what it came to.
using TestCounters = std::map<std::pair<std::string, std::string>, std::uint64_t>;

namespace internal {

/// An encoded record that owns its bytes; they are followed by the padding that plugins may read.
class StoredRecord {
 public:
  StoredRecord(std::string_view key, std::string_view value)
      : key_bytes_(key.size()), value_bytes_(value.size()) {
    bytes_.reserve(key.size() + value.size() + SPILLWAY_PADDING_BYTES);
    bytes_.append(key).append(value).append(SPILLWAY_PADDING_BYTES, '\0');
  }

  std::string_view key() const { return {bytes_.data(), key_bytes_}; }
  std::string_view value() const { return {bytes_.data() + key_bytes_, value_bytes_}; }
  char* value_data() { return bytes_.data() + key_bytes_; }
  spillway_record view() const {
    return {bytes_.data(), bytes_.data() + key_bytes_, static_cast<std::uint32_t>(key_bytes_),
            static_cast<std::uint32_t>(value_bytes_)};
  }

 private:
  std::string bytes_;
  std::size_t key_bytes_, value_bytes_;
};

using StoredRecords = std::vector<StoredRecord>;

/// Records in order, with the indices at which groups begin.
struct GroupedRecords {
  StoredRecords records;
  std::vector<std::size_t> starts;
};

class TestHost {
 public:
  struct Options {
    const spillway_job* job = nullptr;  ///< That the task belongs to, where there is one.
    const char* job_name = "test";
    std::uint32_t task_index = 0;
    std::uint32_t partitions = 1;
    bool values_are_bits = false;        ///< A fold whose state travels in the value field.
    std::size_t batch_records_max = 64;  ///< Of one call of next_groups.
    std::vector<std::string> paths = {};
  };

  TestHost(const TestSetup& setup, Options options) : setup_(setup), options_(std::move(options)) {
    for (const std::string& arg : setup_.args) args_.push_back(arg.c_str());
    task_.struct_bytes = sizeof task_;
    task_.host = this;
    task_.task_index = options_.task_index;
    task_.partition_count = options_.partitions;
    task_.job_name = options_.job_name;
    task_.job = options_.job;
    task_.args = args_.data();
    task_.arg_count = args_.size();
    task_.counter = [](void* host, const char* group, const char* name) {
      return &Self(host).counters_[{group, name}];
    };
    task_.set_status = [](void*, const char*, std::size_t) {};
    task_.fail = [](void* host, std::int32_t code, const char* text, std::size_t bytes) {
      Self(host).Fail(Status(static_cast<Code>(code), std::string(text, bytes)));
    };
    task_.side_file = [](void* host, const char* name) -> const char* {
      const auto& files = Self(host).setup_.side_files;
      const auto found = files.find(name);
      return found == files.end() ? nullptr : found->second.c_str();
    };
    task_.input_path = [](void* host, std::uint32_t file_index) -> const char* {
      const auto& paths = Self(host).options_.paths;
      return file_index < paths.size() ? paths[file_index].c_str() : nullptr;
    };
    task_.collect = [](void* host, const spillway_record* records, std::size_t count) {
      return Self(host).Collect(records, count);
    };
    task_.next_groups = [](void* host, spillway_groups* groups) {
      return Self(host).ServeGroups(groups);
    };
    task_.write_to = [](void* host, const char* directory, std::size_t directory_bytes,
                        const char* data, std::size_t bytes, std::uint64_t) {
      const std::string_view name(directory, directory_bytes);
      if (const std::string why = WhyNoOutputPath(name); !why.empty()) {
        Self(host).Fail(UserCodeError("'" + std::string(name) + "' is no directory: " + why));
        return 1;
      }
      Self(host).directories_[std::string(name)].append(data, bytes);
      return 0;
    };
    task_.write = [](void* host, const char* data, std::size_t bytes) {
      Self(host).written_.append(data, bytes);
      return 0;
    };
  }
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

  /// What next_groups answers with, from its start.
  void Serve(const GroupedRecords& input) {
    input_ = &input;
    next_ = next_start_ = 0;
  }

  /// The first failure counts.
  void Fail(Status status) {
    if (status_.ok()) status_ = std::move(status);
  }

  spillway_task* task() { return &task_; }
  const Status& status() const { return status_; }
  StoredRecords& collected() { return collected_; }
  const std::string& written() const { return written_; }
  /// By directory of the output.
  const std::map<std::string, std::string>& directories() const { return directories_; }
  const TestCounters& counters() const { return counters_; }

 private:
  static TestHost& Self(void* host) { return *static_cast<TestHost*>(host); }

  int Collect(const spillway_record* records, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const spillway_record& record = records[i];
      const std::string_view key(record.key, record.key_bytes);
      if (options_.values_are_bits) {
        char bits[sizeof record.value];
        std::memcpy(bits, &record.value, sizeof bits);
        collected_.emplace_back(key, std::string_view(bits, sizeof bits));
      } else {
        collected_.emplace_back(key, std::string_view(record.value, record.value_bytes));
      }
    }
    return 0;
  }

  int ServeGroups(spillway_groups* groups) {
    batch_.clear();
    batch_starts_.clear();
    const std::size_t all = input_ == nullptr ? 0 : input_->records.size();
    const std::size_t end = std::min(all, next_ + options_.batch_records_max);
    for (std::size_t i = next_; i < end; ++i) {
      if (next_start_ < input_->starts.size() && input_->starts[next_start_] == i) {
        batch_starts_.push_back(static_cast<std::uint32_t>(batch_.size()));
        ++next_start_;
      }
      batch_.push_back(input_->records[i].view());
    }
    next_ = end;
    groups->record_count = static_cast<std::uint32_t>(batch_.size());
    groups->records = batch_.data();
    groups->groups = batch_starts_.data();
    groups->group_count = static_cast<std::uint32_t>(batch_starts_.size());
    return 0;
  }

  const TestSetup& setup_;
  const Options options_;
  std::vector<const char*> args_;
  spillway_task task_{};
  StoredRecords collected_;
  std::string written_;
  std::map<std::string, std::string> directories_;
  TestCounters counters_;
  Status status_;
  const GroupedRecords* input_ = nullptr;
  std::size_t next_ = 0;
  std::size_t next_start_ = 0;
  std::vector<spillway_record> batch_;
  std::vector<std::uint32_t> batch_starts_;
};

}  // namespace internal
}  // namespace spillway
