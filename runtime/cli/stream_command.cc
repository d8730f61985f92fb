#include "runtime/cli/stream_command.h"

#include <algorithm>
#include <boost/filesystem.hpp>
#include <string>

#include "mapreduce/base/units.h"
#include "runtime/cli/run_command.h"

namespace spillway {
namespace {

bool IsNumber(const std::string& word) {
  return !word.empty() && std::all_of(word.begin(), word.end(),
                                      [](unsigned char c) { return c >= '0' && c <= '9'; });
}

/// NAME=PATH for [NAME=]PATH.
std::string NamedPath(const std::string& value) {
  if (value.find('=') != std::string::npos) return value;
  return value.substr(value.rfind('/') + 1) + "=" + value;
}

/// Side files by name, and a directory that is the same on every host where there are none.
Status AddPlaces(CommandLine* job) {
  for (GivenOption& given : job->options) {
    if (given.option->name != "file") continue;
    for (std::string& value : given.values) {
      value = NamedPath(value);
      const std::string name = value.substr(0, value.find('='));
      if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
          name.size() + 1 == value.size())
        return InvalidArgument("--file: '" + EscapeForLog(value) +
                               "' is not [NAME=]PATH, where NAME is one of a file.");
      job->job_arguments.push_back("--side-file=" + name);
    }
    return OkStatus();
  }
  // The same place on every host, so that ./map.py means one file.
  boost::system::error_code error;
  const auto here = boost::filesystem::current_path(error);
  if (!error) job->job_arguments.push_back("--directory=" + here.string());
  return OkStatus();
}

Status CheckCommands(const CommandLine& line) {
  if (!line.Has("mapper"))
    return InvalidArgument(
        "missing: -m CMD. Write spillway stream -m CMD -r CMD -i PATH... -o DIR. See "
        "'spillway stream --help'.");
  const std::string reducer = line.Value("reducer");
  if (IsNumber(reducer))
    return InvalidArgument("the reducer is a command, and '" + reducer +
                           "' a number. For that many reduce tasks write --reducers " + reducer +
                           ".");
  return OkStatus();
}

}  // namespace

int StreamCommand(const CommandLine& line, const Shell& shell) {
  CommandLine job = line;
  job.operands = {"stream"};
  Status status = CheckCommands(line);
  if (status.ok()) status = AddPlaces(&job);
  if (!status.ok()) return ReportNoJob(shell, status, line.Has("json"));
  for (const char* role : {"mapper", "combiner", "reducer"})
    if (line.Has(role))
      job.job_arguments.push_back("--" + std::string(role) + "=" + line.Value(role));
  return RunJobCommand(job, shell);
}

}  // namespace spillway
