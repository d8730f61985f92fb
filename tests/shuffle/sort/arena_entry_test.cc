#include "shuffle/sort/arena_entry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace spillway {
namespace {

/// A key with something else behind it, which must not be seen.
struct PaddedKey {
  explicit PaddedKey(const std::string& text)
      : bytes(text + std::string(SPILLWAY_PADDING_BYTES, '\x77')), size(text.size()) {}
  std::string_view view() const { return std::string_view(bytes).substr(0, size); }

  std::string bytes;
  std::size_t size;
};

TEST(ArenaEntryTest, KeepsOffsetAndPartitionApart) {
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{12345}, ArenaEntry::kArenaBytesMax - 1}) {
    for (const std::uint32_t partition : {0u, 7u, ArenaEntry::kPartitionsMax - 1}) {
      for (const std::string& key : {std::string(), std::string("key"), std::string(30, '\xff')}) {
        ArenaEntry entry = ArenaEntry::Make(offset, partition, key);
        EXPECT_EQ(entry.offset(), offset);
        EXPECT_EQ(entry.partition(), partition);
        EXPECT_EQ(entry.length_class(), std::min<std::uint64_t>(key.size(), 9));
        entry.LookAt(PaddedKey(key).view(), key.size() / 2);
        EXPECT_EQ(entry.offset(), offset);
        EXPECT_EQ(entry.partition(), partition);
      }
    }
  }
}

TEST(ArenaEntryTest, HoldsTheKeysPrefixAtAnyDepth) {
  std::mt19937_64 random(1);
  for (std::size_t bytes = 0; bytes < 30; ++bytes) {
    SCOPED_TRACE(bytes);
    std::string text(bytes, 0);
    for (char& c : text) c = static_cast<char>(random());
    const PaddedKey key(text);
    EXPECT_EQ(ArenaEntry::Make(0, 0, text).high,
              KeyPrefix(text.data(), static_cast<std::uint32_t>(bytes)));
    for (std::size_t depth = 0; depth <= bytes; ++depth) {
      ArenaEntry entry = ArenaEntry::Make(3, 2, text);
      entry.LookAt(key.view(), depth);
      EXPECT_EQ(entry.high,
                KeyPrefix(text.data() + depth, static_cast<std::uint32_t>(bytes - depth)));
      EXPECT_EQ(entry.length_class(), std::min<std::uint64_t>(bytes - depth, 9));
    }
  }
}

TEST(ArenaEntryTest, ReadsARecordBackAtAnyLength) {
  for (const std::size_t key_bytes : {0, 1, 127, 128, 300, 20000}) {
    for (const std::size_t value_bytes : {0, 1, 127, 128, 70000}) {
      const std::string key(key_bytes, 'k'), value(value_bytes, 'v');
      const Record record = MakeRecord(key, value);
      std::string bytes(EncodedBytes(record.key_bytes, record.value_bytes), 0);
      EncodeRecord(record, bytes.data());
      const std::size_t encoded_bytes = bytes.size();
      bytes.append(SPILLWAY_PADDING_BYTES, '\xff');
      const ArenaRecord read(bytes.data());
      EXPECT_EQ(KeyOf(read.record()), key);
      EXPECT_EQ(ValueOf(read.record()), value);
      EXPECT_EQ(read.encoded(), std::string_view(bytes).substr(0, encoded_bytes));
    }
  }
}

}  // namespace
}  // namespace spillway
