// LoopBench: runs iterative jobs in both modes, each run a process of this command, and compares
// what they took and wrote. Run blocks, on one thread; Cancel may come from a signal handler.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/cli/child_process.h"
#include "runtime/comparison/loop_comparison.h"
#include "runtime/comparison/sample_data.h"
#include "runtime/local/cancellable.h"

namespace spillway {

struct LoopBenchOptions {
  std::string program;                    ///< This command's own file.
  std::vector<std::string> jobs;          ///< As `spillway run` takes them.
  std::vector<std::string> inputs;        ///< Empty: sample data is made.
  std::uint64_t sample_bytes = 64 << 20;  ///< Of each kind.
  std::uint64_t seed = 1;
  std::string scratch;             ///< An existing directory; all of it is gone when Run returns.
  std::vector<std::string> flags;  ///< For each run.
  /// The job's own; none: an example's usual ones.
  std::optional<std::vector<std::string>> arguments;
  std::function<void(const std::string& remark)> say;
};

/// The examples for which sample data can be made.
std::vector<std::string> SampledExamples();

class LoopBench : public Cancellable {
 public:
  explicit LoopBench(LoopBenchOptions options) : options_(std::move(options)) {}

  /// One comparison for each job, also where a mode did not run. The status is that of the bench
  /// itself; Cancelled after Cancel.
  Status Run(std::vector<LoopComparison>* loops);
  void Cancel() override;

 private:
  Result<LoopComparison> Compare(FileSystem& files, const std::string& job);
  Result<std::string> SampleFor(FileSystem& files, SampleKind kind);
  Status RunMode(const LoopComparison& loop, const std::vector<std::string>& inputs,
                 ModeFigures* figures);
  std::vector<std::string> WordsOf(const LoopComparison& loop,
                                   const std::vector<std::string>& inputs,
                                   const std::string& mode) const;
  std::string OutputOf(const std::string& mode) const { return place_ + "/" + mode + ".out"; }

  const LoopBenchOptions options_;
  std::string place_;  ///< Where everything is written.
  std::map<SampleKind, std::string> samples_;
  MeasuredChild child_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace spillway
