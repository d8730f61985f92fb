// A whole cluster in one loop: the scheduler under test, and workers made of a few maps that run
// attempts, crash, hang, fall silent, lose segments and refuse to stop, behind a network that
// delays, doubles and reorders what they say. One seed, one run. The rules are checked at every
// action; then faults stop, and every job must end.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "runtime/core/scheduler.h"

namespace spillway {
namespace {

constexpr TimeMs kFaultsEnd = 600;
constexpr TimeMs kPatience = 6'000;  // After the faults.
constexpr std::uint64_t kTaskTimeoutMs = 80;

struct RunningAttempt {
  AttemptId id;
  bool stubborn = false;  // Does not stop when told.
  bool hangs = false;     // Does nothing any more.
  std::uint32_t maps = 0;
  std::map<std::uint32_t, SegmentRef> segments;  // A reduce's, by map task.
  bool merging = false;
  std::uint64_t serial = 0;  // Tells timers of one attempt from another's.
};

struct Process {
  std::uint64_t epoch = 0;
  bool alive = false;
  std::uint32_t slots = 1;
  TimeMs silent_until = 0;  // What it says arrives no earlier.
  TimeMs orders_until = 0;  // Keeps its orders in order.
  std::map<AttemptId, RunningAttempt> attempts;
  std::set<std::tuple<JobId, std::uint32_t, std::uint32_t>> segments;
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed), scheduler_(Options()) {
    const std::uint32_t workers = 1 + Below(5);
    for (WorkerId w = 0; w < workers; ++w) {
      processes_[w].slots = 1 + Below(3);
      Join(w);
    }
    const std::uint32_t jobs = 1 + Below(3);
    for (JobId j = 1; j <= jobs; ++j) At(now_ + Below(200), [this, j] { Submit(j); });
  }

  void Run() {
    while (!::testing::Test::HasFailure() && (ended_.size() < jobs_.size() || !timeline_.empty())) {
      ASSERT_LT(now_, kFaultsEnd + kPatience) << "a job does not end\n" << Describe();
      const auto tick = scheduler_.next_tick_ms();
      const bool tick_first =
          tick.has_value() && (timeline_.empty() || *tick <= timeline_.begin()->first);
      ASSERT_TRUE(tick_first || !timeline_.empty()) << "nothing will ever happen again";
      if (tick_first) {
        now_ = std::max(now_, *tick + (Faults() ? Below(5) : 0));
        Tell(Tick{});
        continue;
      }
      const auto first = timeline_.begin();
      now_ = std::max(now_, first->first);
      const auto what = std::move(first->second);
      timeline_.erase(first);
      what();
    }
    CheckEnd();
  }

  /// How often each rare path was taken.
  const std::map<std::string, std::uint64_t>& reached() const { return reached_; }

  std::string Describe() const {
    std::string text;
    for (const auto& [id, job] : jobs_) {
      const auto view = scheduler_.ViewJob(id);
      if (!view.has_value()) continue;
      text += "job " + std::to_string(id) + ": maps " + std::to_string(view->maps_done) + "+" +
              std::to_string(view->maps_running) + "/" + std::to_string(view->maps_total) +
              ", reduces " + std::to_string(view->reduces_done) + "+" +
              std::to_string(view->reduces_running) + "/" + std::to_string(view->reduces_total) +
              (view->committing ? ", committing" : "") + (view->ending ? ", ending" : "") + "\n";
    }
    for (const auto& [w, process] : processes_) {
      text += "worker " + std::to_string(w) + ", epoch " + std::to_string(process.epoch) +
              (scheduler_.HasWorker(w, process.epoch) ? ", known" : ", unknown") +
              (process.alive ? ":" : ", dead:");
      for (const auto& [id, attempt] : process.attempts)
        text += " " + AttemptText(id) + (attempt.stubborn ? " (stubborn)" : "");
      text += "\n";
    }
    return text;
  }

 private:
  SchedulerOptions Options() {
    SchedulerOptions options = SchedulerOptions::Tiny();
    if (Below(2) == 0) options.segment_batch = 64;
    return options;
  }

