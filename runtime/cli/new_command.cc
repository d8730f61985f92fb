#include "runtime/cli/new_command.h"

#include <ostream>
#include <string>

#include "runtime/cli/author_option_table.h"
#include "runtime/cli/exit_code.h"
#include "runtime/cli/project_template.h"

namespace spillway {

int NewProjectCommand(const CommandLine& line, const Shell& shell) {
  if (line.operands.empty())
    return ReportError(shell, kExitUsage,
                       "a project of which name? Write spillway new NAME [--kind KIND].");
  const auto names = ProjectNamesOf(line.operands[0]);
  if (!names.ok()) return ReportError(shell, ExitCodeOf(names.status()), names.status().message());
  const std::string kind = line.Value("kind", kProjectKinds[0]);
  const Status written = WriteProject(shell.prefix + "/share/spillway/templates/" + kind, *names);
  if (!written.ok()) return ReportError(shell, ExitCodeOf(written), written.message());
  const std::string& directory = names->directory;
  shell.out << "Made " << directory << "/: a job of kind " << kind
            << ", its test and a small input.\n\n"
            << "  cd " << directory << "\n"
            << "  spillway run .    # builds it, reads data/, writes out/\n"
            << "  cmake -S . -B build && cmake --build build && ctest --test-dir build\n";
  return kExitDone;
}

}  // namespace spillway
