#include "runtime/cli/option_table.h"

#include <cctype>

#include "mapreduce/base/units.h"

namespace spillway {
namespace {

// Limits. They catch slips of the pen; what a machine can bear is the planner's to judge.
constexpr std::uint64_t kReducersMax = 100'000;
constexpr std::uint64_t kThreadsMax = 1'024;
constexpr std::uint64_t kMemoryBytesMin = 32 * kMiB;  // Below it, merging cannot hold its buffers.
constexpr std::uint64_t kMemoryBytesMax = 1024 * 1024 * kGiB;
constexpr std::uint64_t kSplitBytesMin = 512;  // Tests cut finely; 128 was meant as 128M.
constexpr std::uint64_t kSplitBytesMax = 1024 * kGiB;
constexpr std::uint64_t kRetriesMax = 99;
constexpr std::uint64_t kSkipBadMax = 1'000'000;
constexpr std::uint64_t kTimeoutMsMin = 1'000;
constexpr std::uint64_t kTimeoutMsMax = std::uint64_t{7} * 24 * 3'600 * 1'000;

constexpr std::string_view kCompressChoices[] = {"auto", "lz4", "none"};
constexpr std::string_view kProgressChoices[] = {"auto", "plain", "none"};
constexpr std::string_view kJsonChoices[] = {"summary", "events"};

constexpr std::string_view kRoleChoices[] = {"worker", "submitter", "viewer"};

constexpr std::string_view kKeyGroup = "The key";
constexpr std::string_view kInOut = "Input and output";
constexpr std::string_view kResources = "Resources (sized by itself; --explain says how)";
constexpr std::string_view kFailures = "Failures";
constexpr std::string_view kDisplay = "What is shown";

constexpr OptionSpec kHelp = {
    .name = "help", .letter = 'h', .group = kDisplay, .help = "Show this help."};

constexpr OptionSpec kNoColor = {.name = "no-color",
                                 .kind = OptionKind::kToggle,
                                 .group = kDisplay,
                                 .help = "No colours on a terminal; NO_COLOR does the same.",
                                 .is_setting = true};

constexpr OptionSpec kJsonSwitch = {
    .name = "json", .group = kDisplay, .help = "One JSON object instead of text."};

constexpr OptionSpec kRunOptions[] = {
    {.name = "input",
     .letter = 'i',
     .kind = OptionKind::kText,
     .group = kInOut,
     .value_name = "PATH...",
     .help = "Files, directories or globs to read.",
     .repeats = true,
     .several_values = true},
    {.name = "output",
     .letter = 'o',
     .kind = OptionKind::kText,
     .group = kInOut,
     .value_name = "DIR",
     .help = "Directory to write. It appears as a whole when the job is done, or not at all."},
    {.name = "overwrite", .group = kInOut, .help = "Replace DIR in one step if it exists."},
    {.name = "no-sync",
     .group = kInOut,
     .help = "Do not wait until DIR is on the disk. A power cut right afterwards may lose it."},
    {.name = "plugin",
     .kind = OptionKind::kText,
     .group = kInOut,
     .value_name = "FILE",
     .help = "The job as a plugin's .so file; the same as naming it as JOB."},
    {.name = "file",
     .kind = OptionKind::kNamedPath,
     .group = kInOut,
     .value_name = "NAME=PATH",
     .help = "A side file that the job opens as NAME.",
     .repeats = true},

    {.name = "reducers",
     .letter = 'r',
     .kind = OptionKind::kCount,
     .group = kResources,
     .value_name = "N",
     .help = "Reduce tasks, each writing one part of the output.",
     .least = 1,
     .most = kReducersMax,
     .is_setting = true},
    {.name = "threads",
     .kind = OptionKind::kCount,
     .group = kResources,
     .value_name = "N",
     .help = "Tasks that run at once; from the cores this process may use.",
     .least = 1,
     .most = kThreadsMax,
     .is_setting = true},
    {.name = "memory",
     .kind = OptionKind::kBytes,
     .group = kResources,
     .value_name = "SIZE",
     .help = "Memory for the whole process, such as 512M or 2G; what does not fit is spilled.",
     .least = kMemoryBytesMin,
     .most = kMemoryBytesMax,
     .is_setting = true},
    {.name = "spill-dir",
     .kind = OptionKind::kText,
     .group = kResources,
     .value_name = "DIR",
     .help = "Where to spill; several directories share the load.",
     .repeats = true,
     .is_setting = true},
    {.name = "split-size",
     .kind = OptionKind::kBytes,
     .group = kResources,
     .value_name = "SIZE",
     .help = "Input per map task.",
     .least = kSplitBytesMin,
     .most = kSplitBytesMax,
     .is_setting = true},
    {.name = "compress",
     .kind = OptionKind::kChoice,
     .group = kResources,
     .value_name = "HOW",
     .help = "Compression of spills: auto, lz4 or none.",
     .choices = kCompressChoices,
     .is_setting = true},
    {.name = "in-memory",
     .kind = OptionKind::kToggle,
     .group = kResources,
     .help = "Keep map outputs in memory and spill only when it ends.",
     .is_setting = true},

    {.name = "retries",
     .kind = OptionKind::kCount,
     .group = kFailures,
     .value_name = "N",
     .help = "Further attempts of a task that failed (default 3).",
     .most = kRetriesMax,
     .is_setting = true},
    {.name = "skip-bad",
     .kind = OptionKind::kCount,
     .group = kFailures,
     .value_name = "N",
     .help = "Pass over up to N records that make the job's code fail (default 0).",
     .most = kSkipBadMax,
     .is_setting = true},
    {.name = "timeout",
     .kind = OptionKind::kDuration,
     .group = kFailures,
     .value_name = "TIME",
     .help = "End a task that makes no progress for this long, such as 90s or 5m (default 10m).",
     .least = kTimeoutMsMin,
     .most = kTimeoutMsMax,
     .is_setting = true},

    {.name = "dry-run",
     .group = kDisplay,
     .help = "Print the plan and the disk space it needs; write nothing."},
    {.name = "explain",
     .group = kDisplay,
     .help = "Print how each setting was chosen, and why, before running."},
    {.name = "json",
     .kind = OptionKind::kOptionalChoice,
     .group = kDisplay,
     .value_name = "WHAT",
     .help = "A JSON object as the last line of stdout; --json=events streams plan, progress and "
             "summary.",
     .choices = kJsonChoices},
    {.name = "progress",
     .kind = OptionKind::kChoice,
     .group = kDisplay,
     .value_name = "HOW",
     .help = "auto (a block on a terminal, lines elsewhere), plain or none.",
     .choices = kProgressChoices,
     .is_setting = true},
    {.name = "quiet", .letter = 'q', .group = kDisplay, .help = "Nothing but errors."},
    {.name = "verbose",
     .letter = 'v',
     .group = kDisplay,
     .help = "Also show where settings came from, and a longer summary."},
    kNoColor,
    kHelp,
};

constexpr OptionSpec kAddKeyOptions[] = {
    {.name = "role",
     .kind = OptionKind::kChoice,
     .group = kKeyGroup,
     .value_name = "ROLE",
     .help = "What its owner may do: worker, submitter (submits and kills jobs) or viewer.",
     .choices = kRoleChoices},
    {.name = "export",
     .kind = OptionKind::kText,
     .group = kKeyGroup,
     .value_name = "DIR2",
     .help = "Write the secret there instead, with coordinator.public, for another machine."},
    kJsonSwitch,
    kNoColor,
    kHelp,
};

constexpr OptionSpec kInspectOptions[] = {kJsonSwitch, kNoColor, kHelp};
constexpr OptionSpec kVersionOptions[] = {kJsonSwitch, kHelp};
constexpr OptionSpec kHelpOptions[] = {kHelp};

constexpr CommandSpec kCommands[] = {
    {.name = "run",
     .summary = "run a job on this machine",
     .usage = "JOB -i PATH... -o DIR [options] [-- the job's own arguments]",
     .description =
         "Runs a MapReduce job with all cores of this machine, without any daemon.\n\n"
         "JOB is the name of a built-in job or the path of a plugin's .so file. Without a JOB, "
         "the built-in jobs are listed.",
     .options = kRunOptions,
     .examples = "spillway run wordcount -i 'books/*.txt' -o counts/\n"
                 "spillway run grep -i logs/ -o hits/ -- 'timeout|refused'\n"
                 "spillway run ./my_job.so -i a.txt b.txt -o out/ --memory 2G --dry-run",
     .operands_max = 1,
     .passes_arguments = true},
    {.name = "plugin inspect",
     .summary = "show what a plugin is and whether this build can run it",
     .usage = "PATH|NAME [options]",
     .description = "Loads a plugin in a process of its own and shows its name, its arguments and "
                    "what it was built with.",
     .options = kInspectOptions,
     .examples = "spillway plugin inspect wordcount\n"
                 "spillway plugin inspect ./my_job.so --json",
     .operands_max = 1},
    {.name = "keys init",
     .summary = "make the keys of a cluster",
     .usage = "DIR [options]",
     .description =
         "Makes the directory DIR with a key for each role: coordinator, worker, submitter and "
         "viewer. Coordinator, workers and clients are given it as --keys DIR.\n\n"
         "Secret keys can be read by nobody else, and are never printed. The file 'authorized' "
         "says who may connect; it stays with the coordinator.",
     .options = kInspectOptions,
     .examples = "spillway keys init ~/spillway-keys",
     .operands_max = 1},
    {.name = "keys add",
     .summary = "make one more key, for a machine or a person",
     .usage = "DIR NAME --role ROLE [options]",
     .description =
         "Makes a key for NAME and lets it in. A running coordinator sees it at once.\n\n"
         "With --export its secret goes to DIR2 only: copy that directory to the other machine "
         "and remove it here.",
     .options = kAddKeyOptions,
     .examples = "spillway keys add ~/spillway-keys host-7 --role worker --export for-host-7/\n"
                 "spillway keys add ~/spillway-keys alice --role submitter",
     .operands_max = 2},
    {.name = "keys list",
     .summary = "show whose keys are let in",
     .usage = "DIR [options]",
     .description = "Shows the names, roles and public keys that the coordinator lets in.",
     .options = kInspectOptions,
     .examples = "spillway keys list ~/spillway-keys",
     .operands_max = 1},
    {.name = "keys revoke",
     .summary = "let a key in no more",
     .usage = "DIR NAME [options]",
     .description =
         "Removes the key of NAME. A running coordinator refuses it from its next connection on; "
         "a connection that is there stays until it ends.",
     .options = kInspectOptions,
     .examples = "spillway keys revoke ~/spillway-keys host-7",
     .operands_max = 2},
    {.name = "version",
     .summary = "show the version, the plugin ABI and the libraries",
     .usage = "[options]",
     .description = "Shows what this build is: for bug reports, and to compare with a plugin's.",
     .options = kVersionOptions,
     .examples = "spillway version"},
    {.name = "help",
     .summary = "show help on a command",
     .usage = "[COMMAND]",
     .description = "Shows all commands, or one command with all its options.",
     .options = kHelpOptions,
     .examples = "spillway help run",
     .operands_max = 2},
};

}  // namespace

std::span<const CommandSpec> Commands() { return kCommands; }

const CommandSpec* FindCommand(std::string_view name) {
  for (const CommandSpec& command : kCommands)
    if (command.name == name) return &command;
  return nullptr;
}

const OptionSpec* FindOption(const CommandSpec& command, std::string_view name) {
  for (const OptionSpec& option : command.options)
    if (option.name == name) return &option;
  return nullptr;
}

std::vector<const OptionSpec*> AllSettings() {
  std::vector<const OptionSpec*> settings;
  for (const OptionSpec& option : kRunOptions)
    if (option.is_setting) settings.push_back(&option);
  return settings;
}

const OptionSpec* FindSetting(std::string_view key) {
  for (const OptionSpec& option : kRunOptions)
    if (option.is_setting && option.name == key) return &option;
  return nullptr;
}

std::string EnvironmentName(const OptionSpec& option) {
  std::string name = "SPILLWAY_";
  for (const char c : option.name)
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

}  // namespace spillway