  std::uint32_t Below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
  bool Chance(std::uint32_t percent) { return Below(100) < percent; }
  bool Faults() const { return now_ < kFaultsEnd; }
  bool Fault(std::uint32_t percent) { return Faults() && Chance(percent); }

  void At(TimeMs time, std::function<void()> what) { timeline_.emplace(time, std::move(what)); }

  void Submit(JobId id) {
    SubmitJob job;
    job.job = id;
    job.maps.resize(Below(10));
    for (MapSpec& map : job.maps)
      if (Chance(50)) map.places = {"host" + std::to_string(Below(5))};
    job.reduces = Chance(20) ? 0 : 1 + Below(5);
    job.options.task_timeout_ms = kTaskTimeoutMs;
    job.options.attempts_max = 2 + Below(6);
    job.options.slow_start_fraction = Below(3) * 0.5;
    job.options.skip_bad_max = Below(3);
    job.options.weight = 1 + Below(3);
    job.options.speculate = Chance(50);
    jobs_[id] = job;
    Tell(job);
    if (Fault(10)) At(now_ + Below(400), [this, id] { Tell(CancelJob{id, "test"}); });
  }

  /// A worker process says something: late, perhaps twice.
  void Say(WorkerId from, const Event& event) {
    const TimeMs ready = std::max(now_, processes_[from].silent_until);
    for (int copies = Fault(10) ? 2 : 1; copies > 0; --copies)
      At(ready + 1 + Below(Faults() ? 15 : 3), [this, event] { Tell(event); });
  }

  void Join(WorkerId w) {
    Process& process = processes_[w];
    process.alive = true;
    ++process.epoch;
    process.attempts.clear();
    process.segments.clear();
    process.silent_until = now_;
    Say(w, WorkerJoined{w, process.epoch, process.slots, "host" + std::to_string(w), "rack"});
    Beat(w, process.epoch);
    if (Faults()) At(now_ + 20 + Below(400), [this, w, e = process.epoch] { Trouble(w, e); });
  }

  /// Calls `what(process)` after a while, if the same process is still there then.
  template <class What>
  void Later(WorkerId w, TimeMs delay, What what) {
    At(now_ + delay, [this, w, epoch = processes_[w].epoch, what] {
      Process& process = processes_[w];
      if (process.alive && process.epoch == epoch) what(process);
    });
  }

  void Beat(WorkerId w, std::uint64_t epoch) {
    if (ended_.size() == jobs_.size() && !Faults()) return;  // Lets the timeline run dry.
    Say(w, Heartbeat{w, epoch});
    Later(w, 10, [this, w, epoch](Process&) { Beat(w, epoch); });
  }

  void Trouble(WorkerId w, std::uint64_t epoch) {
    Process& process = processes_[w];
    if (!process.alive || process.epoch != epoch || !Faults()) return;
    switch (Below(4)) {
      case 0:  // Crash; noticed or not; restarted by somebody.
        process.alive = false;
        if (Chance(50)) Say(w, WorkerLost{w, epoch});
        At(now_ + 1 + Below(100), [this, w] {
          if (!processes_[w].alive) Join(w);
        });
        return;
      case 1:  // Unreachable for longer than a lease: a zombie for a while.
        process.silent_until = now_ + Below(150);
        break;
      case 2:  // Its disk loses everything.
        process.segments.clear();
        break;
      case 3:
        if (!Chance(30)) break;
        Tell(DrainWorker{w, epoch});
        // Whoever drains has no patience for ever: nobody else may be there to take the work.
        Later(w, 100 + Below(100), [this, w](Process&) { Restart(w); });
        break;
    }
    At(now_ + 20 + Below(400), [this, w, epoch] { Trouble(w, epoch); });
  }

  void Restart(WorkerId w) {
    Process& process = processes_[w];
    process.alive = false;
    Say(w, WorkerLost{w, process.epoch});
    At(now_ + 1 + Below(20), [this, w] {
      if (!processes_[w].alive) Join(w);
    });
  }

