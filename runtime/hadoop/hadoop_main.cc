// The stand-in for the hadoop command: `version`, `fs` and `dfs`, and `jar` with the streaming jar.

#include <pwd.h>
#include <unistd.h>

#include <boost/filesystem.hpp>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "runtime/hadoop/fs_command.h"
#include "runtime/hadoop/hadoop_exit.h"
#include "runtime/hadoop/hadoop_paths.h"
#include "runtime/hadoop/streaming_job.h"

namespace {

/// The version whose command lines it takes.
constexpr const char* kVersion = "Hadoop 3.4.2\nSpillway " SPILLWAY_VERSION
                                 ", which stands in for it. It runs streaming jobs.\n";

constexpr const char* kUsage =
    "Usage: hadoop version\n"
    "       hadoop fs -COMMAND ...                            ('hadoop fs' lists them)\n"
    "       hadoop jar hadoop-streaming.jar -input ... -output ... -mapper ... -reducer ...\n"
    "Spillway's stand-in for Hadoop's command; see docs/streaming.md. SPILLWAY_HADOOP_ROOT is the\n"
    "directory in which hdfs: paths lie.\n";

std::string UserName() {
  const char* name = std::getenv("USER");
  if (name != nullptr && *name != '\0') return name;
  const passwd* user = ::getpwuid(::getuid());
  return user != nullptr ? user->pw_name : std::to_string(::getuid());
}

/// PREFIX/lib/spillway/hadoop knows PREFIX/bin/spillway.
std::string SpillwayPath() {
  boost::system::error_code error;
  const auto program = boost::filesystem::read_symlink("/proc/self/exe", error);
  return (program.parent_path().parent_path().parent_path() / "bin/spillway").string();
}

int Run(const std::vector<std::string>& words) {
  const std::string command = words.empty() ? "" : words[0];
  if (command == "version" || command == "-version" || command == "--version") {
    std::cout << kVersion;
    return 0;
  }
  if (command == "help" || command == "-help" || command == "--help") {
    std::cout << kUsage;
    return 0;
  }
  const char* root = std::getenv("SPILLWAY_HADOOP_ROOT");
  const std::string root_path = root != nullptr ? root : "";
  if (!root_path.empty() && root_path[0] != '/') {
    std::cerr << "hadoop: SPILLWAY_HADOOP_ROOT is '" << root_path
              << "'; give the path from / on, as commands run in other directories\n";
    return spillway::kHadoopUsage;
  }
  const spillway::HadoopPaths paths(root_path, UserName());
  const std::vector<std::string> rest(words.begin() + (words.empty() ? 0 : 1), words.end());
  if (command == "fs" || command == "dfs")
    return spillway::FsCommand(rest, {paths, std::cin, std::cout, std::cerr});
  if (command == "jar") return spillway::RunStreamingJob(rest, paths, SpillwayPath(), std::cerr);
  std::cerr << "hadoop: '" << command << "' is not known to Spillway's stand-in\n" << kUsage;
  return spillway::kHadoopUsage;
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  const int exit_code = Run({argv + (argc > 0 ? 1 : 0), argv + argc});
  if (std::cout.flush()) return exit_code;
  std::cerr << "hadoop: stdout cannot be written\n";
  return spillway::kHadoopDisk;
}
