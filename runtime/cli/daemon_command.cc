#include "runtime/cli/daemon_command.h"

#include <unistd.h>

#include <algorithm>
#include <boost/filesystem.hpp>
#include <set>

#include "mapreduce/base/units.h"
#include "runtime/cli/cluster_target.h"
#include "runtime/cli/endpoint_text.h"
#include "runtime/cli/exit_code.h"
#include "runtime/cli/option_value.h"
#include "runtime/storage/machine.h"
#include "runtime/transport/key_directory.h"

namespace spillway {
namespace {

constexpr const char* kWorkerKeyDefault = "worker";
constexpr std::uint64_t kWorkerMemoryPercent = 60;
constexpr std::uint64_t kCoordinatorMemoryPart = 8;  // An eighth: small jobs are small.
constexpr std::size_t kNameBytesMax = 128;

std::string Absolute(const std::string& path) { return boost::filesystem::absolute(path).string(); }

Result<std::vector<std::string>> SpillDirs(const Settings& settings) {
  std::vector<std::string> directories;
  std::set<std::string> seen;
  for (const std::string& directory : settings.List("spill-dir")) {
    directories.push_back(Absolute(directory));
    if (!seen.insert(directories.back()).second)
      return InvalidArgument("--spill-dir: '" + EscapeForLog(directory) +
                             "' is given twice. Name each disk once.");
  }
  return directories;
}

/// All options of `needed` (name, with its value's name) that nobody gave.
Status CheckNeeded(const CommandLine& line,
                   const std::vector<std::pair<std::string, std::string>>& missing) {
  if (missing.empty()) return OkStatus();
  std::string names;
  for (const auto& [name, value] : missing)
    names += (names.empty() ? "--" : ", --") + name + " " + value;
  return InvalidArgument("missing: " + names + ". See 'spillway " +
                         std::string(line.command->name) + " --help'.");
}

std::uint64_t NumberGiven(const CommandLine& line, const char* option, std::uint64_t fallback) {
  const GivenOption* given = line.Find(option);
  return given == nullptr ? fallback : NumberOf(*given->option, given->values.back());
}

std::uint32_t SlotsOf(const CommandLine& line, std::uint32_t fallback) {
  return static_cast<std::uint32_t>(NumberGiven(line, "slots", fallback));
}

/// Names end in tables and in the journal.
Result<std::string> NameOf(const CommandLine& line, const char* option, std::string fallback) {
  const std::string name = line.Value(option, fallback);
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '/';
  });
  if (plain && name.size() <= kNameBytesMax) return name;
  return InvalidArgument("--" + std::string(option) + ": '" + EscapeForLog(name) +
                         "' is longer than " + std::to_string(kNameBytesMax) +
                         " bytes, or holds spaces, slashes or control characters.");
}

/// Settings first, and their own exit code; then the options; then the daemon.
template <class Read, class Daemon>
int RunDaemon(const CommandLine& line, const Shell& shell, const Read& read, const Daemon& daemon) {
  const auto settings = ResolveSettings(line, shell.environment, shell.config_paths);
  if (!settings.ok()) return ReportError(shell, kExitConfiguration, settings.status().message());
  const auto options = read(*settings);
  if (!options.ok())
    return ReportError(shell, ExitCodeOf(options.status()), options.status().message());
  for (const std::string& warning : EnvironmentWarnings(shell.environment))
    ReportWarning(shell, warning, shell.error_style());
  if (!daemon)
    return ReportError(
        shell, kExitInternal,
        "this program was built without the " + std::string(line.command->name) + ".");
  const Status ended = daemon(*options);
  if (ended.ok()) return kExitDone;
  return ReportError(shell, ExitCodeOf(ended), ended.message());
}

}  // namespace

