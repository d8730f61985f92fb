#include "runtime/core/output_hashes.h"

namespace spillway {
namespace {

/// Named in one message; of more, their number tells enough.
constexpr std::size_t kNamedPartitionsMax = 8;

std::uint64_t HashOf(const std::vector<std::uint64_t>& partition_hashes) {
  std::uint64_t hash = partition_hashes.size();
  for (const std::uint64_t part : partition_hashes) {
    hash = (hash ^ part) * 0x9E37'79B9'7F4A'7C15u;
    hash ^= hash >> 32;
  }
  return hash;
}

}  // namespace

std::string OutputHashes::Compare(const AttemptDone& done) {
  if (done.partition_hashes.empty()) return "";
  const std::uint32_t map = done.attempt.task;
  if (tasks_.size() <= map) tasks_.resize(map + 1);
  Task& task = tasks_[map];
  const std::uint64_t hash = HashOf(done.partition_hashes);
  if (task.attempt == kNoAttempt) {
    task = {hash, done.order_hash, done.attempt.attempt};
    if (keeps_single_ && done.partition_hashes.size() == partitions_) {
      if (single_.size() <= map) single_.resize(map + 1);
      single_[map] = done.partition_hashes;
    }
    return "";
  }
  if (task.hash != hash) return "other records" + DifferingPartitions(done);
  const bool ordered = task.order_hash != 0 && done.order_hash != 0;
  if (ordered && task.order_hash != done.order_hash) return "the same records in another order";
  return "";
}

std::string OutputHashes::DifferingPartitions(const AttemptDone& done) const {
  const std::uint32_t map = done.attempt.task;
  if (map >= single_.size() || single_[map].size() != done.partition_hashes.size()) return "";
  std::vector<std::string> differing;
  for (std::size_t part = 0; part < single_[map].size(); ++part)
    if (single_[map][part] != done.partition_hashes[part])
      differing.push_back(std::to_string(part));
  std::string text = differing.size() == 1 ? " to partition " : " to partitions ";
  const std::size_t named =
      differing.size() <= kNamedPartitionsMax ? differing.size() : kNamedPartitionsMax;
  for (std::size_t i = 0; i < named; ++i) {
    if (i > 0) text += i + 1 == differing.size() ? " and " : ", ";
    text += differing[i];
  }
  if (named < differing.size())
    text += " and " + std::to_string(differing.size() - named) + " more";
  return text;
}

void OutputHashes::Clear() {
  tasks_ = {};
  single_ = {};
}

}  // namespace spillway
