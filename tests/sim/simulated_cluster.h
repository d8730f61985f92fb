// SimulatedCluster: the real machines of a coordinator and its workers under simulated time,
// network, processes and files, all from one seed. Executors are played: a map "writes" a segment
// on its worker, a reduce needs one segment of each map at the moment it reads, and "writes" a part
// whose content is a hash of what it read. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "runtime/coordinator/coordinator_machine.h"
#include "runtime/worker/worker_machine.h"
#include "tests/sim/fault_plan.h"
#include "tests/sim/simulation_options.h"

namespace spillway {

class SimulatedCluster {
 public:
  /// With the faults that the seed plans, or with these.
  SimulatedCluster(std::uint64_t seed, const SimulationOptions& options)
      : SimulatedCluster(seed, options, PlanFaults(seed, options)) {}
  SimulatedCluster(std::uint64_t seed, const SimulationOptions& options, std::vector<Fault> faults);
  ~SimulatedCluster();

  /// Hears a line of everything that happens. Set before Run.
  void set_trace(std::function<void(const std::string&)> trace) { trace_ = std::move(trace); }

  /// Runs until every job has ended. What went wrong; empty: nothing did.
  std::string Run();

  /// Of everything that happened: equal seeds give equal ones.
  std::uint64_t trace_hash() const { return trace_hash_; }
  std::uint32_t coordinator_restarts() const { return coordinator_restarts_; }
  std::uint32_t maps_run() const { return maps_run_; }
  std::uint32_t combines_run() const { return combines_run_; }
  std::uint32_t joins_run() const { return joins_run_; }
  std::uint32_t workers_gone() const { return workers_gone_; }  ///< That left, drained or at once.
  std::uint32_t opens_failed() const { return opens_failed_; }
  std::uint32_t setups_failed() const { return setups_failed_; }
  std::uint32_t turns_lost() const { return turns_lost_; }  ///< With the power.
  std::uint32_t commits_failed() const { return commits_failed_; }
  std::uint32_t jobs_failed() const;

 private:
  struct Worker;
  /// Of a client: under several ids when its output could not be opened at first.
  struct Job {
    std::string upload_key;
    std::uint32_t submissions = 0;  ///< With a key of its own each.
    std::uint64_t upload = 0;
    std::optional<wire::JobState> ended;
    std::optional<JobId> published_by;
    std::map<std::uint32_t, std::uint64_t> published;  ///< Part -> content.
    bool doomed = false;
    bool varying = false;
    bool loop = false;
    std::optional<TimeMs> kill_ms;
    bool publication_ordered = false;
    bool killed = false;  ///< And its client was told so.
  };
  /// What a reduce or combine reads.
  struct Sources {
    SegmentRange segments;
    std::uint32_t partition = 0;    ///< Of a combine; of a reduce the first
    std::uint32_t partitions = 1;   ///< of so many.
    std::uint32_t own_segment = 0;  ///< Of a combine.
  };
  /// What an attempt wrote, and the attempts of the maps that it read. Contents are sums, so that
  /// parts may be summed first, and what is missing or there twice shows.
  struct PartFile {
    std::uint64_t content = 0;
    std::map<std::uint32_t, std::uint32_t> maps;
  };

