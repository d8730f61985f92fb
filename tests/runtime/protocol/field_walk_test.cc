#include "runtime/protocol/field_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "runtime/protocol/spillway.pb.h"

namespace spillway {
namespace {

using ::testing::ElementsAre;

std::string SampleSpec() {
  wire::JobSpec spec;
  spec.set_name("n");
  spec.add_maps()->add_ranges();
  spec.mutable_maps(0)->add_ranges();
  spec.add_maps()->set_bytes(7);
  spec.set_parts(3);
  return spec.SerializeAsString();
}

TEST(FieldWalk, SeesTheFieldsOfAMessageAndOfItsSubmessages) {
  const std::string bytes = SampleSpec();
  FieldWalk walk(bytes);
  int maps = 0;
  std::vector<int> inner, all;
  EXPECT_TRUE(walk.ForEach([&](int field) {
    all.push_back(field);
    if (field != wire::JobSpec::kMapsFieldNumber) return true;
    ++maps;
    return walk.Inside([&](int in_map) {
      inner.push_back(in_map);
      return true;
    });
  }));
  EXPECT_EQ(maps, 2);
  EXPECT_EQ(all.size(), 4u) << "what lies behind a submessage is seen as well";
  EXPECT_THAT(inner,
              ElementsAre(wire::MapInput::kRangesFieldNumber, wire::MapInput::kRangesFieldNumber,
                          wire::MapInput::kBytesFieldNumber));
}

TEST(FieldWalk, EndsWhenItIsToldTo) {
  const std::string bytes = SampleSpec();
  FieldWalk walk(bytes);
  int seen = 0;
  EXPECT_FALSE(walk.ForEach([&](int) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
}

TEST(FieldWalk, TornBytesAreNoMessage) {
  const std::string whole = SampleSpec();
  const std::string torn = whole.substr(0, whole.find('n') + 4);  // Inside the first map.
  FieldWalk walk(torn);
  EXPECT_FALSE(walk.ForEach([](int) { return true; }));
}

TEST(FieldWalk, LooksOnlyIntoSubmessages) {
  wire::JobSpec spec;
  spec.set_parts(3);
  const std::string bytes = spec.SerializeAsString();
  FieldWalk walk(bytes);
  bool inside = true;
  walk.ForEach([&](int) {
    inside = walk.Inside([](int) { return true; });
    return false;
  });
  EXPECT_FALSE(inside);
}

}  // namespace
}  // namespace spillway
