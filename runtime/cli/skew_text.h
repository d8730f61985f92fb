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
  std::uint64_t median = 0;
  double ratio = 0;  ///< largest / median; 0 when the median is 0.
};

Skew MeasureSkew(std::vector<std::uint64_t> sizes);

/// `"the" 12 %, "of" 6.1 %`, `keys_max` of them at most. Empty when no key has a share that matters
/// among so many reduce tasks.
std::string HeavyKeysText(const std::vector<KeyLoad>& keys, std::uint32_t reduces,
                          std::size_t keys_max = 4);

/// All of them, with keys escaped as in messages.
nlohmann::ordered_json HeavyKeysJson(const std::vector<KeyLoad>& keys);

}  // namespace spillway
