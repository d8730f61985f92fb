// The JobRunner that needs no cluster: one job in this process, with the scheduler core, the task
// code and the shuffle that a cluster uses. And what a plugin's file says of itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "mapreduce/base/status.h"
#include "runtime/local/job_runner.h"

namespace spillway {

/// Loads the plugin, checks the request, lists the inputs and plans. Writes nothing. Every problem
/// with the inputs is listed in one message.
Result<std::unique_ptr<JobRunner>> PrepareLocalRunner(const JobRequest& request);

/// What `spillway plugin inspect` shows. Loads the library in a child process first, so that a
/// damaged file cannot take this process along.
struct PluginDescription {
  std::string path, name, summary, usage, sdk_version, compiler;
  std::uint32_t abi_version = 0;
};
Result<PluginDescription> InspectPlugin(const std::string& path);

}  // namespace spillway
