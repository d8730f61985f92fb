// ShareQueue: the jobs that want a slot, the one that is furthest below its share first. A job's
// share is slots taken by weight; equal shares go by order of submission. Owned by the scheduler.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

namespace spillway {

class JobState;

class ShareQueue {
 public:
  struct Key {
    std::uint64_t share = 0;
    std::uint64_t submission = 0;
    auto operator<=>(const Key&) const = default;
  };
  /// A job's own note of its place.
  struct Spot {
    bool queued = false;
    Key key;
  };

  static std::uint64_t Share(std::uint32_t slots_taken, std::uint32_t weight) {
    return (std::uint64_t{slots_taken} << 24) / (weight == 0 ? 1 : weight);
  }

  /// Brings the job's place in line with whether it wants a slot and what it has.
  void Update(JobState& job, Spot& spot, bool wanted, const Key& key) {
    if (spot.queued && wanted) {
      if (spot.key == key) return;
      auto node = jobs_.extract(spot.key);
      node.key() = key;
      jobs_.insert(std::move(node));
    } else if (wanted) {
      jobs_.emplace(key, &job);
    } else if (spot.queued) {
      jobs_.erase(spot.key);
    }
    spot = {wanted, key};
  }

  bool empty() const { return jobs_.empty(); }
  auto begin() const { return jobs_.begin(); }
  auto end() const { return jobs_.end(); }

 private:
  std::map<Key, JobState*> jobs_;
};

}  // namespace spillway
