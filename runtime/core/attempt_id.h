// The names by which the scheduler and its shells speak of jobs, tasks, attempts and workers.
// Value types, no thread affinity.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace spillway {

using TimeMs = std::uint64_t;    ///< Any clock that never goes back; the shell's.
using JobId = std::uint64_t;     ///< Given by the shell, never used twice.
using WorkerId = std::uint32_t;  ///< Given by the shell; small numbers keep tables small.

enum class TaskKind : std::uint8_t {
  kMap,
  kReduce,
  kCombine,  ///< Combines what some map tasks have for one partition (reduce_plan.h).
};
inline constexpr TaskKind kTaskKinds[] = {TaskKind::kMap, TaskKind::kReduce, TaskKind::kCombine};
/// Those that read segments.
inline constexpr TaskKind kReadingKinds[] = {TaskKind::kReduce, TaskKind::kCombine};

/// "map", "reduce", "combine".
const char* TaskKindName(TaskKind kind);

inline constexpr std::uint32_t kNoAttempt = UINT32_MAX;

/// One try at one task. The scheduler numbers the attempts of a task from 0 and never uses a
/// number twice, so an AttemptId also names the worker process that runs it.
struct AttemptId {
  JobId job = 0;
  TaskKind kind = TaskKind::kMap;
  std::uint32_t task = 0;
  std::uint32_t attempt = 0;
  auto operator<=>(const AttemptId&) const = default;
};

/// "map task 3, attempt 1".
std::string AttemptText(const AttemptId& id);

/// The first byte of an input record.
struct RecordPlace {
  std::uint32_t file_index = 0;
  std::uint64_t offset = 0;
  auto operator<=>(const RecordPlace&) const = default;
};

/// A map task's output: the attempt that wrote it, and the worker that serves it. Outputs of
/// combine tasks are numbered as if they were further map tasks'.
struct SegmentRef {
  std::uint32_t map_task = 0;
  std::uint32_t attempt = kNoAttempt;
  WorkerId worker = 0;
  bool operator==(const SegmentRef&) const = default;
};

/// Segments that follow each other in their numbers.
struct SegmentRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  bool operator==(const SegmentRange&) const = default;
};

}  // namespace spillway
