// The program itself, as a shell sees it: exit codes, streams and files around it. Whole jobs are
// tested with the embedded runner; nothing here needs one to run.

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/places.h"

namespace spillway {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

class ProcessTest : public testing::Test {
 protected:
  ProcessTest() {
    char path[] = "/tmp/spillway_process_XXXXXX";
    directory_ = mkdtemp(path);
  }
  ~ProcessTest() override {
    for (const char* name : {"/out", "/err", "/spillway.toml"}) unlink((directory_ + name).c_str());
    rmdir(directory_.c_str());
  }

  /// Runs `spillway ARGUMENTS` in an empty directory, with `variables` as its whole environment.
  int Spillway(const std::string& arguments, const std::string& variables = "") {
    return Shell("env -i HOME=" + directory_ + " " + variables + " '" + BuildPath("bin/spillway") +
                 "' " + arguments + " >out 2>err");
  }

  int Shell(const std::string& command) {
    const int status = std::system(("cd " + directory_ + " && " + command).c_str());
    out_ = Read("/out");
    err_ = Read("/err");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string Read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(directory_ + name).rdbuf();
    return text.str();
  }

  std::string directory_, out_, err_;
};

TEST_F(ProcessTest, HelpAndVersionAreResults) {
  for (const char* arguments :
       {"help", "--help", "run --help", "plugin inspect --help", "version"}) {
    EXPECT_EQ(Spillway(arguments), 0) << arguments;
    EXPECT_NE(out_, "") << arguments;
    EXPECT_EQ(err_, "") << arguments;
  }
}

TEST_F(ProcessTest, MistakesGoToStderrWithTheirExitCode) {
  const std::pair<const char*, int> kMistakes[] = {
      {"", 64},
      {"rnu", 64},
      {"run --reducer 3", 64},
      {"run ./j.so -i a -o b --memory 4GBB", 64},
      {"run no_such_job -i a -o b", 64},
      {"plugin inspect ./missing.so", 66},
      {"run ./missing.so -i a -o b", 66},
  };
  for (const auto& [arguments, exit_code] : kMistakes) {
    EXPECT_EQ(Spillway(arguments), exit_code) << arguments << "\n" << err_;
    EXPECT_EQ(out_, "") << arguments;
    EXPECT_NE(err_, "") << arguments;
  }
}

TEST_F(ProcessTest, AnInspectedPluginNamesItsCompilerAndTheVersion) {
  EXPECT_EQ(Spillway("plugin inspect wordcount"), 0) << err_;
  EXPECT_THAT(out_, ContainsRegex("built with  Spillway [0-9.]+, (g\\+\\+|.*[Cc]lang) [0-9]+"));
}

TEST_F(ProcessTest, TheConfigurationIsReadFromTheWorkingDirectory) {
  std::ofstream(directory_ + "/spillway.toml") << "threads = 2\nmemroy = '1G'\n";
  EXPECT_EQ(Spillway("run ./j.so -i a -o b"), 78);
  EXPECT_EQ(err_, "spillway: ./spillway.toml:2: unknown key 'memroy'. Did you mean memory?\n");
}

TEST_F(ProcessTest, TheEnvironmentIsConfiguration) {
  EXPECT_EQ(Spillway("run ./j.so -i a -o b", "SPILLWAY_THREADS=0"), 78);
  EXPECT_EQ(err_, "spillway: SPILLWAY_THREADS: '0' is too little; the least is 1.\n");
}

TEST_F(ProcessTest, AFullDiskBehindStdoutIsNoSuccess) {
  EXPECT_EQ(Shell("'" + BuildPath("bin/spillway") + "' help >/dev/full 2>err"), 74);
  EXPECT_THAT(err_, HasSubstr("stdout cannot be written"));
}

}  // namespace
}  // namespace spillway
