// Man pages, made from the option table at build time. Pure.
#pragma once

#include <string>

#include "runtime/cli/option_table.h"

namespace spillway {

/// spillway(1): all commands.
std::string OverviewManual();

/// "spillway-jobs-list" for the command "jobs list": the name of its page.
std::string ManualName(const CommandSpec& command);
std::string CommandManual(const CommandSpec& command);

}  // namespace spillway
