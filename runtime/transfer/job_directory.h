// Where the segments of a job lie in a worker's scratch directory. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace spillway {

/// "j7" in the scratch directory, by the cluster's number of the job.
inline std::string JobDirectory(const std::string& scratch_dir, std::uint64_t job) {
  return scratch_dir + "/j" + std::to_string(job);
}

}  // namespace spillway
