// What the tests of task engines and executors share: a small job in a temporary directory, the
// messages that a coordinator would send for it, and a place where the answers arrive.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/protocol/spillway.pb.h"
#include "runtime/protocol/wire_values.h"
#include "runtime/storage/part_file.h"
#include "runtime/storage/posix_file_system.h"

namespace spillway {

inline constexpr std::uint64_t kTestJob = 7;

/// Answers in the order in which they came; Await waits for the first that suits. Any thread.
class Inbox {
 public:
  void Put(wire::Message message) {
    {
      const std::lock_guard lock(mutex_);
      messages_.push_back(std::move(message));
    }
    arrived_.notify_all();
  }

  /// Takes it out. Nothing after 30 seconds, and the test has failed.
  std::optional<wire::Message> Await(const std::function<bool(const wire::Message&)>& suits) {
    std::unique_lock lock(mutex_);
    std::optional<wire::Message> found;
    arrived_.wait_for(lock, std::chrono::seconds(30), [&] {
      for (auto it = messages_.begin(); it != messages_.end(); ++it) {
        if (!suits(*it)) continue;
        found = std::move(*it);
        messages_.erase(it);
        return true;
      }
      return false;
    });
    EXPECT_TRUE(found.has_value()) << "the message never came";
    return found;
  }

  std::optional<wire::Message> AwaitKind(wire::Message::KindCase kind) {
    return Await([kind](const wire::Message& message) { return message.kind_case() == kind; });
  }
  std::optional<wire::Message> Next() {
    return Await([](const wire::Message&) { return true; });
  }
  std::size_t Count(wire::Message::KindCase kind) {
    const std::lock_guard lock(mutex_);
    std::size_t count = 0;
    for (const wire::Message& message : messages_) count += message.kind_case() == kind ? 1 : 0;
    return count;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<wire::Message> messages_;
};

/// A job over one input file that is cut into `maps` ranges.
class TestJob {
 public:
  TestJob(const std::string& plugin, const std::vector<std::string>& args, const std::string& text,
          std::uint32_t maps, std::uint32_t parts) {
    std::string name = testing::TempDir() + "engine-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    for (const char* sub : {"/staging", "/staging/attempts", "/scratch"})
      EXPECT_TRUE(files.MakeDirectory(dir_ + sub, 0700).ok());
    input_path_ = dir_ + "/input.txt";
    std::ofstream(input_path_) << text;
    input_bytes_ = text.size();
    start.set_job(kTestJob);
    start.set_job_id("test-0001");
    start.set_staging_dir(dir_ + "/staging");
    start.set_segment_job(0x1234);
    start.set_maps(maps);
    wire::JobSpec& spec = *start.mutable_spec();
    spec.mutable_plugin()->set_path(plugin);
    for (const std::string& arg : args) spec.add_args(arg);
    spec.set_parts(parts);
    spec.set_map_bytes_max(input_bytes_ / maps + 1);
  }
  ~TestJob() { EXPECT_TRUE(files.RemoveTree(dir_).ok()); }

  const std::string& dir() const { return dir_; }
  const std::string& input_path() const { return input_path_; }
  std::string scratch() const { return dir_ + "/scratch"; }

  AttemptId Map(std::uint32_t task, std::uint32_t attempt = 0) const {
    return {kTestJob, TaskKind::kMap, task, attempt};
  }
  AttemptId Reduce(std::uint32_t task, std::uint32_t attempt = 0) const {
    return {kTestJob, TaskKind::kReduce, task, attempt};
  }

  wire::Message StartMap(const AttemptId& id) const {
    wire::Message message;
    wire::StartMap& map = *message.mutable_start_map();
    *map.mutable_attempt() = ToWire(id);
    wire::InputFile& file = *map.add_files();
    file.set_path(input_path_);
    file.set_bytes(input_bytes_);
    const std::uint64_t begin = input_bytes_ * id.task / start.maps();
    wire::FileRange& range = *map.add_ranges();
    range.set_file_index(3);
    range.set_offset(begin);
    range.set_bytes(input_bytes_ * (id.task + 1) / start.maps() - begin);
    return message;
  }
  wire::Message StartReduce(const AttemptId& id) const {
    wire::Message message;
    *message.mutable_start_reduce()->mutable_attempt() = ToWire(id);
    message.mutable_start_reduce()->set_maps(start.maps());
    return message;
  }
  wire::Message Available(const AttemptId& reduce, const std::vector<AttemptId>& maps) const {
    wire::Message message;
    *message.mutable_segments_available()->mutable_reduce() = ToWire(reduce);
    for (const AttemptId& map : maps)
      *message.mutable_segments_available()->add_segments() =
          ToWire(SegmentRef{map.task, map.attempt, 1});
    return message;
  }
  wire::Message Invalidated(const AttemptId& reduce, const AttemptId& map) const {
    wire::Message message;
    *message.mutable_segment_invalidated()->mutable_reduce() = ToWire(reduce);
    *message.mutable_segment_invalidated()->mutable_segment() =
        ToWire(SegmentRef{map.task, map.attempt, 1});
    return message;
  }
  static wire::Message Stop(const AttemptId& id) {
    wire::Message message;
    *message.mutable_stop_attempt()->mutable_attempt() = ToWire(id);
    return message;
  }
  static wire::Message Grant(const AttemptId& id) {
    wire::Message message;
    *message.mutable_commit_grant()->mutable_attempt() = ToWire(id);
    message.mutable_commit_grant()->set_epoch(1);
    return message;
  }
  static wire::Message Refuse(const AttemptId& id) {
    wire::Message message;
    *message.mutable_commit_refuse()->mutable_attempt() = ToWire(id);
    return message;
  }

  std::string PartPath(std::uint32_t part, std::uint32_t attempt = 0) const {
    return PartAttemptPath(start.staging_dir(), part, attempt);
  }
  bool HasPart(std::uint32_t part, std::uint32_t attempt = 0) {
    return files.Stat(PartPath(part, attempt)).ok();
  }
  std::string ReadPart(std::uint32_t part, std::uint32_t attempt = 0) const {
    std::ifstream file(PartPath(part, attempt));
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  PosixFileSystem files;
  wire::StartJob start;

 private:
  std::string dir_, input_path_;
  std::uint64_t input_bytes_ = 0;
};

/// Lines of "wN", and what counting them should give: "wN<TAB>count" lines, sorted.
struct CountedLines {
  explicit CountedLines(std::uint32_t seed, std::uint32_t lines = 2'000) {
    std::map<std::string, int> counts;
    for (std::uint32_t i = 0; i < lines; ++i) {
      seed = seed * 1'664'525 + 1'013'904'223;
      const std::string word = "w" + std::to_string((seed >> 8) % 97);
      text += word + "\n";
      ++counts[word];
    }
    for (const auto& [word, count] : counts) expected += word + "\t" + std::to_string(count) + "\n";
  }
  std::string text;
  std::string expected;
};

}  // namespace spillway
