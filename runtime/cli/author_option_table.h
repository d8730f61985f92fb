// The options of the commands that help to write a job and to get it running. A piece of the table
// in option_table.cc. Constant data.
#pragma once

#include <string_view>

#include "runtime/cli/cluster_option_table.h"
#include "runtime/cli/option_table.h"

namespace spillway {

/// Each is a folder of examples/templates.
inline constexpr std::string_view kProjectKinds[] = {"counting", "join", "sort", "iterative"};

inline constexpr OptionSpec kNewOptions[] = {
    {.name = "kind",
     .kind = OptionKind::kChoice,
     .group = "The project",
     .value_name = "KIND",
     .help = "What its job does: counting (the default), join, sort or iterative.",
     .choices = kProjectKinds},
    kNoColor,
    kHelp,
};

inline constexpr std::string_view kPhaseGroup = "The phase";
// A filter is one of many on its machine, and whoever starts it counts with little.
inline constexpr std::uint64_t kFilterMemoryBytesMin = 4 * kMiB;
inline constexpr std::uint64_t kPartitionsMax = 100'000;

inline constexpr OptionSpec kExecPluginOptions[] = {
    {.name = "map", .group = kPhaseGroup, .help = "Read the job's input, write records as lines."},
    {.name = "combine",
     .group = kPhaseGroup,
     .help = "Read such lines, sorted by bytes; write fewer, in order."},
    {.name = "reduce",
     .group = kPhaseGroup,
     .help = "Read such lines, sorted by bytes; write the job's output."},
    kSideFile,
    {.name = "partitions",
     .kind = OptionKind::kCount,
     .group = kPhaseGroup,
     .value_name = "N",
     .help = "Partitions, for a job with a partitioner of its own (default: mapreduce_job_reduces, "
             "or 1).",
     .least = 1,
     .most = kPartitionsMax},
    {.name = "memory",
     .kind = OptionKind::kBytes,
     .group = kPhaseGroup,
     .value_name = "SIZE",
     .help = "Memory for buffers and a fold's table (default 128M).",
     .least = kFilterMemoryBytesMin,
     .most = kMemoryBytesMax},
    kHelp,
};

inline constexpr OptionSpec kExportOptions[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OptionKind::kText,
     .group = kInOut,
     .value_name = "DIR",
     .help = "The directory to make. It appears as a whole or not at all."},
    kSideFile,
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
