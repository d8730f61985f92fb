// The options of the commands that help to write a job and to get it running. A piece of the table
// in option_table.cc. Constant data.
#pragma once

#include <string_view>

#include "runtime/cli/cluster_option_table.h"
#include "runtime/cli/option_table.h"

namespace spillway {

/// Each is a folder of examples/templates.
inline constexpr std::string_view kProjectKinds[] = {"counting", "join", "sort"};

inline constexpr OptionSpec kNewOptions[] = {
    {.name = "kind",
     .kind = OptionKind::kChoice,
     .group = "The project",
     .value_name = "KIND",
     .help = "What its job does: counting (the default), join or sort.",
     .choices = kProjectKinds},
    kNoColor,
    kHelp,
};

inline constexpr OptionSpec kDoctorOptions[] = {
    kMemory,
    kSpillDir,
    kKeys,
    kKey,
    {.name = "config", .group = kDisplay, .help = "Only the settings and where they come from."},
    kJsonSwitch,
    kNoColor,
    kHelp,
};

}  // namespace spillway
