// A program that the command runs for its user, such as cmake: started, waited for, its output
// kept. Whoever calls waits. No shell takes part, so no word needs quoting.
#pragma once

#include <string>
#include <vector>

#include "mapreduce/base/status.h"

namespace spillway {

struct ChildEnd {
  int exit_code = 0;   ///< 128 + signal when a signal ended it.
  std::string output;  ///< stdout and stderr, as they came.
};

/// Runs words[0], found on PATH, with stdin at its end. NotFound when there is no such program;
/// a program that fails is no error.
Result<ChildEnd> RunChild(const std::vector<std::string>& words);

}  // namespace spillway
