#include "runtime/cli/exit_code.h"

#include <gtest/gtest.h>

#include <csignal>

namespace spillway {
namespace {

TEST(ExitCode, EachStatusCodeHasItsSysexit) {
  const std::pair<Code, int> kExpected[] = {
      {Code::kOk, 0},           {Code::kInvalidArgument, 64},
      {Code::kNotFound, 66},    {Code::kAlreadyExists, 73},
      {Code::kUnavailable, 75}, {Code::kAborted, 1},
      {Code::kDataLoss, 74},    {Code::kResourceExhausted, 74},
      {Code::kUserCode, 1},     {Code::kPermissionDenied, 77},
      {Code::kBadData, 65},     {Code::kInternal, 70}};
  for (const auto& [code, exit_code] : kExpected)
    EXPECT_EQ(ExitCodeOf(Status(code, "x")), exit_code) << CodeName(code);
}

TEST(ExitCode, CancelledNamesTheSignal) {
  EXPECT_EQ(ExitCodeOf(Cancelled("x"), SIGINT), 130);
  EXPECT_EQ(ExitCodeOf(Cancelled("x"), SIGTERM), 143);
  EXPECT_EQ(ExitCodeOf(Cancelled("x")), 130);
}

TEST(ExitCode, ASignalThatCameTooLateDoesNotSpoilSuccess) {
  EXPECT_EQ(ExitCodeOf(OkStatus(), SIGINT), 0);
  EXPECT_EQ(ExitCodeOf(UserCodeError("x"), SIGTERM), 1);
}

}  // namespace
}  // namespace spillway
