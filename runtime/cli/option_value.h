// The text of an option's value: checked against its kind and limits when it is read, wherever it
// came from, and converted afterwards without any failure. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mapreduce/base/status.h"
#include "runtime/cli/option_table.h"

namespace spillway {

/// Ok when `text` is a value of `option`. Otherwise InvalidArgument: `where` ("--memory",
/// "spillway.toml:3: memory"), what is wrong and what would be right.
Status CheckOptionValue(const OptionSpec& option, std::string_view text, std::string_view where);

/// The number behind a checked count, size (bytes) or duration (ms).
std::uint64_t NumberOf(const OptionSpec& option, std::string_view checked_text);

/// The truth behind a checked toggle: true, yes, on and 1 against false, no, off and 0.
bool TruthOf(std::string_view checked_text);

}  // namespace spillway
