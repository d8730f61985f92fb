// A cluster's jobs and workers as text and as JSON. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/protocol/spillway.pb.h"

namespace spillway {

/// "map", "reduce", ..., "stopping", and of a job that ended "done", "failed" or "killed".
std::string JobStateWord(const wire::JobState& job);

/// A table, one line a job. `now_unix_ms` is what ages count from.
std::string JobListText(const wire::JobStates& jobs, std::uint64_t now_unix_ms);

/// One job in several lines, with its warnings.
std::string JobStatusText(const wire::JobState& job);

/// The coordinator, its workers and their sums.
std::string ClusterText(const wire::ClusterState& cluster, const std::string& endpoint);

/// One line each; the fields are those of docs/command.md.
std::string JobListJson(const wire::JobStates& jobs);
std::string JobStatusJson(const wire::JobState& job);
std::string ClusterJson(const wire::ClusterState& cluster, const std::string& endpoint);

}  // namespace spillway
