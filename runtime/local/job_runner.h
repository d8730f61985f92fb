// JobRunner: runs one job, on this machine or on a cluster. Prepared by a factory of the kind that
// runs it; then plan() -> Run -> report. Run blocks; Cancel and progress() may be called from any
// thread meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"
#include "runtime/local/cancellable.h"
#include "runtime/storage/output_place.h"
#include "shuffle/format/segment_writer.h"

namespace spillway {

/// How an iterative job runs. Nothing of it may be asked of another job.
struct LoopRequest {
  enum class Mode {
    kAuto,    ///< As kMemory; a chain whose states do not fit goes on as kDisk.
    kMemory,  ///< The input stays parsed in the workers; only what changes travels.
    kDisk,    ///< Each round is an ordinary job that reads the input anew.
  };
  Mode mode = Mode::kAuto;
  std::optional<std::uint32_t> rounds_max;  ///< Instead of the job's own choice.
  std::uint64_t state_bytes = 0;            ///< What a process needs for its states; 0: little.
  std::uint32_t checkpoint_every = 0;       ///< Rounds of memory mode; 0: never.
  bool checkpoints_asked = false;           ///< Of this job, not of all by a setting.

  bool asked() const { return mode != Mode::kAuto || rounds_max.has_value() || checkpoints_asked; }
};

/// What the user asks for. Zero means "sized by itself"; JobPlan says how and why.
struct JobRequest {
  std::string plugin_path;                        ///< A plugin's shared library.
  spillway_plugin_entry linked_plugin = nullptr;  ///< Instead of it: one linked into the program.
  std::vector<std::string> args;                  ///< The job's own arguments.
  std::vector<std::string> inputs;                ///< Files, directories or globs, as given.
  std::vector<std::string> where;                 ///< Of inputs' directories, see PartitionFilter.
  std::string output_dir;
  Overwrite overwrite = Overwrite::kNothing;
  bool durable = true;  ///< Wait until the output is on the disk.
  std::uint32_t reducers = 0;
  std::uint32_t threads = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t split_bytes = 0;
  std::uint64_t split_partition_bytes = 0;  ///< JobOptions::split_partition_bytes.
  std::vector<std::string> spill_dirs;      ///< Empty: beside the system's temporary files.
  Compression compression = Compression::kAuto;
  bool in_memory = false;  ///< Prefer segments in memory up to the budget's end.
  std::uint32_t attempts_max = 4;
  std::uint32_t skip_bad_max = 0;  ///< Records that may be passed over, over the whole job.
  std::uint64_t task_timeout_ms = 600'000;
  /// A task that is run again and writes other bytes is warned of; else the job fails.
  bool allow_nondeterminism = false;
  std::map<std::string, std::string> side_files;  ///< Name -> path.
  LoopRequest loop;
  std::uint32_t stage = 0;  ///< Of a chain: the one to run.
};

struct PlannedSplit {
  std::string path;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

struct ScratchForecast {
  std::string directory;
  std::uint64_t free_bytes = 0;
};

/// One stage of a chain; see spillway_stage.
struct PlannedStage {
  std::vector<std::uint32_t> inputs;
  std::uint32_t rounds_max = 0;   ///< 0: it runs once.
  std::uint32_t when = 0;         ///< spillway_stage_when
  bool loop = false;              ///< A loop in memory mode; the others are ordinary jobs.
  bool chooses_reducers = false;  ///< Their number is the stage's own choice, not the command's.
};

/// How a job will run, decided before anything is written.
struct JobPlan {
  std::string job_name;
  std::string plugin_path;
  /// Whose workers run it; their sizes are not known here. Empty: this process.
  std::string coordinator;
  std::string mapper_name, reducer_name, input_name, output_name;
  bool writes_directories = false;  ///< The output is parted by directories `key=value`.
  std::string shuffle;  ///< "fold", "sort", "sort + combiner", "loop" or "none (map only)".
  std::vector<PlannedStage> chain;  ///< Empty: none. Else all the rest is of one stage alone.
  std::vector<PlannedSplit> splits;
  std::uint64_t input_bytes = 0;
  std::uint64_t input_files = 0;
  std::uint64_t archives = 0;        ///< Compressed ones among them.
  std::uint64_t archives_split = 0;  ///< Of these, that are read by several tasks.
  /// Directories that --where was about.
  std::uint64_t partitions_read = 0, partitions_passed_over = 0;
  std::uint32_t maps = 0;  ///< Map tasks: one split each, or several in a row.
  std::uint32_t partitions = 0;
  std::uint32_t threads = 0;
  std::uint64_t memory_bytes = 0;          ///< The budget.
  std::uint64_t task_memory_bytes = 0;     ///< One task's share.
  std::uint64_t segment_memory_bytes = 0;  ///< For map outputs that stay in memory.
  std::uint64_t scratch_bytes_needed = 0;  ///< Upper estimate of what will be spilled.
  std::vector<ScratchForecast> scratch;
  /// Setting -> how it was sized and why, for --explain.
  std::vector<std::pair<std::string, std::string>> reasons;
  std::vector<std::string> warnings;  ///< What people should know before the job runs.
};

/// A key that has much of the map output, as told by samples: at most this, and rarely far less.
struct KeyLoad {
  std::string key;              ///< Any bytes; its first kHeavyKeyBytesMax.
  std::uint64_t key_bytes = 0;  ///< Of the whole key.
  std::uint64_t records = 0, bytes = 0;
  double share = 0;  ///< Of the map output's records.
};

struct JobProgress {
  enum class Phase { kPreparing, kMap, kReduce, kCommit, kDone };
  Phase phase = Phase::kPreparing;
  std::uint32_t maps_done = 0, maps_total = 0;
  std::uint32_t reduces_done = 0, reduces_total = 0;
  std::uint32_t combines_done = 0, combines_total = 0;  ///< Of split partitions.
  std::uint64_t input_bytes_read = 0, input_bytes_total = 0;
  std::uint64_t spilled_bytes = 0;
  std::uint64_t shuffled_bytes = 0;
  std::uint64_t elapsed_ms = 0;
  std::vector<KeyLoad> heavy_keys;  ///< Heaviest first.
  std::uint32_t round = 0;          ///< Of a loop: the one that runs; 0: the input is being read.
  std::uint32_t rounds_max = 0;     ///< 0: the job, or this stage of it, has no rounds.
  std::string stage;  ///< Of a chain, such as "stage 2 of 5"; all else is of this stage alone.
  std::string note;   ///< A sentence that people should see once; may be empty.
};

/// What became of an iterative job's rounds.
struct LoopReport {
  std::string mode;  ///< "memory" or "disk"; empty: the job was no loop.
  std::uint32_t rounds = 0;
  bool converged = false;
  double start_seconds = 0;  ///< Round 0: the input is read, and the first state made of it.
  std::vector<double> iteration_seconds;  ///< Of each round after it; 0: it was passed over.
  std::uint32_t resumed_round = 0;  ///< Of the checkpoint that the rounds went on from; 0: none.
};

/// What a reduce task had to do. All but pieces 0: it has not done it yet.
struct PartitionLoad {
  std::uint64_t shuffled_bytes = 0;  ///< Not reduced: about what the maps so far have for it.
  std::uint64_t records = 0;         ///< Given to the reducer.
  /// Merging, reducing and writing, without waiting for map tasks. 0: it is not reduced.
  std::uint64_t run_us = 0;
  std::uint32_t pieces = 0;  ///< Combine tasks that it was split among; 0: it was whole.
};

/// How the records of one shuffle were spread; of a chain, in the stage that shuffled the most.
struct SkewReport {
  std::uint32_t reduces = 0;
  std::uint64_t shuffled_bytes = 0;
  std::vector<KeyLoad> heavy_keys;  ///< Heaviest first; those with a hundredth of the records.
  /// By partition; empty when nothing is known, or when they are too many to be told.
  std::vector<PartitionLoad> partitions;
  std::uint32_t hottest = 0;  ///< The reduced partition with the most shuffled bytes.
  KeyLoad hottest_key;        ///< With the most of its records; the share is of these.
};

/// What happened, for the summary and for --json.
struct JobReport {
  Status status;
  std::string job_id;
  std::string job_name;
  std::string output_dir;
  std::uint32_t maps = 0, reduces = 0;
  std::uint32_t combines = 0;           ///< Combine tasks of split partitions.
  std::uint32_t joined_partitions = 0;  ///< That a neighbour's reduce task wrote.
  std::uint32_t attempts_failed = 0;
  std::uint32_t maps_rerun = 0;  ///< Because their segments were damaged or lost.
  std::uint64_t input_records = 0, input_bytes = 0;
  std::uint64_t map_output_records = 0, map_output_bytes = 0;
  std::uint64_t segment_records = 0;  ///< After folding and combining.
  std::uint64_t spills = 0;           ///< Runs written because memory ended.
  std::uint64_t spilled_bytes = 0;    ///< Written to scratch files.
  std::uint64_t shuffled_bytes = 0;   ///< Read by the reduce tasks.
  std::uint64_t output_records = 0, output_bytes = 0;
  /// Inputs and outputs of all the jobs that this one took: stages of a chain, rounds of a loop.
  std::uint64_t read_bytes = 0, written_bytes = 0;
  std::uint64_t records_skipped = 0;
  std::vector<std::uint64_t> partition_output_bytes;
  SkewReport skew;
  std::uint64_t peak_rss_bytes = 0;  ///< 0 when other processes did the work.
  std::uint64_t prepare_ms = 0, map_ms = 0, reduce_ms = 0, commit_ms = 0, total_ms = 0;
  double cpu_seconds = 0;
  std::map<std::string, std::map<std::string, std::uint64_t>>
      counters;  ///< The user's: group, name.
  LoopReport loop;
  std::vector<std::string> warnings;  ///< Healed damage, skipped records and their places.
};

/// Run returns Cancelled soon after a Cancel.
class JobRunner : public Cancellable {
 public:
  virtual const JobPlan& plan() const = 0;

  /// Runs to the end. The output directory exists afterwards only if report.status is ok.
  virtual JobReport Run() = 0;

  virtual JobProgress progress() const = 0;
};

}  // namespace spillway
