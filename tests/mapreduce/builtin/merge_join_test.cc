#include "mapreduce/builtin/merge_join.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace spillway {
namespace {

class SortedLinesTest : public ::testing::Test {
 protected:
  ~SortedLinesTest() override { std::filesystem::remove(path_); }

  std::string Write(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    return path_;
  }

  std::string path_ = ::testing::TempDir() + "/sorted_lines." + std::to_string(::getpid());
};

using Rows = std::vector<std::string>;

TEST_F(SortedLinesTest, GivesTheRowsOfEachKeyInOrder) {
  SortedLines lines(Write("a\t1\nb\t2\nb\t3\nd\nd\t4\tx"));
  EXPECT_EQ(lines.Rows(""), Rows());
  EXPECT_EQ(lines.Rows("a"), Rows({"1"}));
  EXPECT_EQ(lines.Rows("b"), Rows({"2", "3"}));
  EXPECT_EQ(lines.Rows("b"), Rows({"2", "3"}));
  EXPECT_EQ(lines.Rows("c"), Rows());
  EXPECT_EQ(lines.Rows("d"), Rows({"", "4\tx"}));
  EXPECT_EQ(lines.Rows("e"), Rows());
}

TEST_F(SortedLinesTest, TheFirstKeyIsFoundAnywhereInALargeFile) {
  constexpr int kKeys = 60'000;
  std::string text;
  const auto key_of = [](int i) { return std::to_string(1'000'000 + i); };
  for (int i = 0; i < kKeys; i += 2) {
    // One key has rows of more than the window that the bisection leaves.
    const int rows = i == kKeys / 2 ? 30'000 : 2;
    for (int row = 0; row < rows; ++row) text += key_of(i) + "\t" + std::to_string(row) + "\n";
  }
  const std::string path = Write(text);
  for (const int i : {0, 1, 2, 17, kKeys / 2 - 1, kKeys / 2, kKeys / 2 + 1, kKeys / 2 + 2,
                      kKeys - 3, kKeys - 2, kKeys - 1, kKeys}) {
    SortedLines lines(path);
    const std::size_t expected = i % 2 == 1 || i >= kKeys ? 0 : i == kKeys / 2 ? 30'000 : 2;
    EXPECT_EQ(lines.Rows(key_of(i)).size(), expected) << i;
    if (i + 1 < kKeys && i % 2 == 1) {
      EXPECT_EQ(lines.Rows(key_of(i + 1)).front(), "0") << i;
    }
  }
}

TEST_F(SortedLinesTest, AnEmptyFileHasNoRows) {
  SortedLines lines(Write(""));
  EXPECT_EQ(lines.Rows("a"), Rows());
}

TEST_F(SortedLinesTest, AFileThatIsNotSortedIsNamedWithItsOffset) {
  SortedLines lines(Write("b\t1\na\t2\n"));
  try {
    lines.Rows("z");
    FAIL() << "took it for sorted";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(path_ + ":4: "), std::string::npos) << error.what();
  }
  EXPECT_THROW(SortedLines("/nowhere/at/all"), std::runtime_error);
}

}  // namespace
}  // namespace spillway
