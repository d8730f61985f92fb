#include "runtime/storage/turn_rows.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "tests/places.h"

namespace spillway {
namespace {

constexpr std::uint64_t kNoLimit = UINT64_MAX;

// Rows of "| turn | job | `hex bytes` |" under the heading "Example", by job.
std::map<JobId, std::string> RowsOnPage() {
  std::ifstream page(SourcePath("docs/formats/journal.md"));
  std::string line;
  std::map<JobId, std::string> rows;
  bool in_example = false;
  while (std::getline(page, line)) {
    if (line.rfind("## ", 0) == 0) in_example = line == "## Example";
    if (!in_example || line.rfind("| 7 |", 0) != 0) continue;
    const std::size_t open = line.find('`'), close = line.rfind('`');
    std::istringstream hex(line.substr(open + 1, close - open - 1));
    std::string& bytes = rows[std::stoull(line.substr(5))];
    unsigned value;
    while (hex >> std::hex >> value) bytes.push_back(static_cast<char>(value));
  }
  return rows;
}

TEST(TurnRows, AreTheBytesOnThePageOfTheFormat) {
  TurnRows turn(kNoLimit);
  turn.Append(0, "l");
  turn.Append(5, "s3");
  turn.Append(5, "s4");
  const auto page = RowsOnPage();
  ASSERT_EQ(page.size(), 2u);
  ASSERT_EQ(turn.rows().size(), 2u);
  for (const TurnRows::Row& row : turn.rows()) EXPECT_EQ(row.records, page.at(row.job));
}

TEST(TurnRows, BeginAnotherRowAtTheLimit) {
  TurnRows turn(9);
  for (int i = 0; i < 6; ++i) turn.Append(3, "abcd");
  turn.Append(3, std::string(100, 'x'));
  ASSERT_EQ(turn.rows().size(), 7u);
  std::vector<TurnRecord> records;
  for (const TurnRows::Row& row : turn.rows()) ASSERT_TRUE(ParseTurnRow(row, records).ok());
  ASSERT_EQ(records.size(), 7u);
  for (std::uint32_t i = 0; i < records.size(); ++i) EXPECT_EQ(records[i].position, i);
}

TEST(TurnRows, ForgetOneJobAndKeepTheOthers) {
  TurnRows turn(kNoLimit);
  turn.Append(1, "a");
  turn.Append(2, "b");
  turn.Append(1, "c");
  turn.Drop(1);
  turn.Append(2, "d");
  turn.Append(1, "e");
  std::vector<TurnRecord> records;
  for (const TurnRows::Row& row : turn.rows()) ASSERT_TRUE(ParseTurnRow(row, records).ok());
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].record, "b");
  EXPECT_EQ(records[1].record, "d");
  EXPECT_EQ(records[2].record, "e");
}

TEST(TurnRows, ThatEndInsideARecordAreDataLoss) {
  TurnRows turn(kNoLimit);
  turn.Append(1, "abc");
  turn.Append(1, std::string(200, 'x'));
  const std::string whole = turn.rows()[0].records;
  for (std::size_t bytes = 1; bytes < whole.size(); ++bytes) {
    if (bytes == 5) continue;  // Between the two.
    std::vector<TurnRecord> records;
    EXPECT_EQ(ParseTurnRow({1, whole.substr(0, bytes)}, records).code(), Code::kDataLoss) << bytes;
  }
}

TEST(TurnRows, HaveAChecksumOfTheirPlace) {
  const std::uint64_t sum = TurnRowChecksum(7, 5, "records");
  EXPECT_NE(sum, TurnRowChecksum(8, 5, "records"));
  EXPECT_NE(sum, TurnRowChecksum(7, 6, "records"));
  EXPECT_NE(sum, TurnRowChecksum(5, 7, "records"));
  EXPECT_NE(sum, TurnRowChecksum(7, 5, "recorde"));
}

}  // namespace
}  // namespace spillway