  // --- What workers do.

  RunningAttempt* Find(Process& process, const AttemptId& id, std::uint64_t serial) {
    const auto found = process.attempts.find(id);
    return found != process.attempts.end() && found->second.serial == serial ? &found->second
                                                                             : nullptr;
  }

  /// Calls what(process, attempt) after a while, if the attempt still runs then.
  template <class What>
  void LaterFor(WorkerId w, const RunningAttempt& attempt, TimeMs delay, What what) {
    Later(w, delay, [this, id = attempt.id, serial = attempt.serial, what](Process& process) {
      if (RunningAttempt* running = Find(process, id, serial)) what(process, *running);
    });
  }

  RunningAttempt& Begin(WorkerId w, const AttemptId& id, std::uint32_t maps) {
    Process& process = processes_[w];
    EXPECT_LT(process.attempts.size(), process.slots) << "more attempts than slots";
    RunningAttempt& attempt = process.attempts[id];
    attempt.id = id;
    attempt.maps = maps;
    attempt.stubborn = Fault(3);
    attempt.serial = ++serial_;
    KeepMoving(w, attempt);
    return attempt;
  }

  void KeepMoving(WorkerId w, const RunningAttempt& attempt) {
    if (attempt.hangs || Fault(5)) return;  // Or only seems to.
    Say(w, AttemptProgress{attempt.id, 0.01 * Below(100)});
    LaterFor(w, attempt, 5 + Below(20),
             [this, w](Process&, RunningAttempt& a) { KeepMoving(w, a); });
  }

  void End(Process& process, WorkerId w, const AttemptId& id, const Event& event) {
    process.attempts.erase(id);
    Say(w, event);
  }

  void RunMap(WorkerId w, RunningAttempt& attempt) {
    attempt.hangs = Fault(5);
    if (attempt.hangs) return;
    const TimeMs duration = 1 + Below(30) + (Chance(10) ? 50 : 0);
    LaterFor(w, attempt, duration, [this, w](Process& process, RunningAttempt& a) {
      const AttemptId id = a.id;
      if (Fault(15)) {
        Fail(process, w, id);
      } else if (jobs_[id.job].reduces == 0) {
        Say(w, CommitRequested{id});
      } else {
        process.segments.insert({id.job, id.task, id.attempt});
        End(process, w, id, AttemptDone{id, 1, {id.task, Fault(2) ? 1u : 0u}});
      }
    });
  }

  void Fail(Process& process, WorkerId w, const AttemptId& id) {
    AttemptFailed failure{id, Aborted("bad luck"), std::nullopt};
    if (Chance(50)) {
      failure.status = UserCodeError("bad record " + std::to_string(Below(2)));
      failure.record = FailedRecord{{0, Below(2)}, "input"};
    }
    End(process, w, id, Chance(10) ? Event(AttemptStopped{id}) : Event(failure));
  }

  void TryMerge(WorkerId w, RunningAttempt& attempt) {
    if (attempt.merging || attempt.segments.size() < attempt.maps) return;
    attempt.merging = true;
    LaterFor(w, attempt, 1 + Below(20),
             [this, w](Process& process, RunningAttempt& a) { Merge(process, w, a); });
  }

  void Merge(Process& process, WorkerId w, RunningAttempt& attempt) {
    attempt.merging = false;
    if (attempt.segments.size() < attempt.maps) return;  // One was invalidated meanwhile.
    const AttemptId id = attempt.id;
    for (const auto& [map, segment] : attempt.segments) {
      const Process& source = processes_[segment.worker];
      if (source.alive && source.segments.contains({id.job, map, segment.attempt})) continue;
      const SegmentLost lost{id, map, segment.attempt, Chance(50)};
      if (lost.ended) {
        End(process, w, id, lost);
      } else {
        attempt.segments.erase(map);
        // Said again until it helps: the attempt only knows that nothing came.
        Say(w, lost);
      }
      return;
    }
    if (Fault(10)) {
      Fail(process, w, id);
      return;
    }
    attempt.maps = UINT32_MAX;  // It has read everything; what is invalidated now is no matter.
    Say(w, CommitRequested{id});
  }

