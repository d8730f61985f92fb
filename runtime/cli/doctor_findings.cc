#include "runtime/cli/doctor_findings.h"

#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <boost/filesystem.hpp>
#include <cerrno>
#include <cstring>

#include "mapreduce/base/units.h"
#include "runtime/cli/job_catalog.h"
#include "runtime/cli/quantity_text.h"
#include "runtime/storage/machine.h"
#include "runtime/transport/key_directory.h"

namespace spillway {
namespace {

namespace fs = boost::filesystem;

// A merge of some hundred runs and their sockets; a shell's usual 1024 is enough for small jobs.
constexpr std::uint64_t kOpenFilesWanted = 4096;
constexpr const char* kIdentityDefault = "submitter";

Finding Bad(std::string subject, std::string text) {
  return {std::move(subject), Health::kBad, std::move(text)};
}
Finding Warning(std::string subject, std::string text) {
  return {std::move(subject), Health::kWarning, std::move(text)};
}

std::uint64_t MemoryBytes(const Settings& settings) {
  return settings.Number("memory", AvailableMemoryBytes() / 10 * 6);
}

Finding ExamineMemory(const Settings& settings) {
  const std::uint64_t there = AvailableMemoryBytes(), used = MemoryBytes(settings);
  const std::string text =
      FormatBytes(there) + " of the machine or cgroup; jobs use " + FormatBytes(used);
  if (used <= there) return {"memory", Health::kGood, text};
  return Warning("memory", text + ", which is more than there is. Lower --memory.");
}

std::vector<std::string> SpillDirectories(const Shell& shell, const Settings& settings) {
  std::vector<std::string> directories = settings.List("spill-dir");
  if (!directories.empty()) return directories;
  const auto tmp = shell.environment.find("TMPDIR");
  const bool named = tmp != shell.environment.end() && !tmp->second.empty();
  return {named ? tmp->second : "/tmp"};
}

Finding ExamineJobs(const Shell& shell) {
  std::size_t good = 0;
  for (const BuiltinJob& job : ListBuiltinJobs(shell.plugin_dir)) {
    const auto plugin = shell.inspect(job.path);
    if (!plugin.ok())
      return Bad("built-in jobs", job.name + " does not load: " + plugin.status().message());
    ++good;
  }
  if (good == 0)
    return Bad("built-in jobs", "there are none in '" + shell.plugin_dir + "'. Install again.");
  return {"built-in jobs", Health::kGood, FormatNoun(good, "job") + " in " + shell.plugin_dir};
}

bool OnPath(const Shell& shell, const std::string& program) {
  const auto path = shell.environment.find("PATH");
  std::string rest = path == shell.environment.end() ? "" : path->second;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    if (::access((rest.substr(0, end) + "/" + program).c_str(), X_OK) == 0) return true;
    rest.erase(0, std::min(end + 1, rest.size()));
  }
  return false;
}

/// What plugins are built with. A machine that only runs jobs needs none of it.
Finding ExamineToolchain(const Shell& shell) {
  const char* const subject = "building jobs";
  std::string missing;
  const auto need = [&](bool there, const char* what) {
    if (!there) missing += (missing.empty() ? "" : ", ") + std::string(what);
  };
  boost::system::error_code error;
  need(fs::exists(shell.prefix + "/lib/cmake/spillway/spillwayConfig.cmake", error),
       "the CMake package (spillway-dev)");
  need(fs::is_directory(shell.prefix + "/share/spillway/templates", error),
       "the templates (spillway-dev)");
  need(OnPath(shell, "cmake"), "cmake");
  need(OnPath(shell, "c++"), "a C++ compiler (g++)");
  if (missing.empty())
    return {subject, Health::kGood, "cmake, a compiler and the package are here"};
  return Warning(subject, "'spillway run DIR' cannot build here without " + missing + ".");
}

}  // namespace

Finding ExamineSpillDirectory(const std::string& directory, std::uint64_t memory_bytes) {
  const std::string subject = "spill directory";
  const std::string shown = "'" + EscapeForLog(directory) + "'";
  struct statfs info = {};
  if (::statfs(directory.c_str(), &info) != 0)
    return Bad(subject,
               shown + ": " + std::strerror(errno) + ". Make it, or name another by --spill-dir.");
  if (!fs::is_directory(directory)) return Bad(subject, shown + " is no directory.");
  if (::access(directory.c_str(), W_OK | X_OK) != 0)
    return Bad(subject, shown + " cannot be written by this user: " + std::strerror(errno) + ".");
  const auto free_bytes =
      static_cast<std::uint64_t>(info.f_bavail) * static_cast<std::uint64_t>(info.f_bsize);
  const std::string text = shown + ", " + FormatBytes(free_bytes) + " free";
  if (info.f_type == TMPFS_MAGIC)
    return Warning(subject, text +
                                ". It lies in memory (tmpfs), so that spilling frees none: "
                                "name a disk by --spill-dir.");
  if (free_bytes < memory_bytes)
    return Warning(subject, text + ", less than the memory of a job. What spills may not fit.");
  return {subject, Health::kGood, text};
}

Finding ExamineKeys(const std::string& directory, const std::string& key) {
  const KeyDirectory keys(directory);
  const std::string shown = "'" + EscapeForLog(directory) + "'";
  const auto name = keys.ChooseIdentity(key.empty() ? kIdentityDefault : key);
  if (!name.ok()) return Bad("keys", shown + ": " + name.status().message());
  const auto pair = keys.Load(*name);
  if (!pair.ok()) return Bad("keys", shown + ": " + pair.status().message());
  const auto coordinator = keys.CoordinatorKey();
  if (!coordinator.ok()) return Bad("keys", shown + ": " + coordinator.status().message());
  return {"keys", Health::kGood, shown + ", as '" + EscapeForLog(*name) + "'"};
}

Finding ExamineOpenFiles(std::uint64_t soft, std::uint64_t hard) {
  const std::string subject = "open files";
  const std::string text = std::to_string(soft) + " at once";
  if (soft >= kOpenFilesWanted) return {subject, Health::kGood, text};
  const std::uint64_t wanted = std::min(hard, kOpenFilesWanted);
  return Warning(subject, text +
                              ", which bounds how many runs are merged in one pass and how many "
                              "workers are talked to. Raise it: ulimit -n " +
                              std::to_string(wanted) + ".");
}

std::vector<Finding> ExamineMachine(const Shell& shell, const Settings& settings) {
  std::vector<Finding> findings;
  findings.push_back({"processors", Health::kGood, std::to_string(AvailableCpus())});
  findings.push_back(ExamineMemory(settings));
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
    findings.push_back(ExamineOpenFiles(limit.rlim_cur, limit.rlim_max));
  if (::getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    findings.push_back(Warning("data limit", FormatBytes(limit.rlim_cur) +
                                                 " for each process: ulimit -d unlimited lifts "
                                                 "it."));
  for (const std::string& directory : SpillDirectories(shell, settings))
    findings.push_back(ExamineSpillDirectory(directory, MemoryBytes(settings)));
  const std::string keys = settings.Text("keys", "");
  if (!keys.empty()) findings.push_back(ExamineKeys(keys, settings.Text("key", "")));
  findings.push_back(ExamineJobs(shell));
  findings.push_back(ExamineToolchain(shell));
  return findings;
}

}  // namespace spillway