Result<CoordinatorOptions> ReadCoordinatorOptions(const CommandLine& line,
                                                  const Settings& settings) {
  std::vector<std::pair<std::string, std::string>> missing;
  if (!line.Has("listen")) missing.emplace_back("listen", "ENDPOINT");
  if (!line.Has("journal")) missing.emplace_back("journal", "DIR");
  SPILLWAY_RETURN_IF_ERROR(CheckNeeded(line, missing));
  CoordinatorOptions options;
  SPILLWAY_ASSIGN_OR_RETURN(options.listen, ReadEndpoint(line.Value("listen"), 0));
  SPILLWAY_ASSIGN_OR_RETURN(const KeyChoice keys,
                            ChooseKeys(line, settings, options.listen, "--listen"));
  options.insecure = keys.insecure;
  if (!keys.keys_dir.empty()) {
    options.keys_dir = Absolute(keys.keys_dir);
    // What is wrong with the keys is said here, once, and not to each client that comes.
    const KeyDirectory directory(options.keys_dir);
    SPILLWAY_RETURN_IF_ERROR(directory.Load(KeyDirectory::kCoordinator).status());
    SPILLWAY_RETURN_IF_ERROR(directory.List().status());
  }
  options.journal_dir = Absolute(line.Value("journal"));
  options.slots = SlotsOf(line, 0);
  SPILLWAY_ASSIGN_OR_RETURN(options.spill_dirs, SpillDirs(settings));
  if (options.slots > 0 && options.spill_dirs.empty())
    return InvalidArgument("--slots needs --spill-dir DIR: tasks that run here spill there.");
  if (options.slots == 0 && line.Has("spill-dir"))
    return InvalidArgument("--spill-dir needs --slots N: without slots no task runs here.");
  options.memory_bytes = settings.Number("memory", AvailableMemoryBytes() / kCoordinatorMemoryPart);
  if (options.slots == 0) options.spill_dirs.clear();
  options.lease_ms = NumberGiven(line, "lease", 0);
  if (line.Has("log")) options.log_path = Absolute(line.Value("log"));
  return options;
}

Result<WorkerOptions> ReadWorkerOptions(const CommandLine& line, const Settings& settings,
                                        const Shell& shell) {
  WorkerOptions options;
  SPILLWAY_ASSIGN_OR_RETURN(options.spill_dirs, SpillDirs(settings));
  std::vector<std::pair<std::string, std::string>> missing;
  if (!line.Has("coordinator")) missing.emplace_back("coordinator", "ENDPOINT");
  if (options.spill_dirs.empty()) missing.emplace_back("spill-dir", "DIR");
  SPILLWAY_RETURN_IF_ERROR(CheckNeeded(line, missing));
  SPILLWAY_ASSIGN_OR_RETURN(const std::string endpoint, ReadEndpoint(line.Value("coordinator"), 1));
  SPILLWAY_ASSIGN_OR_RETURN(KeyChoice keys, ChooseKeys(line, settings, endpoint, "--coordinator"));
  keys.key = line.Value("key");
  keys.preferred_key = kWorkerKeyDefault;
  SPILLWAY_ASSIGN_OR_RETURN(options.coordinator, MakeClientOptions(endpoint, keys));
  options.insecure = keys.keys_dir.empty();
  const std::string host = shell.host_name();
  SPILLWAY_ASSIGN_OR_RETURN(options.name,
                            NameOf(line, "name", host + "-" + std::to_string(::getpid())));
  SPILLWAY_ASSIGN_OR_RETURN(options.host, NameOf(line, "host", host));
  SPILLWAY_ASSIGN_OR_RETURN(options.rack, NameOf(line, "rack", ""));
  if (line.Has("fetch-listen")) {
    SPILLWAY_ASSIGN_OR_RETURN(options.fetch_listen, ReadEndpoint(line.Value("fetch-listen"), 0));
    if (options.insecure && !IsLoopbackEndpoint(options.fetch_listen))
      return InvalidArgument("--fetch-listen " + options.fetch_listen +
                             " is open to other hosts, which needs keys: give --keys DIR.");
  }
  options.slots = SlotsOf(line, AvailableCpus());
  options.protocol_version_max = static_cast<std::uint32_t>(NumberGiven(line, "protocol", 0));
  options.memory_bytes =
      settings.Number("memory", AvailableMemoryBytes() / 100 * kWorkerMemoryPercent);
  if (line.Has("log")) options.log_path = Absolute(line.Value("log"));
  return options;
}

int CoordinatorCommand(const CommandLine& line, const Shell& shell) {
  return RunDaemon(
      line, shell, [&](const Settings& settings) { return ReadCoordinatorOptions(line, settings); },
      shell.coordinator);
}

int WorkerCommand(const CommandLine& line, const Shell& shell) {
  return RunDaemon(
      line, shell,
      [&](const Settings& settings) { return ReadWorkerOptions(line, settings, shell); },
      shell.worker);
}

}  // namespace spillway
