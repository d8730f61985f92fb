#include "mapreduce/loop_file.h"

#include <gtest/gtest.h>

#include <string>

namespace spillway {
namespace {

TEST(LoopFile, HasTheBytesOfTheFormatsPage) {
  const std::string expected(
      "SPLWLOOP\x02\0\0\0\0\0\0\0"
      "\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
      "\x15\x8c\xa0\x09\x30\x91\x00\x3f",
      40);
  EXPECT_EQ((LoopFile{0, 20, {}}.Encode()), expected);
}

TEST(LoopFile, ComesBack) {
  const std::string bytes = LoopFile{7, 9, "state"}.Encode();
  const auto file = LoopFile::Parse(bytes);
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(file->round, 7u);
  EXPECT_EQ(file->rounds_max, 9u);
  EXPECT_EQ(file->state, "state");
}

TEST(LoopFile, RefusesWhatIsNotWhole) {
  const std::string bytes = LoopFile{7, 9, "state"}.Encode();
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(LoopFile::Parse(bytes.substr(0, size)).status().code(), Code::kDataLoss) << size;
  EXPECT_EQ(LoopFile::Parse(bytes + "x").status().code(), Code::kDataLoss);
  std::string other = bytes;
  other[8] = 1;
  EXPECT_EQ(LoopFile::Parse(other).status().code(), Code::kDataLoss) << "another version";
  other = bytes;
  other[0] = 'X';
  EXPECT_EQ(LoopFile::Parse(other).status().code(), Code::kDataLoss);
}

TEST(LoopFile, FindsEveryFlippedBit) {
  const std::string bytes = LoopFile{7, 9, "state"}.Encode();
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string other = bytes;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
    EXPECT_EQ(LoopFile::Parse(other).status().code(), Code::kDataLoss) << bit;
  }
}

}  // namespace
}  // namespace spillway
