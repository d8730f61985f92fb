// ReduceLayout: a job's ReducePlan at work: which reduce tasks stand for others, which read the
// outputs of combine tasks, and how the job's segments are numbered: those of map tasks first,
// those of combine tasks behind them. Owned by a JobState; not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "runtime/core/attempt_id.h"
#include "runtime/core/reduce_plan.h"

namespace spillway {

class ReduceLayout {
 public:
  /// A partition that is split: its combine tasks are [first_combine, first_combine + pieces).
  struct Split {
    std::uint32_t partition = 0;
    std::uint32_t first_combine = 0;
    std::uint32_t pieces = 0;
    std::uint32_t done = 0;  ///< Pieces that are there.
    bool whole = false;      ///< It is reduced from the maps' outputs after all.
    bool ready() const { return whole || done == pieces; }
  };

  /// Until Apply nothing is split or joined.
  explicit ReduceLayout(std::uint32_t maps) : maps_(maps) {}

  /// Once. Partitions are less than `reduces`, which must be checked before.
  void Apply(const ReducePlan& plan);
  bool applied() const { return applied_; }
  /// Whether the task is one that only workers know which run plans.
  bool NeedsPlans(TaskKind kind, std::uint32_t task) const;

  std::uint32_t combines() const { return static_cast<std::uint32_t>(splits_by_combine_.size()); }
  /// Whether `plan` could have been made of a job with so many tasks.
  static bool Fits(const ReducePlan& plan, std::uint32_t maps, std::uint32_t reduces);

  /// Null: the plan does not split the partition.
  const Split* SplitOf(std::uint32_t partition) const;
  Split& SplitOfCombine(std::uint32_t combine) { return splits_[splits_by_combine_[combine]]; }
  const Split& SplitOfCombine(std::uint32_t combine) const {
    return splits_[splits_by_combine_[combine]];
  }
  std::vector<Split>& splits() { return splits_; }
  const std::vector<Split>& splits() const { return splits_; }

  /// How many partitions the reduce task stands for: 1 unless it is the first of a join.
  std::uint32_t PartitionsOf(std::uint32_t reduce) const;
  /// It stands for itself from now on.
  void Dissolve(std::uint32_t reduce) { joins_.erase(reduce); }
  /// The first partitions of joins.
  std::vector<std::uint32_t> Joins() const;
  /// Partitions that another one's task stands for.
  std::uint32_t joined() const;

  /// What the attempt of a combine or reduce task reads.
  SegmentRange SourcesOf(const AttemptId& id) const;

  std::uint32_t SegmentOf(TaskKind kind, std::uint32_t task) const {
    return kind == TaskKind::kCombine ? maps_ + task : task;
  }
  struct Producer {
    TaskKind kind = TaskKind::kMap;
    std::uint32_t task = 0;
  };
  Producer ProducerOf(std::uint32_t segment) const {
    if (segment < maps_) return {TaskKind::kMap, segment};
    return {TaskKind::kCombine, segment - maps_};
  }

 private:
  const std::uint32_t maps_;
  bool applied_ = false;
  std::vector<Split> splits_;                     ///< Ascending by partition; few.
  std::vector<std::uint32_t> splits_by_combine_;  ///< Index in splits_, by combine task.
  std::map<std::uint32_t, std::uint32_t> joins_;  ///< Partitions, by the first one.
};

}  // namespace spillway
