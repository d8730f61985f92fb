#include "runtime/cli/option_table.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "mapreduce/base/units.h"
#include "runtime/cli/author_option_table.h"
#include "runtime/cli/bench_option_table.h"
#include "runtime/cli/cluster_option_table.h"

namespace spillway {
namespace {

// Limits. They catch slips of the pen; what a machine can bear is the planner's to judge.
constexpr std::uint64_t kReducersMax = 100'000;
constexpr std::uint64_t kSplitBytesMin = 512;  // Tests cut finely; 128 was meant as 128M.
constexpr std::uint64_t kSplitBytesMax = 1024 * kGiB;
constexpr std::uint64_t kSplitPartitionBytesMin = 512;  // Tests split tiny ones.
constexpr std::uint64_t kSplitPartitionBytesMax = 1024 * kGiB;
constexpr std::uint64_t kRetriesMax = 99;
constexpr std::uint64_t kSkipBadMax = 1'000'000;
constexpr std::uint64_t kPriorityMax = 100;
constexpr std::uint64_t kTimeoutMsMin = 1'000;
constexpr std::uint64_t kTimeoutMsMax = std::uint64_t{7} * 24 * 3'600 * 1'000;

constexpr std::string_view kCompressChoices[] = {"auto", "lz4", "none"};
constexpr std::string_view kProgressChoices[] = {"auto", "plain", "none"};
constexpr std::string_view kModeChoices[] = {"memory", "disk"};
constexpr std::string_view kOverwriteChoices[] = {"all", "partitions"};
constexpr std::string_view kJsonChoices[] = {"summary", "events"};

constexpr std::string_view kRoleChoices[] = {"worker", "submitter", "viewer"};

constexpr std::string_view kKeyGroup = "The key";
constexpr std::string_view kFailures = "Failures";
constexpr std::string_view kLoops = "Iterative jobs";

// What a job is; `run` and `submit` put their options of clusters and of display behind it.
constexpr auto kJobOptions = std::to_array<OptionSpec>({
    {.name = "input",
     .letter = 'i',
     .kind = OptionKind::kText,
     .group = kInOut,
     .value_name = "PATH...",
     .help = "Files, directories or globs to read. Those that end with .gz, .bz2, .zst or .lz4 are "
             "decompressed. NAME=PATH... where a job has several inputs.",
     .repeats = true,
     .several_values = true},
    {.name = "where",
     .kind = OptionKind::kText,
     .group = kInOut,
     .value_name = "CONDITION",
     .help = "Read only directories named KEY=VALUE that fit, such as 'date>=2024-01-01'; the "
             "others are not even listed. May be repeated: all must hold.",
     .repeats = true},
    {.name = "output",
     .letter = 'o',
     .kind = OptionKind::kText,
     .group = kInOut,
     .value_name = "DIR",
     .help = "Directory to write. It appears as a whole when the job is done, or not at all."},
    {.name = "overwrite",
     .kind = OptionKind::kOptionalChoice,
     .group = kInOut,
     .value_name = "WHAT",
     .help = "Replace DIR in one step if it exists and is a job's output, or empty; "
             "--overwrite=partitions replaces only those of its directories KEY=VALUE that the job "
             "writes to.",
     .choices = kOverwriteChoices},
    {.name = "no-sync",
     .group = kInOut,
     .help = "Do not wait until DIR is on the disk. A power cut right afterwards may lose it."},
    {.name = "plugin",
     .kind = OptionKind::kText,
     .group = kInOut,
     .value_name = "FILE",
     .help = "The job as a plugin's .so file; the same as naming it as JOB."},
    kSideFile,

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
    kMemory,
    kSpillDir,
    {.name = "split-size",
     .kind = OptionKind::kBytes,
     .group = kResources,
     .value_name = "SIZE",
     .help = "Input per map task.",
     .least = kSplitBytesMin,
     .most = kSplitBytesMax,
     .is_setting = true},
    {.name = "split-partition",
     .kind = OptionKind::kBytes,
     .group = kResources,
     .value_name = "SIZE",
     .help =
         "Where the job has an exact fold or combiner, share a partition with so much among "
         "several tasks if the others would wait for it (default 64M, with four slots or more).",
     .least = kSplitPartitionBytesMin,
     .most = kSplitPartitionBytesMax,
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

    {.name = "mode",
     .kind = OptionKind::kChoice,
     .group = kLoops,
     .value_name = "MODE",
     .help =
         "memory keeps the input parsed from round to round (default); disk runs a job a round.",
     .choices = kModeChoices},
    {.name = "rounds",
     .kind = OptionKind::kCount,
     .group = kLoops,
     .value_name = "N",
     .help = "The most rounds, in place of the job's own number.",
     .most = kRoundsMax},
    {.name = "checkpoint-every",
     .kind = OptionKind::kCount,
     .group = kLoops,
     .value_name = "N",
     .help = "After every N rounds on a cluster, keep the state in a file, from which rounds go on "
             "when the coordinator is restarted (default 0: never).",
     .most = kRoundsMax,
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
});

constexpr std::string_view kCommandsGroup = "The commands";

constexpr auto kStreamCommands = std::to_array<OptionSpec>({
    {.name = "mapper",
     .letter = 'm',
     .kind = OptionKind::kText,
     .group = kCommandsGroup,
     .value_name = "CMD",
     .help = "Reads lines of the input, writes lines: a key, a TAB, a value."},
    {.name = "reducer",
     .letter = 'r',
     .kind = OptionKind::kText,
     .group = kCommandsGroup,
     .value_name = "CMD",
     .help = "Reads those lines, sorted by key. Without it they are the output; NONE does not sort "
             "at all."},
    {.name = "combiner",
     .letter = 'c',
     .kind = OptionKind::kText,
     .group = kCommandsGroup,
     .value_name = "CMD",
     .help =
         "Reads sorted lines on the map side, any number of times, and writes fewer, in order."},
    {.name = "file",
     .kind = OptionKind::kText,
     .group = kCommandsGroup,
     .value_name = "[NAME=]PATH",
     .help = "A file that the commands find as ./NAME (without it, the last part of PATH), also on "
             "a cluster. They run in a directory of their own then, as with Hadoop's -files.",
     .repeats = true},
});

/// What of a job's options a stream has: it is its own plugin, names its side files in its own way,
/// and gives -r to the reducer.
constexpr bool IsStreamOption(const OptionSpec& option) {
  return option.group != kLoops && option.name != "plugin" && option.name != "file" &&
         option.name != "skip-bad";
}

constexpr auto kStreamJobOptions = [] {
  constexpr auto kCount = static_cast<std::size_t>(
      std::count_if(kJobOptions.begin(), kJobOptions.end(), IsStreamOption));
  std::array<OptionSpec, kCount> options;
  std::copy_if(kJobOptions.begin(), kJobOptions.end(), options.begin(), IsStreamOption);
  for (OptionSpec& option : options)
    if (option.letter == 'r') option.letter = 0;
  return options;
}();

// Of a job that a coordinator runs; without one they mean nothing.
constexpr auto kSubmissionOptions = std::to_array<OptionSpec>({
    {.name = "submission-key",
     .kind = OptionKind::kText,
     .group = kOnCluster,
     .value_name = "KEY",
     .help = "Two submits with one key are one job: the second joins the first, unless that was "
             "killed or has failed."},
    {.name = "priority",
     .kind = OptionKind::kCount,
     .group = kOnCluster,
     .value_name = "N",
     .help = "Share of the slots beside other jobs: 3 gets three times as many as 1, the default.",
     .least = 1,
     .most = kPriorityMax},
    {.name = "place",
     .kind = OptionKind::kText,
     .group = kOnCluster,
     .value_name = "DIR=HOST",
     .help = "Where files below DIR lie: tasks that read them go to workers of that --host first. "
             "Several hosts as HOST,HOST; may be repeated.",
     .repeats = true},
    {.name = "allow-nondeterminism",
     .group = kOnCluster,
     .help = "Only warn when a task that is run again writes other bytes; else the job fails."},
});

/// Of one process's own means, which a cluster's workers were given when they started.
constexpr std::string_view kOwnMeans[] = {"memory", "spill-dir", "in-memory"};

template <std::size_t N>
constexpr std::array<OptionSpec, N - std::size(kOwnMeans)> WithoutOwn(
    const std::array<OptionSpec, N>& options) {
  std::array<OptionSpec, N - std::size(kOwnMeans)> rest;
  std::size_t count = 0;
  for (const OptionSpec& option : options) {
    bool own = false;
    for (const std::string_view name : kOwnMeans) own = own || option.name == name;
    if (!own) rest[count++] = option;
  }
  return rest;
}

constexpr auto kSubmitWait = std::to_array<OptionSpec>(
    {{.name = "wait",
      .group = kOnCluster,
      .help = "Return when the job ends, with its exit code. Ctrl-C leaves the job running."}});

constexpr auto kJobDisplayOptions = std::to_array<OptionSpec>({
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
});

constexpr auto kRunOptions = JoinOptions(
    JoinOptions(JoinOptions(kJobOptions, kClientOptions), kSubmissionOptions), kJobDisplayOptions);
constexpr auto kSubmitOptions = JoinOptions(
    JoinOptions(
        JoinOptions(JoinOptions(WithoutOwn(kJobOptions), kClientOptions), kSubmissionOptions),
        kSubmitWait),
    kJobDisplayOptions);

constexpr auto kStreamOptions = JoinOptions(
    JoinOptions(JoinOptions(JoinOptions(kStreamCommands, kStreamJobOptions), kClientOptions),
                kSubmissionOptions),
    kJobDisplayOptions);

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
     .summary = "run a job on this machine or on a cluster",
     .usage = "JOB -i PATH... -o DIR [options] [-- the job's own arguments]",
     .description =
         "Runs a MapReduce job with all cores of this machine, without any daemon; with --on, on "
         "the cluster of that coordinator. The output is the same bytes.\n\n"
         "JOB is the name of a built-in job, the path of a plugin's .so file, or the directory of "
         "a project, which is built first. Without a JOB, the built-in jobs are listed.",
     .options = kRunOptions,
     .examples = "spillway run wordcount -i 'books/*.txt' -o counts/\n"
                 "spillway run grep -i logs/ -o hits/ -- refused\n"
                 "spillway run ./my_job.so -i a.txt b.txt -o out/ --memory 2G --dry-run\n"
                 "spillway run wordcount -i /data/big -o /data/out --on head:7077 --keys keys/",
     .operands_max = 1,
     .passes_arguments = true},
    {.name = "stream",
     .summary = "run any executables as mapper and reducer",
     .usage = "-m CMD [-r CMD] [-c CMD] -i PATH... -o DIR [options]",
     .description =
         "Runs a job whose mapper and reducer are commands that read lines and write lines, as in "
         "Hadoop Streaming. The key is what stands before the first TAB of a line, or all of it. "
         "The output is that of\n\n"
         "cat INPUT | mapper | LC_ALL=C sort -s -t TAB -k 1,1 | reducer\n\n"
         "A command is run by /bin/sh in the current directory, or in one that holds the job's "
         "--file, once for each task. When it exits "
         "with anything but 0, its task failed. It may count by lines on stderr: "
         "reporter:counter:GROUP,NAME,AMOUNT.",
     .options = kStreamOptions,
     .examples = "spillway stream -m 'tr -cs a-z \"\\n\"' -r 'uniq -c' -i books/ -o counts/\n"
                 "spillway stream -m ./map.py -r ./reduce.py -i logs/ -o out/ --reducers 8\n"
                 "spillway stream -m 'grep -a ERROR || true' -r NONE -i logs/ -o errors/"},
    {.name = "exec-plugin",
     .summary = "run one phase of a job as a filter, for other systems",
     .usage = "JOB --map|--combine|--reduce [options] [-- args]",
     .description =
         "Runs the mapper, combiner or reducer of a job between stdin and stdout, so that Hadoop "
         "Streaming, Spark's pipe or a shell does what is between them. The map's output has a "
         "record in each line: the key, a TAB, the value, in printable letters whose order by "
         "bytes is that of the keys. Between map and reduce, lines are to be sorted by bytes. The "
         "output is that of\n\n"
         "exec-plugin JOB --map | LC_ALL=C sort | exec-plugin JOB --reduce\n\n"
         "Counters are written to stderr in the form of Hadoop's reporter. 'spillway export' makes "
         "all that a cluster needs.",
     .options = kExecPluginOptions,
     .examples = "spillway exec-plugin wordcount --map < book.txt | LC_ALL=C sort > words\n"
                 "spillway exec-plugin wordcount --reduce < words\n"
                 "spillway exec-plugin ./my_job.so --map --file stop=stop.txt -- --top=3",
     .operands_max = 1,
     .passes_arguments = true},
    {.name = "export hadoop-streaming",
     .summary = "make a directory that runs a job on Hadoop",
     .usage = "JOB -o DIR [options] [-- args]",
     .description =
         "Makes a directory with the plugin, this command, the libraries that both need, a "
         "launcher "
         "and a README. DIR/run INPUT... OUTPUT runs the job with Hadoop Streaming; nothing needs "
         "to be installed on the cluster. Secondary sort becomes KeyFieldBasedPartitioner with two "
         "fields of the key.\n\n"
         "JOB is a built-in job, a plugin's .so file or the directory of a project. Its arguments "
         "and side files are fixed when it is exported.",
     .options = kExportOptions,
     .examples = "spillway export hadoop-streaming wordcount -o wordcount-hadoop\n"
                 "spillway export hadoop-streaming ./my_job.so -o out/ --file stop=s.txt",
     .operands_max = 1,
     .passes_arguments = true},
    {.name = "export spark-pipe",
     .summary = "make a directory that runs a job on Spark",
     .usage = "JOB -o DIR [options] [-- args]",
     .description =
         "Makes a directory with the plugin, this command, the libraries that both need, a driver "
         "and a README. spark-submit DIR/run.py INPUT... OUTPUT runs the job: lines go through the "
         "plugin's map and reduce in pipes, and repartitionAndSortWithinPartitions is between "
         "them; "
         "nothing needs to be installed on the cluster.\n\n"
         "JOB is a built-in job, a plugin's .so file or the directory of a project. Its arguments "
         "and side files are fixed when it is exported.",
     .options = kExportOptions,
     .examples = "spillway export spark-pipe wordcount -o wordcount-spark\n"
                 "spillway export spark-pipe secondary_sort -o sorted/ -- --top=3",
     .operands_max = 1,
     .passes_arguments = true},
    {.name = "submit",
     .summary = "give a job to a cluster and return",
     .usage = "JOB -i PATH... -o DIR --on ENDPOINT [options] [-- args]",
     .description =
         "Plans a job as 'spillway run' does and hands it to the coordinator. When it is accepted, "
         "its id is printed, and the job goes on without this command.",
     .options = kSubmitOptions,
     .examples = "spillway submit wordcount -i /data/big -o /data/out --on head:7077\n"
                 "spillway submit ./job.so -i /data/in -o /data/out --submission-key today",
     .operands_max = 1,
     .passes_arguments = true},
    {.name = "jobs list",
     .summary = "list the jobs of a cluster",
     .usage = "--on ENDPOINT [options]",
     .description = "Lists the jobs that run or wait, newest first; with --all also those that "
                    "ended.",
     .options = kListOptions,
     .examples = "spillway jobs list --on head:7077 --keys keys/\n"
                 "spillway jobs list --all --limit 20 --json",
     .operands_max = 0},
    {.name = "jobs status",
     .summary = "show one job: phases, tasks, volumes, warnings",
     .usage = "JOB_ID --on ENDPOINT [options]",
     .description = "Shows how far a job is, or how it ended.",
     .options = kStatusOptions,
     .examples = "spillway jobs status 20261126-183000-0001 --on head:7077 --keys keys/",
     .operands_max = 1},
    {.name = "jobs wait",
     .summary = "wait for a job's end and exit as it did",
     .usage = "JOB_ID --on ENDPOINT [options]",
     .description = "Waits until the job ends and returns the exit code that 'spillway run' would "
                    "have had. Ctrl-C stops the waiting, not the job.",
     .options = kStatusOptions,
     .examples = "spillway jobs wait 20261126-183000-0001 && cat /data/out/part-*",
     .operands_max = 1},
    {.name = "jobs logs",
     .summary = "print what happened in a job",
     .usage = "JOB_ID --on ENDPOINT [options]",
     .description = "Prints the coordinator's lines about a job: attempts that failed and why, "
                    "workers that were lost, tasks that were run again.",
     .options = kLogsOptions,
     .examples = "spillway jobs logs 20261126-183000-0001 --follow",
     .operands_max = 1},
    {.name = "jobs kill",
     .summary = "stop a job and remove what it wrote",
     .usage = "JOB_ID --on ENDPOINT [options]",
     .description =
         "Stops a job. Its output does not appear; staging and spills are removed. A job "
         "that ended already is left as it is.",
     .options = kKillOptions,
     .examples = "spillway jobs kill 20261126-183000-0001 --reason 'wrong input'",
     .operands_max = 1},
    {.name = "cluster status",
     .summary = "show the workers of a cluster: slots, memory, disks",
     .usage = "--on ENDPOINT [options]",
     .description = "Shows the coordinator and its workers.",
     .options = kStatusOptions,
     .examples = "spillway cluster status --on head:7077 --keys keys/\n"
                 "spillway cluster status --json",
     .operands_max = 0},
    {.name = "coordinator",
     .summary = "serve a cluster: take jobs, drive workers",
     .usage = "--listen ENDPOINT --journal DIR [options]",
     .description =
         "The process that plans and watches: workers and clients connect to it. It journals what "
         "it decides, so that a restart goes on where it was. SIGTERM ends it; jobs wait for the "
         "next start.\n\n"
         "It needs --keys DIR, or --insecure for a trial on loopback.",
     .options = kCoordinatorOptions,
     .examples = "spillway coordinator --listen '*:7077' --journal /var/lib/spillway \\\n"
                 "    --keys /etc/spillway/keys\n"
                 "spillway coordinator --listen 127.0.0.1:7077 --journal j/ --insecure"},
    {.name = "worker",
     .summary = "run tasks for a coordinator",
     .usage = "--coordinator ENDPOINT --spill-dir DIR... [options]",
     .description =
         "The process that runs map and reduce tasks on this host. User code runs in processes of "
         "its own. SIGTERM drains: tasks end or move, then the worker leaves; a second SIGTERM "
         "leaves at once.\n\n"
         "It needs --keys DIR, or --insecure beside a coordinator on this host.",
     .options = kWorkerOptions,
     .examples = "spillway worker --coordinator head:7077 --keys /etc/spillway/keys \\\n"
                 "    --spill-dir /scratch/a --spill-dir /scratch/b\n"
                 "spillway worker --coordinator 127.0.0.1:7077 --insecure --spill-dir s/"},
    {.name = "bench disk-vs-memory",
     .summary = "run iterative jobs in both modes, and compare",
     .usage = "[EXAMPLE] [options] [-- ARGUMENTS]",
     .description =
         "Runs an iterative job in memory mode and in disk mode, on the same data and one after "
         "the other, and shows what the first iteration and the later ones took, what was read, "
         "written, spilled and shuffled, memory, processor time, and the ratio of the modes. The "
         "outputs are compared byte by byte; the exit code is 76 when they differ.\n\n"
         "EXAMPLE is k_means, logistic_regression, page_rank or connected_components, for which "
         "sample data is made; without one, all of them. Any other iterative job, by its name or "
         "its plugin's path, needs -i. The runs wait for no disk, as with --no-sync.",
     .options = kBenchOptions,
     .examples = "spillway bench disk-vs-memory\n"
                 "spillway bench disk-vs-memory k_means --size 512M --html k_means.html -- 64\n"
                 "spillway bench disk-vs-memory page_rank -i edges.tsv --rounds 20 --csv r.csv",
     .operands_max = 1,
     .passes_arguments = true},
    {.name = "new",
     .summary = "make a project: a job, its test, sample data",
     .usage = "NAME [--kind KIND]",
     .description =
         "Makes the directory NAME with a job of that name: its classes, a test of them, a small "
         "input and a CMakeLists.txt. 'spillway run NAME' builds it and runs it: on NAME/data and "
         "into NAME/out, unless -i and -o say otherwise.",
     .options = kNewOptions,
     .examples = "spillway new clicks\n"
                 "spillway new orders --kind join && spillway run orders/",
     .operands_max = 1},
    {.name = "plugin inspect",
     .summary = "show what a plugin is and whether this build runs it",
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
    {.name = "doctor",
     .summary = "examine this machine: limits, disks, keys, settings",
     .usage = "[options]",
     .description =
         "Looks at what a job on this machine would meet: processors, memory, open files, "
         "spill directories, keys, the installation. Then it shows every setting that was "
         "named, and where. It changes nothing; it exits with 1 when something is bad.",
     .options = kDoctorOptions,
     .examples = "spillway doctor\n"
                 "spillway doctor --config\n"
                 "spillway doctor --spill-dir /scratch/a --keys keys/ --json"},
    {.name = "completion",
     .summary = "print what completes command lines in a shell",
     .usage = "bash|zsh|fish",
     .description = "Prints the script by which the shell completes commands, options and their "
                    "values, and the names of jobs, for which it asks 'spillway completion jobs'. "
                    "Packages install it; without them, put the line below in ~/.bashrc.",
     .options = kHelpOptions,
     .examples = "eval \"$(spillway completion bash)\"\n"
                 "spillway completion fish > ~/.config/fish/completions/spillway.fish",
     .operands_max = 1},
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