  void Publish(WorkerId w, const GrantCommit& grant) {
    const auto found = processes_[w].attempts.find(grant.attempt);
    if (found == processes_[w].attempts.end()) return;
    found->second.hangs = Fault(5);
    if (found->second.hangs) return;
    const TimeMs duration = 1 + Below(5) + (Chance(20) ? 30 : 0);
    LaterFor(w, found->second, duration, [this, w, grant](Process& process, RunningAttempt&) {
      durable_.insert({grant.attempt, grant.epoch});
      End(process, w, grant.attempt, Committed{grant.attempt, grant.epoch});
    });
  }

  // --- The scheduler's orders. Each is checked when it is given, and carried out a little later,
  // in order for each worker.

  void Tell(const Event& event) {
    if (::testing::Test::HasFatalFailure()) return;
    if (const auto* joined = std::get_if<WorkerJoined>(&event)) {
      auto& known = known_[joined->worker];
      known = std::max(known, joined->epoch);
    }
    actions_.clear();
    ++reached_["steps"];
    scheduler_.Step(event, now_, actions_);
    for (const Action& action : actions_) std::visit([this](const auto& a) { Obey(a); }, action);
    const ClusterView view = scheduler_.ViewCluster();
    EXPECT_LE(view.slots_taken, view.slots);
    for (const auto& [id, job] : jobs_) {
      EXPECT_EQ(scheduler_.ViewJob(id).has_value(), !ended_.contains(id));
    }
  }

  template <class What>
  void Order(WorkerId w, What what) {
    // Orders to a process that is gone are never read by its successor.
    const std::uint64_t epoch = known_[w];
    Process& process = processes_[w];
    process.orders_until = std::max(process.orders_until, now_ + Below(Faults() ? 5 : 2));
    At(process.orders_until, [this, w, epoch, what] {
      Process& target = processes_[w];
      if (target.alive && target.epoch == epoch) what(target);
    });
  }

  void CheckLive(const AttemptId& id) {
    EXPECT_FALSE(ended_.contains(id.job)) << "action for an ended job: " << AttemptText(id);
  }

  void Obey(const StartMap& a) {
    CheckLive(a.attempt);
    EXPECT_TRUE(started_.insert(a.attempt).second) << "an attempt number was used twice";
    Order(a.worker, [this, a](Process&) { RunMap(a.worker, Begin(a.worker, a.attempt, 0)); });
  }

  void Obey(const StartReduce& a) {
    CheckLive(a.attempt);
    EXPECT_TRUE(started_.insert(a.attempt).second) << "an attempt number was used twice";
    EXPECT_EQ(a.maps, jobs_[a.attempt.job].maps.size());
    Order(a.worker,
          [this, a](Process&) { TryMerge(a.worker, Begin(a.worker, a.attempt, a.maps)); });
  }

  void Obey(const SegmentsAvailable& a) {
    CheckLive(a.reduce);
    for (const SegmentRef& segment : a.segments) {
      EXPECT_NE(segment.attempt, kNoAttempt);
      EXPECT_TRUE(told_.try_emplace({a.reduce, segment.map_task}, segment.attempt).second)
          << "two segments of map task " << segment.map_task << " for " << AttemptText(a.reduce);
    }
    const std::vector<SegmentRef> segments(a.segments.begin(), a.segments.end());
    Order(a.worker, [this, w = a.worker, id = a.reduce, segments](Process& process) {
      const auto found = process.attempts.find(id);
      if (found == process.attempts.end()) return;
      for (const SegmentRef& segment : segments) found->second.segments[segment.map_task] = segment;
      TryMerge(w, found->second);
    });
  }

