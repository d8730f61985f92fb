// A prepared job as a JobSpec, and back: what a client sends is what it planned, so that the
// output is the same bytes wherever the job runs. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/local/input_places.h"
#include "runtime/local/prepared_job.h"
#include "runtime/protocol/spillway.pb.h"

namespace spillway {

/// What a submission says beside the job itself.
struct SubmissionOptions {
  std::string key;  ///< Two submits with one key are one job. Empty: one of its own.
  std::uint32_t weight = 1;
  bool allow_nondeterminism = false;
  bool speculate = true;
  InputPlaces places = {};  ///< A wish.
  /// The job runs here: its plugin may be linked in, and files need not be pinned.
  bool in_this_process = false;
};

/// Paths become absolute, links in them stay; plugin and side files are hashed. InvalidArgument for
/// what another process cannot run: a plugin that is linked into this one. Errors of reading the
/// files.
Result<wire::JobSpec> MakeJobSpec(const PreparedJob& job, std::vector<std::string> range_cuts,
                                  const SubmissionOptions& options);

/// The request that PrepareJob would plan as the spec says, but for the sizes of this machine.
JobRequest RequestOf(const wire::JobSpec& spec);
std::vector<FoundFile> InputsOf(const wire::JobSpec& spec);
std::vector<MapInput> MapsOf(const wire::JobSpec& spec);

}  // namespace spillway
