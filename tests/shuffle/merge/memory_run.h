// MemoryRun: sorted runs in memory as the merge tests need them, with an oracle beside. One thread.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "shuffle/format/segment_reader.h"
#include "shuffle/record/group_stream.h"
#include "shuffle/record/key_order.h"

namespace spillway {

using KeyValue = std::pair<std::string, std::string>;
using KeyValues = std::vector<KeyValue>;

inline std::string Encode(const KeyValue& pair) {
  const Record record = MakeRecord(pair.first, pair.second);
  std::string bytes(EncodedBytes(record.key_bytes, record.value_bytes), '\0');
  EncodeRecord(record, bytes.data());
  return bytes;
}

/// Serves one sorted run in blocks. A block is overwritten and freed when the next one is asked
/// for, so that a view that lives too long shows up.
class MemoryRun : public BlockSource {
 public:
  MemoryRun(const KeyValues& records, std::size_t block_records, std::size_t block_bytes) {
    for (const KeyValue& record : records) {
      const std::string bytes = Encode(record);
      if (blocks_.empty() || blocks_.back().second == block_records ||
          blocks_.back().first.size() + bytes.size() > block_bytes)
        blocks_.emplace_back();
      blocks_.back().first += bytes;
      ++blocks_.back().second;
    }
  }

  Result<bool> Next(Block* block) override {
    if (current_ != nullptr) std::memset(current_.get(), 0xdd, current_bytes_);
    current_.reset();
    if (next_ == fail_at_) return *failure_;
    if (next_ == blocks_.size()) return false;
    const auto& [bytes, records] = blocks_[next_++];
    current_bytes_ = bytes.size() + SPILLWAY_PADDING_BYTES;
    current_ = std::make_unique<char[]>(current_bytes_);
    std::memset(current_.get(), 0xee, current_bytes_);
    std::memcpy(current_.get(), bytes.data(), bytes.size());
    *block = {{current_.get(), bytes.size()}, records};
    return true;
  }

  std::uint64_t buffer_bytes() const override { return current_bytes_; }

  void FailAt(std::size_t block, Status failure) {
    fail_at_ = block;
    failure_ = std::move(failure);
  }
  /// Cuts the last byte of a block off.
  void Truncate(std::size_t block) { blocks_[block].first.pop_back(); }

 private:
  std::vector<std::pair<std::string, std::uint32_t>> blocks_;
  std::size_t next_ = 0;
  std::unique_ptr<char[]> current_;
  std::size_t current_bytes_ = 0;
  std::size_t fail_at_ = SIZE_MAX;
  std::optional<Status> failure_;
};

/// A value that names the record's place, so that a test sees every change of order.
inline std::string PlaceValue(std::size_t rank, std::size_t arrival) {
  return std::to_string(rank) + ":" + std::to_string(arrival);
}

/// What is merged: groups of records, in order.
using Groups = std::vector<KeyValues>;

/// Sorts each run in itself, stably.
inline void SortRuns(std::vector<KeyValues>& runs, const KeyOrder& order) {
  for (KeyValues& run : runs)
    std::stable_sort(run.begin(), run.end(), [&](const KeyValue& a, const KeyValue& b) {
      return order.Compare(a.first, b.first) < 0;
    });
}

/// The oracle: everything in one vector, stably sorted, cut into groups.
inline Groups MergeNaively(const std::vector<KeyValues>& runs, const KeyOrder& order) {
  KeyValues all;
  for (const KeyValues& run : runs) all.insert(all.end(), run.begin(), run.end());
  std::stable_sort(all.begin(), all.end(), [&](const KeyValue& a, const KeyValue& b) {
    return order.Compare(a.first, b.first) < 0;
  });
  Groups groups;
  for (KeyValue& record : all) {
    if (groups.empty() || !order.SameGroup(groups.back().back().first, record.first))
      groups.emplace_back();
    groups.back().push_back(std::move(record));
  }
  return groups;
}

/// Reads a stream to its end.
inline Result<Groups> ReadGroups(GroupStream& stream) {
  Groups groups;
  for (;;) {
    SPILLWAY_ASSIGN_OR_RETURN(const GroupBatch batch, stream.Next());
    if (batch.records.empty()) return groups;
    std::size_t group = 0;
    for (std::uint32_t i = 0; i < batch.records.size(); ++i) {
      if (group < batch.groups.size() && batch.groups[group] == i) {
        groups.emplace_back();
        ++group;
      }
      if (groups.empty()) return InternalError("the stream's first record begins no group");
      const Record& record = batch.records[i];
      groups.back().emplace_back(KeyOf(record), ValueOf(record));
    }
    if (group != batch.groups.size()) return InternalError("a group begins behind its batch");
  }
}

}  // namespace spillway
