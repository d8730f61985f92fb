#include "shuffle/merge/batch_sorter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "shuffle/record/key_order.h"

namespace spillway {
namespace {

/// Keys with padding behind, and the records that view them.
struct Batch {
  explicit Batch(const std::vector<std::string>& batch_keys) : keys(batch_keys) {
    for (std::string& key : keys) {
      records.push_back({nullptr, nullptr, static_cast<std::uint32_t>(key.size()), 0});
      key.append(SPILLWAY_PADDING_BYTES, '\xee');
      records.back().key = key.data();
    }
  }
  std::vector<std::string> keys;
  std::vector<Record> records;
};

void ExpectSorts(const std::vector<std::string>& keys, std::size_t skip) {
  const Batch batch(keys);
  BatchSorter sorter(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string_view key = KeyOf(batch.records[i]);
    sorter.entries()[i] = MakeSortEntry(key, skip, PaddedPrefix(key, skip), i);
  }
  std::vector<std::uint32_t> expected(keys.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i) expected[i] = i;
  std::stable_sort(expected.begin(), expected.end(), [&](std::uint32_t a, std::uint32_t b) {
    return CompareBytes(keys[a], keys[b]) < 0;
  });
  const bool in_order = std::is_sorted(expected.begin(), expected.end());
  const auto sorted = in_order ? sorter.MarkSorted(keys.size(), batch.records.data(), skip)
                               : sorter.SortAndMark(keys.size(), batch.records.data(), skip);
  ASSERT_EQ(sorted.size(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    ASSERT_EQ(sorted[i].index(), expected[i]) << "at " << i;
    if (i == 0) continue;
    ASSERT_EQ(sorted[i].begins_key(), keys[expected[i]] != keys[expected[i - 1]]) << "at " << i;
  }
}

/// Sorts batches of many sizes, as they come and in order.
void ExpectSortsAll(const std::function<std::string(std::mt19937_64&)>& make_key,
                    std::size_t skip = 0) {
  for (const std::size_t count : {1, 2, 3, 15, 17, 100, 1000, 5000}) {
    SCOPED_TRACE(testing::Message() << "count and seed " << count);
    std::mt19937_64 random(count);
    std::vector<std::string> keys(count);
    for (std::string& key : keys) key = make_key(random);
    ExpectSorts(keys, skip);
    std::sort(keys.begin(), keys.end());
    ExpectSorts(keys, skip);
  }
}

std::string RandomBytes(std::mt19937_64& random, std::size_t bytes) {
  std::string key(bytes, '\0');
  for (char& byte : key) byte = static_cast<char>(random());
  return key;
}

TEST(BatchSorterTest, SortsKeysThatAreSpreadEvenly) {
  ExpectSortsAll([](auto& random) { return RandomBytes(random, 10); });
}

TEST(BatchSorterTest, SortsShortKeysThatDifferInLengthOnly) {
  ExpectSortsAll([](auto& random) {
    return std::string(random() % 3, '\0') + std::string(random() % 2, 'a') +
           std::string(random() % 12, '\0');
  });
}

TEST(BatchSorterTest, SortsKeysBehindWhatTheyShare) {
  ExpectSortsAll([](auto& random) { return "shared" + RandomBytes(random, random() % 12); }, 6);
}

TEST(BatchSorterTest, SortsHotKeysAmongOthers) {
  ExpectSortsAll([](auto& random) {
    return random() % 2 == 0 ? std::string("the hot key of all keys") : RandomBytes(random, 12);
  });
}

TEST(BatchSorterTest, SortsClustersThatCrowdFewBuckets) {
  ExpectSortsAll([](auto& random) {
    return std::string(3, static_cast<char>(random() % 2 * 255)) + RandomBytes(random, 5);
  });
}

TEST(BatchSorterTest, SortsLongKeysThatDifferLate) {
  ExpectSortsAll([](auto& random) {
    std::string key;
    for (std::size_t i = random() % 30; i > 0; --i) key += random() % 10 == 0 ? 'b' : 'a';
    return key + std::string(60, 'x') + RandomBytes(random, random() % 3);
  });
}

TEST(BatchSorterTest, SortsNestedBeginningsBeyondAllLevels) {
  ExpectSortsAll([](auto& random) { return std::string(random() % 300, 'n'); });
}

TEST(BatchSorterTest, SortsTheLargestPrefixes) {
  ExpectSortsAll([](auto& random) {
    return std::string(6 + random() % 6, '\xff') + RandomBytes(random, random() % 2);
  });
}

}  // namespace
}  // namespace spillway
