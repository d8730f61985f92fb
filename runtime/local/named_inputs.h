// NamedInputs: which of the words of -i belong to which of a job's inputs. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"

namespace spillway {

/// The paths of each of the job's inputs, in the job's order; all are of the only one where the job
/// has no names. `NAME=PATH` begins an input, and a word that does not belongs to the one before.
/// InvalidArgument when the first word names none, or an input got no path.
Result<std::vector<std::vector<std::string>>> PathsByInput(const spillway_job& job,
                                                           const std::vector<std::string>& words);

}  // namespace spillway
