// A comparison to be shown in tests.
#pragma once

#include "runtime/comparison/loop_comparison.h"

namespace spillway {

inline LoopComparison SampleLoop() {
  LoopComparison loop;
  loop.name = "k_means";
  loop.input = "64 MiB of points";
  loop.arguments = {"10"};
  ModeFigures& memory = loop.memory;
  memory.mode = "memory";
  memory.start_seconds = 0.5;
  memory.iteration_seconds = {0.012, 0.010, 0.011};
  memory.read_bytes = 64 << 20;
  memory.written_bytes = 3'000;
  memory.shuffled_bytes = 450 << 10;
  memory.peak_rss_bytes = 120 << 20;
  memory.map_seconds = 0.54;
  memory.wall_seconds = 0.6;
  memory.cpu_seconds = 1.1;
  memory.system_seconds = 0.1;
  ModeFigures& disk = loop.disk;
  disk = memory;
  disk.mode = "disk";
  disk.start_seconds = 0.45;
  disk.iteration_seconds = {0.33, 0.29, 0.31};
  disk.read_bytes = 256 << 20;
  disk.wall_seconds = 1.5;
  return loop;
}

inline ComparisonReport SampleComparison() {
  return {"A machine, 2 cores", "spillway bench disk-vs-memory k_means", {SampleLoop()}};
}

}  // namespace spillway
