// `hadoop fs` and `hadoop dfs`: the subcommands that scripts use, over the local file system. The
// output is Hadoop's, as scripts read it. One thread.
#pragma once

#include <iosfwd>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/hadoop/hadoop_paths.h"

namespace spillway {

/// What a subcommand works with.
struct FsShell {
  const HadoopPaths& paths;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

/// The words behind a subcommand: its switches, and what it works on.
struct FsWords {
  std::set<std::string, std::less<>> switches;
  std::vector<std::string> operands;

  bool Has(std::string_view name) const { return switches.contains(name); }
};

/// Runs `words`, of which the first is the subcommand. The exit code: 1 when something failed, 64
/// for what is not known here.
int FsCommand(const std::vector<std::string>& words, const FsShell& shell);

/// Errors in Hadoop's words: `PATH': why.
Status FsError(const HadoopPath& path, std::string_view why);
Status NoSuchFile(const HadoopPath& path);

/// The files and directories that the operands name. What is missing is a failure of that operand
/// only: it is written to shell.err as "NAME: why", and *exit_code becomes 1.
std::vector<HadoopPath> ExistingPaths(std::string_view name,
                                      const std::vector<std::string>& operands,
                                      const FsShell& shell, int* exit_code);

/// Writes a failure as "NAME: message"; 1, or 0 when it is none.
int ReportFs(std::string_view name, const Status& status, const FsShell& shell);

}  // namespace spillway
