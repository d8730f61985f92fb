// CoordinatorMachine: the coordinator without its sockets, files and threads: frames in, effects
// out. It puts the scheduler's events and actions into messages, keeps the workers' sessions, the
// jobs and the clients that wait, and says what goes into the journal. It reads no clock and does
// the same whenever it is told the same, so that a whole cluster can be simulated around it. One
// thread.
//
// How to drive it
//
//   machine.OnFrame(...) for each frame that is there; OnOutputDone, Tick when due;
//   Effects effects = machine.TakeEffects(now);
//   <write effects.records and .archived in one transaction, durable if asked; when that fails,
//    stop: nothing of this turn may be seen>
//   <send the frames, start the orders>
//
// After a restart: Restore for each record of the journal, Resume, then as above.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/coordinator/effects.h"
#include "runtime/coordinator/job_entry.h"
#include "runtime/coordinator/job_uploads.h"
#include "runtime/coordinator/worker_registry.h"
#include "runtime/core/scheduler.h"
#include "runtime/protocol/journal.pb.h"
#include "runtime/transport/transport_options.h"

namespace spillway {

struct CoordinatorMachineOptions {
  SchedulerOptions scheduler{.lease_ms = 10'000};
  std::uint64_t heartbeat_ms = 1'000;
  /// A job whose input is at most this large goes to the worker in the coordinator's own process.
  std::uint64_t small_job_bytes_max = 16 << 20;
  std::size_t ended_jobs_kept = 1'000;
  std::size_t waiting_clients_max = 10'000;
  bool authenticated = true;  ///< False: peers have no roles, and all may do everything.
  std::uint64_t random_seed = 1;
  std::uint64_t epoch = 1;  ///< Of the journal.
  std::string owner;        ///< Of staging directories: names the journal.
  ChannelLimits channel{};  ///< Of each worker's session.
};

/// What registered workers are given so that they can fetch from each other.
struct FetchSecrets {
  KeyPair fetchers;
  std::string token_key;
};

class CoordinatorMachine {
 public:
  CoordinatorMachine(const CoordinatorMachineOptions& options, const FetchSecrets& secrets);
  ~CoordinatorMachine();

  /// A record of a former coordinator's journal. DataLoss: it cannot follow those before it.
  Status Restore(std::string_view record);
  /// A job that ended under a former coordinator: a wire::JobState.
  void RestoreEnded(std::string_view summary);
  /// After the last one; nothing else is called before.
  void Resume(TimeMs now);
  /// No job has this number or a smaller one.
  void ReserveJobNumbers(JobId last);

  /// `key`: the peer's public key; empty without keys. A session is its key's who registered it.
  void OnFrame(const std::string& peer, Role role, std::string_view bytes, TimeMs now,
               const std::string& key = {});
  /// Ends the sessions of that key. What it sends from now on comes with the role kNone.
  void RevokeKey(const std::string& key, TimeMs now);
  /// A kOpen or kCommit is done; with kOpen, where the staging directory is.
  void OnOutputDone(const OutputOrder& order, const Status& status, const std::string& staging_dir,
                    TimeMs now);
  void Tick(TimeMs now);

  /// What is to be done for all that was said since the last call.
  Effects TakeEffects(TimeMs now);

  /// When Tick is due, if nothing else happens.
  std::optional<TimeMs> next_tick_ms() const;

  /// The latest time that it was told; after Restore the journal's last.
  TimeMs now_ms() const { return now_; }

  bool has_jobs() const { return !jobs_.empty(); }
  const Scheduler& scheduler() const { return scheduler_; }
  wire::ClusterState ViewCluster() const;
  /// Of a job that runs or has ended; nothing for one that is not known.
  std::optional<wire::JobState> StateOf(const std::string& job_id) const;

 private:
  struct Waiter {
    std::string peer;
    std::uint64_t request = 0;
    TimeMs deadline_ms = 0;
  };

  // --- worker_messages.cc: sessions, and what workers say.
  void OnRegister(const std::string& peer, Role role, const std::string& key,
                  const wire::Register& details);
  void OnSessionFrame(const std::string& peer, const std::string& key, wire::Frame frame);
  void OnWorkerMessage(WorkerEntry& worker, const wire::Message& message);
  void OnProgress(const WorkerEntry& worker, const wire::Progress& progress);
  void OnMapDone(WorkerEntry& worker, const wire::MapDone& done);
  void OnAttemptFailed(WorkerEntry& worker, const wire::AttemptFailed& failed);
  void OnAttemptStopped(WorkerEntry& worker, const AttemptId& id);
  void OnSegmentLost(WorkerEntry& worker, const wire::SegmentLost& lost);
  void OnLoopContribution(WorkerEntry& worker, const wire::LoopContribution& contribution);
  void OnLoopCheckpoint(WorkerEntry& worker, const wire::LoopCheckpoint& checkpoint);
  void OnCommitRequest(WorkerEntry& worker, const wire::CommitRequest& request);
  void Resumed(WorkerEntry& worker, const wire::Register& details);
  /// Whether the attempt is one of this worker's.
  bool Owns(const WorkerEntry& worker, const wire::AttemptId& id) const;
  void LoseWorker(WorkerEntry& worker);
  void SayRegisterAgain(const std::string& peer, std::uint64_t session, std::uint32_t version);

