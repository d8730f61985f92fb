#include "runtime/cli/export_command.h"

#include <ostream>
#include <string>

#include "runtime/cli/exit_code.h"
#include "runtime/cli/export_directory.h"
#include "runtime/cli/job_catalog.h"
#include "runtime/cli/project_command.h"
#include "runtime/cli/run_request.h"

namespace spillway {
namespace {

constexpr std::string_view kGroup = "export ";

/// Names become files in a directory of their own.
Status CheckSideFileNames(const std::map<std::string, std::string>& side_files) {
  for (const auto& [name, path] : side_files)
    if (name.find('/') != std::string::npos || name == "." || name == "..")
      return InvalidArgument("--file: an exported side file becomes a file of its name, so '" +
                             name + "' may have no '/'.");
  return OkStatus();
}

std::string Directory(const CommandLine& line) {
  std::string directory = line.Value("output");
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  return directory;
}

Status Export(const CommandLine& line, const Shell& shell, const std::string& kind) {
  if (line.operands.empty() || !line.Has("output"))
    return InvalidArgument("missing: " + std::string(line.operands.empty() ? "JOB, " : "") +
                           "-o DIR. Write spillway " + std::string(line.command->name) +
                           " JOB -o DIR.");
  ExportRequest request;
  request.directory = Directory(line);
  request.launcher_dir = shell.prefix + "/share/spillway/exports/" + kind;
  request.program = shell.program;
  request.args = line.job_arguments;
  SPILLWAY_ASSIGN_OR_RETURN(request.side_files, ReadSideFiles(line));
  SPILLWAY_RETURN_IF_ERROR(CheckSideFileNames(request.side_files));
  if (NamesProject(line, shell)) {
    SPILLWAY_ASSIGN_OR_RETURN(request.plugin_path, BuildOnePlugin(line.operands[0], shell.prefix));
  } else {
    SPILLWAY_ASSIGN_OR_RETURN(request.plugin_path, ResolveJob(line.operands[0], shell.plugin_dir));
  }
  SPILLWAY_ASSIGN_OR_RETURN(request.facts, shell.inspect_filter(request.plugin_path, request.args));
  if (!request.facts.reads_lines)
    return InvalidArgument(
        "the job's records are no lines, and other systems cut their input into lines. "
        "'spillway run' runs it; 'spillway exec-plugin' takes a whole file.");
  return WriteExport(request);
}

}  // namespace

int ExportCommand(const CommandLine& line, const Shell& shell) {
  const std::string kind(line.command->name.substr(kGroup.size()));
  const Status written = Export(line, shell, kind);
  if (!written.ok()) return ReportError(shell, ExitCodeOf(written), written.message());
  const std::string directory = Directory(line);
  shell.out << "Made " << directory
            << "/, which needs nothing else; its README.md says how to run it.\n\n"
            << "  " << directory << (kind == "spark-pipe" ? "/run.py" : "/run")
            << " INPUT... OUTPUT\n";
  return kExitDone;
}

}  // namespace spillway
