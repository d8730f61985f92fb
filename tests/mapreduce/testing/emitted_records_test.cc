#include "mapreduce/testing/emitted_records.h"

#include <gtest/gtest.h>

#include "mapreduce/mapreduce.h"

namespace spillway {
namespace {

using Place = std::tuple<std::string, Descending<std::int32_t>, std::string>;

/// Emits (path, length, text) for each line, and how many there were at the end.
class Places : public Mapper<TextLines, Place, std::int64_t> {
 public:
  Status Setup(TaskContext& context) {
    if (context.args().size() > 1) return InvalidArgument("too many arguments");
    lines_ = context.counter("places", "lines");
    return OkStatus();
  }
  void Map(const Line& line, Emitter& out) {
    if (line.text == "bad") throw BadRecord("it says so");
    lines_.Increment();
    ++count_;
    out.Emit({line.path, {static_cast<std::int32_t>(line.text.size())}, line.text},
             static_cast<std::int64_t>(line.offset));
  }
  void Teardown(Emitter& out) { out.Emit({"", {0}, ""}, count_); }

 private:
  Counter lines_;
  std::int64_t count_ = 0;
};

TEST(MapText, GivesOwnedValuesOfPartsAndOfTeardown) {
  const auto emitted = MapText<Places>("ab\nlonger\n", "book");
  EXPECT_EQ(emitted.status.message(), "");
  const Records<Places> expected = {
      {{"book", {2}, "ab"}, 0}, {{"book", {6}, "longer"}, 3}, {{"", {0}, ""}, 2}};
  EXPECT_EQ(emitted.records, expected);
  EXPECT_EQ(emitted.counters.at({"places", "lines"}), 2u);
}

TEST(MapText, ReportsWhatMapThrowsAndWhatSetupRefuses) {
  const auto bad = MapText<Places>("fine\nbad\n");
  EXPECT_EQ(bad.status.code(), Code::kBadData);
  EXPECT_NE(bad.status.message().find("Places: it says so"), std::string::npos);
  const auto refused = MapText<Places>("fine\n", "input", {.args = {"a", "b"}});
  EXPECT_NE(refused.status.message().find("too many arguments"), std::string::npos);
  EXPECT_TRUE(refused.records.empty());
}

TEST(MapText, OfNothingRunsTeardown) {
  EXPECT_EQ(MapText<Places>("").records, Records<Places>({{{"", {0}, ""}, 0}}));
}

class Join : public Reducer<std::string, std::string> {
 public:
  void Reduce(std::string_view key, Values& values, Emitter& out) {
    std::string all;
    for (const std::string_view value : values) all.append(value).append(";");
    out.Emit(key, all);
  }
};

TEST(ReduceRecords, SortsKeysAndKeepsTheOrderOfValues) {
  const auto emitted = ReduceRecords<Join>({{"b", "1"}, {"a", "9"}, {"b", "0"}});
  EXPECT_EQ(emitted.records, Records<Join>({{"a", "9;"}, {"b", "1;0;"}}));
}

TEST(ReduceRecords, WalksAGroupThatSpansManyBatches) {
  std::vector<std::pair<std::string, std::string>> records(1000, {"k", "v"});
  const auto emitted = ReduceRecords<Join>(records);
  ASSERT_EQ(emitted.records.size(), 1u);
  EXPECT_EQ(emitted.records[0].second.size(), 2000u);
}

using CityYear = std::pair<std::string, Descending<std::int32_t>>;

class Newest : public Reducer<CityYear, double, std::string, double> {
 public:
  void Reduce(const View<CityYear>& key, Values& values, Emitter& out) {
    double newest = 0;
    values.Next(&newest);
    out.Emit(key.first, newest);
  }
};

TEST(ReduceRecords, GroupsByTheFirstPart) {
  const auto emitted = ReduceRecords<Newest, GroupByFirst>(
      {{{"oslo", {1999}}, 1.5}, {{"oslo", {2004}}, 2.5}, {{"bonn", {2000}}, 9.0}});
  EXPECT_EQ(emitted.records, Records<Newest>({{"bonn", 9.0}, {"oslo", 2.5}}));
}

}  // namespace
}  // namespace spillway
