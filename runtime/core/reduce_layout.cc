#include "runtime/core/reduce_layout.h"

#include <algorithm>

#include "mapreduce/base/check.h"

namespace spillway {

bool ReduceLayout::Fits(const ReducePlan& plan, std::uint32_t maps, std::uint32_t reduces) {
  std::vector<bool> named(reduces);
  const auto take = [&](std::uint32_t partition) {
    if (partition >= reduces || named[partition]) return false;
    named[partition] = true;
    return true;
  };
  for (const SplitPartition& split : plan.splits)
    if (split.pieces < 2 || split.pieces > maps || !take(split.partition)) return false;
  for (const JoinedPartitions& join : plan.joins) {
    if (join.count < 2 || join.count > reduces) return false;
    for (std::uint32_t i = 0; i < join.count; ++i)
      if (!take(join.first + i)) return false;
  }
  return true;
}

void ReduceLayout::Apply(const ReducePlan& plan) {
  SPILLWAY_CHECK(!applied_);
  applied_ = true;
  for (const SplitPartition& split : plan.splits) {
    splits_.push_back({split.partition, combines(), split.pieces, 0});
    splits_by_combine_.resize(combines() + split.pieces,
                              static_cast<std::uint32_t>(splits_.size() - 1));
  }
  for (const JoinedPartitions& join : plan.joins) joins_[join.first] = join.count;
}

const ReduceLayout::Split* ReduceLayout::SplitOf(std::uint32_t partition) const {
  const auto found = std::find_if(splits_.begin(), splits_.end(),
                                  [&](const Split& split) { return split.partition == partition; });
  return found == splits_.end() ? nullptr : &*found;
}

std::uint32_t ReduceLayout::PartitionsOf(std::uint32_t reduce) const {
  const auto found = joins_.find(reduce);
  return found == joins_.end() ? 1 : found->second;
}

bool ReduceLayout::NeedsPlans(TaskKind kind, std::uint32_t task) const {
  if (kind == TaskKind::kMap) return false;
  if (kind == TaskKind::kCombine || joins_.contains(task)) return true;
  const Split* const split = SplitOf(task);
  return split != nullptr && !split->whole;
}

std::vector<std::uint32_t> ReduceLayout::Joins() const {
  std::vector<std::uint32_t> joins;
  for (const auto& [first, count] : joins_) joins.push_back(first);
  return joins;
}

std::uint32_t ReduceLayout::joined() const {
  std::uint32_t joined = 0;
  for (const auto& [first, count] : joins_) joined += count - 1;
  return joined;
}

SegmentRange ReduceLayout::SourcesOf(const AttemptId& id) const {
  if (id.kind == TaskKind::kCombine) {
    const Split& split = SplitOfCombine(id.task);
    return MapsOfPiece(maps_, split.pieces, id.task - split.first_combine);
  }
  const Split* const split = SplitOf(id.task);
  if (split == nullptr || split->whole) return {0, maps_};
  return {maps_ + split->first_combine, split->pieces};
}

}  // namespace spillway
