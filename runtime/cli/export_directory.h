// ExportDirectory: all that another system needs to run a plugin's job: launcher and README, which
// are copies of runtime/cli/exports, and job/, which goes to every host: the plugin, the spillway
// command, their libraries, side files. Whoever calls waits for the disk.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/filter/filter_facts.h"

namespace spillway {

struct ExportRequest {
  std::string directory;
  std::string launcher_dir;  ///< Copied into it.
  std::string program;       ///< The spillway command.
  std::string plugin_path;
  std::vector<std::string> args;                  ///< The job's own.
  std::map<std::string, std::string> side_files;  ///< Name -> path.
  FilterFacts facts;
};

/// `word` as a shell takes it for one word, whatever is in it.
std::string ShellWord(const std::string& word);

/// job/phase: a script that runs one phase.
std::string PhaseScript(const ExportRequest& request);

/// job/job.conf: what the launchers know of the job, as variables of a shell.
std::string JobConfiguration(const FilterFacts& facts);

/// Writes the directory as a whole or not at all. AlreadyExists when it is there.
Status WriteExport(const ExportRequest& request);

}  // namespace spillway
