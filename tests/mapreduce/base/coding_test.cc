#include "mapreduce/base/coding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace spillway {
namespace {

std::string Varint(std::uint32_t value) {
  char bytes[kVarint32BytesMax];
  return {bytes, PutVarint32(bytes, value)};
}

TEST(Varint, HasTheBytesOfLeb128) {
  EXPECT_EQ(Varint(0), std::string("\0", 1));
  EXPECT_EQ(Varint(127), "\x7f");
  EXPECT_EQ(Varint(128), "\x80\x01");
  EXPECT_EQ(Varint(300), "\xac\x02");
  EXPECT_EQ(Varint(UINT32_MAX), "\xff\xff\xff\xff\x0f");
}

TEST(Varint, ReadsBackAtEveryLengthAndKnowsItsSize) {
  for (unsigned bits = 0; bits < 32; ++bits) {
    for (const std::uint32_t value :
         {std::uint32_t{1} << bits, (std::uint32_t{1} << bits) - 1, UINT32_MAX >> bits}) {
      const std::string bytes = Varint(value);
      EXPECT_EQ(bytes.size(), VarintBytes(value));
      std::uint32_t read = ~value;
      EXPECT_EQ(GetVarint32(bytes.data(), bytes.data() + bytes.size(), &read),
                bytes.data() + bytes.size());
      EXPECT_EQ(read, value);
    }
  }
}

TEST(Varint, RefusesCutOverlongAndTooLargeNumbers) {
  const auto refuses = [](const std::string& bytes) {
    std::uint32_t value = 0;
    return GetVarint32(bytes.data(), bytes.data() + bytes.size(), &value) == nullptr;
  };
  const std::string whole = Varint(UINT32_MAX);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    EXPECT_TRUE(refuses(whole.substr(0, bytes))) << bytes;
  EXPECT_TRUE(refuses("\xff\xff\xff\xff\x10"));      // 2^32 and more.
  EXPECT_TRUE(refuses("\x80\x80\x80\x80\x80\x01"));  // A sixth byte.
}

TEST(BigEndian, OrdersLikeTheNumbers) {
  constexpr std::uint32_t kSeed = 5;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 1'000; ++i) {
    const std::uint64_t a = random() >> (random() % 64), b = random() >> (random() % 64);
    char a_bytes[8], b_bytes[8];
    EXPECT_EQ(StoreBig64(a_bytes, a), a_bytes + 8);
    StoreBig64(b_bytes, b);
    EXPECT_EQ(std::memcmp(a_bytes, b_bytes, 8) < 0, a < b);
    EXPECT_EQ(LoadBig64(a_bytes), a);
  }
  char bytes[4];
  StoreBig32(bytes, 0x01020304);
  EXPECT_EQ(std::string(bytes, 4), "\x01\x02\x03\x04");
  EXPECT_EQ(LoadBig32(bytes), 0x01020304u);
}

TEST(LittleEndian, StoresTheLowByteFirst) {
  char bytes[4];
  StoreLittle(bytes, std::uint32_t{0x01020304});
  EXPECT_EQ(std::string(bytes, 4), "\x04\x03\x02\x01");
  EXPECT_EQ(LoadLittle<std::uint32_t>(bytes), 0x01020304u);
}

TEST(KeyPrefix, NeverContradictsTheOrderOfTheKeys) {
  constexpr std::uint32_t kSeed = 7;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  const auto key = [&] {
    std::string bytes(random() % 12, '\0');
    for (char& c : bytes)
      c = "\0\x01"
          "ab\xff"[random() % 5];
    return bytes;
  };
  const auto prefix = [](const std::string& bytes) {
    return KeyPrefix(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
  };
  for (int i = 0; i < 10'000; ++i) {
    const std::string a = key(), b = key();
    // std::string compares its chars as unsigned bytes.
    if (prefix(a) != prefix(b)) {
      EXPECT_EQ(prefix(a) < prefix(b), a < b);
    }
  }
  EXPECT_EQ(prefix("a"), prefix(std::string("a\0", 2)));
  EXPECT_EQ(prefix("abcdefgh"), 0x6162636465666768u);
}

}  // namespace
}  // namespace spillway
