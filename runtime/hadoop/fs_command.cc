#include "runtime/hadoop/fs_command.h"

#include <boost/filesystem.hpp>
#include <ostream>

#include "runtime/hadoop/fs_change.h"
#include "runtime/hadoop/fs_listing.h"
#include "runtime/hadoop/fs_transfer.h"
#include "runtime/hadoop/hadoop_exit.h"

namespace spillway {
namespace {

constexpr std::size_t kManyOperands = 1'000'000;

struct Subcommand {
  std::string_view name;
  std::string_view switches;  ///< That it takes, each with a space on both sides.
  std::size_t operands_min;
  std::size_t operands_max;
  int (*run)(const FsWords& words, const FsShell& shell);
  std::string_view usage;
};

int ListAll(const FsWords& words, const FsShell& shell) {
  FsWords all = words;
  all.switches.insert("R");
  return FsList(all, shell);
}

int RemoveAll(const FsWords& words, const FsShell& shell) {
  FsWords all = words;
  all.switches.insert("r");
  return FsRemove(all, shell);
}

constexpr Subcommand kSubcommands[] = {
    {"ls", " R d h C ", 0, kManyOperands, FsList, "-ls [-R] [-d] [-h] [-C] [PATH...]"},
    {"lsr", " h ", 0, kManyOperands, ListAll, "-lsr [PATH...]"},
    {"du", " s h ", 0, kManyOperands, FsDiskUsage, "-du [-s] [-h] [PATH...]"},
    {"stat", "", 1, kManyOperands, FsStat, "-stat [FORMAT] PATH..."},
    {"test", " e d f s z ", 1, 1, FsTest, "-test -e|-d|-f|-s|-z PATH"},
    {"mkdir", " p ", 1, kManyOperands, FsMakeDirectory, "-mkdir [-p] PATH..."},
    {"rm", " f r R skipTrash ", 1, kManyOperands, FsRemove, "-rm [-f] [-r] [-skipTrash] PATH..."},
    {"rmr", " f skipTrash ", 1, kManyOperands, RemoveAll, "-rmr [-skipTrash] PATH..."},
    {"touchz", "", 1, kManyOperands, FsTouch, "-touchz PATH..."},
    {"put", " f ", 2, kManyOperands, FsPut, "-put [-f] LOCAL... PATH"},
    {"copyFromLocal", " f ", 2, kManyOperands, FsPut, "-copyFromLocal [-f] LOCAL... PATH"},
    {"get", " f ", 2, kManyOperands, FsGet, "-get [-f] PATH... LOCAL"},
    {"copyToLocal", " f ", 2, kManyOperands, FsGet, "-copyToLocal [-f] PATH... LOCAL"},
    {"cp", " f ", 2, kManyOperands, FsCopy, "-cp [-f] PATH... PATH"},
    {"mv", "", 2, kManyOperands, FsMove, "-mv PATH... PATH"},
    {"cat", "", 1, kManyOperands, FsCat, "-cat PATH..."},
    {"text", "", 1, kManyOperands, FsText, "-text PATH..."},
    {"getmerge", " nl ", 2, kManyOperands, FsGetMerge, "-getmerge [-nl] PATH... LOCAL"},
};

int Unknown(const std::string& word, const FsShell& shell) {
  shell.err << word << ": not known to Spillway's stand-in for 'hadoop fs', which has:\n";
  for (const Subcommand& known : kSubcommands) shell.err << "  " << known.usage << "\n";
  return kHadoopUsage;
}

/// Switches stand before operands. A "-" alone is an operand: stdin.
int RunSubcommand(const Subcommand& command, const std::vector<std::string>& words,
                  const FsShell& shell) {
  FsWords read;
  std::size_t at = 1;
  for (; at < words.size() && words[at].size() > 1 && words[at][0] == '-'; ++at) {
    const std::string name = words[at].substr(1);
    if (command.switches.find(" " + name + " ") == std::string_view::npos) {
      shell.err << command.name << ": Illegal option " << words[at] << "\nUsage: hadoop fs "
                << command.usage << "\n";
      return kHadoopUsage;
    }
    read.switches.insert(name);
  }
  read.operands.assign(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
  if (read.operands.size() < command.operands_min || read.operands.size() > command.operands_max) {
    shell.err << command.name << ": "
              << (read.operands.size() < command.operands_min ? "Not enough arguments"
                                                              : "Too many arguments")
              << "\nUsage: hadoop fs " << command.usage << "\n";
    return kHadoopUsage;
  }
  return command.run(read, shell);
}

}  // namespace

int FsCommand(const std::vector<std::string>& words, const FsShell& shell) {
  if (words.empty()) return Unknown("hadoop fs", shell);
  for (const Subcommand& command : kSubcommands)
    if (words[0] == "-" + std::string(command.name)) return RunSubcommand(command, words, shell);
  return Unknown(words[0], shell);
}

Status FsError(const HadoopPath& path, std::string_view why) {
  return NotFound("`" + path.shown + "': " + std::string(why));
}

Status NoSuchFile(const HadoopPath& path) { return FsError(path, "No such file or directory"); }

int ReportFs(std::string_view name, const Status& status, const FsShell& shell) {
  if (status.ok()) return 0;
  shell.err << name << ": " << status.message() << "\n";
  return 1;
}

std::vector<HadoopPath> ExistingPaths(std::string_view name,
                                      const std::vector<std::string>& operands,
                                      const FsShell& shell, int* exit_code) {
  std::vector<HadoopPath> existing;
  for (const std::string& operand : operands) {
    const auto paths = shell.paths.Expand(operand);
    *exit_code |= ReportFs(name, paths.status(), shell);
    if (!paths.ok()) continue;
    for (const HadoopPath& path : *paths) {
      boost::system::error_code error;
      if (boost::filesystem::exists(path.local, error)) {
        existing.push_back(path);
      } else {
        *exit_code |= ReportFs(name, NoSuchFile(path), shell);
      }
    }
  }
  return existing;
}

}  // namespace spillway
