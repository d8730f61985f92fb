// CoordinatorThread: a real coordinator on a thread of its own, for benchmarks. One thread drives
// it.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "runtime/coordinator/coordinator.h"

namespace spillway {

class CoordinatorThread {
 public:
  /// Opens the coordinator, journal included, and lets it run.
  static Result<std::unique_ptr<CoordinatorThread>> Start(TransportContext& context,
                                                          const CoordinatorSetup& setup);
  ~CoordinatorThread();
  CoordinatorThread(const CoordinatorThread&) = delete;
  CoordinatorThread& operator=(const CoordinatorThread&) = delete;

  const std::string& endpoint() const { return coordinator_->endpoint(); }

  /// Ends it between two turns, as a stop of its process does: jobs stay in the journal. How Run
  /// ended.
  Status Stop();

  // --- After Stop.
  const CoordinatorStats& stats() const { return coordinator_->stats(); }
  /// Processor time of Run's thread.
  double cpu_s() const { return cpu_s_; }

 private:
  explicit CoordinatorThread(std::unique_ptr<Coordinator> coordinator);

  const std::unique_ptr<Coordinator> coordinator_;
  Status outcome_;
  double cpu_s_ = 0;
  std::thread thread_;
};

/// A setup without keys that logs nothing but what went wrong.
CoordinatorSetup PlainSetup(const std::string& endpoint, const std::string& journal_dir);

/// Peak resident memory of this process.
std::uint64_t PeakResidentBytes();

/// A directory that goes with its object. SPILLWAY_BENCH_DIR names the disk; /tmp by default.
class BenchDirectory {
 public:
  BenchDirectory();
  ~BenchDirectory();
  BenchDirectory(const BenchDirectory&) = delete;
  BenchDirectory& operator=(const BenchDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace spillway
