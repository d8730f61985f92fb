#include "runtime/protocol/wire_values.h"

#include <gtest/gtest.h>

#include <string>

namespace spillway {
namespace {

TEST(HeavyKeysOnTheWire, OnlyThoseWithTheirShareAreTold) {
  HeavyKeys keys;
  keys.Add({"heavy", 5, 1, 30, 300});
  keys.Add({"light", 5, 2, 9, 90});
  wire::TaskStats stats;
  stats.set_map_output_records(2'000);
  PutHeavyKeys(keys, kHeavyShareOfTask, stats);
  ASSERT_EQ(stats.heavy_keys_size(), 1);
  EXPECT_EQ(stats.heavy_keys(0).key(), "heavy");
  EXPECT_EQ(stats.heavy_keys(0).bytes(), 300u);
}

TEST(HeavyKeysOnTheWire, TasksAddUp) {
  wire::TaskStats stats;
  stats.set_map_output_records(100);
  stats.set_map_output_bytes(1'000);
  HeavyKeys task;
  const std::string cut(kHeavyKeyBytesMax, 'x');
  task.Add({cut, 80, 1, 60, 600});
  task.Add({"b", 1, 2, 40, 400});
  PutHeavyKeys(task, kHeavyShareOfTask, stats);
  HeavyKeys sum;
  AddHeavyKeys(stats, sum);
  AddHeavyKeys(stats, sum);
  const auto all = sum.Heaviest({10, 1});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].key, cut);
  EXPECT_EQ(all[0].key_bytes, 80u);
  EXPECT_EQ(all[0].records, 120u);
  EXPECT_EQ(all[1].bytes, 800u);
}

// What comes from outside cannot take more room, or say more, than a task of ours would.
TEST(HeavyKeysOnTheWire, WhatATaskCannotSayIsCut) {
  wire::TaskStats stats;
  stats.set_map_output_records(100);
  stats.set_map_output_bytes(1'000);
  for (int i = 0; i < 10'000; ++i) {
    wire::HeavyKey& key = *stats.add_heavy_keys();
    key.set_key(std::string(100'000 / (i + 1), 'k'));
    key.set_key_bytes(i == 1 ? 0 : UINT64_MAX);
    key.set_hash(static_cast<std::uint64_t>(i));
    key.set_records(i == 2 ? 0 : UINT64_MAX);
    key.set_bytes(UINT64_MAX);
  }
  HeavyKeys sum;
  AddHeavyKeys(stats, sum);
  const auto all = sum.Heaviest({HeavyKeys::kKeysMax, 1});
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kHeavyKeysTold) - 1);
  for (const HeavyKey& key : all) {
    EXPECT_LE(key.key.size(), kHeavyKeyBytesMax);
    EXPECT_GE(key.key_bytes, key.key.size());
    EXPECT_EQ(key.records, 100u);
    EXPECT_EQ(key.bytes, 1'000u);
  }
}

}  // namespace
}  // namespace spillway