  void Obey(const SegmentInvalidated& a) {
    CheckLive(a.reduce);
    ++reached_["invalidated"];
    const auto told = told_.find({a.reduce, a.segment.map_task});
    ASSERT_NE(told, told_.end()) << "invalidated what was never announced";
    EXPECT_EQ(told->second, a.segment.attempt);
    told_.erase(told);
    Order(a.worker, [id = a.reduce, segment = a.segment](Process& process) {
      const auto found = process.attempts.find(id);
      if (found == process.attempts.end()) return;
      const auto have = found->second.segments.find(segment.map_task);
      if (have != found->second.segments.end() && have->second.attempt == segment.attempt)
        found->second.segments.erase(have);
    });
  }

  void Obey(const StopAttempt& a) {
    CheckLive(a.attempt);
    ++reached_["stop reason " + std::to_string(static_cast<int>(a.reason))];
    Order(a.worker, [this, a](Process& process) { Stop(process, a.worker, a.attempt); });
  }

  void Stop(Process& process, WorkerId w, const AttemptId& id) {
    const auto found = process.attempts.find(id);
    if (found != process.attempts.end() && !found->second.stubborn)
      End(process, w, id, AttemptStopped{id});
  }

  void Obey(const GrantCommit& a) {
    CheckLive(a.attempt);
    const auto [grant, is_new] =
        grants_.try_emplace({a.attempt.job, a.attempt.task, a.epoch}, a.attempt);
    EXPECT_EQ(grant->second, a.attempt) << "two grants in one epoch";
    EXPECT_FALSE(publishing_.contains(a.attempt.job));
    if (!is_new) ++reached_["grant repeated"];
    if (a.epoch > 1 && is_new) ++reached_["second grant"];
    Order(a.worker, [this, a](Process&) { Publish(a.worker, a); });
  }

  void Obey(const RefuseCommit& a) {
    CheckLive(a.attempt);
    ++reached_["refused"];
    Order(a.worker, [this, a](Process& process) { Stop(process, a.worker, a.attempt); });
  }

  void Obey(const DiscardSegment& a) {
    Order(a.segment.worker, [job = a.job, segment = a.segment](Process& process) {
      process.segments.erase({job, segment.map_task, segment.attempt});
    });
  }

  void Obey(const CommitJob& a) {
    EXPECT_TRUE(publishing_.insert(a.job).second) << "a job was published twice";
    const SubmitJob& job = jobs_[a.job];
    const TaskKind kind = job.reduces == 0 ? TaskKind::kMap : TaskKind::kReduce;
    ASSERT_EQ(a.outputs.size(), kind == TaskKind::kMap ? job.maps.size() : job.reduces);
    for (std::uint32_t i = 0; i < a.outputs.size(); ++i) {
      const CommittedOutput& output = a.outputs[i];
      EXPECT_EQ(output.task, i);
      const AttemptId id{a.job, kind, output.task, output.attempt};
      EXPECT_TRUE(durable_.contains({id, output.epoch})) << AttemptText(id) << " is not durable";
      EXPECT_EQ((grants_[{a.job, output.task, output.epoch}]), id);
    }
    for (int copies = Fault(20) ? 2 : 1; copies > 0; --copies)
      At(now_ + Below(10), [this, id = a.job] { Tell(JobCommitted{id, OkStatus()}); });
  }

  void Obey(const JobEnded& a) {
    EXPECT_TRUE(ended_.insert(a.job).second) << "a job ended twice";
    ++reached_["job ended with " + std::string(CodeName(a.status.code()))];
    EXPECT_EQ(a.status.ok(), publishing_.contains(a.job));
    EXPECT_EQ(a.status.ok(), a.status.message().empty());
    for (const auto& [w, process] : processes_) {
      if (!process.alive || !scheduler_.HasWorker(w, process.epoch)) continue;
      for (const auto& [id, attempt] : process.attempts)
        EXPECT_TRUE(id.job != a.job || abandoned_.contains(id)) << AttemptText(id) << " still runs";
      Order(w, [job = a.job](Process& target) {
        std::erase_if(target.segments, [&](const auto& s) { return std::get<0>(s) == job; });
      });
    }
  }

