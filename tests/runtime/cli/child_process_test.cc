#include "runtime/cli/child_process.h"

#include <gtest/gtest.h>

#include <csignal>

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

TEST(MeasuredChild, KeepsStdoutAndStderrApartAndTellsWhatItTook) {
  MeasuredChild child;
  const auto end = child.Run({"sh", "-c", "head -c 300000 /dev/zero >&2; echo out; exit 7"});
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(end->out, "out\n");
  EXPECT_EQ(end->err.size(), 300'000u);
  EXPECT_EQ(end->exit_code, 7);
  EXPECT_GT(end->wall_seconds, 0);
  EXPECT_EQ(child.Run({"spillway-no-such-program"}).status().code(), Code::kNotFound);
}

TEST(MeasuredChild, IsInterruptedOnceByCancel) {
  // It says that it is ready, and ends by the second signal if there were one.
  const char* script =
      "trap 'echo stopped; trap - INT; sleep 0.1; exit 3' INT; kill -USR1 $PPID; "
      "while :; do sleep 0.01; done";
  static MeasuredChild* running = nullptr;
  MeasuredChild child;
  running = &child;
  const auto former = std::signal(SIGUSR1, [](int) {
    running->Cancel();
    running->Cancel();
  });
  const auto end = child.Run({"sh", "-c", script});
  std::signal(SIGUSR1, former);
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(end->out, "stopped\n");
  EXPECT_EQ(end->exit_code, 3);
}

TEST(MeasuredChild, IsInterruptedAtOnceWhenTheCancelCameBefore) {
  MeasuredChild child;
  child.Cancel();
  const auto end = child.Run({"sleep", "600"});
  ASSERT_TRUE(end.ok()) << end.status().message();
  EXPECT_EQ(end->exit_code, 130);
}

}  // namespace
}  // namespace spillway
