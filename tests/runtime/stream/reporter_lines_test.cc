#include "runtime/stream/reporter_lines.h"

#include <gtest/gtest.h>

#include <map>

namespace spillway {
namespace {

class ReporterLinesTest : public ::testing::Test {
 protected:
  std::map<std::string, std::uint64_t> counters_;
  std::string status_, other_;
  ReporterLines lines_{
      {.counter = [this](const std::string& group, const std::string& name,
                         std::uint64_t amount) { counters_[group + "|" + name] += amount; },
       .status = [this](std::string_view text) { status_ = text; },
       .other = [this](std::string_view bytes) { other_ += bytes; }}};
};

TEST_F(ReporterLinesTest, CountAndTellTheStatusHoweverTheyCome) {
  const std::string text =
      "reporter:counter:words,long, ones,3\nreporter:counter:words,bad,1\r\n"
      "warning\nreporter:status:half way\nreporter:counter:words,bad,2";
  for (const char c : text) lines_.Add({&c, 1});
  lines_.Finish();
  EXPECT_EQ(counters_,
            (std::map<std::string, std::uint64_t>{{"words|long, ones", 3}, {"words|bad", 3}}));
  EXPECT_EQ(status_, "half way");
  EXPECT_EQ(other_, "warning\n");
  EXPECT_EQ(lines_.tail(), "warning\n");
}

TEST_F(ReporterLinesTest, ShowWhatIsNoCounter) {
  lines_.Add("reporter:counter:a,1\nreporter:counter:a,b,-1\nreporter:counter:a,b,x\n");
  EXPECT_TRUE(counters_.empty());
  EXPECT_EQ(other_, "reporter:counter:a,1\nreporter:counter:a,b,-1\nreporter:counter:a,b,x\n");
}

TEST_F(ReporterLinesTest, AreShownUpToALimitAndEndInATail) {
  for (int i = 0; i < 100'000; ++i) lines_.Add("line " + std::to_string(i) + "\n");
  EXPECT_LT(other_.size(), 70'000u);
  EXPECT_NE(other_.find("the rest is left out"), std::string::npos);
  EXPECT_LE(lines_.tail().size(), 2048u);
  EXPECT_NE(lines_.tail().find("line 99999\n"), std::string::npos);
}

TEST_F(ReporterLinesTest, TakeALineWithoutEndInPieces) {
  for (int i = 0; i < 10; ++i) lines_.Add(std::string(100'000, 'x'));
  lines_.Finish();
  EXPECT_LT(other_.size(), 200'000u);
  EXPECT_LE(lines_.tail().size(), 2048u);
}

}  // namespace
}  // namespace spillway
