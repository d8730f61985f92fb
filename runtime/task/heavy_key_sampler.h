// HeavyKeySampler: which keys a map task emits most of, before anything is folded or combined. It
// looks at the first records one by one and at every 1024th on average of many, so that it costs
// nothing beside what collecting a record does. Where keys lie sorted they could be counted
// exactly, but a fold's table forgets how often it met a key, and would need a counter for each.
// One task, one thread.
#pragma once

#include <cstdint>
#include <span>

#include "mapreduce/base/split_mix.h"
#include "runtime/core/heavy_keys.h"
#include "shuffle/record/key_order.h"
#include "shuffle/record/record.h"

namespace spillway {

class HeavyKeySampler {
 public:
  struct Options {
    std::uint64_t seed = 0;  ///< Which records are looked at follows from it and their number.
    /// Keys of one group count as one, where their leading bytes name it.
    KeyOrder order = {};
    std::uint32_t value_bytes = 0;  ///< Of each value; 0: what its record says.
  };
  explicit HeavyKeySampler(const Options& options) : options_(options), random_(options.seed) {}

  void See(std::span<const Record> batch) {
    if (batch.size() <= ahead_)
      ahead_ -= batch.size();
    else
      Sample(batch);
  }

  /// A record that was looked at stands for all since the one before.
  HeavyKeys& keys() { return keys_; }

 private:
  // So many records on average lie between two that are looked at: seen / kDense, within 1 and the
  // maximum.
  static constexpr std::uint64_t kDense = 1'024;
  static constexpr std::uint64_t kGapMax = 1'024;

  void Sample(std::span<const Record> batch);
  std::uint64_t NextGap();

  const Options options_;
  SplitMix64 random_;
  std::uint64_t ahead_ = 0;  ///< Records before the next one that is looked at.
  std::uint64_t gap_ = 1;    ///< What that one stands for.
  std::uint64_t seen_ = 0;   ///< Up to the last one that was looked at.
  HeavyKeys keys_;
};

}  // namespace spillway
