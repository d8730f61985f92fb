// Help, laid out from the option table for 80 columns. Pure.
#pragma once

#include <string>

#include "runtime/cli/option_table.h"

namespace spillway {

inline constexpr std::size_t kHelpColumns = 80;

/// All commands, one line each.
std::string OverviewHelp();

/// One command: usage, description, options by group, examples.
std::string CommandHelp(const CommandSpec& command);

/// `text` in lines of at most `columns` bytes, each with `indent` spaces before it except the
/// first. Words are not broken; lines end with '\n'.
std::string WrapText(const std::string& text, std::size_t indent, std::size_t columns);

}  // namespace spillway
