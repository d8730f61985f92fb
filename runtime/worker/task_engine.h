// TaskEngine: runs the attempts of one job in this process. It is told what to do by the
// coordinator's messages and answers by messages; repeats of what it was told change nothing and
// are answered as before. Reduces fetch their segments while maps still run, and take a thread when
// they have them all.
//
// Handle, Replan, Progress and Tick are for one thread. What is posted may come from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/protocol/loop_pieces.h"
#include "runtime/task/slot_board.h"
#include "runtime/transfer/segment_source.h"
#include "runtime/worker/attempt_run.h"
#include "runtime/worker/job_runtime.h"
#include "runtime/worker/slot_pool.h"
#include "shuffle/format/partition_range.h"

namespace spillway {

struct TaskEngineOptions {
  MemoryPlan memory;  ///< Its threads are the engine's slots.
  /// Attempts that ended and whose answer is kept, to be told again.
  std::uint32_t answers_max = 1'024;
  /// User code that does not come back after a stop is given up after this long.
  std::uint64_t stop_timeout_ms = 4'000;
  bool alone = false;  ///< No other process has tasks of the job.
};

/// What the engine works with. All of it outlives the engine.
struct TaskEngineHost {
  const PluginJob& plugin;
  FileSystem& files;
  SegmentStore& segments;  ///< Map outputs, and intermediate merges of reduces.
  SegmentSource& source;   ///< Where reduces get their segments.
  SlotBoard& board;        ///< With as many slots as the memory plan has threads, or more.
  /// Takes the answers. Any thread, maybe from within Handle; must not call the engine.
  std::function<void(wire::Message)> post;
  /// An attempt hangs in user code and keeps its thread; its end was posted. Called by Tick. The
  /// process should end soon, and another one go on.
  std::function<void(const AttemptId&)> stuck;
};

class TaskEngine {
 public:
  /// InvalidArgument: the job and the plugin do not agree.
  static Result<std::unique_ptr<TaskEngine>> Create(const wire::StartJob& job,
                                                    const TaskEngineHost& host,
                                                    const TaskEngineOptions& options);

  /// Stop must have answered true.
  ~TaskEngine();
  TaskEngine(const TaskEngine&) = delete;
  TaskEngine& operator=(const TaskEngine&) = delete;

  /// StartMap, StartReduce, StartCombine, SegmentsAvailable, SegmentInvalidated, StopAttempt,
  /// CommitGrant, CommitRefuse, DiscardSegment, LoopBegin and LoopRound; others are ignored, as are
  /// those of other jobs.
  void Handle(const wire::Message& message);

  /// See JobRuntime::Replan.
  void Replan(const MemoryPlan& plan, std::uint32_t processes) { job_.Replan(plan, processes); }

  /// What moved since the last call.
  wire::Progress Progress();

  /// Of a loop, the round in progress; 0 for other jobs.
  std::uint32_t loop_round() const;

  /// Looks for attempts that hang. About once a second.
  void Tick();

  /// Attempts that have not ended, those that wait for their grant included.
  std::vector<AttemptId> attempts() const;

  /// Stops everything; nothing more is posted afterwards. False when user code has not come back
  /// within `timeout_ms`: then leave the engine, and all it works with, undestroyed.
  [[nodiscard]] bool Stop(std::uint64_t timeout_ms);

 private:
  using Clock = std::chrono::steady_clock;

  enum class State {
    kFetching,  ///< A reduce or combine that has not got all segments.
    kQueued,    ///< Waits for a thread.
    kRunning,
    kPromised,  ///< Its CommitRequest is out.
    kEnded,     ///< Only its answer is kept.
  };

  /// What a reduce or combine reads: some partitions of some segments.
  struct Inputs {
    FetchTicket ticket = 0;
    std::uint32_t first_segment = 0;
    PartitionRange partitions = {};
    std::uint32_t own_segment = 0;  ///< Of a combine: the number of what it writes.
    // By segment, from the first on.
    std::vector<std::uint32_t> wanted = {};  ///< Attempts; kNoAttempt: none announced.
    std::vector<std::shared_ptr<const SegmentReader>> readers = {};  ///< Null: not here yet.
    std::uint32_t missing = 0;

