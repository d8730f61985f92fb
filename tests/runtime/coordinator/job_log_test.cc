#include "runtime/coordinator/job_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway {
namespace {

using ::testing::ElementsAre;

constexpr TimeMs kNow = 1'800'000'000'250;
constexpr std::uint64_t kHalf = JobLog::kLinesMax / 2;

std::vector<std::string> Lines(const wire::LogLines& answer) {
  return {answer.lines().begin(), answer.lines().end()};
}

/// The log, and what Put keeps of it: both answer alike.
class BothLogs {
 public:
  void Add(std::uint64_t lines) {
    for (std::uint64_t i = 0; i < lines; ++i) log_.Add(kNow, std::to_string(added_++));
  }

  wire::LogLines From(std::uint64_t after) const {
    wire::LogLines answer, kept_answer;
    log_.Answer(after, answer);
    wire::JobState kept;
    log_.Put(kept);
    JobLog::Answer(kept, after, kept_answer);
    EXPECT_EQ(answer.SerializeAsString(), kept_answer.SerializeAsString());
    return answer;
  }

 private:
  JobLog log_;
  std::uint64_t added_ = 0;
};

std::string Line(std::uint64_t number) {
  return "2027-01-15T08:00:00.250Z " + std::to_string(number);
}

TEST(JobLog, LinesHaveTheirTimeAndAreAskedForByNumber) {
  BothLogs log;
  log.Add(3);
  EXPECT_THAT(Lines(log.From(0)), ElementsAre(Line(0), Line(1), Line(2)));
  EXPECT_THAT(Lines(log.From(2)), ElementsAre(Line(2)));
  EXPECT_EQ(log.From(0).next(), 3u);
  EXPECT_EQ(log.From(3).next(), 3u);
  EXPECT_EQ(log.From(3).lines_size(), 0);
}

TEST(JobLog, WhoFollowsSeesEveryLineHoweverMany) {
  BothLogs log;
  std::uint64_t next = 0;
  std::uint64_t seen = 0;
  for (int i = 0; i < 50; ++i) {
    log.Add(100);
    const wire::LogLines answer = log.From(next);
    for (const std::string& line : Lines(answer)) ASSERT_EQ(line, Line(seen++));
    next = answer.next();
  }
  EXPECT_EQ(seen, 5'000u);
}

TEST(JobLog, TheMiddleGoesAndThereIsAWordInItsPlace) {
  BothLogs log;
  log.Add(5'000);
  const auto lines = Lines(log.From(0));
  ASSERT_EQ(lines.size(), JobLog::kLinesMax + 1);
  EXPECT_EQ(lines.front(), Line(0));
  EXPECT_EQ(lines[kHalf - 1], Line(kHalf - 1));
  EXPECT_EQ(lines[kHalf], "(4000 lines are left out here)");
  EXPECT_EQ(lines[kHalf + 1], Line(5'000 - kHalf));
  EXPECT_EQ(lines.back(), Line(4'999));
  EXPECT_EQ(Lines(log.From(1'000))[0], "(3500 lines are left out here)");
  EXPECT_THAT(Lines(log.From(4'999)), ElementsAre(Line(4'999)));
  EXPECT_EQ(log.From(0).next(), 5'000u);
}

TEST(JobLog, AFollowerOfALongerLogGetsThisOneFromItsBeginning) {
  BothLogs log;
  log.Add(2);
  EXPECT_THAT(Lines(log.From(700)), ElementsAre(Line(0), Line(1)));
  EXPECT_EQ(log.From(700).next(), 2u);
}

TEST(JobLog, AnAnswerHasItsLimit) {
  JobLog log;
  for (int i = 0; i < 100; ++i) log.Add(kNow, std::string(10'000, 'x'));
  std::uint64_t next = 0;
  std::uint64_t lines = 0;
  while (next < 100) {
    wire::LogLines answer;
    log.Answer(next, answer);
    ASSERT_GT(answer.lines_size(), 0);
    EXPECT_LE(answer.ByteSizeLong(), JobLog::kAnswerBytesMax + 1'000);
    lines += static_cast<std::uint64_t>(answer.lines_size());
    next = answer.next();
  }
  EXPECT_EQ(lines, 100u);
}

}  // namespace
}  // namespace spillway
