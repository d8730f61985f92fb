// LocalJob: the shell around the scheduler for one job in one process. It turns finished attempts,
// time and cancel requests into events, and carries out the scheduler's actions: attempts run on
// the slots' threads, everything else on the thread that calls Run.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/scheduler.h"
#include "runtime/local/attempt_runner.h"
#include "runtime/local/job_runner.h"
#include "runtime/local/prepared_job.h"
#include "runtime/worker/slot_pool.h"

namespace spillway {

class LocalJob {
 public:
  /// `cancel_requested` outlives the job.
  LocalJob(std::shared_ptr<const PreparedJob> job, const std::atomic<bool>& cancel_requested);
  ~LocalJob();

  JobReport Run();

  /// Any thread.
  JobProgress progress() const;

 private:
  using Clock = std::chrono::steady_clock;

  /// A reduce attempt that waits for segments, or runs.
  struct Reduce {
    std::vector<std::shared_ptr<const SegmentReader>> segments;  ///< By map task; null: not yet.
    std::uint32_t missing = 0;
    bool running = false;
  };

  void Submit();
  void Loop();
  void Apply(AttemptOutcome& outcome);
  void Feed(const Event& event);
  void ReportProgress();
  void Finish(JobReport& report);
  TimeMs NowMs() const;

  // One overload for each action of the scheduler.
  void Do(const StartMap& action);
  void Do(const StartReduce& action);
  void Do(const SegmentsAvailable& action);
  void Do(const SegmentInvalidated& action);
  void Do(const StopAttempt& action);
  void Do(const GrantCommit& action);
  void Do(const RefuseCommit& action);
  void Do(const DiscardSegment& action);
  void Do(const CommitJob& action);
  void Do(const JobEnded& action);
  void Do(const Warning& action);
  void Do(const WorkerExpired&) {}
  void Do(const WorkerDrained&) {}

  void RunWhenComplete(const AttemptId& id, Reduce& reduce);
  std::shared_ptr<AttemptControl> NewControl(const AttemptId& id);

  const std::shared_ptr<const PreparedJob> job_;
  const std::atomic<bool>& cancel_requested_;
  const Clock::time_point start_ = Clock::now();
  std::shared_ptr<AttemptRunner> runner_;  ///< Shared with the attempts' threads.
  std::unique_ptr<SlotPool> slots_;
  Scheduler scheduler_;

  std::deque<Event> events_;  ///< To be fed; actions add to it.
  bool cancel_sent_ = false;
  std::uint32_t abandoned_ = 0;  ///< Attempts that did not stop; each keeps its thread.
  std::optional<JobEnded> ended_;

  struct Running {
    std::shared_ptr<AttemptControl> control;
    std::uint64_t progress = 0;  ///< As last reported.
  };
  std::map<AttemptId, Running> running_;
  std::map<AttemptId, Reduce> reduces_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::shared_ptr<const SegmentReader>> segments_;
  std::map<AttemptId, AttemptOutcome> waiting_commits_;  ///< Finished, not granted yet.
  std::vector<CommittedPart> parts_;                     ///< Granted.
  std::map<std::uint32_t, MapTaskResult> map_results_;   ///< Of the attempts that count.
  std::map<std::uint32_t, ReduceTaskResult> reduce_results_;
  std::vector<std::string> warnings_;
  TimeMs prepared_ms_ = 0, maps_done_ms_ = 0, reduces_done_ms_ = 0;

  mutable std::mutex progress_mutex_;
  JobProgress progress_;  // Guarded by progress_mutex_.
};

}  // namespace spillway
