// A whole cluster in one loop: the scheduler under test, and workers made of a few maps that run
// attempts, crash, hang, fall silent, lose segments and refuse to stop, behind a network that
// delays, doubles and reorders what they say. One seed, one run. The rules are checked at every
// action; then faults stop, and every job must end.
//
// In a second mode the coordinator dies too: in the middle of its actions, or before it wrote down
// what it decided, or with a power cut that takes the last turns of its journal. A new scheduler
// replays the journal and goes on, and workers resume under sessions as runtime/protocol has them.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "runtime/core/journalled.h"
#include "runtime/core/large_first.h"
#include "runtime/core/reduce_layout.h"
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
  SegmentRange sources;
  std::map<std::uint32_t, SegmentRef> segments;  // Of a reduce or combine, by number.
  bool merging = false;
  bool has_read = false;        // What is invalidated now is no matter.
  std::uint32_t partition = 0;  // Of a combine, with the number of its own segment.
  std::uint32_t segment = 0;

  bool HasAll() const {
    for (std::uint32_t i = 0; i < sources.count; ++i)
      if (!segments.contains(sources.first + i)) return false;
    return true;
  }
  std::uint64_t serial = 0;  // Tells timers of one attempt from another's.
};

struct Process {
  std::uint64_t epoch = 0;
  bool alive = false;
  std::uint32_t slots = 1;
  TimeMs silent_until = 0;  // What it says arrives no earlier.
  TimeMs orders_until = 0;  // Keeps its orders in order.
  bool small_jobs_only = false;
  bool runs_plans = true;
  std::map<AttemptId, RunningAttempt> attempts;
  std::set<std::tuple<JobId, std::uint32_t, std::uint32_t>> segments;

  // With restarts.
  std::uint64_t session = 0;                           // What was said in another one is not read.
  bool connected = false;                              // The coordinator knows the session.
  bool joined = false;                                 // It has a place, and resumes.
  std::deque<std::pair<std::uint64_t, Event>> outbox;  // Not acknowledged yet, by number.
};

/// What of the journal is there or not there together.
struct Turn {
  std::vector<std::pair<Event, TimeMs>> events;
  bool durable = false;
};

/// Of a segment: all partitions, or one, of these map tasks' outputs.
struct Content {
  std::size_t partition = SIZE_MAX;
  std::vector<std::uint32_t> maps;
};

