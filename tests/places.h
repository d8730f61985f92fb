// Where tests find the checkout and what was built of it. Only places.cc knows the paths, so that
// what a compiler cache keeps of all other files is good for any directory.
#pragma once

#include <string>

namespace spillway {

/// `path` is relative to the checkout, e.g. "docs/command.md".
std::string SourcePath(const std::string& path);
/// `path` is relative to the build directory, e.g. "bin/spillway".
std::string BuildPath(const std::string& path);

/// A job that is installed with the command, e.g. "wordcount".
inline std::string BuiltInPlugin(const std::string& name) {
  return BuildPath("lib/spillway/plugins/" + name + ".so");
}
/// One of tests/plugins.
inline std::string TestPlugin(const std::string& name) {
  return BuildPath("test_plugins/" + name + ".so");
}

}  // namespace spillway
