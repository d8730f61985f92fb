// cluster_sim [--seeds N] [--from S] [--until-wrong]: simulates a storm for each seed, and shrinks
// those that go wrong, or ends with the first one. cluster_sim --seed S [--trace]: one of them,
// with everything that happens. Exit status: 0 all went well; 1 some did not; 64 usage.
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "tests/sim/shrinking.h"
#include "tests/sim/simulated_cluster.h"
#include "tests/sim/storm.h"

namespace {

using namespace spillway;

constexpr int kUsage = 64;

struct Wanted {
  std::uint64_t first = 1;
  std::uint64_t seeds = 20'000;
  bool trace = false;
  bool until_wrong = false;
};

bool Parse(int argc, char** argv, Wanted& wanted) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--trace") == 0) {
      wanted.trace = true;
      continue;
    }
    if (std::strcmp(argv[i], "--until-wrong") == 0) {
      wanted.until_wrong = true;
      continue;
    }
    if (i + 1 == argc) return false;
    char* end = nullptr;
    const std::uint64_t number = std::strtoull(argv[i + 1], &end, 10);
    if (*end != '\0' || end == argv[i + 1]) return false;
    if (std::strcmp(argv[i], "--seeds") == 0) {
      wanted.seeds = number;
    } else if (std::strcmp(argv[i], "--from") == 0) {
      wanted.first = number;
    } else if (std::strcmp(argv[i], "--seed") == 0) {
      wanted.first = number;
      wanted.seeds = 1;
    } else {
      return false;
    }
    ++i;
  }
  return true;
}

constexpr unsigned kSeedSecondsMax = 60;
volatile std::uint64_t running_seed = 0;

/// A check that fails, or a loop without end, is that of a seed as well.
void NameSeed(int number) {
  std::printf("seed %" PRIu64 ": %s\n", running_seed,
              number == SIGALRM ? "it does not come to an end" : "the process ends");
  std::fflush(stdout);
  std::_Exit(1);
}

/// Whether all went well.
bool RunSeed(std::uint64_t seed, const Wanted& wanted) {
  const SimulationOptions storm = WildStorm(seed);
  FailingRun run{seed, storm, PlanFaults(seed, storm), ""};
  SimulatedCluster cluster(seed, run.options, run.faults);
  if (wanted.trace) cluster.set_trace([](const std::string& line) { std::puts(line.c_str()); });
  run.failure = cluster.Run();
  if (wanted.trace) std::printf("trace hash %016" PRIx64 "\n", cluster.trace_hash());
  if (run.failure.empty()) return true;
  std::printf("%s\n", RunText(run).c_str());
  std::fflush(stdout);
  if (!wanted.until_wrong) std::printf("shrunk to\n%s", RunText(Shrink(run)).c_str());
  std::fflush(stdout);
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  Wanted wanted;
  if (!Parse(argc, argv, wanted)) {
    std::fprintf(
        stderr, "usage: cluster_sim [--seeds N] [--from S] [--until-wrong] | --seed S [--trace]\n");
    return kUsage;
  }
  for (const int number : {SIGABRT, SIGSEGV, SIGALRM}) std::signal(number, NameSeed);
  std::uint64_t failed = 0;
  const std::clock_t began = std::clock();  // Of the processor: others may use the machine.
  for (std::uint64_t seed = wanted.first; seed < wanted.first + wanted.seeds; ++seed) {
    running_seed = seed;
    ::alarm(kSeedSecondsMax);
    if (RunSeed(seed, wanted)) continue;
    ++failed;
    if (wanted.until_wrong) {
      wanted.seeds = seed - wanted.first + 1;
      break;
    }
  }
  const double seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  std::printf("%" PRIu64 " seeds from %" PRIu64 " on: %" PRIu64
              " went wrong; %.0f seeds per second and core\n",
              wanted.seeds, wanted.first, failed,
              static_cast<double>(wanted.seeds) / std::max(seconds, 0.001));
  return failed == 0 ? 0 : 1;
}
