#include "shuffle/engine/repeat_sample.h"

#include <algorithm>
#include <utility>

#include "mapreduce/base/check.h"
#include "shuffle/engine/key_hash.h"

namespace spillway {
namespace {

// Fewer repeats say nothing: hashes of 32 bits repeat too.
constexpr std::uint64_t kRepeatsMin = 16;

}  // namespace

std::uint64_t RepeatSample::BytesFor(std::uint64_t records) {
  return 2 * std::min(records, kRecordsMax) * sizeof(std::uint32_t);
}

RepeatSample::RepeatSample(MemoryBudget& budget, std::uint64_t records)
    : records_max_(std::min(records, kRecordsMax)), slot_count_(2 * records_max_) {
  SPILLWAY_CHECK_GE(records, 1u);
  Result<Buffer> buffer = Buffer::AllocateForced(budget, BytesFor(records));
  SPILLWAY_CHECK(buffer.ok());
  hashes_ = std::move(buffer).value();
}

void RepeatSample::Add(std::span<const Record> records) {
  auto* const hashes = reinterpret_cast<std::uint32_t*>(hashes_.data());
  records = records.first(std::min<std::uint64_t>(records.size(), records_max_ - records_));
  for (const Record& record : records) {
    const std::uint32_t hash = HashBytes(record.key, record.key_bytes) | 1;
    std::uint64_t slot = hash * slot_count_ >> 32;
    while (hashes[slot] != 0 && hashes[slot] != hash) slot = slot + 1 == slot_count_ ? 0 : slot + 1;
    repeats_ += hashes[slot] == hash;
    hashes[slot] = hash;
    bytes_ += std::uint64_t{record.key_bytes} + record.value_bytes;
  }
  records_ += records.size();
}

// If the sample itself does not repeat enough, the larger run may. With d keys that are equally
// frequent, n records repeat about n^2 / 2d times by the law of birthdays, which tells d; and a run
// of r records has d * (1 - exp(-r / d)) different keys, which is r / 2 for r = 1.6 d. Uneven
// frequencies only repeat more.
bool RepeatSample::HalfWillRepeat(double run_records) const {
  if (repeats_ * 2 >= records_) return true;
  if (repeats_ < kRepeatsMin) return false;
  const auto n = static_cast<double>(records_);
  const double keys = n * n / (2 * static_cast<double>(repeats_));
  return run_records >= 1.6 * keys;
}

}  // namespace spillway
