#include "runtime/cli/project_build.h"

#include <boost/filesystem.hpp>
#include <fstream>

#include "mapreduce/base/units.h"
#include "runtime/cli/child_process.h"

namespace spillway {
namespace {

namespace fs = boost::filesystem;

constexpr const char* kPluginList = "spillway_plugins.txt";  // See spillway_add_plugin.cmake.
constexpr const char* kPluginTarget = "spillway_plugins";

Status RunCMake(std::vector<std::string> words, const std::string& directory) {
  words.insert(words.begin(), "cmake");
  SPILLWAY_ASSIGN_OR_RETURN(const ChildEnd end, RunChild(words));
  if (end.exit_code == 0) return OkStatus();
  return BadData("'" + EscapeForLog(directory) + "' does not build; cmake ended with " +
                 std::to_string(end.exit_code) + ":\n" + end.output);
}

Status Configure(const fs::path& directory, const fs::path& build, const std::string& prefix) {
  std::vector<std::string> words = {"-S", directory.string(), "-B", build.string(),
                                    "-DCMAKE_BUILD_TYPE=Release"};
  const fs::path package = fs::path(prefix) / "lib/cmake/spillway";
  if (fs::is_directory(package)) words.push_back("-Dspillway_DIR=" + package.string());
  return RunCMake(std::move(words), directory.string());
}

}  // namespace

Result<std::vector<std::string>> BuildProject(const std::string& directory,
                                              const std::string& prefix) {
  const fs::path source(directory), build = source / "build";
  boost::system::error_code error;
  if (!fs::exists(source / "CMakeLists.txt", error))
    return NotFound("'" + EscapeForLog(directory) +
                    "' is a directory without CMakeLists.txt, and so no project of a job. "
                    "'spillway new' makes one.");
  if (!fs::exists(build / "CMakeCache.txt", error))
    SPILLWAY_RETURN_IF_ERROR(Configure(source, build, prefix));
  SPILLWAY_RETURN_IF_ERROR(
      RunCMake({"--build", build.string(), "--parallel", "--target", kPluginTarget}, directory));
  std::ifstream list((build / kPluginList).string());
  std::vector<std::string> plugins;
  for (std::string path; std::getline(list, path);) plugins.push_back(path);
  if (plugins.empty())
    return NotFound("'" + EscapeForLog(directory) +
                    "' was built, and has no plugin: its CMakeLists.txt names none by "
                    "spillway_add_plugin().");
  return plugins;
}

}  // namespace spillway