  // --- client_requests.cc.
  void OnRequest(const std::string& peer, Role role, const wire::Request& request);
  void OnSubmit(const std::string& peer, const wire::Request& request);
  void Accept(const std::string& peer, const wire::Request& request, wire::JobSpec spec);
  /// The job that a submission under the key joins; nothing: it is a new one. AlreadyExists: wait
  /// for the one that is being killed.
  Result<std::optional<std::string>> JobOfKey(const std::string& key) const;
  /// AlreadyExists: a job that is not over has the output.
  Status CheckOutputFree(const wire::JobSpec& spec) const;
  void OnJobQuery(const std::string& peer, const wire::Request& request);
  void OnJobList(wire::JobStates& states, const wire::JobList& query) const;
  Status OnKill(const wire::KillJob& kill);
  Status OnLogs(const wire::JobLogs& query, wire::LogLines& lines) const;
  Status OnFile(const std::string& peer, const wire::Request& request);
  void AnswerWaiters(JobEntry& job);
  void SayNo(const std::string& peer, std::uint64_t request, const Status& status);
  void Say(const std::string& peer, const wire::Reply& reply);
  const JobEntry* FindJob(const std::string& job_id) const;
  JobEntry* FindJob(const std::string& job_id);

  // --- scheduler_actions.cc: events to the scheduler, and what it wants done.
  /// `source`: what the journal keeps of the event beyond the event itself; may be null.
  void Feed(Event event, const wire::JournalRecord* source = nullptr);
  void FeedAll();
  /// Sets the record's time and keeps its bytes.
  void Append(JobId job, wire::JournalRecord& record, bool durable = false);
  void Do(const StartMap& action);
  void Do(const StartReduce& action);
  void Do(const StartCombine& action);
  void Do(const CutReduces& action);
  void Do(const SegmentsAvailable& action);
  void Do(const SegmentInvalidated& action);
  void Do(const StopAttempt& action);
  void Do(const GrantCommit& action);
  void Do(const RefuseCommit& action);
  void Do(const DiscardSegment& action);
  void Do(const CommitJob& action);
  void Do(const JobEnded& action);
  void Do(const WorkerExpired& action);
  void Do(const WorkerDrained& action);
  void Do(const Warning& action);
  void Post(WorkerId worker, const wire::Message& message);
  void Post(WorkerEntry& worker, std::string message);
  /// The worker knows the job, from now on if not before.
  WorkerEntry* WithJob(WorkerId worker, JobId job);
  void TellPlaces(WorkerEntry& worker, std::span<const SegmentRef> segments);
  /// The requested commit was granted: the part is the task's.
  void TakePart(JobEntry& job, const wire::CommitRequest& request, std::uint32_t epoch);
  void EndJob(JobEntry& job, const Status& status);

  // --- loop_messages.cc: the rounds of loops.
  /// Tells the worker the loop's generation and, from its first one on, the rounds that are kept.
  void TellLoop(WorkerEntry& worker, JobEntry& job);
  void CancelIfStuck(const JobEntry& job);
  void TellBegin(WorkerEntry& worker, const JobEntry& job);
  /// Goes on telling, as far as the worker's channel has room.
  void TellRounds(WorkerEntry& worker, JobEntry& job);
  void TellAll(JobId number, void (CoordinatorMachine::*tell)(WorkerEntry&, JobEntry&));
  void TellMore(WorkerEntry& worker);
  /// Begins another generation: at the checkpoint, if there is one.
  void BeginRounds(JobEntry& job, std::uint64_t generation);

  // --- restoring.cc.
  Status RestoreEvent(const wire::JournalRecord& record);
  void RestorePart(const wire::PartCommitted& committed);
  JobEntry& AddJob(JobId number, std::string job_id, wire::JobSpec spec, std::uint64_t unix_ms);

  JobEntry* Job(JobId number);
  bool IsSmall(const JobEntry& job) const;
  void Count(JobEntry& job, const wire::MapDone& done);
  void Log(std::string line) { effects_.log.push_back(std::move(line)); }
  /// The same, and in the log of every job.
  void LogInJobs(const std::string& line);
  /// One line for many: a flood must not fill the disk with its own report.
  void LogGarbage(const std::string& line);
  /// Tells the other workers that nothing is to be had from this one any more.
  void TellGone(WorkerId id);

  const CoordinatorMachineOptions options_;
  const FetchSecrets secrets_;
  Scheduler scheduler_;
  WorkerRegistry workers_;
  std::mt19937_64 random_;
  TimeMs now_ = 0;

  TimeMs garbage_noted_ms_ = 0;
  bool restored_ = false;  ///< Something of a former coordinator.
  JobId last_job_ = 0;
  std::map<JobId, std::unique_ptr<JobEntry>> jobs_;
  std::map<std::string, JobId> job_numbers_;     ///< By job id, of jobs_.
  std::map<std::string, std::string> keys_;      ///< Submission key -> job id.
  std::map<std::string, wire::JobState> ended_;  ///< By job id, which sorts by time.
  std::multimap<JobId, Waiter> waiters_;
  /// Submitters that wait for the output to be opened.
  std::multimap<JobId, Waiter> submitters_;
  JobUploads uploads_;

  std::vector<WorkerId> gone_;  ///< Lost in this turn; forgotten at its end.
  std::deque<std::pair<Event, std::unique_ptr<wire::JournalRecord>>> events_;
  bool feeding_ = false;
  Effects effects_;
};

}  // namespace spillway
