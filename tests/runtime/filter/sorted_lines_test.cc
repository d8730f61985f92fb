#include "runtime/filter/sorted_lines.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/runtime/filter/input_file.h"

namespace spillway {
namespace {

/// Groups are the keys' first bytes.
const KeyOrder kByInitial{
    .group_bytes = [](const char*, std::uint32_t bytes) { return std::min(bytes, 1U); }};

/// "key=value" of all records, a group in brackets; or the message.
std::string GroupsOf(LineLead lead, const KeyOrder& order, const std::string& text,
                     std::uint64_t buffer_bytes = 16) {
  InputFile input(text, buffer_bytes);
  SortedLines lines(lead, order, input.pipe());
  std::string found;
  while (true) {
    const Result<GroupBatch> batch = lines.Next();
    if (!batch.ok()) return batch.status().message();
    if (batch->records.empty()) return found.empty() ? "" : found + "]";
    std::size_t group = 0;
    for (std::uint32_t i = 0; i < batch->records.size(); ++i) {
      if (group < batch->groups.size() && batch->groups[group] == i) {
        found += found.empty() ? "[" : "][";
        ++group;
      } else {
        found += " ";
      }
      const Record& record = batch->records[i];
      found.append(KeyOf(record)).append("=").append(ValueOf(record));
    }
  }
}

TEST(SortedLines, AreGroupsOfEqualKeysAlsoBeyondABuffer) {
  for (const std::uint64_t buffer_bytes : {6, 16, 1000})
    EXPECT_EQ(GroupsOf(LineLead::kKey, {}, "a\t1\na\t2\na!@\t3\nb\t\nlonger\tthan~ffother\nx\t!I",
                       buffer_bytes),
              std::string("[a=1 a=2][a\0=3][b=][longer=than\xffother][x=\t]", 43))
        << buffer_bytes;
}

TEST(SortedLines, PutTheKeyOfGroupAndRestTogether) {
  EXPECT_EQ(GroupsOf(LineLead::kGroup, kByInitial, "!A\t!B\tv\n!A\tc\tw\nb\t\tx\n"),
            "[\x01\x02=v \x01"
            "c=w][b=x]");
}

TEST(SortedLines, BeginAGroupWithEachPartition) {
  EXPECT_EQ(
      GroupsOf(LineLead::kPartition, kByInitial, "00000\tbx\t1\n00000\tby\t2\n00007\tbx\t3\n"),
      "[bx=1 by=2][bx=3]");
}

TEST(SortedLines, SayAtWhichLineTheyAreNotSorted) {
  for (const std::uint64_t buffer_bytes : {4, 1000})
    EXPECT_EQ(GroupsOf(LineLead::kKey, {}, "b\t1\nc\t1\nb\t1\n", buffer_bytes),
              "the input, line 3: its key comes before that of the line above; sort the lines by "
              "their bytes, as LC_ALL=C sort does");
}

TEST(SortedLines, RefuseWhatIsNoRecord) {
  EXPECT_EQ(GroupsOf(LineLead::kGroup, {}, "a\tb\n"),
            "the input, line 1: it has 2 fields and not 3; give the lines that exec-plugin --map "
            "of this job wrote");
  EXPECT_EQ(GroupsOf(LineLead::kKey, {}, "a\t1\nb\ttwo words\n"),
            "the input, line 2: a byte of it is none that exec-plugin writes; was it changed on "
            "its way?");
}

}  // namespace
}  // namespace spillway
