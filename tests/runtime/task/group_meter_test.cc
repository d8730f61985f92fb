#include "runtime/task/group_meter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace spillway {
namespace {

/// Groups of these keys and sizes, in batches of `batch_records`.
class Groups : public GroupStream {
 public:
  Groups(std::vector<std::pair<std::string, std::size_t>> groups, std::size_t batch_records)
      : groups_(std::move(groups)), batch_records_(batch_records) {
    for (const auto& [key, records] : groups_) {
      begins_.push_back(records_.size());
      records_.insert(records_.end(), records, MakeRecord(key, "v"));
    }
  }

  Result<GroupBatch> Next() override {
    const std::size_t end = std::min(records_.size(), at_ + batch_records_);
    starts_.clear();
    for (const std::size_t begin : begins_)
      if (begin >= at_ && begin < end) starts_.push_back(static_cast<std::uint32_t>(begin - at_));
    const GroupBatch batch{std::span(records_).subspan(at_, end - at_), starts_};
    at_ = end;
    return batch;
  }

 private:
  const std::vector<std::pair<std::string, std::size_t>> groups_;
  const std::size_t batch_records_;
  std::vector<Record> records_;
  std::vector<std::size_t> begins_;
  std::vector<std::uint32_t> starts_;
  std::size_t at_ = 0;
};

GroupSizes Measure(GroupStream& groups, const KeyOrder& order = {}) {
  GroupMeter meter(groups, order);
  for (;;) {
    const auto batch = meter.Next();
    EXPECT_TRUE(batch.ok());
    if (batch->records.empty()) return meter.sizes();
  }
}

TEST(GroupMeter, NothingHasNoLargestGroup) {
  Groups none({}, 4);
  const GroupSizes sizes = Measure(none);
  EXPECT_EQ(sizes.records, 0u);
  EXPECT_EQ(sizes.largest_records, 0u);
}

TEST(GroupMeter, FindsTheLargestGroupWhereverBatchesEnd) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    SCOPED_TRACE(round);
    std::vector<std::pair<std::string, std::size_t>> groups;
    std::size_t records = 0, largest = 0;
    std::string largest_key;
    for (std::size_t i = 0; i < 1 + random() % 20; ++i) {
      const std::size_t size = 1 + random() % 12;
      groups.emplace_back("key " + std::to_string(i), size);
      records += size;
      if (size <= largest) continue;
      largest = size;
      largest_key = groups.back().first;
    }
    for (const std::size_t batch : {1u, 2u, 3u, 7u, 1000u}) {
      Groups stream(groups, batch);
      const GroupSizes sizes = Measure(stream);
      EXPECT_EQ(sizes.records, records);
      EXPECT_EQ(sizes.largest_records, largest);
      EXPECT_EQ(sizes.largest_key, largest_key);
      EXPECT_EQ(sizes.largest_key_bytes, largest_key.size());
    }
  }
}

TEST(GroupMeter, CutsTheKey) {
  Groups stream({{std::string(1'000, 'k'), 2}}, 10);
  const GroupSizes sizes = Measure(stream);
  EXPECT_EQ(sizes.largest_key, std::string(kHeavyKeyBytesMax, 'k'));
  EXPECT_EQ(sizes.largest_key_bytes, 1'000u);
}

TEST(GroupMeter, TellsWhatNamesAGroupOnly) {
  Groups stream({{"group, and a number", 2}}, 10);
  const auto first_five = [](const char*, std::uint32_t) -> std::uint32_t { return 5; };
  EXPECT_EQ(Measure(stream, {.group_bytes = first_five}).largest_key, "group");
}

}  // namespace
}  // namespace spillway