  ChannelLimits Channel() const;
  void At(TimeMs time, std::function<void()> what);
  void Note(std::uint64_t what);
  bool Chance(std::uint32_t permille) { return random_() % 1'000 < permille; }
  std::uint64_t Below(std::uint64_t limit) { return limit == 0 ? 0 : random_() % limit; }
  void Fail(const std::string& what);

  void StartCoordinator();
  void CarryOutCoordinator();
  /// Commits the turn's records. False: the coordinator is gone, and so is what it wanted to do.
  bool CommitTurn(Effects& effects);
  /// What was committed up to the turn is on the disk.
  void SyncJournal(std::size_t turns);
  void TellClient(std::uint32_t job, const std::string& frame);
  void CheckFrame(const std::string& frame, std::uint32_t worker);
  void WakeCoordinator();
  void KeepOutput(const OutputOrder& order);
  void Publish(const OutputOrder& order);
  std::uint64_t WantedContent(JobId job, std::uint32_t part);
  // --- Workers.
  void StartWorker(std::uint32_t index);
  void CarryOut(std::uint32_t index);
  void Prepare(std::uint32_t index, JobId job, std::uint64_t number);
  void EndWorker(std::uint32_t index, TimeMs down_ms);
  void WakeWorker(std::uint32_t index);
  void Send(std::function<void()> deliver, std::uint32_t worker);
  void CheckAttempts(std::uint32_t index);
  void CheckKill(std::uint32_t index, JobId job);
  void CheckStops(std::uint32_t index);
  void ToWorkerMachine(std::uint32_t index, JobId job, const wire::Message& message);
  Job& JobOf(JobId job) { return jobs_[clients_.at(job)]; }
  std::uint32_t PartsOf(const Job& job) const {
    return job.loop || options_.map_only ? options_.maps : options_.reduces;
  }

  // --- Executors, which are played.
  void Executor(std::uint32_t index, JobId job, const wire::Message& message);
  void Begin(std::uint32_t index, JobId job, const AttemptId& id, const Sources& sources);
  void Stop(std::uint32_t index, const AttemptId& id);
  void EndExecutor(std::uint32_t index, JobId job);
  /// It dies by itself; `guilty` is the attempt that its board says was the cause.
  void LoseExecutor(std::uint32_t index, JobId job, std::optional<AttemptId> guilty);
  /// Calls what() after a while if the attempt still runs then, and does not hang.
  void Later(std::uint32_t index, const AttemptId& id, TimeMs delay, std::function<void()> what);
  /// Whether a failure more would not end its job; it is counted.
  bool MayFail(const AttemptId& id);
  void FailAttempt(std::uint32_t index, const AttemptId& id, const char* why);
  void WriteParts(std::uint32_t index, const AttemptId& id, std::vector<PartFile> parts);
  void LoseParts(const AttemptId& id, std::uint32_t partitions);
  void FinishMap(std::uint32_t index, const AttemptId& id);
  void TryReading(std::uint32_t index, const AttemptId& id);
  void FinishReading(std::uint32_t index, const AttemptId& id);
  bool Reaches(std::uint32_t index, const AttemptId& id, const SegmentRef& segment) const;
  /// What the attempt's segments have of the partition.
  PartFile Read(const AttemptId& id, const std::vector<SegmentRef>& segments,
                std::uint32_t partition);
  void FinishCombine(std::uint32_t index, const AttemptId& id, PartFile combined);
  std::uint64_t MapContent(const AttemptId& map, std::uint32_t partition);
  void SayProgress(std::uint32_t index);

  // --- Their loops.
  void HearLoopBegin(std::uint32_t index, const wire::LoopBegin& begin);
  void HearLoopRound(std::uint32_t index, const wire::LoopRound& round);
  /// Steps as far as it knows, and has seats do what follows.
  void AdvanceLoop(std::uint32_t index, JobId job);
  bool StepLoop(JobId job, Worker& worker);
  void ReadCheckpoint(std::uint32_t index, JobId job, const AttemptId& seat);
  void Contribute(std::uint32_t index, const AttemptId& seat);
  wire::LoopSpec LoopOf(std::uint32_t client) const;
  std::uint64_t LoopResult(JobId job) const;
  void StrikeAtTheEnd(JobId job);

  void Client(std::uint32_t job);
  wire::JobSpec SpecOf(std::uint32_t job) const;
  void ScheduleFaults();
  void Strike(const Fault& fault);
  void CrashCoordinator(const Fault& fault);
  void CutPower(const Fault& fault);
  void CrashWorker(const Fault& fault);
  void PauseWorker(const Fault& fault);
  void CrashExecutor(const Fault& fault);
  void CutWorker(const Fault& fault);
  void DrainWorker(const Fault& fault);
  void DismissWorker(const Fault& fault);
  /// Traces what a frame carries.
  void TraceFrame(const std::string& way, const std::string& bytes);
  bool AllEnded() const;
  /// Of jobs that have ended, anywhere; empty: nothing.
  std::string WhatIsLeft() const;
  std::string Tables() const;
  /// Those of its jobs.
  std::string JobTables() const;
  std::string Check() const;
  std::string CheckEnd(const Job& job) const;

  const SimulationOptions options_;
  const std::vector<Fault> faults_;
  std::function<void(const std::string&)> trace_;
  std::mt19937_64 random_;
  TimeMs now_ = 0;
  std::uint64_t trace_hash_ = 0;
  std::string failure_;

  struct Timed {
    TimeMs time;
    std::uint64_t order;
    std::function<void()> what;
    bool operator>(const Timed& other) const {
      return time != other.time ? time > other.time : order > other.order;
    }
  };
  std::priority_queue<Timed, std::vector<Timed>, std::greater<>> queue_;
  std::uint64_t order_ = 0;

  std::unique_ptr<CoordinatorMachine> coordinator_;
  std::uint64_t coordinator_life_ = 0;
  TimeMs coordinator_wake_ = 0;
  std::uint32_t coordinator_restarts_ = 0;
  std::optional<std::string> former_tables_;  ///< Of one that died with nothing lost.
  std::map<JobId, std::vector<std::pair<std::uint64_t, std::string>>> journal_;
  std::uint64_t journal_sequence_ = 0;
  struct Turn {
    std::vector<AppendRecord> records;
    std::vector<ArchiveJob> archived;
  };
  std::vector<Turn> unsynced_;  ///< Committed, and lost with the power: all, or the last of them.
  std::vector<std::string> history_;
  JobId last_ended_job_ = 0;  ///< As the coordinator's shell keeps it in the journal.

  std::vector<std::unique_ptr<Worker>> workers_;
  std::set<std::uint32_t> cut_;  ///< Workers that the network does not reach.
  /// Durable part files, by job, part and attempt.
  std::map<std::tuple<JobId, std::uint32_t, std::uint32_t>, PartFile> part_files_;
  /// Segments of combine tasks, by number and attempt.
  std::map<std::tuple<JobId, std::uint32_t, std::uint32_t>, PartFile> combined_;
  std::map<AttemptId, std::uint32_t> joined_;  ///< Partitions, of reduces of several.
  std::uint32_t combines_run_ = 0, joins_run_ = 0;
  std::map<std::pair<JobId, std::uint32_t>, std::uint64_t> checkpoints_;  ///< Job, round: state.
  /// The attempt of each part that was told that it is granted.
  std::map<std::pair<JobId, std::uint32_t>, std::uint32_t> granted_;
  std::set<JobId> staged_;
  /// By worker id: where its segments are read.
  std::map<WorkerId, std::uint32_t> by_id_;
  std::vector<Job> jobs_;
  std::map<JobId, std::uint32_t> clients_;  ///< Whose job it is.
  std::uint32_t maps_run_ = 0;
  std::map<std::tuple<JobId, TaskKind, std::uint32_t>, std::uint32_t> failures_;
  std::uint32_t workers_gone_ = 0;
  std::uint32_t opens_failed_ = 0;
  std::uint32_t setups_failed_ = 0;
  std::uint32_t turns_lost_ = 0;
  std::uint32_t commits_failed_ = 0;
};

}  // namespace spillway
