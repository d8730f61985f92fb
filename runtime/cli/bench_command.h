// `spillway bench disk-vs-memory`: iterative jobs in both modes, as tables, bars, CSV, HTML, SVG.
#pragma once

#include "runtime/cli/command_line.h"
#include "runtime/cli/shell.h"

namespace spillway {

int BenchCommand(const CommandLine& line, const Shell& shell);

}  // namespace spillway
