#include "runtime/cli/version_command.h"

#include <lz4.h>
#include <xxhash.h>

#include <boost/version.hpp>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/abi.h"
#include "runtime/cli/exit_code.h"

// The build system says which version and which kind of build this is.
#if !defined(SPILLWAY_VERSION) || !defined(SPILLWAY_BUILD_TYPE)
#error "compile with SPILLWAY_VERSION and SPILLWAY_BUILD_TYPE"
#endif

namespace spillway {
namespace {

#if defined(__clang__)
constexpr const char* kCompiler = "clang " __clang_version__;
#else
constexpr const char* kCompiler = "g++ " __VERSION__;
#endif

std::string Dotted(int major, int minor, int patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

std::vector<std::pair<std::string, std::string>> Libraries() {
  return {
      {"boost", Dotted(BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000, BOOST_VERSION % 100)},
      {"lz4", LZ4_VERSION_STRING},
      {"xxhash", Dotted(XXH_VERSION_MAJOR, XXH_VERSION_MINOR, XXH_VERSION_RELEASE)},
      {"nlohmann-json", Dotted(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                               NLOHMANN_JSON_VERSION_PATCH)}};
}

std::string VersionText() {
  std::string libraries;
  for (const auto& [name, version] : Libraries())
    libraries += (libraries.empty() ? "" : ", ") + name + " " + version;
  return std::string("spillway " SPILLWAY_VERSION "\n") + "  compiler    " + kCompiler +
         "\n  build       " SPILLWAY_BUILD_TYPE "\n  plugin ABI  " +
         std::to_string(SPILLWAY_ABI_VERSION) + "\n  libraries   " + libraries + "\n";
}

std::string VersionJson() {
  nlohmann::ordered_json json;
  json["version"] = SPILLWAY_VERSION;
  json["compiler"] = kCompiler;
  json["build_type"] = SPILLWAY_BUILD_TYPE;
  json["abi_version"] = SPILLWAY_ABI_VERSION;
  for (const auto& [name, version] : Libraries()) json["libraries"][name] = version;
  return json.dump() + "\n";
}

}  // namespace

int VersionCommand(const CommandLine& line, const Shell& shell) {
  shell.out << (line.Has("json") ? VersionJson() : VersionText());
  return kExitDone;
}

}  // namespace spillway
