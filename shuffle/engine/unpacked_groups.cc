#include "shuffle/engine/unpacked_groups.h"

#include "shuffle/record/packed_values.h"

namespace spillway {

UnpackedGroups::UnpackedGroups(std::uint32_t batch_records)
    : batch_records_(batch_records),
      records_(std::make_unique_for_overwrite<Record[]>(batch_records)) {
  groups_.reserve(batch_records);
}

void UnpackedGroups::Open(const GroupBatch& packs) {
  packs_ = packs;
  pack_ = 0;
  next_group_ = 0;
  value_ = nullptr;
}

Result<GroupBatch> UnpackedGroups::Next() {
  groups_.clear();
  count_ = 0;
  while (count_ < batch_records_ && !used_up()) {
    const Record& pack = packs_.records[pack_];
    if (value_ == nullptr) {
      if (next_group_ < packs_.groups.size() && packs_.groups[next_group_] == pack_) {
        groups_.push_back(count_);
        ++next_group_;
      }
      value_ = pack.value;
    }
    value_ = UnpackSome(value_);
    if (value_ == nullptr) [[unlikely]]
      return DataLoss("a pack of " + std::to_string(pack.value_bytes) +
                      " bytes does not hold whole values");
    if (value_ == pack.value + pack.value_bytes) {
      ++pack_;
      value_ = nullptr;
    }
  }
  return GroupBatch{std::span<const Record>(records_.get(), count_), groups_};
}

/// Takes values until the pack or the room is at its end; where it stopped, or null when the pack
/// is malformed. Values of one key tend to have one length: guessing that lets the processor go on
/// to the next value before this one's length has come.
const char* UnpackedGroups::UnpackSome(const char* from) {
  const Record& pack = packs_.records[pack_];
  const char* const end = pack.value + pack.value_bytes;
  if (from == end) return nullptr;
  Record* to = records_.get() + count_;
  Record* const to_end = records_.get() + batch_records_;
  std::uint32_t guess = static_cast<unsigned char>(*from);
  while (from != end && to != to_end) {
    const std::uint32_t first = static_cast<unsigned char>(*from);
    std::uint32_t bytes = guess;
    if (first == guess && first < 0x80) [[likely]] {
      ++from;
    } else {
      from = GetVarint32(from, end, &bytes);
      if (from == nullptr) return nullptr;
      guess = bytes;
    }
    if (bytes > static_cast<std::uint64_t>(end - from)) [[unlikely]]
      return nullptr;
    *to++ = {pack.key, from, pack.key_bytes, bytes};
    from += bytes;
  }
  count_ = static_cast<std::uint32_t>(to - records_.get());
  return from;
}

}  // namespace spillway
