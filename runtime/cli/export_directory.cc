#include "runtime/cli/export_directory.h"

#include <boost/filesystem.hpp>
#include <fstream>

#include "mapreduce/base/units.h"
#include "runtime/cli/library_closure.h"

namespace spillway {
namespace {

namespace fs = boost::filesystem;

constexpr const char* kPluginFile = "plugin.so";

const char* NameOf(LineLead lead) {
  if (lead == LineLead::kPartition) return "partition";
  return lead == LineLead::kGroup ? "group" : "key";
}

const char* YesOrNo(bool truth) { return truth ? "yes" : "no"; }

Status WriteText(const fs::path& path, const std::string& text, bool executable) {
  std::ofstream file(path.string(), std::ios::binary);
  file << text << std::flush;
  if (!file) return ResourceExhausted("'" + EscapeForLog(path.string()) + "' cannot be written");
  if (executable)
    fs::permissions(path, fs::add_perms | fs::owner_exe | fs::group_exe | fs::others_exe);
  return OkStatus();
}

/// Links are followed: the other host has none of what they point to.
void CopyFile(const fs::path& from, const fs::path& to) { fs::copy_file(fs::canonical(from), to); }

Status FillJob(const ExportRequest& request, const fs::path& job) {
  fs::create_directories(job / "lib");
  CopyFile(request.program, job / "spillway");
  CopyFile(request.plugin_path, job / kPluginFile);
  SPILLWAY_ASSIGN_OR_RETURN(const auto libraries,
                            LibraryClosure({request.program, request.plugin_path}));
  for (const SharedLibrary& library : libraries) CopyFile(library.path, job / "lib" / library.name);
  if (!request.side_files.empty()) fs::create_directory(job / "files");
  for (const auto& [name, path] : request.side_files) {
    if (!fs::is_regular_file(path))
      return NotFound("--file " + EscapeForLog(name) + ": '" + EscapeForLog(path) +
                      "' is not there, or no regular file.");
    CopyFile(path, job / "files" / name);
  }
  SPILLWAY_RETURN_IF_ERROR(WriteText(job / "job.conf", JobConfiguration(request.facts), false));
  return WriteText(job / "phase", PhaseScript(request), true);
}

Status Fill(const ExportRequest& request, const fs::path& directory) {
  fs::create_directory(directory);
  for (const fs::directory_entry& entry : fs::directory_iterator(request.launcher_dir))
    CopyFile(entry.path(), directory / entry.path().filename());
  const std::string readme = (directory / "README.md").string();
  std::ifstream in(readme, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  SPILLWAY_RETURN_IF_ERROR(WriteText(readme, "# " + request.facts.job_name + "\n\n" + text, false));
  return FillJob(request, directory / "job");
}

}  // namespace

std::string ShellWord(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string PhaseScript(const ExportRequest& request) {
  std::string script =
      "#!/bin/sh\n"
      "# phase map|combine|reduce: one phase of the job between stdin and stdout.\n"
      "here=$(dirname \"$0\")\n"
      "LD_LIBRARY_PATH=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\n"
      "export LD_LIBRARY_PATH\n"
      "exec \"$here/spillway\" exec-plugin \"$here/" +
      std::string(kPluginFile) + "\" \"--$1\"";
  for (const auto& [name, path] : request.side_files)
    script += " --file " + ShellWord(name) + "=\"$here\"/files/" + ShellWord(name);
  if (!request.args.empty()) script += " --";
  for (const std::string& arg : request.args) script += " " + ShellWord(arg);
  return script + "\n";
}

std::string JobConfiguration(const FilterFacts& facts) {
  return std::string("# What the launcher knows of the job.\n") +
         "job_name=" + ShellWord(facts.job_name) + "\n" + "lead=" + NameOf(facts.lead) +
         "          # what a line begins with: key, group or partition\n" +
         "key_fields=" + std::to_string(KeyFieldsOf(facts.lead)) + "      # before the value\n" +
         "map_only=" + YesOrNo(facts.map_only) + "\n" + "combiner=" + YesOrNo(facts.has_combiner) +
         "\n" + "one_reducer=" + YesOrNo(facts.sorts_all) + "\n" +
         "reducers=" + std::to_string(facts.reducers) +
         "        # unless the launcher is told otherwise\n";
}

Status WriteExport(const ExportRequest& request) {
  const fs::path directory(request.directory);
  boost::system::error_code error;
  if (fs::exists(fs::symlink_status(directory, error)))
    return AlreadyExists("'" + EscapeForLog(request.directory) +
                         "' exists. Choose another name, or move it away.");
  if (!fs::is_directory(request.launcher_dir, error))
    return NotFound("the launchers are not at '" + request.launcher_dir +
                    "'. They come with the package spillway, or with 'cmake --install'.");
  // Aside, until it is whole.
  const fs::path aside =
      fs::absolute(directory).parent_path() / fs::unique_path(".spillway-export-%%%%%%%%");
  Status status;
  try {
    status = Fill(request, aside);
    if (status.ok()) fs::rename(aside, directory);
  } catch (const fs::filesystem_error& thrown) {
    status = ResourceExhausted(thrown.what());
    if (thrown.code() == boost::system::errc::no_such_file_or_directory)
      status = NotFound(thrown.what());
    if (thrown.code() == boost::system::errc::permission_denied)
      status = PermissionDenied(thrown.what());
  }
  if (!status.ok()) fs::remove_all(aside, error);
  return status;
}

}  // namespace spillway
