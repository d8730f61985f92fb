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

/// " to partition 3", as far as both tell.
std::string DifferingPartitions(const std::vector<std::uint64_t>& first,
                                const std::vector<std::uint64_t>& other) {
  if (first.size() != other.size()) return "";
  std::vector<std::string> differing;
  for (std::size_t part = 0; part < first.size(); ++part)
    if (first[part] != other[part]) differing.push_back(std::to_string(part));
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

}  // namespace

std::string OutputHashes::Compare(const AttemptDone& done) {
  const bool has_ordered = !done.partition_hashes.empty();
  const bool has_records = !done.record_hashes.empty();
  if (!has_ordered && !has_records) return "";
  const std::uint32_t map = done.attempt.task;
  if (tasks_.size() <= map) tasks_.resize(map + 1);
  Task& task = tasks_[map];
  if (task.attempt == kNoAttempt) task.attempt = done.attempt.attempt;
  const bool compare_records = has_records && task.records.known;
  if (compare_records && task.records.all != HashOf(done.record_hashes))
    return "other records" + DifferingPartitions(task.records.single, done.record_hashes);
  if (has_ordered && task.ordered.known && task.ordered.all != HashOf(done.partition_hashes))
    return (compare_records ? "the same records in another order"
                            : "other records, or the same in another order,") +
           DifferingPartitions(task.ordered.single, done.partition_hashes);
  // It agrees, so what it has beyond the first one's counts as that one's.
  if (has_ordered && !task.ordered.known) Keep(done.partition_hashes, &task.ordered);
  if (has_records && !task.records.known) Keep(done.record_hashes, &task.records);
  return "";
}

void OutputHashes::Keep(const std::vector<std::uint64_t>& hashes, Kept* kept) const {
  kept->known = true;
  kept->all = HashOf(hashes);
  if (keeps_single_ && hashes.size() == partitions_) kept->single = hashes;
}

void OutputHashes::Clear() { tasks_ = {}; }

}  // namespace spillway
