#include "runtime/local/named_inputs.h"

#include <string_view>

#include "mapreduce/base/units.h"

namespace spillway {

namespace {

std::string Usage(const spillway_job& job) {
  std::string usage;
  for (std::size_t i = 0; i < job.input_count; ++i)
    usage += std::string(i == 0 ? "" : " ") + "-i " + job.inputs[i].name + "=PATH";
  return usage;
}

/// Which input the word begins; input_count for none. A path may hold a '=', too.
std::size_t InputOf(const spillway_job& job, std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  std::size_t input = 0;
  while (input < job.input_count && (name.size() == word.size() || name != job.inputs[input].name))
    ++input;
  return input;
}

/// A word that perhaps was to begin another input, for the message; a path may hold a '=', too.
std::string Stranger(const spillway_job& job, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == 0 || equals > word.find('/') || equals == std::string::npos) continue;
    if (InputOf(job, word) == job.input_count)
      return " ('" + EscapeForLog(word) +
             "' begins with no input's name, and was taken for a path)";
  }
  return {};
}

}  // namespace

Result<std::vector<std::vector<std::string>>> PathsByInput(const spillway_job& job,
                                                           const std::vector<std::string>& words) {
  if (job.input_count == 0) return std::vector<std::vector<std::string>>{words};
  std::vector<std::vector<std::string>> paths(job.input_count);
  std::size_t current = job.input_count;
  for (const std::string& word : words) {
    const std::size_t named = InputOf(job, word);
    if (named == job.input_count && current == job.input_count)
      return InvalidArgument("job " + std::string(job.name) + " has several inputs, and '" +
                             EscapeForLog(word) + "' says of none that it is one: write " +
                             Usage(job));
    if (named != job.input_count) current = named;
    paths[current].push_back(named == job.input_count ? word : word.substr(word.find('=') + 1));
  }
  for (std::size_t i = 0; i < job.input_count; ++i)
    if (paths[i].empty())
      return InvalidArgument("input '" + std::string(job.inputs[i].name) + "' of job " +
                             std::string(job.name) + " was not given" + Stranger(job, words) +
                             ": write " + Usage(job));
  return paths;
}

}  // namespace spillway
