#include "mapreduce/base/check.h"

#include <gtest/gtest.h>

#include <string>

#include "mapreduce/base/status.h"

namespace spillway {
namespace {

Result<std::string> Text(const char* text) { return std::string(text); }

TEST(Check, PassesWhatHolds) {
  SPILLWAY_CHECK(true);
  SPILLWAY_CHECK_EQ(1 + 1, 2);
  SPILLWAY_CHECK_LT(1u, 2u);
  // The operand is a reference into a temporary.
  SPILLWAY_CHECK_EQ(*Text("a long text that lives on the heap"),
                    "a long text that lives on the heap");
}

TEST(CheckDeathTest, SaysWhereAndWithWhichValues) {
  EXPECT_DEATH(SPILLWAY_CHECK(1 > 2), "check_test.cc:[0-9]+: 1 > 2");
  const int parts = 3;
  EXPECT_DEATH(SPILLWAY_CHECK_LE(parts, 2), "parts <= 2 \\(3 vs 2\\)");
}

TEST(Check, EvaluatesOperandsOnce) {
  int calls = 0;
  SPILLWAY_CHECK_GE(++calls, 1);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace spillway
