#include "runtime/stream/child_pipe.h"

#include <gtest/gtest.h>

#include <csignal>

namespace spillway {
namespace {

class ChildPipeTest : public ::testing::Test {
 protected:
  std::unique_ptr<ChildPipe> Start(const std::string& text, const std::string& directory = "") {
    ChildCommand command;
    command.text = text;
    command.directory = directory;
    command.variables = {"SPILLWAY_TEST=set"};
    auto pipe = ChildPipe::Start(
        command, [this](std::string_view bytes) { return Take(bytes, &output_); },
        [this](std::string_view bytes) { return Take(bytes, &errors_); });
    EXPECT_TRUE(pipe.ok()) << pipe.status().message();
    return pipe.ok() ? std::move(pipe).value() : nullptr;
  }

  static Status Take(std::string_view bytes, std::string* into) {
    into->append(bytes);
    return OkStatus();
  }

  std::string output_, errors_;
};

TEST_F(ChildPipeTest, PassesEveryByte) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  const auto pipe = Start("cat");
  ASSERT_TRUE(pipe->Write(all).ok());
  EXPECT_EQ(pipe->Finish().value(), 0);
  EXPECT_EQ(output_, all);
}

TEST_F(ChildPipeTest, NeitherSideWaitsForTheOtherHoweverMuchTheyWrite) {
  const std::string piece(3 << 20, 'x');
  const auto pipe = Start("tee /dev/stderr");
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(pipe->Write(piece).ok());
  EXPECT_EQ(pipe->Finish().value(), 0);
  EXPECT_EQ(output_.size(), 4 * piece.size());
  EXPECT_EQ(errors_.size(), 4 * piece.size());
}

TEST_F(ChildPipeTest, ACommandMayReadNothingAndStillSucceed) {
  const auto pipe = Start("exec <&-; echo done");
  ASSERT_TRUE(pipe->Write(std::string(8 << 20, 'x')).ok());
  EXPECT_EQ(pipe->Finish().value(), 0);
  EXPECT_EQ(output_, "done\n");
  sigset_t pending;
  ASSERT_EQ(::sigpending(&pending), 0);
  EXPECT_EQ(::sigismember(&pending, SIGPIPE), 0);
}

TEST_F(ChildPipeTest, TellsTheExitCodeOrTheSignal) {
  EXPECT_EQ(Start("exit 3")->Finish().value(), 3);
  EXPECT_EQ(Start("kill -9 $$")->Finish().value(), 137);
  EXPECT_EQ(Start("spillway-no-such-command")->Finish().value(), 127);
}

TEST_F(ChildPipeTest, RunsInItsDirectoryWithItsVariables) {
  EXPECT_EQ(Start("pwd; echo $SPILLWAY_TEST", "/")->Finish().value(), 0);
  EXPECT_EQ(output_, "/\nset\n");
  const auto missing = ChildPipe::Start({"true", "/no/such/directory", {}}, nullptr, nullptr);
  EXPECT_EQ(missing.status().code(), Code::kNotFound);
}

TEST_F(ChildPipeTest, CommandsDieOfBrokenPipesAsInAShell) {
  EXPECT_EQ(Start("yes | head -n 1")->Finish().value(), 0);
  EXPECT_EQ(output_, "y\n");
}

TEST_F(ChildPipeTest, AFailureOfTheSinkEndsTheCallAndTheCommand) {
  auto pipe = ChildPipe::Start(
      {"yes", "", {}}, [](std::string_view) { return Aborted("enough"); },
      [](std::string_view) { return OkStatus(); });
  ASSERT_TRUE(pipe.ok());
  EXPECT_EQ((*pipe)->Finish().status().message(), "enough");
  pipe->reset();  // Would wait for ever if `yes` went on.
}

}  // namespace
}  // namespace spillway
