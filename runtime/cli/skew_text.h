// How unevenly a job's records are spread over keys and partitions, as people and programs read it
// (docs/how-to/skew.md). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/local/job_runner.h"

namespace spillway {

/// How unevenly something is spread over partitions.
struct Skew {
  std::uint64_t largest = 0;
  std::uint64_t median = 0;  ///< Of an even number the lower of the two in the middle.
  double ratio = 0;          ///< largest / median; 0 when the median is 0.
};

Skew MeasureSkew(std::vector<std::uint64_t> sizes);

/// `"the" 12 %, "of" 6.1 %`, `keys_max` of them at most. Empty when no key has a share that matters
/// among so many reduce tasks.
std::string HeavyKeysText(const std::vector<KeyLoad>& keys, std::uint32_t reduces,
                          std::size_t keys_max = 4);

/// All of them, with keys escaped as in messages.
nlohmann::ordered_json HeavyKeysJson(const std::vector<KeyLoad>& keys);

/// Why the largest partition is much larger than the median.
enum class SkewCause {
  kNone,          ///< It is not, or it is small anyway.
  kOneKey,        ///< Without one of its keys it would not be.
  kManyKeys,      ///< Many keys, or keys that several of the others have more of.
  kLargeRecords,  ///< It has few more records, but larger ones.
};
SkewCause CauseOf(const SkewReport& skew);

/// `8 partitions, the largest 3 MiB (1.02 x the median), ...`; empty when fewer than two are
/// reduced.
std::string PartitionsText(const SkewReport& skew);

/// `partition 3 among 8 combine tasks, partition 7 among 2`; empty when `combines` is 0.
std::string SplitText(const SkewReport& skew, std::uint32_t combines);

/// `1 969 of 2 000 partitions, by the tasks of their neighbours`; empty when none is joined.
std::string JoinedText(std::uint32_t joined, std::uint32_t partitions);

/// What to do about the largest partition; empty when there is no need.
std::string SkewHint(const SkewReport& skew);

/// `5 partitions, the largest about 3.1 GiB (2.20 x the median of all)`: those that are not
/// reduced; empty when there are none, or nothing is known of them.
std::string WaitingPartitionsText(const SkewReport& skew);

/// The largest partitions and the median, a line each, indented: what is known of them, reduced or
/// not. Empty when both texts above are.
std::string PartitionTable(const SkewReport& skew);

/// Adds the fields `heavy_keys`, `partitions`, `reduce_skew`, `hottest_partition` and `skew_hint`.
void AddSkewJson(const SkewReport& skew, nlohmann::ordered_json* json);

}  // namespace spillway
