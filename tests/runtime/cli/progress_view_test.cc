#include "runtime/cli/progress_view.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "runtime/cli/progress_reporter.h"
#include "tests/runtime/cli/fake_runner.h"
#include "tests/runtime/cli/golden_text.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr std::uint64_t kJobBytes = 1'000 << 20;

/// A job of 100 maps and 10 reduces: the map phase takes 10 s, the reduce phase 20 s.
JobProgress At(std::uint64_t ms) {
  JobProgress progress;
  progress.maps_total = 100;
  progress.reduces_total = 10;
  progress.input_bytes_total = kJobBytes;
  progress.elapsed_ms = ms;
  const bool mapping = ms < 10'000;
  progress.phase = mapping ? JobProgress::Phase::kMap : JobProgress::Phase::kReduce;
  progress.input_bytes_read = mapping ? kJobBytes / 10'000 * ms : kJobBytes;
  progress.maps_done = static_cast<std::uint32_t>(mapping ? ms / 100 : 100);
  progress.reduces_done = static_cast<std::uint32_t>(mapping ? 0 : (ms - 10'000) / 2'000);
  progress.spilled_bytes = progress.input_bytes_read / 2;
  return progress;
}

TEST(ProgressEstimate, ForecastsThePhaseFromItsSpeed) {
  ProgressEstimate estimate;
  EXPECT_FALSE(estimate.phase_remaining_ms().has_value());
  estimate.Add(At(0));
  EXPECT_FALSE(estimate.phase_remaining_ms().has_value());
  for (std::uint64_t ms = 500; ms <= 6'000; ms += 500) estimate.Add(At(ms));
  EXPECT_NEAR(static_cast<double>(*estimate.phase_remaining_ms()), 4'000, 50);
  EXPECT_NEAR(static_cast<double>(estimate.input_bytes_per_second()), kJobBytes / 10.0, 1e5);
  for (std::uint64_t ms = 10'000; ms <= 20'000; ms += 500) estimate.Add(At(ms));
  EXPECT_NEAR(static_cast<double>(*estimate.phase_remaining_ms()), 10'000, 50);
}

TEST(ProgressEstimate, SurvivesASplitThatIsReadAgain) {
  ProgressEstimate estimate;
  estimate.Add(At(4'000));
  JobProgress back = At(3'000);
  back.elapsed_ms = 5'000;
  estimate.Add(back);
  EXPECT_EQ(estimate.input_bytes_per_second(), 0u);
}

TEST(ProgressBlock, IsAsReviewed) {
  ProgressEstimate estimate;
  for (std::uint64_t ms = 0; ms <= 4'300; ms += 100) estimate.Add(At(ms));
  std::string text;
  for (const std::size_t columns : {std::size_t{100}, std::size_t{50}, std::size_t{1}})
    for (const std::string& line : ProgressBlock("wordcount", At(4'300), estimate, columns, {}))
      text += line + "\n";
  ExpectGolden("progress_block.txt", text);
}

TEST(ProgressBlock, HasTheHeaviestKeyWhereItFits) {
  JobProgress progress = At(4'300);
  progress.heavy_keys = {{"caf\xc3\xa9\n", 6, 400'000, 0, 0.4}, {"of", 2, 60'000, 0, 0.06}};
  const auto line = [&](std::size_t columns) {
    return ProgressBlock("wordcount", progress, {}, columns, {}).at(2);
  };
  EXPECT_THAT(line(100), HasSubstr(", heaviest key \"caf\xc3\xa9\\x0a\" 40 %"));
  EXPECT_THAT(line(100), Not(HasSubstr("of\"")));
  EXPECT_THAT(line(60), Not(HasSubstr("heaviest")));
}

TEST(ProgressBlock, HasCombineTasksUntilTheyAreDone) {
  JobProgress progress = At(10'000);
  progress.combines_total = 8;
  progress.combines_done = 2;
  const auto lines = [&] { return ProgressBlock("wordcount", progress, {}, 100, {}); };
  EXPECT_THAT(lines()[1], HasSubstr("maps 100/100, combines 2/8, reduces 0/10, read"));
  EXPECT_THAT(lines()[0], HasSubstr(" 11 %,"));  // 2 of 18 tasks.
  progress.combines_done = 8;
  EXPECT_THAT(lines()[1], HasSubstr("maps 100/100, reduces 0/10, read"));
}

TEST(PlainProgressView, HasCombineTasks) {
  std::ostringstream err;
  PlainProgressView view("wordcount", err);
  JobProgress progress = At(12'000);
  progress.combines_total = 8;
  view.Show(progress);
  EXPECT_THAT(err.str(), HasSubstr("maps 100/100, combines 0/8, reduces 1/10, read"));
}

TEST(ProgressEstimate, CombineTasksAreWorkOfTheReducePhase) {
  ProgressEstimate estimate;
  JobProgress progress = At(10'000);
  progress.combines_total = 10;
  estimate.Add(progress);
  progress.elapsed_ms = 15'000;
  progress.combines_done = 5;
  estimate.Add(progress);
  EXPECT_EQ(estimate.phase_remaining_ms(), 15'000u);  // 15 of 20 tasks are left.
  // One whose output was lost runs again.
  progress.combines_done = 0;
  estimate.Add(progress);
  EXPECT_FALSE(estimate.phase_remaining_ms().has_value());
}

TEST(TerminalProgressView, RedrawsInPlaceAndLeavesNothing) {
  std::ostringstream err;
  TerminalProgressView view("wordcount", err, TextStyle(), [] { return std::size_t{80}; });
  view.Show(At(1'000));
  EXPECT_THAT(err.str(), Not(HasSubstr("\x1b")));
  view.Show(At(2'000));
  EXPECT_THAT(err.str(), HasSubstr("\x1b[3A\r\x1b[J"));
  view.Finish();
  EXPECT_TRUE(err.str().ends_with("\x1b[3A\r\x1b[J"));
  const std::size_t bytes = err.str().size();
  view.Finish();
  EXPECT_EQ(err.str().size(), bytes);
}

TEST(PlainProgressView, SaysLittle) {
  std::ostringstream err;
  PlainProgressView view("wordcount", err);
  for (std::uint64_t ms = 0; ms <= 30'000; ms += 200) view.Show(At(ms));
  ExpectGolden("progress_plain.txt", err.str());
}

TEST(PlainProgressView, AShortJobShowsNoProgressAndAStuckOneKeepsTalking) {
  std::ostringstream quick;
  PlainProgressView short_job("wordcount", quick);
  for (std::uint64_t ms = 0; ms < 1'000; ms += 50) {
    JobProgress progress = At(ms * 30);
    progress.elapsed_ms = ms;
    short_job.Show(progress);
  }
  EXPECT_EQ(quick.str(), "");

  std::ostringstream stuck;
  PlainProgressView view("wordcount", stuck);
  for (std::uint64_t ms = 0; ms <= 60'000; ms += 200) {
    JobProgress progress = At(500);
    progress.elapsed_ms = ms;
    view.Show(progress);
  }
  const std::string text = stuck.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
}

TEST(PlainProgressView, ShowsTheStageOfAChainAndBeginsAnewWithEach) {
  std::ostringstream err;
  PlainProgressView view("chains", err);
  for (const char* stage : {"stage 1 of 2", "stage 2 of 2"}) {
    JobProgress progress = At(1'500);
    progress.stage = stage;
    view.Show(progress);
  }
  EXPECT_THAT(err.str(), HasSubstr("spillway: chains: stage 1 of 2, map 14 % after 1.50 s"));
  EXPECT_THAT(err.str(), HasSubstr("spillway: chains: stage 2 of 2, map 14 % after 1.50 s"));
}

TEST(PlainProgressView, ShowsTheRoundOfALoopAtEachTenthOfThem) {
  std::ostringstream err;
  PlainProgressView view("k_means", err);
  for (std::uint32_t round = 0; round <= 50; ++round) {
    JobProgress progress = At(2'000);  // The parts are mapped, and the seats stay.
    progress.elapsed_ms = 1'000 + 1'000 * round;
    progress.round = round;
    progress.rounds_max = 50;
    view.Show(progress);
  }
  EXPECT_THAT(err.str(), HasSubstr("k_means: map 19 % after 1.00 s"));
  EXPECT_THAT(err.str(), HasSubstr("k_means: round 15 of at most 50, map 19 % after 16.0 s"));
  const std::string text = err.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1 + 9);
}

TEST(PlainProgressView, ARoundOfDiskModeHasAClockOfItsOwn) {
  std::ostringstream err;
  PlainProgressView view("k_means", err);
  for (std::uint32_t round = 1; round <= 2; ++round)
    for (std::uint64_t ms = 0; ms <= 1'500; ms += 100) {
      JobProgress progress = At(ms);
      progress.round = round;
      progress.rounds_max = 2'000;
      view.Show(progress);
    }
  EXPECT_THAT(err.str(), HasSubstr("k_means: round 1 of at most 2 000, map"));
  EXPECT_THAT(err.str(), HasSubstr("k_means: round 2 of at most 2 000, map"));
}

TEST(ProgressEstimate, BeginsAnewWithAStage) {
  ProgressEstimate estimate;
  for (std::uint64_t ms = 0; ms <= 6'000; ms += 500) estimate.Add(At(ms));
  JobProgress next = At(500);
  next.stage = "stage 2 of 2";
  estimate.Add(next);
  EXPECT_EQ(estimate.input_bytes_per_second(), 0u);
  EXPECT_FALSE(estimate.phase_remaining_ms().has_value());
}

/// Lets the test wait for what the reporter's thread does.
class RecordingView : public ProgressView {
 public:
  std::chrono::milliseconds period() const override { return std::chrono::milliseconds(1); }
  void Show(const JobProgress&) override {
    std::lock_guard lock(mutex_);
    ++shows_;
    changed_.notify_all();
  }
  void Notice(const std::string& text) override {
    std::lock_guard lock(mutex_);
    notices_.push_back(text);
    changed_.notify_all();
  }
  void Finish() override { ++finishes; }
  void WaitForNotice() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !notices_.empty() && shows_ > 1; });
  }
  std::vector<std::string> notices() {
    std::lock_guard lock(mutex_);
    return notices_;
  }
  int finishes = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int shows_ = 0;                     // Guarded by mutex_.
  std::vector<std::string> notices_;  // Guarded by mutex_.
};

TEST(ProgressReporter, NoticesASignalOnceAndFinishesOnce) {
  FakeRunner runner(SamplePlan(), SampleReport(), nullptr);
  RecordingView view;
  {
    ProgressReporter reporter(runner, view, [] { return 2; });
    view.WaitForNotice();
    reporter.Stop();
  }
  EXPECT_THAT(view.notices(), SizeIs(1));
  EXPECT_EQ(view.finishes, 1);
}

}  // namespace
}  // namespace spillway
