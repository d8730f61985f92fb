// `hadoop jar hadoop-streaming.jar ...`: the job, run by the spillway command and told of in
// Hadoop's words. One thread.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "runtime/hadoop/hadoop_paths.h"

namespace spillway {

/// `words` are those behind `jar`; `spillway` is the command's path. The exit code is the spillway
/// command's.
int RunStreamingJob(const std::vector<std::string>& words, const HadoopPaths& paths,
                    const std::string& spillway, std::ostream& err);

}  // namespace spillway
