// The spillway command without its process: words in, exit code out.
#pragma once

#include <string>
#include <vector>

#include "runtime/cli/shell.h"

namespace spillway {

/// Finds the command among `words` (argv without the program's name), parses the rest by its
/// option table and runs it. Never throws: what escapes a library ends as exit code 70.
int RunSpillway(const std::vector<std::string>& words, const Shell& shell);

}  // namespace spillway