    /// Where the segment has its place; nothing for one that is not read.
    std::optional<std::size_t> Find(std::uint32_t segment) const {
      if (segment < first_segment || segment - first_segment >= wanted.size()) return std::nullopt;
      return segment - first_segment;
    }
    void Forget(std::size_t at) {
      if (readers[at] != nullptr) ++missing;
      readers[at] = nullptr;
      wanted[at] = kNoAttempt;
    }
  };

  struct Attempt {
    State state = State::kQueued;
    std::shared_ptr<AttemptControl> control = std::make_shared<AttemptControl>();
    std::optional<Inputs> inputs;   ///< Of a reduce or combine, until it takes a thread.
    std::uint64_t input_bytes = 0;  ///< Of a map.
    std::vector<std::unique_ptr<AttemptOutput>> parts;  ///< While kPromised.
    wire::Message answer;                               ///< From kPromised on.

    std::uint32_t slot = 0;        ///< While kRunning, like the three below.
    std::uint64_t seen_steps = 0;  ///< Of the control's progress, as Tick last saw it.
    Clock::time_point moved;       ///< When they last changed.
    std::optional<Clock::time_point> stopped;
    std::uint64_t told_steps = 0;  ///< As Progress last told; reduces count segments until run.
  };

  /// What is to be done once the mutex is free.
  struct Deferred {
    std::vector<wire::Message> posts;
    std::vector<std::pair<FetchTicket, SegmentOrder>> fetches;
    std::vector<FetchTicket> tickets_done;
    std::vector<AttemptId> stuck;
  };

  TaskEngine(const wire::StartJob& job, const TaskEngineHost& host,
             const TaskEngineOptions& options);

  void On(const wire::StartMap& start);
  void On(const wire::StartReduce& start);
  void On(const wire::StartCombine& start);
  void On(const wire::SegmentsAvailable& available);
  void On(const wire::SegmentInvalidated& invalidated);
  void On(const wire::StopAttempt& stop);
  void On(const wire::CommitGrant& grant);
  void On(const wire::CommitRefuse& refuse);
  void On(const wire::DiscardSegment& discard);
  void On(const wire::LoopBegin& begin);
  void On(const wire::LoopRound& round);

  void RunMap(const AttemptId& id, const MapTaskSpec& spec, std::uint32_t slot);
  void RunReading(const AttemptId& id, std::uint32_t slot);
  void Finish(const AttemptId& id, AttemptEnd end);
  void OnFetched(const AttemptId& id, FetchTicket ticket, const SegmentOrder& order,
                 Result<std::shared_ptr<const SegmentReader>> reader);
  void LoseSegment(const AttemptId& id, Attempt& attempt, const SegmentOrder& order,
                   const Status& why, Deferred& deferred);
  void Do(const Deferred& deferred);

  // With the mutex held.
  Attempt* Find(const AttemptId& id);
  Attempt* TakeThread(const AttemptId& id, std::uint32_t slot);
  bool Repeated(const AttemptId& id, Deferred& deferred);
  void StartReading(const AttemptId& id, std::uint32_t segments, Inputs inputs);
  void End(const AttemptId& id, Attempt& attempt, wire::Message answer, Deferred& deferred);
  AttemptEnd HangOf(const AttemptId& id, const Attempt& attempt) const;

  const TaskEngineHost host_;
  const TaskEngineOptions options_;
  const std::uint64_t task_timeout_ms_;
  JobRuntime job_;
  std::unique_ptr<LoopAssembly> rounds_;  ///< Of a loop: what it is told. One thread, as Handle.

  mutable std::mutex mutex_;
  std::map<AttemptId, Attempt> attempts_;  // Guarded by mutex_, like all below.
  std::deque<AttemptId> ended_;            // Oldest first.
  FetchTicket next_ticket_ = 1;
  std::map<FetchTicket, AttemptId> tickets_;
  std::uint32_t running_ = 0;
  std::condition_variable idle_;
  bool stopping_ = false;

  std::unique_ptr<SlotPool> slots_;
};

}  // namespace spillway
