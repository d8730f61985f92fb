// A program that does this one's work: its stdout is read by lines, its stderr is this process's,
// and whoever stops this process stops it. It stays in the process group, so that Ctrl-C reaches
// both; this one then waits for the other's end, so that nothing is left behind. One thread, one
// child at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"

namespace spillway {

/// Runs words[0], found on PATH, with stdin at its end. Its exit code, or 128 + signal. NotFound
/// when there is no such program.
Result<int> RunForwarding(const std::vector<std::string>& words,
                          const std::function<void(std::string_view line)>& take);

}  // namespace spillway
