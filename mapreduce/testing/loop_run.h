// LoopRun: an iterative job inside a test, round after round as in disk mode: each is a JobRun that
// is told the state by the loop's file and leaves the next one. One thread.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/loop_file.h"
#include "mapreduce/testing/job_run.h"

namespace spillway::internal {

/// The loop's file, for as long as this lives: tasks know it by its path.
class LoopStateFile {
 public:
  LoopStateFile() {
    const int file = ::mkstemp(path_);
    if (file >= 0) ::close(file);
  }
  ~LoopStateFile() { ::unlink(path_); }
  LoopStateFile(const LoopStateFile&) = delete;
  LoopStateFile& operator=(const LoopStateFile&) = delete;

  const char* path() const { return path_; }
  Status Write(const std::string& bytes) {
    std::ofstream file(path_, std::ios::binary);
    file << bytes << std::flush;
    return file ? OkStatus() : ResourceExhausted(std::string(path_) + " cannot be written");
  }

 private:
  char path_[32] = "/tmp/spillway_loop_XXXXXX";
};

class LoopRun {
 public:
  LoopRun(const spillway_job& job, TestSetup setup, const std::vector<TestInput>& inputs,
          const TestShape& shape)
      : job_(job), setup_(std::move(setup)), inputs_(inputs), shape_(shape) {
    setup_.side_files[SPILLWAY_LOOP_FILE] = file_.path();
  }

  /// All rounds, until one converges or is the last that the loop may have.
  Status Run() {
    std::string state = LoopFile{0, job_.loop->rounds_max, {}}.Encode();
    while (true) {
      SPILLWAY_RETURN_IF_ERROR(file_.Write(state));
      JobRun round(job_, setup_, inputs_, 1, shape_);
      const Status status = round.Run();
      counters_ = round.counters();
      SPILLWAY_RETURN_IF_ERROR(status);
      parts_ = round.parts();
      directories_ = round.directories();
      if (counters_[{"loop", "ended"}] != 0) return OkStatus();
      state = parts_.at(0);
    }
  }

  const std::vector<std::string>& parts() const { return parts_; }
  const std::map<std::string, std::string>& directories() const { return directories_; }
  /// Of the last round.
  const TestCounters& counters() const { return counters_; }

 private:
  const spillway_job& job_;
  TestSetup setup_;
  const std::vector<TestInput>& inputs_;
  const TestShape shape_;
  LoopStateFile file_;
  std::vector<std::string> parts_;
  std::map<std::string, std::string> directories_;
  TestCounters counters_;
};

}  // namespace spillway::internal
