#include "shuffle/store/kill_point.h"

#include <gtest/gtest.h>
#include <sysexits.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/shuffle/store/temporary_directory.h"

namespace spillway {
namespace {

/// The order is read when a process begins: the child of a death test is begun anew.
class KillPointDeathTest : public testing::Test {
 protected:
  KillPointDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  ~KillPointDeathTest() override { ::unsetenv("SPILLWAY_KILL_AT"); }

  void Order(const std::string& text) { ::setenv("SPILLWAY_KILL_AT", text.c_str(), 1); }

  [[noreturn]] static void Pass() {
    KillPoint("here");
    KillPoint("there");
    KillPoint("here");
    std::fprintf(stderr, "passed twice\n");
    KillPoint("here");
    ::_exit(0);
  }

  TemporaryDirectory directory_;
};

TEST_F(KillPointDeathTest, EndsOneProcessAtThatPassing) {
  const std::string file = directory_.path() + "/died";
  Order("here:3:" + file);
  EXPECT_EXIT(Pass(), testing::KilledBySignal(SIGKILL), "passed twice");
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_EXIT(Pass(), testing::ExitedWithCode(0), "passed twice");
}

TEST_F(KillPointDeathTest, AnOrderThatIsNotCarriedOutLeavesNoFile) {
  const std::string file = directory_.path() + "/died";
  Order("here:4:" + file);
  EXPECT_EXIT(Pass(), testing::ExitedWithCode(0), "");
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(KillPointDeathTest, AnOrderThatSaysNothingIsRefused) {
  for (const char* text : {"", "here", "here:1", "here:0:/f", "here:one:/f", "here:1:", ":1:/f"}) {
    Order(text);
    EXPECT_EXIT(Pass(), testing::ExitedWithCode(EX_CONFIG), "is not NAME:PASSING:FILE") << text;
  }
}

}  // namespace
}  // namespace spillway
