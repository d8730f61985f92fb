#include "shuffle/record/record.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace spillway {
namespace {

std::string Encode(std::string_view key, std::string_view value) {
  const Record record = MakeRecord(key, value);
  std::string bytes(EncodedBytes(record.key_bytes, record.value_bytes) + 1, '#');
  const char* const end = EncodeRecord(record, bytes.data());
  EXPECT_EQ(end, bytes.data() + bytes.size() - 1) << "EncodedBytes and EncodeRecord disagree";
  EXPECT_EQ(bytes.back(), '#');
  bytes.pop_back();
  return bytes;
}

TEST(Record, EncodesLengthsThenKeyThenValue) {
  EXPECT_EQ(Encode("key", "va"), "\x03\x02keyva");
  EXPECT_EQ(Encode("", ""), std::string(2, '\0'));
  EXPECT_EQ(Encode(std::string(128, 'k'), "v").substr(0, 3), "\x80\x01\x01");
}

TEST(Record, RoundTripsAtEveryLengthBorder) {
  for (const std::size_t key_bytes : {0u, 1u, 127u, 128u, 16'383u, 16'384u, 2'097'152u}) {
    for (const std::size_t value_bytes : {0u, 1u, 127u, 128u, 16'384u}) {
      const std::string key(key_bytes, 'k'), value(value_bytes, 'v');
      const std::string bytes = Encode(key, value);
      Record record = {};
      const char* const end = bytes.data() + bytes.size();
      ASSERT_EQ(DecodeRecord(bytes.data(), end, &record), end);
      EXPECT_EQ(KeyOf(record), key);
      EXPECT_EQ(ValueOf(record), value);
      EXPECT_EQ(record.key + record.key_bytes, record.value) << "a view of the input";
    }
  }
}

TEST(Record, EncodedBytesCoversTheLargestFields) {
  EXPECT_EQ(EncodedBytes(kFieldBytesMax, kFieldBytesMax), 2 * (std::size_t{kFieldBytesMax} + 5));
}

TEST(Record, EveryPrefixOfARecordIsRefused) {
  for (const std::size_t key_bytes : {0u, 3u, 200u}) {
    const std::string bytes = Encode(std::string(key_bytes, 'k'), "value");
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      // A copy of its own size, so that the sanitizers see a read beyond it.
      const std::vector<char> prefix(bytes.begin(),
                                     bytes.begin() + static_cast<std::ptrdiff_t>(cut));
      Record record = {};
      EXPECT_EQ(DecodeRecord(prefix.data(), prefix.data() + cut, &record), nullptr);
    }
  }
}

TEST(Record, LengthsBeyond32BitsAreRefused) {
  const std::string too_long = "\xff\xff\xff\xff\x1f\x01kv";
  const std::string endless(64, '\xff');
  Record record = {};
  EXPECT_EQ(DecodeRecord(too_long.data(), too_long.data() + too_long.size(), &record), nullptr);
  EXPECT_EQ(DecodeRecord(endless.data(), endless.data() + endless.size(), &record), nullptr);
}

TEST(Record, NoiseDecodesInsideItsBoundsOrNotAtAll) {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<char> noise(random() % 40);
    for (char& c : noise) c = static_cast<char>(random() % 3 == 0 ? random() : random() % 20);
    const char* const end = noise.data() + noise.size();
    Record record = {};
    const char* const next = DecodeRecord(noise.data(), end, &record);
    if (next == nullptr) continue;
    SCOPED_TRACE("seed " + std::to_string(seed));
    EXPECT_LE(next, end);
    EXPECT_GE(record.key, noise.data());
    EXPECT_EQ(record.value + record.value_bytes, next);
  }
}

}  // namespace
}  // namespace spillway
