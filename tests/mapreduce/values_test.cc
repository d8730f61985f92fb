#include "mapreduce/values.h"

#include <gmock/gmock.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "mapreduce/codec_tuple.h"
#include "tests/mapreduce/fake_task.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using Texts = Values<std::string, std::string>;

/// Three groups; the first reaches into the second batch, the second ends with it.
void ServeThreeGroups(FakeTask& fake) {
  fake.batches.push_back({{{"a1", "x"}, {"a2", "y"}}, {0}});
  fake.batches.push_back({{{"a3", "z"}, {"b1", "p"}}, {1}});
  fake.batches.push_back({{{"c1", "q"}, {"c2", "r"}}, {0}});
}

TEST(ValuesTest, KeyFollowsTheValuesOverBatches) {
  FakeTask fake;
  ServeThreeGroups(fake);
  internal::GroupCursor cursor(&fake.task);
  std::vector<std::string> seen;
  while (cursor.NextGroup()) {
    Texts values(cursor);
    for (const std::string_view value : values)
      seen.push_back(std::string(values.key()) + std::string(value));
    seen.push_back("|");
  }
  EXPECT_THAT(seen, ElementsAre("a1x", "a2y", "a3z", "|", "b1p", "|", "c1q", "c2r", "|"));
}

TEST(ValuesTest, KeyThrowsWhenTheGroupIsOver) {
  FakeTask fake;
  ServeThreeGroups(fake);
  internal::GroupCursor cursor(&fake.task);
  int groups = 0;
  while (cursor.NextGroup()) {  // The next group's first record is fetched already, or nothing is.
    SCOPED_TRACE(groups++);
    Texts values(cursor);
    for ([[maybe_unused]] const std::string_view value : values) {
    }
    EXPECT_THROW(values.key(), std::logic_error);
    std::string_view value;
    EXPECT_FALSE(values.Next(&value));
    EXPECT_THROW(values.key(), std::logic_error);
  }
  EXPECT_EQ(groups, 3);
}

TEST(ValuesTest, KeyBeforeTheFirstValueIsTheGroupsFirst) {
  FakeTask fake;
  ServeThreeGroups(fake);
  internal::GroupCursor cursor(&fake.task);
  ASSERT_TRUE(cursor.NextGroup());
  EXPECT_EQ(Texts(cursor).key(), "a1");
}

TEST(ValuesTest, KeysOfOneStepAreValidSideBySide) {
  using Key = Descending<std::string>;
  const std::string text(100, 'k');
  std::string bytes(Codec<Key>::BytesMax({text}), '?');
  bytes.resize(static_cast<std::size_t>(Codec<Key>::Encode({text}, bytes.data()) - bytes.data()));
  FakeTask fake;
  fake.batches.push_back({{{bytes, "x"}, {bytes, "y"}}, {0}});
  internal::GroupCursor cursor(&fake.task);
  ASSERT_TRUE(cursor.NextGroup());
  Values<std::string, Key> values(cursor);
  int steps = 0;
  for ([[maybe_unused]] const std::string_view value : values) {
    const View<Key> one = values.key();
    const View<Key> other = values.key();
    EXPECT_EQ(one.value, text);
    EXPECT_EQ(other.value, text);
    ++steps;
  }
  EXPECT_EQ(steps, 2);
}

TEST(ValuesTest, KeyStaysAfterABreak) {
  FakeTask fake;
  ServeThreeGroups(fake);
  internal::GroupCursor cursor(&fake.task);
  ASSERT_TRUE(cursor.NextGroup());
  Texts values(cursor);
  for (const std::string_view value : values)
    if (value == "y") break;
  EXPECT_EQ(values.key(), "a2");
}

}  // namespace
}  // namespace spillway