  void Obey(const WorkerExpired& a) {
    ++reached_["expired"];
    // It hears of it, ends what it does and joins again.
    At(now_ + 1 + Below(30), [this, a] {
      Process& process = processes_[a.worker];
      if (process.alive && process.epoch == a.epoch) Join(a.worker);
    });
  }

  void Obey(const WorkerDrained& a) {
    EXPECT_TRUE(scheduler_.HasWorker(a.worker, a.epoch));
    ++reached_["drained"];
    if (processes_[a.worker].epoch != a.epoch) return;
    Later(a.worker, 1 + Below(20), [this, w = a.worker](Process&) { Restart(w); });
  }

  void Obey(const Warning& a) {
    EXPECT_FALSE(a.text.empty());
    ++reached_["warning " + std::to_string(static_cast<int>(a.kind))];
    if (a.kind != WarningKind::kAttemptAbandoned) return;
    abandoned_.insert(a.attempt);
    // An operator restarts such a worker, sooner or later.
    Later(a.worker, Below(100), [this, w = a.worker](Process&) { Restart(w); });
  }

  void CheckEnd() {
    EXPECT_EQ(ended_.size(), jobs_.size());
    for (const auto& [w, process] : processes_) {
      if (!process.alive || !scheduler_.HasWorker(w, process.epoch)) continue;
      EXPECT_TRUE(process.segments.empty()) << "worker " << w << " keeps a segment";
      EXPECT_TRUE(process.attempts.empty()) << "worker " << w << " runs an attempt";
    }
    EXPECT_EQ(scheduler_.ViewCluster().jobs, 0u);
  }

  std::mt19937_64 random_;
  Scheduler scheduler_;
  Actions actions_;
  TimeMs now_ = 0;
  std::map<std::string, std::uint64_t> reached_;
  std::uint64_t serial_ = 0;
  std::multimap<TimeMs, std::function<void()>> timeline_;
  std::map<WorkerId, Process> processes_;
  std::map<WorkerId, std::uint64_t> known_;  // Epochs that the scheduler was told of.
  std::map<JobId, SubmitJob> jobs_;
  std::set<AttemptId> started_, abandoned_;
  std::set<JobId> ended_, publishing_;
  std::map<std::pair<AttemptId, std::uint32_t>, std::uint32_t> told_;
  std::map<std::tuple<JobId, std::uint32_t, std::uint32_t>, AttemptId> grants_;
  std::set<std::pair<AttemptId, std::uint32_t>> durable_;
};

/// A number from the environment, so that `scripts/dev sim` can run more seeds, or a failing one.
std::uint64_t NumberFromEnvironment(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : fallback;
}

TEST(SchedulerSimulation, KeepsItsRulesUnderFaultsAndEndsEveryJobAfterThem) {
  constexpr std::uint64_t kSeeds = 4'000;
  const std::uint64_t first = NumberFromEnvironment("SPILLWAY_SIM_FIRST", 1);
  const std::uint64_t seeds = NumberFromEnvironment("SPILLWAY_SIM_SEEDS", kSeeds);
  std::map<std::string, std::uint64_t> reached;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(seed);
    simulation.Run();
    if (HasFailure()) return;
    for (const auto& [path, times] : simulation.reached()) reached[path] += times;
  }
  if (seeds < kSeeds) return;
  // A simulation that no longer reaches a path would pass for the wrong reason.
  for (const char* path : {"stop reason 0",
                           "stop reason 1",
                           "stop reason 2",
                           "stop reason 3",
                           "invalidated",
                           "grant repeated",
                           "second grant",
                           "refused",
                           "expired",
                           "drained",
                           "warning 0",
                           "warning 1",
                           "warning 2",
                           "warning 3",
                           "warning 4",
                           "warning 5",
                           "job ended with OK",
                           "job ended with CANCELLED",
                           "job ended with USER_CODE",
                           "job ended with ABORTED"}) {
    EXPECT_GT(reached[path], 0u) << path;
  }
  if (HasFailure()) {
    for (const auto& [path, times] : reached) std::printf("%s: %lu\n", path.c_str(), times);
  }
}

}  // namespace
}  // namespace spillway
