// How many tasks a second the scheduler's state machine decides: maps that are started and end, as
// one coordinator thread would see them, without messages and journal. Each iteration runs a whole
// job from submission to its end.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/core/scheduler.h"

namespace spillway {
namespace {

struct Cluster {
  std::uint32_t workers;
  std::uint32_t slots;
};

/// Answers every action as a worker would, oldest first, until nothing is left to do.
class Crowd {
 public:
  explicit Crowd(const Cluster& cluster) : scheduler_(SchedulerOptions{}) {
    for (WorkerId w = 0; w < cluster.workers; ++w)
      Send(WorkerJoined{w, 1, cluster.slots, "host" + std::to_string(w), "rack"});
  }

  void Send(const Event& event) { scheduler_.Step(event, now_, actions_); }

  void Submit(JobId job, std::uint32_t maps, std::uint32_t reduces) {
    SubmitJob submit{job, {}, reduces, {}};
    submit.maps.resize(maps);
    Send(submit);
  }

  void Run() {
    // Actions are appended while they are read, so that workers answer in turn.
    for (std::size_t i = 0; i < actions_.size(); ++i) {
      ++now_;
      if (const auto* map = std::get_if<StartMap>(&actions_[i])) {
        Send(AttemptDone{map->attempt, 1, {}, {}});
      } else if (const auto* reduce = std::get_if<StartReduce>(&actions_[i])) {
        Send(CommitRequested{reduce->attempt});
      } else if (const auto* grant = std::get_if<GrantCommit>(&actions_[i])) {
        Send(Committed{grant->attempt, grant->epoch});
      } else if (const auto* commit = std::get_if<CommitJob>(&actions_[i])) {
        Send(JobCommitted{commit->job, OkStatus()});
      }
    }
    actions_.clear();
  }

 private:
  Scheduler scheduler_;
  Actions actions_;
  TimeMs now_ = 0;
};

void BM_ScheduleMaps(benchmark::State& state) {
  const auto maps = static_cast<std::uint32_t>(state.range(1));
  Crowd crowd({static_cast<std::uint32_t>(state.range(0)), 4});
  JobId job = 0;
  for (auto _ : state) {
    crowd.Submit(++job, maps, 1);
    crowd.Run();
  }
  state.SetItemsProcessed(state.iterations() * maps);
}
BENCHMARK(BM_ScheduleMaps)
    ->ArgNames({"workers", "maps"})
    ->Args({1, 10'000})
    ->Args({100, 100'000})
    ->Args({10'000, 100'000})
    ->Args({10'000, 1'000'000})
    ->Unit(benchmark::kMillisecond);

/// Many jobs that share the slots: every start and end moves a job in the queue of shares.
void BM_ScheduleJobs(benchmark::State& state) {
  const auto jobs = static_cast<std::uint32_t>(state.range(0));
  constexpr std::uint32_t kMapsPerJob = 200;
  Crowd crowd({100, 4});
  JobId job = 0;
  for (auto _ : state) {
    for (std::uint32_t i = 0; i < jobs; ++i) crowd.Submit(++job, kMapsPerJob, 4);
    crowd.Run();
  }
  state.SetItemsProcessed(state.iterations() * jobs * kMapsPerJob);
}
/// A coordinator that comes back to a job whose maps are all done.
void BM_Replay(benchmark::State& state) {
  const auto maps = static_cast<std::uint32_t>(state.range(0));
  constexpr std::uint32_t kWorkers = 1'000, kSlots = 4;
  std::vector<Event> journal;
  for (WorkerId w = 0; w < kWorkers; ++w)
    journal.push_back(WorkerJoined{w, 1, kSlots, "host" + std::to_string(w), "rack"});
  SubmitJob submit{1, {}, 1, {}};
  submit.maps.resize(maps);
  journal.push_back(submit);
  for (std::uint32_t map = 0; map < maps; ++map) {
    const AttemptId id{1, TaskKind::kMap, map, 0};
    journal.push_back(AttemptStarted{id, map % kWorkers});
    journal.push_back(AttemptDone{id, 1, {}, {}});
  }
  for (auto _ : state) {
    Scheduler scheduler(SchedulerOptions{});
    for (const Event& event : journal)
      if (!scheduler.Replay(event, 1).ok()) state.SkipWithError("the journal does not fit");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(journal.size()));
}
BENCHMARK(BM_Replay)->ArgName("maps")->Arg(1'000'000)->Unit(benchmark::kMillisecond);

BENCHMARK(BM_ScheduleJobs)->ArgName("jobs")->Arg(10)->Arg(1'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace spillway
