#include "runtime/cli/stream_command.h"

#include <algorithm>
#include <boost/filesystem.hpp>
#include <string>

#include "mapreduce/base/units.h"
#include "runtime/cli/exit_code.h"
#include "runtime/cli/run_command.h"

namespace spillway {
namespace {

bool IsNumber(const std::string& word) {
  return !word.empty() && std::all_of(word.begin(), word.end(),
                                      [](unsigned char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

int StreamCommand(const CommandLine& line, const Shell& shell) {
  if (!line.Has("mapper"))
    return ReportError(
        shell, kExitUsage,
        "missing: -m CMD. Write spillway stream -m CMD -r CMD -i PATH... -o DIR. See "
        "'spillway stream --help'.");
  const std::string reducer = line.Value("reducer");
  if (IsNumber(reducer))
    return ReportError(shell, kExitUsage,
                       "the reducer is a command, and '" + reducer +
                           "' a number. For that many reduce tasks write --reducers " + reducer +
                           ".");
  CommandLine job = line;
  job.operands = {"stream"};
  for (const char* role : {"mapper", "combiner", "reducer"})
    if (line.Has(role))
      job.job_arguments.push_back("--" + std::string(role) + "=" + line.Value(role));
  // The same place on every host, so that ./map.py means one file.
  boost::system::error_code error;
  const auto here = boost::filesystem::current_path(error);
  if (!error) job.job_arguments.push_back("--directory=" + here.string());
  return RunJobCommand(job, shell);
}

}  // namespace spillway
