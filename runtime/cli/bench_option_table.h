// The options of `spillway bench`. A piece of the table in option_table.cc. Constant data.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "mapreduce/base/units.h"
#include "runtime/cli/cluster_option_table.h"
#include "runtime/cli/option_table.h"

namespace spillway {

inline constexpr std::string_view kBenchData = "The data";
inline constexpr std::string_view kBenchRuns = "The runs";
inline constexpr std::string_view kBenchFiles = "Files";

inline constexpr std::uint64_t kRoundsMax = 1'000'000;
inline constexpr std::uint64_t kSampleBytesMin = 16 * kKiB;
inline constexpr std::uint64_t kSampleBytesMax = 1024 * kGiB;

inline constexpr auto kBenchOwnOptions = std::to_array<OptionSpec>({
    {.name = "input",
     .letter = 'i',
     .kind = OptionKind::kText,
     .group = kBenchData,
     .value_name = "PATH...",
     .help = "Files, directories or globs to read, in place of sample data.",
     .repeats = true,
     .several_values = true},
    {.name = "size",
     .kind = OptionKind::kBytes,
     .group = kBenchData,
     .value_name = "SIZE",
     .help = "How much sample data is made for an example (default 64M).",
     .least = kSampleBytesMin,
     .most = kSampleBytesMax},
    {.name = "seed",
     .kind = OptionKind::kCount,
     .group = kBenchData,
     .value_name = "N",
     .help = "Of the sample data (default 1); the same seed gives the same bytes."},
    {.name = "scratch",
     .kind = OptionKind::kText,
     .group = kBenchData,
     .value_name = "DIR",
     .help = "Where sample data, outputs and spills lie until the end (default $TMPDIR or /tmp)."},
    {.name = "rounds",
     .kind = OptionKind::kCount,
     .group = kBenchRuns,
     .value_name = "N",
     .help = "The most iterations after the first one (default 10).",
     .least = 1,
     .most = kRoundsMax},
    {.name = "threads",
     .kind = OptionKind::kCount,
     .group = kBenchRuns,
     .value_name = "N",
     .help = "Tasks that run at once; from the cores this process may use.",
     .least = 1,
     .most = kThreadsMax,
     .is_setting = true},
    {.name = "memory",
     .kind = OptionKind::kBytes,
     .group = kBenchRuns,
     .value_name = "SIZE",
     .help = "Memory of each run, such as 512M or 2G; what does not fit is spilled.",
     .least = kMemoryBytesMin,
     .most = kMemoryBytesMax,
     .is_setting = true},
    {.name = "csv",
     .kind = OptionKind::kText,
     .group = kBenchFiles,
     .value_name = "FILE",
     .help = "Write a row for each iteration of each mode."},
    {.name = "html",
     .kind = OptionKind::kText,
     .group = kBenchFiles,
     .value_name = "FILE",
     .help = "Write a page with pictures and tables that needs no other file."},
    {.name = "svg",
     .kind = OptionKind::kText,
     .group = kBenchFiles,
     .value_name = "FILE",
     .help = "Write the pictures alone."},
});

inline constexpr auto kBenchDisplay = std::to_array<OptionSpec>({
    {.name = "json", .group = kDisplay, .help = "One JSON object instead of text."},
    {.name = "quiet", .letter = 'q', .group = kDisplay, .help = "No remarks while it runs."},
    kNoColor,
    kHelp,
});

inline constexpr auto kBenchOptions =
    JoinOptions(JoinOptions(kBenchOwnOptions, kClientOptions), kBenchDisplay);

}  // namespace spillway
