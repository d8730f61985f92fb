// JobEntry: a job as the coordinator knows it beside the scheduler: what was submitted, what its
// attempts reported, and what clients are told of it. Pure; owned by the machine.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/coordinator/job_log.h"
#include "runtime/coordinator/loop_rounds.h"
#include "runtime/coordinator/partition_loads.h"
#include "runtime/core/events.h"
#include "runtime/core/heavy_keys.h"
#include "runtime/core/reduce_layout.h"
#include "runtime/core/scheduler.h"
#include "runtime/protocol/loop_pieces.h"
#include "runtime/protocol/spillway.pb.h"
#include "runtime/storage/output_staging.h"

namespace spillway {

/// The map inputs of a job, packed: a million of them take some 30 MB instead of 300.
class JobInputs {
 public:
  JobInputs() = default;
  explicit JobInputs(const wire::JobSpec& spec);

  std::uint32_t maps() const { return static_cast<std::uint32_t>(begins_.size() - 1); }
  /// Puts the ranges of a map task and their files into the message.
  void Fill(std::uint32_t map, wire::StartMap& start) const;
  std::uint64_t bytes(std::uint32_t map) const;
  /// All files, by index.
  wire::InputNames Names() const;

 private:
  struct Range {
    std::uint64_t offset;
    std::uint64_t bytes;
    std::uint32_t file;
  };
  std::vector<wire::InputFile> files_;
  std::vector<Range> ranges_;
  std::vector<std::uint32_t> begins_{0};  // ranges_[begins_[m], begins_[m + 1]) are map m's.
};

/// InvalidArgument, naming what is wrong, for a spec that no client of ours makes.
Status CheckJobSpec(const wire::JobSpec& spec);

struct JobEntry {
  JobId number = 0;
  std::string job_id;
  wire::JobSpec spec;  ///< Without inputs and maps.
  JobInputs inputs;
  std::vector<std::vector<std::string>> places;  ///< By map; empty when none has any.
  std::uint32_t maps_placed = 0;                 ///< Attempts of maps that have some.
  std::uint32_t maps_at_place = 0;               ///< Of these on a host or in a rack of theirs.
  std::string staging_dir;
  std::string start_message;  ///< The StartJob for workers, serialised.
  std::string input_names;    ///< An InputNames, when it is too large for that.

  bool staged = false;      ///< The output is open; the scheduler has the job.
  bool committing = false;  ///< CommitJob went to the output thread.
  bool killed = false;
  std::string kill_reason;
  Status status;  ///< Of a job that is over.

  std::vector<bool> counted_maps;  ///< Its stats are in `stats`; a rerun counts the same.
  std::uint32_t maps_counted = 0;
  wire::TaskStats stats;
  HeavyKeys heavy_keys;  ///< Of the map tasks that count.
  /// Input bytes that running maps have read so far.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> reading;

  struct Part {
    std::uint32_t attempt = 0;
    std::uint32_t epoch = 0;  ///< 0: not committed.
    PartInfo info;
  };
  std::vector<Part> parts;
  ReducePlan plan;                     ///< Empty until the maps are done.
  std::vector<bool> counted_combines;  ///< As counted_maps; as many as there are combine tasks.
  std::uint32_t joined_parts = 0;      ///< Committed together with a neighbour's.
  PartitionLoads loads;                ///< Of reduces.
  /// What map tasks wrote to directories of the output, by map: that of the first attempt which
  /// counted, since a rerun writes the same. Few maps do.
  std::map<std::uint32_t, Part> beside;
  /// Commit requests that are not answered, by (task, attempt).
  std::map<std::pair<std::uint32_t, std::uint32_t>, wire::CommitRequest> requests;

  static constexpr std::size_t kWarningsMax = 100;
  std::vector<std::string> warnings;
  std::uint64_t warnings_dropped = 0;
  JobLog log;

  std::uint64_t submitted_unix_ms = 0;
  TimeMs submitted_ms = 0, staged_ms = 0, maps_done_ms = 0, reduces_done_ms = 0, ended_ms = 0;
  JobTally tally;

  // Of a loop in memory mode.
  std::shared_ptr<LoopRounds> rounds;
  std::unique_ptr<LoopAssembly> coming;  ///< Parts of the round in progress that are not whole.
  std::uint32_t checkpoint_round = 0;    ///< Whose state is in the staging directory; 0: none.

  bool is_loop() const { return spec.has_loop(); }
  bool map_only() const { return spec.map_only(); }
  std::uint32_t reduces() const { return map_only() ? 0 : spec.parts(); }

  TaskKind final_kind() const { return map_only() ? TaskKind::kMap : TaskKind::kReduce; }

  /// Whether the scheduler can have made the plan for this job.
  bool TakesPlan(const ReducePlan& made) const;
  /// An empty plan: the one before is dropped, as far as it is not carried out.
  void Apply(const ReducePlan& made);
  void CountCombine(const wire::MapDone& done);

  void Warn(TimeMs now, std::string text);
  void Log(TimeMs now, const std::string& line) { log.Add(now, line); }
  /// A map attempt began there.
  void CountPlace(std::uint32_t map, const wire::Register& worker);
  SubmitJob ForScheduler() const;
  /// Parts of the output: of a loop only its first seat's.
  std::uint32_t output_parts() const { return is_loop() ? 1 : spec.parts(); }
  StagingOptions ForStaging(const std::string& owner) const;
  std::uint32_t CommittedParts() const;
  std::vector<CommittedPart> Winners() const;
  /// What clients are told. `view`: as the scheduler sees it now; null: before or after.
  wire::JobState State(const JobView* view, TimeMs now) const;
};

/// What a worker says of a part. OutputStaging checks the names of directories.
PartInfo PartInfoOf(const wire::PartInfo& part);

/// Makes an entry of what was submitted. The spec was checked.
JobEntry NewJobEntry(JobId number, std::string job_id, wire::JobSpec spec);

/// "20261126-183000-0042": sorts by time; the number makes it unique.
std::string MakeJobId(JobId number, std::uint64_t unix_ms);

/// FNV-1a: the number that stands for the job in its segments' checksums.
std::uint64_t SegmentJobOf(const std::string& job_id);

}  // namespace spillway
