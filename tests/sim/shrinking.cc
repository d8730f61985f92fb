#include "tests/sim/shrinking.h"

#include <functional>
#include <utility>

#include "tests/sim/simulated_cluster.h"

namespace spillway {
namespace {

/// What a failure says first, without its numbers.
std::string KindOf(const std::string& failure) {
  std::string kind = failure.substr(0, failure.find('\n'));
  std::erase_if(kind, [](char c) { return c >= '0' && c <= '9'; });
  return kind;
}

/// Puts `smaller` in place of `run` if it fails in the same way.
bool TakeIfItFails(FailingRun& run, FailingRun smaller) {
  SimulatedCluster cluster(smaller.seed, smaller.options, smaller.faults);
  smaller.failure = cluster.Run();
  if (KindOf(smaller.failure) != KindOf(run.failure)) return false;
  run = std::move(smaller);
  return true;
}

/// Takes away ever smaller stretches of the list.
void ShrinkFaults(FailingRun& run) {
  for (std::size_t stretch = run.faults.size(); stretch > 0; stretch /= 2) {
    for (std::size_t at = 0; at < run.faults.size();) {
      FailingRun smaller = run;
      const auto begin = smaller.faults.begin() + static_cast<std::ptrdiff_t>(at);
      const std::size_t left = smaller.faults.size() - at;
      smaller.faults.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(stretch, left)));
      if (!TakeIfItFails(run, std::move(smaller))) at += stretch;
    }
  }
}

bool ShrinkOptions(FailingRun& run) {
  using Change = std::function<void(SimulationOptions&)>;
  const Change changes[] = {
      [](auto& o) { o.lose_permille = 0; },
      [](auto& o) { o.double_permille = 0; },
      [](auto& o) { o.attempt_failure_permille = 0; },
      [](auto& o) { o.open_failure_permille = 0; },
      [](auto& o) { o.setup_failure_permille = 0; },
      [](auto& o) { o.commit_failure_permille = 0; },
      [](auto& o) { o.associative = false; },
      [](auto& o) { o.older_workers = false; },
      [](auto& o) { o.small_channels = false; },
      [](auto& o) { o.stop_ms_max = 1; },
      [](auto& o) { o.turn_loss_permille = 0; },
      [](auto& o) { o.hang_permille = 0; },
      [](auto& o) { o.client_lose_permille = 0; },
      [](auto& o) { o.doomed_permille = 0; },
      [](auto& o) { o.kill_permille = 0; },
      [](auto& o) { o.varying_permille = 0; },
      [](auto& o) { o.loop_permille = 0; },
      [](auto& o) { o.speculate = false; },
      [](auto& o) { o.delay_ms_max = 1 + o.delay_ms_max / 2; },
      [](auto& o) { o.jobs = 1 + o.jobs / 2; },
      [](auto& o) { o.maps = 1 + o.maps / 2; },
      [](auto& o) { o.reduces = 1 + o.reduces / 2; },
      [](auto& o) { o.slots = o.loop_permille > 0 ? o.slots : 1; },
  };
  bool shrunk = false;
  for (const Change& change : changes) {
    FailingRun smaller = run;
    change(smaller.options);
    if (smaller.options == run.options) continue;
    shrunk |= TakeIfItFails(run, std::move(smaller));
  }
  return shrunk;
}

}  // namespace

FailingRun Shrink(FailingRun run) {
  do {
    ShrinkFaults(run);
  } while (ShrinkOptions(run));
  return run;
}

std::string RunText(const FailingRun& run) {
  const SimulationOptions& o = run.options;
  std::string text = "seed " + std::to_string(run.seed) + ": " + run.failure + "\n  " +
                     std::to_string(o.jobs) + " jobs of " + std::to_string(o.maps) + " maps and " +
                     std::to_string(o.reduces) + " reduces on " + std::to_string(o.workers) +
                     " workers with " + std::to_string(o.slots) + " slots; of 1000 frames " +
                     std::to_string(o.lose_permille) + " are lost and " +
                     std::to_string(o.double_permille) + " doubled, delays to " +
                     std::to_string(o.delay_ms_max) + " ms\n";
  const std::pair<const char*, std::uint32_t> rates[] = {
      {"attempts fail", o.attempt_failure_permille},
      {"attempts hang", o.hang_permille},
      {"outputs cannot be opened", o.open_failure_permille},
      {"jobs cannot be set up", o.setup_failure_permille},
      {"turns cannot be committed", o.commit_failure_permille},
      {"turns are lost with the power", o.turn_loss_permille},
      {"messages of clients are lost", o.client_lose_permille},
      {"jobs have a task that always fails", o.doomed_permille},
      {"jobs are killed", o.kill_permille},
      {"jobs write other bytes each time", o.varying_permille},
      {"jobs are loops", o.loop_permille},
  };
  for (const auto& [what, permille] : rates)
    if (permille > 0) text += "  of 1000 " + std::to_string(permille) + " " + what + "\n";
  for (const Fault& fault : run.faults) text += "  " + FaultText(fault) + "\n";
  return text;
}

}  // namespace spillway
