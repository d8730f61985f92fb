// The options that several commands share, and those of the commands that talk to a cluster or are
// part of one. A piece of the table in option_table.cc. Constant data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mapreduce/base/units.h"
#include "runtime/cli/option_table.h"
#include "runtime/protocol/frame.h"

namespace spillway {

inline constexpr std::uint64_t kThreadsMax = 1'024;
// Below it, merging cannot hold its buffers.
inline constexpr std::uint64_t kMemoryBytesMin = 32 * kMiB;
inline constexpr std::uint64_t kMemoryBytesMax = 1024 * 1024 * kGiB;
inline constexpr std::uint64_t kListLimitMax = 500;
inline constexpr std::uint64_t kConnectTimeoutMsMax = std::uint64_t{24} * 3'600 * 1'000;

inline constexpr std::string_view kInOut = "Input and output";
inline constexpr std::string_view kResources = "Resources (sized by itself; --explain says how)";
inline constexpr std::string_view kOnCluster = "On a cluster";
inline constexpr std::string_view kServing = "The cluster";
inline constexpr std::string_view kCapacity = "What this process offers";
inline constexpr std::string_view kDisplay = "What is shown";

inline constexpr std::string_view kLocalWord[] = {"local"};

template <std::size_t N, std::size_t M>
constexpr std::array<OptionSpec, N + M> JoinOptions(const std::array<OptionSpec, N>& first,
                                                    const std::array<OptionSpec, M>& second) {
  std::array<OptionSpec, N + M> joined;
  for (std::size_t i = 0; i < N; ++i) joined[i] = first[i];
  for (std::size_t i = 0; i < M; ++i) joined[N + i] = second[i];
  return joined;
}

inline constexpr OptionSpec kHelp = {
    .name = "help", .letter = 'h', .group = kDisplay, .help = "Show this help."};

inline constexpr OptionSpec kNoColor = {.name = "no-color",
                                        .kind = OptionKind::kToggle,
                                        .group = kDisplay,
                                        .help = "No colours on a terminal; NO_COLOR does the same.",
                                        .is_setting = true};

inline constexpr OptionSpec kJsonSwitch = {
    .name = "json", .group = kDisplay, .help = "One JSON object instead of text."};

inline constexpr OptionSpec kSideFile = {.name = "file",
                                         .kind = OptionKind::kNamedPath,
                                         .group = kInOut,
                                         .value_name = "NAME=PATH",
                                         .help = "A side file that the job opens as NAME.",
                                         .repeats = true};

inline constexpr OptionSpec kMemory = {
    .name = "memory",
    .kind = OptionKind::kBytes,
    .group = kResources,
    .value_name = "SIZE",
    .help = "Memory for the whole process, such as 512M or 2G; what does not fit is spilled.",
    .least = kMemoryBytesMin,
    .most = kMemoryBytesMax,
    .is_setting = true};

inline constexpr OptionSpec kSpillDir = {
    .name = "spill-dir",
    .kind = OptionKind::kText,
    .group = kResources,
    .value_name = "DIR",
    .help = "Where to spill; several directories share the load.",
    .repeats = true,
    .is_setting = true};

inline constexpr OptionSpec kLog = {.name = "log",
                                    .kind = OptionKind::kText,
                                    .group = kDisplay,
                                    .value_name = "FILE",
                                    .help = "Append log lines to FILE instead of stderr."};

inline constexpr OptionSpec kKey = {
    .name = "key",
    .kind = OptionKind::kText,
    .group = kOnCluster,
    .value_name = "NAME",
    .help = "The key among them (default submitter, or the only one).",
    .is_setting = true};

inline constexpr OptionSpec kKeys = {.name = "keys",
                                     .kind = OptionKind::kText,
                                     .group = kOnCluster,
                                     .value_name = "DIR",
                                     .help = "Directory of keys, as 'spillway keys' makes it.",
                                     .is_setting = true};

inline constexpr OptionSpec kInsecure = {
    .name = "insecure",
    .kind = OptionKind::kToggle,
    .group = kOnCluster,
    .help = "No keys and no encryption; only between processes of this host.",
    .is_setting = true};

/// How a client finds and convinces its coordinator.
inline constexpr auto kClientOptions = std::to_array<OptionSpec>({
    {.name = "on",
     .kind = OptionKind::kEndpoint,
     .group = kOnCluster,
     .value_name = "ENDPOINT",
     .help = "The coordinator, such as head.example:7077; 'local' is this process, without any.",
     .least = 1,
     .choices = kLocalWord,
     .is_setting = true},
    kKeys,
    kKey,
    kInsecure,
    {.name = "connect-timeout",
     .kind = OptionKind::kDuration,
     .group = kOnCluster,
     .value_name = "TIME",
     .help = "Give up when the coordinator does not answer for this long (default 30s).",
     .least = 100,
     .most = kConnectTimeoutMsMax},
});

inline constexpr auto kClientDisplay = std::to_array<OptionSpec>({kJsonSwitch, kNoColor, kHelp});

inline constexpr auto kStatusOptions = JoinOptions(kClientOptions, kClientDisplay);

inline constexpr auto kListOptions = JoinOptions(
    JoinOptions(kClientOptions,
                std::to_array<OptionSpec>(
                    {{.name = "all", .group = kDisplay, .help = "With the jobs that ended."},
                     {.name = "limit",
                      .kind = OptionKind::kCount,
                      .group = kDisplay,
                      .value_name = "N",
                      .help = "The newest N only (default 50).",
                      .least = 1,
                      .most = kListLimitMax}})),
    kClientDisplay);

inline constexpr auto kLogsOptions = JoinOptions(
    JoinOptions(kClientOptions,
                std::to_array<OptionSpec>({{.name = "follow",
                                            .letter = 'f',
                                            .group = kDisplay,
                                            .help = "Go on with new lines until the job ends."}})),
    kClientDisplay);

inline constexpr auto kKillOptions = JoinOptions(
    JoinOptions(kClientOptions,
                std::to_array<OptionSpec>({{.name = "reason",
                                            .kind = OptionKind::kText,
                                            .group = kOnCluster,
                                            .value_name = "TEXT",
                                            .help = "What the job's owner will read."}})),
    kClientDisplay);

inline constexpr OptionSpec kSlots = {.name = "slots",
                                      .kind = OptionKind::kCount,
                                      .group = kCapacity,
                                      .value_name = "N",
                                      .help = "Tasks that run at once; by default one per core.",
                                      .least = 1,
                                      .most = kThreadsMax};

constexpr OptionSpec InGroup(OptionSpec option, std::string_view group, std::string_view help) {
  option.group = group;
  option.help = help;
  return option;
}

inline constexpr auto kCoordinatorOptions = std::to_array<OptionSpec>({
    {.name = "listen",
     .kind = OptionKind::kEndpoint,
     .group = kServing,
     .value_name = "ENDPOINT",
     .help = "Where workers and clients connect, such as '*:7077'; port 0 takes a free one."},
    {.name = "journal",
     .kind = OptionKind::kText,
     .group = kServing,
     .value_name = "DIR",
     .help = "Where the journal lies; one coordinator at a time. It must survive a restart."},
    InGroup(kKeys, kServing, "Directory of keys, with 'authorized'; see 'spillway keys'."),
    InGroup(kInsecure, kServing, "No keys and no encryption; only on loopback."),
    InGroup(kSlots, kCapacity, "Tasks of small jobs that run on this host (default 0: none)."),
    InGroup(kMemory, kCapacity, "Memory for them; by default an eighth of the machine's."),
    InGroup(kSpillDir, kCapacity, "Where they spill; required with --slots."),
    {.name = "lease",
     .kind = OptionKind::kDuration,
     .group = kServing,
     .value_name = "TIME",
     .help = "A worker that is silent for so long is lost, and its work done elsewhere (10s).",
     .least = 500,
     .most = 86'400'000},
    kLog,
    kHelp,
});

inline constexpr auto kWorkerOptions = std::to_array<OptionSpec>({
    {.name = "coordinator",
     .kind = OptionKind::kEndpoint,
     .group = kServing,
     .value_name = "ENDPOINT",
     .help = "The coordinator, such as head.example:7077.",
     .least = 1},
    InGroup(kKeys, kServing, "Directory of keys, as 'spillway keys' makes it."),
    {.name = "key",
     .kind = OptionKind::kText,
     .group = kServing,
     .value_name = "NAME",
     .help = "The key among them (default worker, or the only one)."},
    InGroup(kInsecure, kServing, "No keys and no encryption; only between processes of this host."),
    {.name = "name",
     .kind = OptionKind::kText,
     .group = kServing,
     .value_name = "NAME",
     .help = "How people see this worker (default: host name and process id)."},
    {.name = "host",
     .kind = OptionKind::kText,
     .group = kServing,
     .value_name = "NAME",
     .help = "Workers of one host read each other's files (default: the host name)."},
    {.name = "rack",
     .kind = OptionKind::kText,
     .group = kServing,
     .value_name = "NAME",
     .help = "Where the host stands; tasks prefer a rack that has their input."},
    {.name = "fetch-listen",
     .kind = OptionKind::kEndpoint,
     .group = kServing,
     .value_name = "ENDPOINT",
     .help = "Where other workers fetch map outputs (default: a free port of the interface that "
             "reaches the coordinator)."},
    InGroup(kSpillDir, kCapacity, "Where to spill; several directories share the load. Required."),
    {.name = "protocol",
     .kind = OptionKind::kCount,
     .group = kServing,
     .value_name = "N",
     .help = "Speak at most this version of the protocol, as an older worker does.",
     .least = kProtocolVersionMin,
     .most = kProtocolVersion},
    kSlots,
    InGroup(kMemory, kCapacity,
            "Memory for all tasks and this process; by default 60 % of the machine's."),
    kLog,
    kHelp,
});

}  // namespace spillway
