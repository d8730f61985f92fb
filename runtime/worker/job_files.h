// JobFiles: what a worker keeps of a job beside its segments: copies of its plugin and side files,
// checked against the hashes that they were pinned by, so that all tasks see the files that were
// submitted whatever happens to the originals. Read where the client saw them if they can be, else
// asked of the coordinator. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mapreduce/base/file_system.h"
#include "runtime/protocol/spillway.pb.h"

namespace spillway {

/// A piece of a job's file from the coordinator. Empty name: the plugin.
using FileAsker = std::function<Result<wire::FileBytes>(std::uint64_t job, const std::string& name,
                                                        std::uint64_t offset)>;

/// Makes the job's directory in each of `scratch_dirs` that takes it, and the copies in the first
/// one's that has room. `start` then names the copies. BadData: the file is not the one that was
/// submitted, neither here nor at the coordinator's. ResourceExhausted: all disks are full.
/// Aborted: none of them can be used.
Status PrepareJobFiles(FileSystem& files, const std::vector<std::string>& scratch_dirs,
                       const FileAsker& ask, wire::StartJob& start);

/// Removes all that a job left in the directories. What cannot be removed goes with them.
void RemoveJobFiles(FileSystem& files, const std::vector<std::string>& scratch_dirs,
                    std::uint64_t job);

}  // namespace spillway
