#include "runtime/core/split_planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace spillway {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<MapInput> Plan(const std::vector<InputFile>& files, const SplitOptions& options) {
  auto plan = PlanSplits(files, options);
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  return std::move(plan).value();
}

std::vector<std::uint64_t> Sizes(const std::vector<MapInput>& plan) {
  std::vector<std::uint64_t> sizes;
  for (const MapInput& input : plan) sizes.push_back(input.bytes);
  return sizes;
}

TEST(PlanSplits, CutsAFileAndLetsTheLastSplitBeALittleLonger) {
  const SplitOptions options{.split_bytes = 100};
  using Sizes64 = std::vector<std::uint64_t>;
  EXPECT_EQ(Sizes(Plan({{"a", 100}}, options)), (Sizes64{100}));
  EXPECT_EQ(Sizes(Plan({{"a", 110}}, options)), (Sizes64{110}));
  EXPECT_EQ(Sizes(Plan({{"a", 111}}, options)), (Sizes64{100, 11}));
  EXPECT_EQ(Sizes(Plan({{"a", 310}}, options)), (Sizes64{100, 100, 110}));
  EXPECT_EQ(Sizes(Plan({{"a", 311}}, options)), (Sizes64{100, 100, 100, 11}));
}

TEST(PlanSplits, PacksConsecutiveSmallFilesInOrder) {
  const SplitOptions options{.split_bytes = 100};
  const auto plan = Plan({{"a", 40}, {"b", 60}, {"c", 1}, {"d", 250}, {"e", 7}}, options);
  const std::vector<MapInput> expected = {
      {{{0, 0, 40}, {1, 0, 60}}, 100}, {{{2, 0, 1}}, 1},     {{{3, 0, 100}}, 100},
      {{{3, 100, 100}}, 100},          {{{3, 200, 50}}, 50}, {{{4, 0, 7}}, 7}};
  EXPECT_EQ(plan, expected);
}

TEST(PlanSplits, GivesEachFileItsOwnTaskWithoutPacking) {
  EXPECT_EQ(Plan({{"a", 1}, {"b", 1}}, {.pack_small_files = false}).size(), 2u);
}

TEST(PlanSplits, NeverCutsAFileThatCannotBeSplit) {
  EXPECT_EQ(Plan({{"a.gz", 1'000, false}}, {.split_bytes = 10}).size(), 1u);
}

TEST(PlanSplits, PlansNothingForEmptyInput) {
  EXPECT_THAT(Plan({}, {}), IsEmpty());
  EXPECT_THAT(Plan({{"a", 0}, {"b", 0}}, {}), IsEmpty());
}

TEST(PlanSplits, RefusesWhatCannotBePlanned) {
  const std::vector<InputFile> files = {{"a", 9}, {"b", 9}, {"c", 9}};
  EXPECT_EQ(PlanSplits(files, {.split_bytes = 0}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(PlanSplits(files, {.splits_max = 0}).status().code(), Code::kInvalidArgument);
  const auto unpacked = PlanSplits(files, {.pack_small_files = false, .splits_max = 2});
  EXPECT_THAT(unpacked.status().message(), HasSubstr("3 input files"));
}

TEST(PlanSplits, SurvivesTheGreatestSizes) {
  EXPECT_EQ(Plan({{"a", UINT64_MAX}}, {.split_bytes = UINT64_MAX}).size(), 1u);
  const auto plan = Plan({{"a", UINT64_MAX}}, {.splits_max = 1'000});
  EXPECT_LE(plan.size(), 1'000u);
  EXPECT_GE(plan.size(), 400u);
}

/// Whatever the files and options: each byte once and in order, within the limits.
TEST(PlanSplits, CoversEveryByteOnceInOrderWithinItsLimits) {
  for (std::uint32_t seed = 0; seed < 3'000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    SplitOptions options{.split_bytes = 1 + random() % 200,
                         .tail_percent = static_cast<std::uint32_t>(random() % 30),
                         .pack_small_files = random() % 2 == 0,
                         .splits_max = static_cast<std::uint32_t>(20 + random() % 50)};
    std::vector<InputFile> files(random() % 20);
    for (InputFile& file : files) file = {"f", random() % 500, random() % 4 != 0};
    const auto plan = Plan(files, options);
    ASSERT_LE(plan.size(), options.splits_max);

    std::size_t file = 0;
    std::uint64_t offset = 0;
    const auto skip_ended = [&] {
      while (file < files.size() && offset == files[file].bytes) ++file, offset = 0;
    };
    // The size in force may be a doubled one.
    std::uint64_t split_bytes = options.split_bytes;
    for (const MapInput& input : plan)
      while (input.ranges.size() == 1 && files[input.ranges[0].file_index].splittable &&
             input.bytes > split_bytes + split_bytes * options.tail_percent / 100)
        split_bytes *= 2;
    ASSERT_TRUE(split_bytes == options.split_bytes || plan.size() * 2 + 40 > options.splits_max);
    for (const MapInput& input : plan) {
      std::uint64_t bytes = 0;
      for (const FileRange& range : input.ranges) {
        skip_ended();
        ASSERT_EQ(range.file_index, file);
        ASSERT_EQ(range.offset, offset);
        ASSERT_GT(range.bytes, 0u);
        if (input.ranges.size() > 1) {
          ASSERT_EQ(range.bytes, files[file].bytes);
        }
        offset += range.bytes;
        bytes += range.bytes;
      }
      ASSERT_EQ(bytes, input.bytes);
      ASSERT_TRUE(input.ranges.size() == 1 || options.pack_small_files);
    }
    skip_ended();
    ASSERT_EQ(file, files.size());
    ASSERT_EQ(plan, Plan(files, options));
  }
}

TEST(LoopPartBytesFor, IsA64thOfTheInputWithinItsBounds) {
  EXPECT_EQ(LoopPartBytesFor(0), kMiB);
  EXPECT_EQ(LoopPartBytesFor(65 * kMiB), 2 * kMiB);
  EXPECT_EQ(LoopPartBytesFor(kGiB), 16 * kMiB);
  EXPECT_EQ(LoopPartBytesFor(UINT64_MAX), 128 * kMiB);
}

TEST(SplitBytesFor, DependsOnTheInputAloneAndStaysInItsBounds) {
  EXPECT_EQ(SplitBytesFor(0), 4 * kMiB);
  EXPECT_EQ(SplitBytesFor(100 * kMiB), 13 * kMiB);
  EXPECT_EQ(SplitBytesFor(kGiB), 128 * kMiB);
  EXPECT_EQ(SplitBytesFor(UINT64_MAX), 128 * kMiB);
}

TEST(ReducersFor, FollowsInputAndSlots) {
  EXPECT_EQ(ReducersFor({0, 0}), 1u);
  EXPECT_EQ(ReducersFor({1 * kMiB, 64}), 1u);
  EXPECT_EQ(ReducersFor({20 * kMiB, 64}), 3u);
  EXPECT_EQ(ReducersFor({kGiB, 2}), 2u);
  EXPECT_EQ(ReducersFor({kGiB, 64}), 64u);
  EXPECT_EQ(ReducersFor({100 * kGiB, 64}), 256u) << "200 would leave the last wave half empty";
  EXPECT_EQ(ReducersFor({UINT64_MAX, 64}), 4'096u);
}

}  // namespace
}  // namespace spillway
