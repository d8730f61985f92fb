#include "runtime/cli/child_process.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(ChildProcess, KeepsStdoutAndStderrAndTheExitCode) {
  const auto end = RunChild({"sh", "-c", "echo out; echo err >&2; exit 7"});
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(end->output, "out\nerr\n");
  EXPECT_EQ(end->exit_code, 7);
}

TEST(ChildProcess, PassesWordsWithoutAShell) {
  const auto end = RunChild({"printf", "%s|", "a b", "$HOME", "'"});
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(end->output, "a b|$HOME|'|");
}

TEST(ChildProcess, HasNothingOnStdinAndMayWriteMoreThanAPipeHolds) {
  const auto end = RunChild({"sh", "-c", "cat; head -c 300000 /dev/zero"});
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(end->output.size(), 300'000u);
}

TEST(ChildProcess, TellsWhichSignalEndedIt) {
  const auto end = RunChild({"sh", "-c", "kill -9 $$"});
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(end->exit_code, 137);
}

TEST(ChildProcess, ThatIsNotThereIsNotFound) {
  const auto end = RunChild({"spillway-no-such-program"});
  EXPECT_EQ(end.status().code(), Code::kNotFound);
  EXPECT_EQ(end.status().message(), "the program 'spillway-no-such-program' is not installed");
}

}  // namespace
}  // namespace spillway
