#include "mapreduce/base/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace spillway {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return InvalidArgument(std::to_string(number) + " is odd");
  return number / 2;
}

Result<int> Quarter(int number) {
  SPILLWAY_ASSIGN_OR_RETURN(const int half, Half(number));
  SPILLWAY_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

Status CheckQuarter(int number, int* reached) {
  SPILLWAY_RETURN_IF_ERROR(Quarter(number).status());
  ++*reached;
  return OkStatus();
}

TEST(Status, IsOkByDefaultAndCarriesCodeAndMessageOtherwise) {
  EXPECT_TRUE(Status().ok());
  const Status status = DataLoss("block 3 is damaged");
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), Code::kDataLoss);
  EXPECT_EQ(status.message(), "block 3 is damaged");
}

TEST(Status, AnnotatePutsTheContextBeforeAFailureAndLeavesOkAlone) {
  const Status status = NotFound("no such file").Annotate("input a.txt");
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_EQ(status.message(), "input a.txt: no such file");
  EXPECT_TRUE(OkStatus().Annotate("input a.txt").ok());
}

TEST(Status, EveryCodeHasAName) {
  for (int code = 0; code <= static_cast<int>(Code::kInternal); ++code)
    EXPECT_NE(CodeName(static_cast<Code>(code)), "UNKNOWN") << code;
}

TEST(Result, HoldsAValueOrTheReason) {
  EXPECT_EQ(*Half(4), 2);
  EXPECT_TRUE(Half(4).status().ok());
  EXPECT_FALSE(Half(3).ok());
  EXPECT_EQ(Half(3).status().message(), "3 is odd");
}

TEST(Result, MovesOutWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  const std::unique_ptr<int> value = std::move(result).value();
  EXPECT_EQ(*value, 7);
}

TEST(Macros, PassTheFirstFailureOnAndTheValueOtherwise) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(7).status().message(), "7 is odd");
  EXPECT_EQ(Quarter(6).status().message(), "3 is odd");
  int reached = 0;
  EXPECT_TRUE(CheckQuarter(8, &reached).ok());
  EXPECT_FALSE(CheckQuarter(6, &reached).ok());
  EXPECT_EQ(reached, 1);
}

}  // namespace
}  // namespace spillway
