// The whole of `spillway exec-plugin`: loads a plugin and runs one phase of its job between this
// process's stdin and stdout. For a process that does nothing else. And what `spillway export` asks
// of the job.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/filter/filter_facts.h"
#include "runtime/filter/plugin_filter.h"

namespace spillway {

struct FilterRequest {
  std::string plugin_path;
  std::vector<std::string> args;                  ///< The job's own.
  std::map<std::string, std::string> side_files;  ///< Name -> path.
  std::uint32_t partitions = 1;
  FilterOptions options;
};

/// Also installs crash reports: user code that crashes ends the process, after a report of the
/// record it was at.
FilterOutcome RunFilterProcess(const FilterRequest& request);

/// What is to be known of the job, whatever the phase.
Result<FilterFacts> InspectFilter(const std::string& plugin_path,
                                  const std::vector<std::string>& args);

/// As lines of Hadoop's reporter: reporter:counter:GROUP,NAME,AMOUNT. It parts them at commas, so
/// those of names become semicolons.
std::string CounterLines(const CounterValues& counters);

}  // namespace spillway
