#include "runtime/cli/job_catalog.h"

#include <algorithm>
#include <boost/filesystem.hpp>

#include "mapreduce/base/name_suggestion.h"
#include "mapreduce/base/units.h"

namespace spillway {
namespace {

constexpr const char* kPluginSuffix = ".so";

bool IsPath(const std::string& word) {
  return word.find('/') != std::string::npos || word.ends_with(kPluginSuffix);
}

}  // namespace

std::vector<BuiltinJob> ListBuiltinJobs(const std::string& plugin_dir) {
  namespace fs = boost::filesystem;
  std::vector<BuiltinJob> jobs;
  boost::system::error_code error;
  fs::directory_iterator entry(plugin_dir, error);
  while (!error && entry != fs::directory_iterator()) {
    const fs::path& path = entry->path();
    if (path.extension() == kPluginSuffix) jobs.push_back({path.stem().string(), path.string()});
    entry.increment(error);
  }
  std::sort(jobs.begin(), jobs.end(),
            [](const BuiltinJob& a, const BuiltinJob& b) { return a.name < b.name; });
  return jobs;
}

Result<std::string> ResolveJob(const std::string& word, const std::string& plugin_dir) {
  if (IsPath(word)) return word.find('/') == std::string::npos ? "./" + word : word;
  std::vector<std::string> names;
  for (const BuiltinJob& job : ListBuiltinJobs(plugin_dir)) {
    if (job.name == word) return job.path;
    names.push_back(job.name);
  }
  std::string message = "there is no built-in job '" + EscapeForLog(word) + "'.";
  const std::string meant = DidYouMean(word, names);
  message += meant.empty() ? " 'spillway run' lists them; a plugin of your own is given as a path, "
                             "such as ./my_job.so."
                           : meant;
  return InvalidArgument(message);
}

}  // namespace spillway
