// WorkerMachine: the worker daemon without its sockets, processes and files: frames and messages
// in, effects out. It keeps the link to the coordinator, the jobs that the worker takes part in,
// the executor of each, and which attempts each executor has; it passes task messages through, and
// answers for an executor that died. It reads no clock and does the same whenever it is told the
// same. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/core/attempt_id.h"
#include "runtime/protocol/spillway.pb.h"
#include "runtime/worker/worker_link.h"

namespace spillway {

struct WorkerMachineOptions {
  wire::Register details;
  WorkerLinkOptions link;
  std::uint64_t stop_timeout_ms = 5'000;   ///< Then the attempt's executor is killed.
  std::uint64_t leave_timeout_ms = 2'000;  ///< To say goodbye.
  std::uint64_t away_ms = 5'000;   ///< A drain waits no longer for a coordinator that is silent.
  std::uint64_t respawn_ms = 100;  ///< Doubled with each executor that died at once.
  std::uint64_t respawn_ms_max = 5'000;
  std::uint32_t respawns_max = 8;  ///< In a row, without an attempt that ended well.
  /// Alive at once. For another, one that has no attempt is ended: its job loses nothing, for
  /// segments and parts are on disk, and gets a new one with its next attempt. While all have
  /// attempts, there may be more: as many as slots.
  std::uint32_t executors_max = 64;
};

/// What the shell is to do, in this order.
struct WorkerEffects {
  struct ExecutorMessage {
    JobId job = 0;
    wire::Message message;
  };
  struct Preparation {
    wire::StartJob start;
    std::uint64_t number = 0;  ///< For OnPrepared: a job may be prepared more than once.
  };
  struct Discard {
    JobId job = 0;
    SegmentRef segment;
  };

  std::vector<JobId> kill;           ///< Kill the job's executor now; OnExecutorEnded follows.
  std::vector<JobId> remove;         ///< The job is over here: end its executor, remove its
                                     ///< files. No answer.
  std::vector<Preparation> prepare;  ///< Make directories, copy plugin and side files;
                                     ///< OnPrepared follows.
  std::vector<JobId> spawn;          ///< Start an executor; OnExecutorMessage follows with
                                     ///< its ExecutorReady, or OnExecutorEnded.
  std::vector<ExecutorMessage> to_executors;
  std::vector<Discard> discards;
  std::optional<wire::Registered> registered;  ///< What the coordinator said: keys for fetching.
  std::vector<std::string> frames;             ///< For the coordinator.
  bool exit = false;                           ///< All is said: the process may end.
  Status refused;  ///< Not ok: the coordinator does not want this worker.
  std::vector<std::string> log;
};

class WorkerMachine {
 public:
  explicit WorkerMachine(const WorkerMachineOptions& options);

  void OnCoordinatorFrame(std::string_view bytes, TimeMs now);
  /// The answer to a preparation. `status` not ok: no task of the job can run here, and why.
  /// Unavailable: not now; it is tried again.
  void OnPrepared(JobId job, std::uint64_t preparation, const Status& status, TimeMs now);
  void OnExecutorMessage(JobId job, const wire::Message& message, TimeMs now);
  /// The executor is gone. `ends` are the ends of attempts that its slot board tells; every other
  /// attempt that it had is answered AttemptStopped.
  void OnExecutorEnded(JobId job, const std::vector<wire::Message>& ends, const std::string& how,
                       TimeMs now);
  void Heartbeat(const wire::Heartbeat& health, TimeMs now);
  /// Takes no more work, and exits when nothing needs what is here.
  void Drain(TimeMs now);
  /// Says goodbye and exits at once.
  void Leave(TimeMs now);
  void Tick(TimeMs now);

  WorkerEffects TakeEffects(TimeMs now);
  std::optional<TimeMs> next_tick_ms() const;

  /// Whether the preparation is the one that the job waits for.
  bool awaits(JobId job, std::uint64_t preparation) const {
    const auto found = jobs_.find(job);
    return found != jobs_.end() && found->second.phase == JobPhase::kPreparing &&
           found->second.preparation == preparation;
  }
  /// Whether the attempt's end is still to be told.
  bool has(const AttemptId& id) const { return attempts_.contains(id); }
  bool registered() const { return link_.registered(); }
  std::uint64_t heartbeat_ms() const { return link_.heartbeat_ms(); }
  TimeMs heard_ms() const { return link_.heard_ms(); }
  WorkerId id() const { return link_.id(); }

 private:
  enum class JobPhase : std::uint8_t {
    kUnprepared,  ///< It was tried, and will be again.
    kPreparing,
    kFailed,    ///< It could not be prepared, or its executor dies whenever it starts.
    kDown,      ///< Prepared; no executor runs.
    kStarting,  ///< An executor runs, and has not said that it is ready.
    kReady,
    kYielding,  ///< Its executor is being ended, for another one to start, maybe another job's.
  };
  struct Job {
    wire::StartJob start;
    JobPhase phase = JobPhase::kUnprepared;
    std::uint64_t preparation = 0;
    Status failure;                     ///< Of kFailed.
    std::deque<wire::Message> waiting;  ///< For an executor.
    std::set<WorkerId> told_places;
    std::uint32_t deaths_in_row = 0;
    std::uint64_t last_end = 0;  ///< Grows: when an attempt of it last ended here.
    TimeMs respawn_due_ms = 0;
  };
  struct Attempt {
    bool given = false;  ///< An executor that is alive has it.
    bool committing = false;
    bool stopping = false;  ///< It was told to stop, or refused its grant.
    std::optional<TimeMs> stop_due_ms;
  };

  void OnMessage(const wire::Message& message, TimeMs now);
  void OnRegistered(const wire::Registered& registered, bool fresh, TimeMs now);
  void EndJob(JobId number);
  void StartAttempt(const AttemptId& id, const wire::Message& message, TimeMs now);
  void StopAttempt(const AttemptId& id, const wire::Message& message, TimeMs now);
  void Forward(JobId job, const wire::Message& message, TimeMs now);
  /// Of a loop: only while an attempt of the job is here.
  void ForwardLoop(JobId number, const wire::Message& message, TimeMs now);
  void SendPlaces(JobId number, Job& job);
  void Flush(JobId number, Job& job);
  void MaybeSpawn(JobId number, Job& job, TimeMs now);
  /// Ends an executor that has nothing to do, when there are as many as there may be.
  void MakeRoom();
  void Replace(JobId number, Job& job);
  bool HasOther(const AttemptId& id) const;
  void Prepare(Job& job);
  /// All that the job's attempts here come to.
  void FailAttempts(JobId number, Job& job);
  std::uint64_t RespawnWait(std::uint32_t times) const;
  bool MayPassOn(JobId number, const wire::Message& message) const;
  void RemoveJob(JobId number);
  void EndAttempt(const wire::Message& end);
  void Answer(const wire::Message& message) { link_.Post(message); }
  std::vector<AttemptId> AttemptIds() const;
  Job* FindJob(JobId number);

  const WorkerMachineOptions options_;
  WorkerLink link_;
  std::map<JobId, Job> jobs_;
  std::map<AttemptId, Attempt> attempts_;
  std::map<WorkerId, wire::WorkerPlace> places_;
  bool draining_ = false;
  bool drain_said_ = false;
  std::optional<TimeMs> leave_due_ms_;
  std::uint64_t preparations_ = 0;
  std::uint64_t ends_ = 0;
  WorkerEffects effects_;
};

}  // namespace spillway