enum class Coordinator { kLivesForEver, kDies };

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed, Coordinator coordinator = Coordinator::kLivesForEver)
      : random_(seed),
        dies_(coordinator == Coordinator::kDies),
        options_(Options()),
        scheduler_(std::make_unique<Scheduler>(options_)) {
    const std::uint32_t workers = 1 + Below(5);
    for (WorkerId w = 0; w < workers; ++w) {
      processes_[w].slots = 1 + Below(3);
      processes_[w].small_jobs_only = w > 0 && w + 1 == workers && Chance(30);
      processes_[w].runs_plans = !Chance(8);
      Join(w);
    }
    forgets_at_once_ = Chance(50);
    if (dies_) At(now_ + 50 + Below(100), [this] { DieSometimes(); });
    const std::uint32_t jobs = 1 + Below(3);
    for (JobId j = 1; j <= jobs; ++j) At(now_ + Below(200), [this, j] { Submit(j); });
  }

  void Run() {
    while (!::testing::Test::HasFailure() && (ended_.size() < jobs_.size() || !timeline_.empty())) {
      ASSERT_LT(now_, kFaultsEnd + kPatience) << "a job does not end\n" << Describe();
      const auto tick = up_ ? scheduler_->next_tick_ms() : std::nullopt;
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
      const auto view = scheduler_->ViewJob(id);
      if (!view.has_value()) continue;
      text += "job " + std::to_string(id) + ": maps " + std::to_string(view->maps_done) + "+" +
              std::to_string(view->maps_running) + "/" + std::to_string(view->maps_total) +
              ", combines " + std::to_string(view->combines_done) + "+" +
              std::to_string(view->combines_running) + "/" + std::to_string(view->combines_total) +
              ", reduces " + std::to_string(view->reduces_done) + "+" +
              std::to_string(view->reduces_running) + "/" + std::to_string(view->reduces_total) +
              (view->committing ? ", committing" : "") + (view->ending ? ", ending" : "") + "\n";
    }
    for (const auto& [w, process] : processes_) {
      text += "worker " + std::to_string(w) + ", epoch " + std::to_string(process.epoch) +
              (scheduler_->HasWorker(w, process.epoch) ? ", known" : ", unknown") +
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
    if (!up_) return At(now_ + 10, [this, id] { Submit(id); });
    SubmitJob job;
    job.job = id;
    job.maps.resize(Below(10));
    for (MapSpec& map : job.maps)
      if (Chance(50)) map.places = {"host" + std::to_string(Below(5))};
    job.reduces = Chance(20) ? 0 : 1 + Below(Chance(20) ? 30 : 5);
    job.options.associative = Chance(60);
    for (std::uint32_t reduce = 0; reduce < job.reduces; ++reduce)
      partition_sizes_[id] += static_cast<char>(SizeByteOf(Chance(20) ? 50 : Below(4)));
    job.options.task_timeout_ms = kTaskTimeoutMs;
    job.options.attempts_max = 2 + Below(6);
    job.options.slow_start_fraction = Below(3) * 0.5;
    job.options.skip_bad_max = Below(3);
    job.options.weight = 1 + Below(3);
    job.options.speculate = Chance(50);
    job.options.small = Chance(40);
    // Somebody must be there who can read them.
    job.options.splits_archives = processes_[0].runs_plans && Chance(10);
    job.options.gang = job.reduces == 0 && Chance(50);
    job.options.allow_nondeterminism = Chance(80);
    jobs_[id] = job;
    if (!Tell(job)) {
      jobs_.erase(id);
      return At(now_ + 10, [this, id] { Submit(id); });
    }
    if (Fault(10)) At(now_ + Below(400), [this, id] { Tell(CancelJob{id, "test"}); });
  }

  /// A worker process says something: late, perhaps twice.
  void Say(WorkerId from, const Event& event) {
    Process& process = processes_[from];
    const std::uint64_t number = ++messages_;
    if (dies_ && IsJournalled(event)) process.outbox.emplace_back(number, event);
    if (!dies_ || process.connected) Send(from, number, event);
  }

  void Send(WorkerId from, std::uint64_t number, const Event& event) {
    const Process& process = processes_[from];
    const TimeMs ready = std::max(now_, process.silent_until);
    for (int copies = Fault(10) ? 2 : 1; copies > 0; --copies) {
      At(ready + 1 + Below(Faults() ? 15 : 3),
         [this, from, number, event, session = process.session] {
           Process& sender = processes_[from];
           if (sender.session != session || !Tell(event)) return;
           std::erase_if(sender.outbox, [&](const auto& m) { return m.first == number; });
         });
    }
  }

  WorkerJoined Joined(WorkerId w) const {
    const Process& process = processes_.at(w);
    return {w,      process.epoch,           process.slots,     "host" + std::to_string(w),
            "rack", process.small_jobs_only, process.runs_plans};
  }

  void Join(WorkerId w) {
    Process& process = processes_[w];
    process.alive = true;
    ++process.epoch;
    process.attempts.clear();
    process.segments.clear();
    process.silent_until = now_;
    process.joined = false;
    process.outbox.clear();
    if (dies_) {
      Register(w);
    } else {
      Say(w, Joined(w));
    }
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
    switch (Below(dies_ ? 5 : 4)) {
      case 0:  // Crash; noticed or not; restarted by somebody.
        process.alive = false;
        if (Chance(50)) Notice(w, epoch);
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
      case 4:  // Its connection breaks, and it comes back.
        ++reached_["session lost"];
        Register(w);
        break;
    }
    At(now_ + 20 + Below(400), [this, w, epoch] { Trouble(w, epoch); });
  }

  /// Somebody sees that the process is gone.
  void Notice(WorkerId w, std::uint64_t epoch) {
    if (!dies_) return Say(w, WorkerLost{w, epoch});
    At(now_ + 1 + Below(15), [this, w, epoch] { Tell(WorkerLost{w, epoch}); });
  }

  // --- Sessions and restarts.

  /// The worker begins a session, until it has one. Orders of earlier ones are not for it.
  void Register(WorkerId w) {
    Process& process = processes_[w];
    process.session = ++sessions_;
    process.connected = false;
    std::vector<AttemptId> attempts;
    for (const auto& [id, attempt] : process.attempts) attempts.push_back(id);
    for (const auto& [number, event] : process.outbox)
      if (const auto id = AttemptOf(event)) attempts.push_back(*id);
    const TimeMs ready = std::max(now_, process.silent_until);
    At(ready + 1 + Below(Faults() ? 15 : 3),
       [this, w, attempts, session = process.session, epoch = process.epoch] {
         const Process& sender = processes_[w];
         if (!sender.alive || sender.epoch != epoch || sender.session != session) return;
         if (!up_) return At(now_ + 10, [this, w, session] { RegisterAgain(w, session); });
         Welcome(w, attempts);
       });
  }
  void RegisterAgain(WorkerId w, std::uint64_t session) {
    if (processes_[w].alive && processes_[w].session == session) Register(w);
  }

  void Welcome(WorkerId w, const std::vector<AttemptId>& attempts) {
    Process& process = processes_[w];
    const bool known = scheduler_->HasWorker(w, process.epoch);
    if (!known && process.joined) return Join(w);
    process.connected = process.joined = true;
    for (auto told = told_.begin(); told != told_.end();)
      told = reduce_workers_[told->first.first] == w ? told_.erase(told) : std::next(told);
    if (known) ++reached_["resumed"];
    // What is left of jobs that ended meanwhile goes.
    const std::vector<JobId> jobs = scheduler_->job_ids();
    const std::set<JobId> go_on(jobs.begin(), jobs.end());
    std::erase_if(process.segments, [&](const auto& s) { return !go_on.contains(std::get<0>(s)); });
    std::erase_if(process.attempts, [&](const auto& a) { return !go_on.contains(a.first.job); });
    if (!Tell(known ? Event(WorkerResumed{w, process.epoch, attempts}) : Event(Joined(w)))) return;
    if (!process.connected) return;  // The coordinator died over it.
    for (const auto& [number, event] : process.outbox) Send(w, number, event);
  }

  static std::optional<AttemptId> AttemptOf(const Event& event) {
    if (const auto* e = std::get_if<AttemptDone>(&event)) return e->attempt;
    if (const auto* e = std::get_if<AttemptFailed>(&event)) return e->attempt;
    if (const auto* e = std::get_if<AttemptStopped>(&event)) return e->attempt;
    if (const auto* e = std::get_if<Committed>(&event)) return e->attempt;
    if (const auto* e = std::get_if<SegmentLost>(&event)) return e->reduce;
    if (const auto* e = std::get_if<CommitRequested>(&event)) return e->attempt;
    return std::nullopt;
  }

  void DieSometimes() {
    if (!Faults()) return;
    if (up_) Die(scheduler_->DumpTables());
    At(now_ + 50 + Below(300), [this] { DieSometimes(); });
  }

  /// What two schedulers have in common that know the same jobs, when others have been forgotten.
  static std::string OfJobs(const std::string& dump) {
    return dump.substr(0, dump.find("worker "));
  }

  /// Without what passes by itself with time: between journalled events it may have.
  static std::string WithoutFailures(std::string dump) {
    dump.insert(0, 1, '\n');  // Without jobs a worker's line is the first one.
    for (std::size_t worker = 0; (worker = dump.find("\nworker ", worker)) != std::string::npos;) {
      const std::size_t from = dump.find(" failures ", ++worker);
      dump.erase(from, dump.find('\n', from) - from);
    }
    return dump;
  }

  /// The coordinator dies, and another one replays the journal. `tables` is where the first one
  /// stood when it wrote its last turn; empty: it went on from there.
  void Die(const std::string& tables) {
    ++reached_["died"];
    up_ = false;
    bool complete = !tables.empty();
    if (Chance(25)) {
      complete = false;
      power_was_cut_ = true;
      std::size_t keep = turns_.size();
      while (keep > 0 && !turns_[keep - 1].durable) --keep;
      if (keep < turns_.size()) ++reached_["turns lost"];
      turns_.resize(keep + Below(static_cast<std::uint32_t>(turns_.size() - keep + 1)));
    }
    scheduler_ = std::make_unique<Scheduler>(options_);
    for (const Turn& turn : turns_) {
      for (const auto& [event, time] : turn.events) {
        const Status status = scheduler_->Replay(event, time);
        ASSERT_TRUE(status.ok()) << status.message();
      }
    }
    if (complete) {
      ++reached_["compared"];
      const std::string replayed = scheduler_->DumpTables();
      EXPECT_EQ(OfJobs(replayed), OfJobs(tables));
      if (!forgot_) {
        EXPECT_EQ(WithoutFailures(replayed), WithoutFailures(tables));
      }
    }
    for (auto& [w, process] : processes_) {
      process.session = ++sessions_;
      process.connected = false;
    }
    At(now_ + 1 + Below(40), [this] {
      up_ = true;
      publishing_now_.clear();
      ended_now_.clear();
      Tell(TakenOver{});
      for (const auto& [w, process] : processes_)
        if (process.alive)
          At(now_ + Below(30), [this, w = w, s = process.session] { RegisterAgain(w, s); });
    });
  }

  /// Writes down what the last step was.
  void Write(const Event& event) {
    Turn turn;
    if (IsJournalled(event)) turn.events.emplace_back(event, now_);
    turn.durable = std::holds_alternative<SubmitJob>(event) ||
                   std::holds_alternative<WorkerJoined>(event) ||
                   std::holds_alternative<TakenOver>(event);
    for (const Action& action : actions_) {
      if (const auto decision = DecisionOf(action)) turn.events.emplace_back(*decision, now_);
      turn.durable |= std::holds_alternative<GrantCommit>(action) ||
                      std::holds_alternative<CommitJob>(action) ||
                      std::holds_alternative<JobEnded>(action);
    }
    if (!turn.events.empty()) turns_.push_back(std::move(turn));
    for (const Action& action : actions_) {
      const auto* end = std::get_if<JobEnded>(&action);
      if (end != nullptr && forgets_at_once_) Forget(end->job);
    }
  }

  /// As the journal does with a job that ended.
  void Forget(JobId job) {
    forgot_ = true;
    ended_.insert(job);
    for (Turn& turn : turns_)
      std::erase_if(turn.events, [job](const auto& e) { return JobOf(e.first) == job; });
  }

  static JobId JobOf(const Event& event) {
    if (const auto* e = std::get_if<SubmitJob>(&event)) return e->job;
    if (const auto* e = std::get_if<CancelJob>(&event)) return e->job;
    if (const auto* e = std::get_if<JobCommitted>(&event)) return e->job;
    if (const auto* e = std::get_if<ReducesPlanned>(&event)) return e->job;
    if (const auto* e = std::get_if<AttemptStarted>(&event)) return e->attempt.job;
    if (const auto* e = std::get_if<AttemptStopping>(&event)) return e->attempt.job;
    if (const auto* e = std::get_if<AttemptAbandoned>(&event)) return e->attempt.job;
    const auto attempt = AttemptOf(event);
    return attempt.has_value() ? attempt->job : 0;
  }

  void Restart(WorkerId w) {
    Process& process = processes_[w];
    process.alive = false;
    Notice(w, process.epoch);
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

  RunningAttempt& Begin(WorkerId w, const AttemptId& id, SegmentRange sources) {
    Process& process = processes_[w];
    // A journal forgets slots that attempts of ended jobs hold.
    EXPECT_TRUE(dies_ || process.attempts.size() < process.slots * kGangTasksPerSlotMax)
        << "more attempts than slots";
    RunningAttempt& attempt = process.attempts[id];
    attempt.id = id;
    attempt.sources = sources;
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
        contents_[{id.job, id.task, id.attempt}] = {SIZE_MAX, {id.task}};
        End(process, w, id,
            AttemptDone{id, 1, {id.task, Fault(2) ? 1u : 0u}, {}, partition_sizes_.at(id.job)});
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
    if (attempt.merging || attempt.has_read || !attempt.HasAll()) return;
    attempt.merging = true;
    LaterFor(w, attempt, 1 + Below(20),
             [this, w](Process& process, RunningAttempt& a) { Merge(process, w, a); });
  }

  void Merge(Process& process, WorkerId w, RunningAttempt& attempt) {
    attempt.merging = false;
    if (!attempt.HasAll()) return;  // One was invalidated meanwhile.
    const AttemptId id = attempt.id;
    Content content{attempt.partition, {}};
    if (id.kind == TaskKind::kReduce) content.partition = id.task;
    for (const auto& [map, segment] : attempt.segments) {
      // All are announced to each, whatever it reads.
      if (map < attempt.sources.first || map - attempt.sources.first >= attempt.sources.count)
        continue;
      const Process& source = processes_[segment.worker];
      if (source.alive && source.segments.contains({id.job, map, segment.attempt})) {
        const Content& read = contents_.at({id.job, map, segment.attempt});
        EXPECT_TRUE(read.partition == SIZE_MAX || read.partition == content.partition);
        content.maps.insert(content.maps.end(), read.maps.begin(), read.maps.end());
        continue;
      }
      if (map >= jobs_[id.job].maps.size()) ++reached_["combined segment lost"];
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
    attempt.has_read = true;
    if (id.kind == TaskKind::kCombine) {
      const std::uint32_t number = attempt.segment;
      contents_[{id.job, number, id.attempt}] = content;
      process.segments.insert({id.job, number, id.attempt});
      return End(process, w, id, AttemptDone{id, 1, {}, {}});
    }
    // Each map task's output once, in order, whatever was combined.
    std::vector<std::uint32_t> all(jobs_[id.job].maps.size());
    std::iota(all.begin(), all.end(), 0u);
    EXPECT_EQ(content.maps, all) << AttemptText(id);
    Say(w, CommitRequested{id});
  }

  void Publish(WorkerId w, const GrantCommit& grant) {
    const auto found = processes_[w].attempts.find(grant.attempt);
    if (found == processes_[w].attempts.end()) return;
    found->second.hangs = Fault(5);
    if (found->second.hangs) return;
    const TimeMs duration = 1 + Below(5) + (Chance(20) ? 30 : 0);
    LaterFor(w, found->second, duration, [this, w, grant](Process& process, RunningAttempt&) {
      AttemptId part = grant.attempt;
      for (std::uint32_t i = 0; i < PartitionsOf(grant.attempt); ++i, ++part.task)
        durable_.insert({part, grant.epoch});
      End(process, w, grant.attempt, Committed{grant.attempt, grant.epoch});
    });
  }

  // --- The scheduler's orders. Each is checked when it is given, and carried out a little later,
  // in order for each worker.

  /// False: nobody is there, or died before the event was written down.
  bool Tell(const Event& event) {
    if (!up_ || ::testing::Test::HasFatalFailure()) return false;
    if (const auto* joined = std::get_if<WorkerJoined>(&event)) {
      auto& known = known_[joined->worker];
      known = std::max(known, joined->epoch);
    }
    actions_.clear();
    ++reached_["steps"];
    scheduler_->Step(event, now_, actions_);
    if (dies_ && Faults() && Below(400) == 0) {
      ++reached_["died before writing"];
      Die("");
      return false;
    }
    if (dies_) Write(event);
    const bool dies_now = dies_ && Faults() && Below(400) == 0;
    std::size_t obeyed =
        dies_now ? Below(static_cast<std::uint32_t>(actions_.size() + 1)) : SIZE_MAX;
    for (const Action& action : actions_) {
      const bool is_warning = std::holds_alternative<Warning>(action);  // People read the log.
      if (obeyed == 0 && !is_warning) continue;
      if (obeyed > 0) --obeyed;
      std::visit([this](const auto& a) { Obey(a); }, action);
    }
    const ClusterView view = scheduler_->ViewCluster();
    EXPECT_LE(view.slots_taken, view.slots * kGangTasksPerSlotMax);
    if (dies_now) {
      ++reached_["died while acting"];
      Die(scheduler_->DumpTables());
      return true;
    }
    for (const auto& [id, job] : jobs_) {
      EXPECT_EQ(scheduler_->ViewJob(id).has_value(), !ended_.contains(id));
    }
    return true;
  }

  template <class What>
  void Order(WorkerId w, What what) {
    // Orders to a process that is gone are never read by its successor.
    const std::uint64_t epoch = known_[w];
    Process& process = processes_[w];
    if (dies_ && !process.connected) return;
    process.orders_until = std::max(process.orders_until, now_ + Below(Faults() ? 5 : 2));
    At(process.orders_until, [this, w, epoch, session = process.session, what] {
      Process& target = processes_[w];
      if (target.alive && target.epoch == epoch && target.session == session) what(target);
    });
  }

  void CheckLive(const AttemptId& id) {
    EXPECT_FALSE(ended_.contains(id.job)) << "action for an ended job: " << AttemptText(id);
  }
  void CheckLive(JobId job) { EXPECT_FALSE(ended_.contains(job)); }

  void CheckStart(const AttemptId& id, WorkerId w) {
    EXPECT_TRUE(started_.insert(id).second) << "an attempt number was used twice";
    if (!processes_[w].small_jobs_only) return;
    EXPECT_TRUE(jobs_[id.job].options.small);
    ++reached_["small job on its worker"];
  }

  void Obey(const StartMap& a) {
    CheckLive(a.attempt);
    CheckStart(a.attempt, a.worker);
    EXPECT_TRUE(processes_[a.worker].runs_plans || !jobs_[a.attempt.job].options.splits_archives);
    Order(a.worker, [this, a](Process&) { RunMap(a.worker, Begin(a.worker, a.attempt, {})); });
  }

  void Obey(const CutReduces& a) {
    CheckLive(a.job);
    if (a.plan.empty()) {
      ++reached_["plan dropped"];
      return;
    }
    const SubmitJob& job = jobs_[a.job];
    EXPECT_TRUE(
        ReduceLayout::Fits(a.plan, static_cast<std::uint32_t>(job.maps.size()), job.reduces));
    EXPECT_TRUE(job.options.associative || a.plan.splits.empty());
    EXPECT_TRUE(planned_.insert(a.job).second || power_was_cut_) << "planned twice";
    if (!a.plan.splits.empty()) ++reached_["split"];
    if (!a.plan.joins.empty()) ++reached_["joined"];
  }

  void Obey(const StartCombine& a) {
    CheckLive(a.attempt);
    CheckStart(a.attempt, a.worker);
    reduce_workers_[a.attempt] = a.worker;
    EXPECT_TRUE(jobs_[a.attempt.job].options.associative);
    EXPECT_TRUE(processes_[a.worker].runs_plans);
    EXPECT_GE(a.segment, jobs_[a.attempt.job].maps.size());
    EXPECT_LE(a.sources.first + a.sources.count, jobs_[a.attempt.job].maps.size());
    Order(a.worker, [this, a](Process&) {
      RunningAttempt& attempt = Begin(a.worker, a.attempt, a.sources);
      attempt.partition = a.partition;
      attempt.segment = a.segment;
      TryMerge(a.worker, attempt);
    });
  }

  std::uint32_t PartitionsOf(const AttemptId& id) const {
    const auto found = partitions_.find(id);
    return found == partitions_.end() ? 1 : found->second;
  }

  void Obey(const StartReduce& a) {
    CheckLive(a.attempt);
    CheckStart(a.attempt, a.worker);
    reduce_workers_[a.attempt] = a.worker;
    partitions_[a.attempt] = a.partitions;
    const bool cut = a.partitions > 1 || a.sources.first > 0;
    EXPECT_TRUE(processes_[a.worker].runs_plans || !cut);
    Order(a.worker,
          [this, a](Process&) { TryMerge(a.worker, Begin(a.worker, a.attempt, a.sources)); });
  }

  void Obey(const SegmentsAvailable& a) {
    CheckLive(a.reduce);
    if (dies_ && !processes_[a.worker].connected) return;  // It is told all when it resumes.
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
    if (dies_ && !processes_[a.worker].connected) return;
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
    if (a.reason != StopReason::kUnknown) CheckLive(a.attempt);
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
    for (std::uint32_t i = 1; i < PartitionsOf(a.attempt); ++i) {
      AttemptId part = a.attempt;
      part.task += i;
      const auto known = grants_.try_emplace({part.job, part.task, a.epoch}, part).first;
      EXPECT_EQ(known->second, part) << "two grants in one epoch";
    }
    const auto [grant, is_new] =
        grants_.try_emplace({a.attempt.job, a.attempt.task, a.epoch}, a.attempt);
    EXPECT_EQ(grant->second, a.attempt) << "two grants in one epoch";
    EXPECT_FALSE(publishing_now_.contains(a.attempt.job));
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
    EXPECT_TRUE(publishing_now_.insert(a.job).second) << "a job was published twice";
    std::vector<std::pair<std::uint32_t, std::uint32_t>> winners;
    for (const CommittedOutput& output : a.outputs)
      winners.emplace_back(output.task, output.attempt);
    const auto [published, is_new] = published_.try_emplace(a.job, winners);
    if (!is_new) ++reached_["published again"];
    EXPECT_EQ(published->second, winners) << "other attempts than the first time";
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
    EXPECT_TRUE(ended_now_.insert(a.job).second) << "a job ended twice";
    if (!ended_.insert(a.job).second && !forgets_at_once_) ++reached_["ended again"];
    if (dies_ && !forgets_at_once_)
      At(now_ + Below(20), [this, job = a.job] {
        if (up_) Forget(job);
      });
    ++reached_["job ended with " + std::string(CodeName(a.status.code()))];
    EXPECT_EQ(a.status.ok(), published_.contains(a.job));
    EXPECT_EQ(a.status.ok(), a.status.message().empty());
    for (const auto& [w, process] : processes_) {
      if (!process.alive || !scheduler_->HasWorker(w, process.epoch)) continue;
      // What nobody remembers after a power cut is stopped when its worker resumes.
      for (const auto& [id, attempt] : process.attempts)
        EXPECT_TRUE(id.job != a.job || abandoned_.contains(id) || power_was_cut_)
            << AttemptText(id) << " still runs";
      Order(w, [this, job = a.job](Process& target) {
        std::erase_if(target.segments, [&](const auto& s) { return std::get<0>(s) == job; });
        if (dies_)
          std::erase_if(target.attempts, [&](const auto& t) { return t.first.job == job; });
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
    EXPECT_TRUE(scheduler_->HasWorker(a.worker, a.epoch));
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
      if (!process.alive || !scheduler_->HasWorker(w, process.epoch)) continue;
      EXPECT_TRUE(process.segments.empty()) << "worker " << w << " keeps a segment";
      EXPECT_TRUE(process.attempts.empty()) << "worker " << w << " runs an attempt";
    }
    EXPECT_EQ(scheduler_->ViewCluster().jobs, 0u);
  }

  std::mt19937_64 random_;
  const bool dies_;
  const SchedulerOptions options_;
  std::unique_ptr<Scheduler> scheduler_;
  Actions actions_;
  bool up_ = true;
  bool forgets_at_once_ = true;  // A job's end and the loss of its rows are one turn.
  bool forgot_ = false;
  bool power_was_cut_ = false;
  std::vector<Turn> turns_;
  std::uint64_t sessions_ = 0, messages_ = 0;
  TimeMs now_ = 0;
  std::map<std::string, std::uint64_t> reached_;
  std::uint64_t serial_ = 0;
  std::multimap<TimeMs, std::function<void()>> timeline_;
  std::map<WorkerId, Process> processes_;
  std::map<WorkerId, std::uint64_t> known_;  // Epochs that the scheduler was told of.
  std::map<JobId, SubmitJob> jobs_;
  std::map<JobId, std::string> partition_sizes_;  // Of each map output.
  std::set<JobId> planned_;
  std::map<AttemptId, std::uint32_t> partitions_;  // Of reduces.
  std::map<std::tuple<JobId, std::uint32_t, std::uint32_t>, Content> contents_;
  std::set<AttemptId> started_, abandoned_;
  std::map<AttemptId, WorkerId> reduce_workers_;
  std::set<JobId> ended_;
  std::set<JobId> ended_now_, publishing_now_;  // As this coordinator said.
  std::map<JobId, std::vector<std::pair<std::uint32_t, std::uint32_t>>> published_;
  std::map<std::pair<AttemptId, std::uint32_t>, std::uint32_t> told_;
  std::map<std::tuple<JobId, std::uint32_t, std::uint32_t>, AttemptId> grants_;
  std::set<std::pair<AttemptId, std::uint32_t>> durable_;
};

/// A number from the environment, so that `scripts/dev sim` can run more seeds, or a failing one.
std::uint64_t NumberFromEnvironment(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : fallback;
}

/// Runs the seeds, and checks that the paths were taken: a simulation that no longer reaches one
/// would pass for the wrong reason.
void RunSeeds(Coordinator coordinator, std::initializer_list<const char*> paths) {
  constexpr std::uint64_t kSeeds = 4'000;
  const std::uint64_t first = NumberFromEnvironment("SPILLWAY_SIM_FIRST", 1);
  const std::uint64_t seeds = NumberFromEnvironment("SPILLWAY_SIM_SEEDS", kSeeds);
  std::map<std::string, std::uint64_t> reached;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(seed, coordinator);
    simulation.Run();
    if (testing::Test::HasFailure()) return;
    for (const auto& [path, times] : simulation.reached()) reached[path] += times;
  }
  if (seeds < kSeeds) return;
  for (const char* path : paths) EXPECT_GT(reached[path], 0u) << path;
  if (testing::Test::HasFailure()) {
    for (const auto& [path, times] : reached) std::printf("%s: %lu\n", path.c_str(), times);
  }
}

TEST(SchedulerSimulation, KeepsItsRulesUnderFaultsAndEndsEveryJobAfterThem) {
  RunSeeds(Coordinator::kLivesForEver, {"stop reason 0",
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
                                        "job ended with ABORTED",
                                        "small job on its worker",
                                        "split",
                                        "joined",
                                        "combined segment lost",
                                        "plan dropped"});
}

TEST(SchedulerSimulation, GoesOnFromItsJournalWhereverTheCoordinatorDies) {
  RunSeeds(Coordinator::kDies, {"died",
                                "died before writing",
                                "died while acting",
                                "compared",
                                "turns lost",
                                "resumed",
                                "session lost",
                                "published again",
                                "ended again",
                                "grant repeated",
                                "second grant",
                                "refused",
                                "invalidated",
                                "expired",
                                "drained",
                                "stop reason 0",
                                "stop reason 1",
                                "stop reason 2",
                                "stop reason 3",
                                "stop reason 4",
                                "job ended with OK",
                                "job ended with CANCELLED",
                                "job ended with USER_CODE",
                                "split",
                                "joined",
                                "combined segment lost"});
}

}  // namespace
}  // namespace spillway
