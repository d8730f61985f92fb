#include "runtime/core/job_state.h"

#include <algorithm>
#include <cmath>

namespace spillway {

JobState::JobState(const SubmitJob& submitted, std::uint64_t submission_number, PlaceNames& places)
    : id(submitted.job),
      submission(submission_number),
      options(submitted.options),
      large_first(static_cast<std::uint32_t>(submitted.maps.size()), submitted.reduces),
      layout(static_cast<std::uint32_t>(submitted.maps.size())),
      segments(static_cast<std::uint32_t>(submitted.maps.size())),
      hashes(static_cast<std::uint32_t>(submitted.maps.size()), submitted.reduces,
             OutputHashes::kSingleHashesMax) {
  const auto maps = static_cast<std::uint32_t>(submitted.maps.size());
  tasks(TaskKind::kMap).resize(maps);
  tasks(TaskKind::kReduce).resize(submitted.reduces);
  waiting(TaskKind::kMap).Grow(maps);
  waiting(TaskKind::kReduce).Grow(submitted.reduces);
  const double fraction = std::clamp(options.slow_start_fraction, 0.0, 1.0);
  slow_start_maps_ = std::max(1u, static_cast<std::uint32_t>(std::ceil(fraction * maps)));
  for (std::uint32_t map = 0; map < maps; ++map)
    for (const std::string& place : submitted.maps[map].places)
      places_[places.Intern(place)].Add(map);
}

std::uint32_t JobState::FirstAt(std::uint32_t place) {
  const auto found = places_.find(place);
  return found == places_.end() ? IndexSet::kNone : found->second.First(waiting(TaskKind::kMap));
}

// Ranked when a slot is free, so as often as maps end while reduces wait for their last ones, and
// once when all have.
std::uint32_t JobState::FirstLargeReduce() {
  if (ranked_maps_ != done(TaskKind::kMap)) {
    ranked_maps_ = done(TaskKind::kMap);
    large_first.Rank();
  }
  return large_first.First(waiting(TaskKind::kReduce));
}

ReduceLoads JobState::LoadsFor(std::uint32_t slots) const {
  return {large_first.bytes(), large_first.all_bytes(), total(TaskKind::kMap), slots,
          options.associative};
}

ReducePlanOptions JobState::PlanOptions(const ReducePlanOptions& defaults) const {
  ReducePlanOptions its = defaults;
  if (options.split_partition_bytes == 0) return its;
  // Who asks for it knows what a slot is worth.
  its.split_bytes_min = options.split_partition_bytes;
  its.split_slots_min = 2;
  return its;
}

ReducePlan JobState::PlanReduces(std::uint32_t slots, const ReducePlanOptions& defaults) const {
  if (large_first.bytes().empty()) return {};
  // What was started may have written files under its number, and goes on as it began.
  const std::vector<TaskState>& reduces = tasks(TaskKind::kReduce);
  std::vector<bool> untouched(reduces.size());
  for (std::size_t reduce = 0; reduce < reduces.size(); ++reduce)
    untouched[reduce] = reduces[reduce].attempts == 0;
  return spillway::PlanReduces(LoadsFor(slots), PlanOptions(defaults), untouched);
}

void JobState::Apply(const ReducePlan& plan) {
  layout.Apply(plan);
  const std::uint32_t combines = layout.combines();
  tasks(TaskKind::kCombine).resize(combines);
  waiting(TaskKind::kCombine).Grow(combines);
  waiting(TaskKind::kCombine).Fill();
  segments.Grow(total(TaskKind::kMap) + combines);
  for (const ReduceLayout::Split& split : layout.splits())
    waiting(TaskKind::kReduce).Erase(split.partition);
  for (const JoinedPartitions& join : plan.joins)
    for (std::uint32_t i = 1; i < join.count; ++i) waiting(TaskKind::kReduce).Erase(join.first + i);
}

bool JobState::HoldsBack(std::uint32_t reduce, std::uint32_t slots,
                         const ReducePlanOptions& defaults) const {
  if (maps_done() || layout.applied() || large_first.bytes().empty()) return false;
  return IsHot(LoadsFor(slots), reduce, PlanOptions(defaults));
}

const TaskTrouble* JobState::FindTrouble(TaskKind kind, std::uint32_t task) const {
  if (troubles_.empty()) return nullptr;
  const auto found = troubles_.find({kind, task});
  return found == troubles_.end() ? nullptr : &found->second;
}

void JobState::FillOutputs() {
  const std::vector<TaskState>& finals = tasks(final_kind());
  outputs.reserve(finals.size());
  for (std::uint32_t task = 0; task < finals.size(); ++task)
    outputs.push_back({task, finals[task].granted, finals[task].commit_epoch});
}

}  // namespace spillway
