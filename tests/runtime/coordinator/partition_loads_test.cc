#include "runtime/coordinator/partition_loads.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace spillway {
namespace {

wire::PartitionLoad Load(std::uint64_t bytes, const std::string& key) {
  wire::PartitionLoad load;
  load.set_shuffled_bytes(bytes);
  load.set_records(bytes / 2);
  load.set_run_us(bytes * 10);
  load.mutable_largest_group()->set_key(key);
  load.mutable_largest_group()->set_key_bytes(key.size());
  load.mutable_largest_group()->set_records(bytes / 4);
  return load;
}

wire::JobState Told(const PartitionLoads& loads, const std::vector<std::uint64_t>& map_bytes = {}) {
  wire::JobState state;
  loads.Put(map_bytes, state);
  return state;
}

TEST(PartitionLoads, SayNothingBeforeTheFirstCommit) {
  EXPECT_EQ(Told(PartitionLoads()).partitions_size(), 0);
  EXPECT_EQ(Told(PartitionLoads(3)).partitions_size(), 0);
}

TEST(PartitionLoads, AreTheSameInWhateverOrderPartsAreCommitted) {
  const std::vector<std::uint64_t> bytes = {7, 9, 0, 9, 3};
  std::vector<std::uint32_t> order(bytes.size());
  std::iota(order.begin(), order.end(), 0);
  do {
    PartitionLoads loads(5);
    for (const std::uint32_t part : order)
      loads.Take(part, Load(bytes[part], "key " + std::to_string(part)));
    const wire::JobState state = Told(loads);
    ASSERT_EQ(state.partitions_size(), 5);
    for (int part = 0; part < 5; ++part) {
      EXPECT_EQ(state.partitions(part).shuffled_bytes(), bytes[part]);
      EXPECT_EQ(state.partitions(part).has_largest_group(), part == 1);
      EXPECT_GT(state.partitions(part).run_us(), 0u);
    }
    EXPECT_EQ(state.partitions(1).largest_group().key(), "key 1");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(PartitionLoads, OnesThatAreNotCommittedHaveNoTime) {
  PartitionLoads loads(3);
  loads.Take(1, Load(0, "a"));
  const wire::JobState state = Told(loads);
  EXPECT_EQ(state.partitions(0).run_us(), 0u);
  EXPECT_EQ(state.partitions(1).run_us(), 1u);
  EXPECT_TRUE(state.partitions(1).has_largest_group());
}

TEST(PartitionLoads, OnesThatAreNotCommittedHaveWhatTheMapsHaveForThem) {
  PartitionLoads loads(3);
  wire::JobState state = Told(loads, {7, 0, 90});
  ASSERT_EQ(state.partitions_size(), 3);
  EXPECT_EQ(state.partitions(2).shuffled_bytes(), 90u);
  EXPECT_EQ(state.partitions(2).run_us(), 0u);
  EXPECT_FALSE(state.partitions(0).has_largest_group());
  loads.Take(0, Load(8, "a"));
  state = Told(loads, {7, 0, 90});
  EXPECT_EQ(state.partitions(0).shuffled_bytes(), 8u);
  EXPECT_EQ(state.partitions(2).shuffled_bytes(), 90u);
  EXPECT_TRUE(state.partitions(0).has_largest_group());
}

TEST(PartitionLoads, CutWhatCannotBeTrue) {
  PartitionLoads loads(1);
  wire::PartitionLoad load = Load(100, std::string(100'000, 'k'));
  load.mutable_largest_group()->set_records(UINT64_MAX);
  load.mutable_largest_group()->set_key_bytes(1);
  loads.Take(7, load);
  EXPECT_EQ(Told(loads).partitions_size(), 0);
  loads.Take(0, load);
  loads.Take(0, Load(5, "again"));
  const wire::PartitionLoad told = Told(loads).partitions(0);
  EXPECT_EQ(told.shuffled_bytes(), 100u);
  EXPECT_EQ(told.largest_group().key().size(), 64u);
  EXPECT_EQ(told.largest_group().key_bytes(), 64u);
  EXPECT_EQ(told.largest_group().records(), 50u);
}

TEST(PartitionLoads, TooManyForAMessageAreNotTold) {
  PartitionLoads most(PartitionLoads::kPartitionsToldMax);
  for (std::uint32_t part = 0; part < PartitionLoads::kPartitionsToldMax; ++part)
    most.Take(part, Load(UINT64_MAX / 10, "k"));
  EXPECT_LT(Told(most).ByteSizeLong(), 512u << 10);
  PartitionLoads more(PartitionLoads::kPartitionsToldMax + 1);
  more.Take(0, Load(1, "k"));
  EXPECT_EQ(Told(more).partitions_size(), 0);
}

}  // namespace
}  // namespace spillway
