#include "runtime/cli/skew_text.h"

#include <gmock/gmock.h>

namespace spillway {
namespace {

KeyLoad Load(std::string key, double share) {
  const std::uint64_t bytes = key.size();
  return {std::move(key), bytes, 100'000, 1'000'000, share};
}

TEST(Skew, ComparesTheLargestWithTheMedian) {
  EXPECT_EQ(MeasureSkew({}).largest, 0u);
  const Skew odd = MeasureSkew({9, 1, 3});
  EXPECT_EQ(odd.largest, 9u);
  EXPECT_EQ(odd.median, 3u);
  EXPECT_DOUBLE_EQ(odd.ratio, 3.0);
  EXPECT_EQ(MeasureSkew({4, 2, 8, 2}).median, 3u);
  EXPECT_DOUBLE_EQ(MeasureSkew({0, 0, 7}).ratio, 0.0);
  EXPECT_EQ(MeasureSkew({UINT64_MAX, UINT64_MAX}).median, UINT64_MAX);
}

TEST(HeavyKeysText, TellsSharesThatMatterAmongSoManyReduceTasks) {
  const std::vector<KeyLoad> keys = {Load("the", 0.123), Load("of", 0.061), Load("and", 0.021)};
  EXPECT_EQ(HeavyKeysText(keys, 4), "\"the\" 12 %, \"of\" 6.1 %");
  EXPECT_EQ(HeavyKeysText(keys, 4, 1), "\"the\" 12 %");
  EXPECT_EQ(HeavyKeysText(keys, 100), "\"the\" 12 %, \"of\" 6.1 %, \"and\" 2.1 %");
  EXPECT_EQ(HeavyKeysText({Load("and", 0.021)}, 4), "");
  EXPECT_EQ(HeavyKeysText({}, 0), "");
}

TEST(HeavyKeysText, IsSilentOfFewRecords) {
  KeyLoad few = Load("the", 0.5);
  few.records = 999;
  EXPECT_EQ(HeavyKeysText({few}, 4), "");
  few.records = 1'000;
  EXPECT_EQ(HeavyKeysText({few}, 4), "\"the\" 50 %");
}

TEST(HeavyKeysText, KeysCannotSteerTheTerminal) {
  EXPECT_EQ(HeavyKeysText({Load(std::string("\0\x1b\"\xff", 4), 1.0)}, 1),
            "\"\\x00\\x1b\\x22\\xff\" 100 %");
  EXPECT_THAT(HeavyKeysText({Load(std::string(64, 'x'), 1.0)}, 1), testing::HasSubstr("x...\""));
}

TEST(HeavyKeysJson, HasEveryKeyWhole) {
  KeyLoad cut = Load(std::string(64, '\xff'), 0.25);
  cut.key_bytes = 70;
  const auto json = HeavyKeysJson({Load("a", 0.5), cut});
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0].dump(),
            R"({"key":"a","key_bytes":1,"records":100000,"bytes":1000000,"share":0.5})");
  EXPECT_EQ(json[1]["key"].get<std::string>().size(), 4 * 64u);
  EXPECT_EQ(json[1]["key_bytes"], 70);
}

}  // namespace
}  // namespace spillway
