#include "shuffle/engine/reduce_input.h"

#include <algorithm>
#include <string>
#include <utility>

#include "mapreduce/base/check.h"
#include "mapreduce/base/units.h"
#include "shuffle/engine/merge_plan.h"
#include "shuffle/engine/unpacked_groups.h"
#include "shuffle/merge/merge_stream.h"

namespace spillway {
namespace {

/// Reads ahead, from what is best to what every source needs anyway: one block.
constexpr std::uint32_t kReadAheadBytes[] = {1 << 20, 512 << 10, 256 << 10, 128 << 10, 64 << 10, 0};

/// The parts of the share that batches, their carried bytes and a written block may take.
constexpr std::uint64_t kBatchShare = 8;
constexpr std::uint64_t kCarryShare = 32;
constexpr std::uint64_t kWriteShare = 8;

constexpr std::uint32_t kBatchRecordsMin = 16;
constexpr std::uint32_t kBlockBytesMin = 512;

/// A committed intermediate merge, removed from its store with this object.
class ScratchSegment {
 public:
  ScratchSegment(SegmentStore& store, const SegmentId& id) : store_(store), id_(id) {}
  ScratchSegment(const ScratchSegment&) = delete;
  ScratchSegment& operator=(const ScratchSegment&) = delete;
  /// What cannot be removed now goes with the scratch directory.
  ~ScratchSegment() { (void)store_.Discard(id_); }

 private:
  SegmentStore& store_;
  const SegmentId id_;
};

/// Memory of a merge or a writer that is not behind a Buffer.
class Charge {
 public:
  Charge(MemoryBudget& budget, std::uint64_t bytes) : budget_(budget), bytes_(bytes) {
    budget_.ReserveForced(bytes_);
  }
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;
  ~Charge() { budget_.Release(bytes_); }

 private:
  MemoryBudget& budget_;
  const std::uint64_t bytes_;
};

bool IsLoss(const Status& failure) {
  return failure.code() == Code::kDataLoss || failure.code() == Code::kNotFound;
}

/// Of an intermediate merge: no map task can compute it again, but the reduce task can.
Status OwnFailure(const Status& failure) {
  if (!IsLoss(failure)) return failure;
  return Aborted("an intermediate merge is lost, the reduce task must run again: " +
                 failure.message());
}

/// A run to merge: of a map task's segment, or what an intermediate merge made of several.
struct InputRun {
  std::unique_ptr<ScratchSegment> scratch;  ///< Null for a map task's.
  std::shared_ptr<const SegmentReader> reader;
  std::uint32_t run = 0;
  std::uint32_t partition = 0;
  std::uint64_t merges_below = 0;  ///< How often its records were merged before.

  const Extent& extent() const { return reader->extent(run, partition); }
};

class MergedInput : public ReduceInput {
 public:
  explicit MergedInput(const ReduceInputOptions& options);

  Status Prepare(const std::vector<std::shared_ptr<const SegmentReader>>& segments);
  Result<GroupBatch> Next() override;
  const ReduceInputStats& stats() const override { return stats_; }

 private:
  /// Sources and the merge over them, with their memory charged.
  struct OpenedMerge {
    Charge charge;
    std::unique_ptr<MergeStream> stream;
  };

  void ListRuns(const std::vector<std::shared_ptr<const SegmentReader>>& segments);
  Status MergeAhead();
  Status MergeRange(const RunRange& range);
  Result<InputRun> WriteMerge(std::span<const InputRun> runs);
  Status CopyRecords(MergeStream& stream, std::span<const InputRun> runs, SegmentWriter& writer);
  std::unique_ptr<BlockSource> OpenSource(const InputRun& run, std::uint32_t read_ahead) const;
  std::unique_ptr<OpenedMerge> OpenRuns(std::span<const InputRun> runs, const KeyOrder& order,
                                        std::uint64_t memory_bytes) const;
  Status Blame(const Status& failure, const MergeStream& stream,
               std::span<const InputRun> runs) const;
  Result<GroupBatch> NextMerged();
  MergeLimits limits() const;

  const ReduceInputOptions options_;
  MergeOptions merge_options_;
  SegmentWriterOptions writer_options_;
  std::uint64_t writer_bytes_ = 0;
  std::uint32_t merges_ = 0;
  ReduceInputStats stats_;
  std::vector<InputRun> runs_;
  std::unique_ptr<OpenedMerge> merge_;  ///< Over runs_; goes before them.
  /// Null where values are not packed.
  std::optional<Charge> unpacked_charge_;
  std::unique_ptr<UnpackedGroups> unpacked_;
};

/// Cuts the default limits down to what a small share can hold.
MergedInput::MergedInput(const ReduceInputOptions& options)
    : options_(options), writer_options_(options.writer) {
  SPILLWAY_CHECK(options_.budget != nullptr);
  const std::uint64_t share = options_.memory_bytes;
  merge_options_.carry_bytes = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(share / kCarryShare, merge_options_.carry_bytes));
  merge_options_.order = options_.order;
  while (merge_options_.batch_records > kBatchRecordsMin &&
         MemoryOfMerge(merge_options_).fixed_bytes > share / kBatchShare)
    merge_options_.batch_records /= 2;
  if (options_.unpack_values) {
    unpacked_charge_.emplace(*options_.budget, UnpackedGroups::Bytes(merge_options_.batch_records));
    unpacked_ = std::make_unique<UnpackedGroups>(merge_options_.batch_records);
  }
  const auto block_bytes = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      share / kWriteShare, kBlockBytesMin, std::max(kBlockBytesMin, writer_options_.block_bytes)));
  writer_options_.block_bytes = block_bytes;
  writer_options_.staging_bytes = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      share / kWriteShare, block_bytes, std::max(block_bytes, writer_options_.staging_bytes)));
  writer_bytes_ = writer_options_.block_bytes + writer_options_.staging_bytes;
}

void MergedInput::ListRuns(const std::vector<std::shared_ptr<const SegmentReader>>& segments) {
  for (const auto& segment : segments) {
    SPILLWAY_CHECK(segment != nullptr);
    for (std::uint32_t run = 0; run < segment->runs(); ++run) {
      const Extent& extent = segment->extent(run, options_.partition);
      if (extent.records == 0) continue;
      stats_.records += extent.records;
      stats_.raw_bytes += extent.raw_bytes;
      stats_.stored_bytes += extent.stored_bytes;
      runs_.push_back({nullptr, segment, run, options_.partition, 0});
    }
  }
  stats_.runs = runs_.size();
}

std::unique_ptr<BlockSource> MergedInput::OpenSource(const InputRun& run,
                                                     std::uint32_t read_ahead) const {
  SegmentReader::OpenOptions open;
  open.release_behind = options_.release_behind || run.scratch != nullptr;
  open.read_ahead_bytes = read_ahead;
  return run.reader->OpenRun(run.run, run.partition, *options_.budget, open);
}

MergeLimits MergedInput::limits() const {
  const MergeMemory merge = MemoryOfMerge(merge_options_);
  return {
      .memory_bytes = options_.memory_bytes - std::min(options_.memory_bytes, merge.fixed_bytes),
      .memory_per_run = merge.bytes_per_run,
      .write_bytes = writer_bytes_,
      .fan_in_max = options_.fan_in_max};
}

Status MergedInput::MergeAhead() {
  const MergeLimits merge_limits = limits();
  std::vector<RunCost> costs;
  for (const InputRun& run : runs_)
    costs.push_back({OpenSource(run, 0)->buffer_bytes(), run.extent().raw_bytes});
  while (const auto range = NextMerge(costs, merge_limits)) {
    SPILLWAY_RETURN_IF_ERROR(MergeRange(*range));
    const auto first = costs.begin() + static_cast<std::ptrdiff_t>(range->begin);
    costs.erase(first + 1, first + static_cast<std::ptrdiff_t>(range->count));
    const InputRun& merged = runs_[range->begin];
    *first = {OpenSource(merged, 0)->buffer_bytes(), merged.extent().raw_bytes};
  }
  return OkStatus();
}

Status MergedInput::MergeRange(const RunRange& range) {
  if (options_.scratch == nullptr || merges_ == kReduceMergesMax)
    return ResourceExhausted("partition " + std::to_string(options_.partition) + " has " +
                             std::to_string(stats_.runs) + " runs, too many to merge within " +
                             FormatBytes(options_.memory_bytes) + " and " +
                             std::to_string(options_.scratch == nullptr ? 0 : kReduceMergesMax) +
                             " intermediate merges; give the task more memory");
  SPILLWAY_ASSIGN_OR_RETURN(InputRun merged,
                            WriteMerge(std::span(runs_).subspan(range.begin, range.count)));
  stats_.passes = std::max(stats_.passes, merged.merges_below + 1);
  const auto first = runs_.begin() + static_cast<std::ptrdiff_t>(range.begin);
  *first = std::move(merged);
  runs_.erase(first + 1, first + static_cast<std::ptrdiff_t>(range.count));
  return OkStatus();
}

/// Merges the runs into a segment of one run, and opens it.
Result<InputRun> MergedInput::WriteMerge(std::span<const InputRun> runs) {
  SegmentId id = options_.scratch_id;
  id.map_task += merges_++;
  const Charge charge(*options_.budget, writer_bytes_);
  InputRun merged;
  {
    // Nobody groups here: only the order counts.
    const auto opened =
        OpenRuns(runs, {.compare = options_.order.compare},
                 options_.memory_bytes - std::min(options_.memory_bytes, writer_bytes_));
    SPILLWAY_ASSIGN_OR_RETURN(const auto file, options_.scratch->Create(id));
    SegmentWriter writer(id, 1, *file, writer_options_);
    writer.BeginRun();
    SPILLWAY_RETURN_IF_ERROR(CopyRecords(*opened->stream, runs, writer));
    SPILLWAY_RETURN_IF_ERROR(writer.FinishRun());
    SPILLWAY_RETURN_IF_ERROR(writer.Finish().status());
    SPILLWAY_RETURN_IF_ERROR(file->Commit());
    merged.scratch = std::make_unique<ScratchSegment>(*options_.scratch, id);
  }
  for (const InputRun& run : runs)
    merged.merges_below = std::max(merged.merges_below, run.merges_below + 1);
  Result<std::shared_ptr<SegmentBytes>> bytes = options_.scratch->Open(id);
  if (!bytes.ok()) return OwnFailure(bytes.status());
  Result<std::shared_ptr<const SegmentReader>> reader = SegmentReader::Open(*std::move(bytes), id);
  if (!reader.ok()) return OwnFailure(reader.status());
  merged.reader = *std::move(reader);
  return merged;
}

Status MergedInput::CopyRecords(MergeStream& stream, std::span<const InputRun> runs,
                                SegmentWriter& writer) {
  for (;;) {
    const Result<GroupBatch> batch = stream.Next();
    if (!batch.ok()) return Blame(batch.status(), stream, runs);
    if (batch->records.empty()) return OkStatus();
    if (options_.step) SPILLWAY_RETURN_IF_ERROR(options_.step());
    for (const Record& record : batch->records) SPILLWAY_RETURN_IF_ERROR(writer.Add(0, record));
  }
}

/// Opens the runs with the longest reads that `memory_bytes` have room for.
std::unique_ptr<MergedInput::OpenedMerge> MergedInput::OpenRuns(std::span<const InputRun> runs,
                                                                const KeyOrder& order,
                                                                std::uint64_t memory_bytes) const {
  MergeOptions merge_options = merge_options_;
  merge_options.order = order;
  const std::uint64_t merge_bytes = MemoryOfMerge(merge_options).BytesFor(runs.size());
  std::vector<std::unique_ptr<BlockSource>> sources;
  for (const std::uint32_t read_ahead : kReadAheadBytes) {
    std::uint64_t bytes = merge_bytes;
    sources.clear();
    for (const InputRun& run : runs) {
      sources.push_back(OpenSource(run, read_ahead));
      bytes += sources.back()->buffer_bytes();
    }
    if (bytes <= memory_bytes) break;
  }
  return std::unique_ptr<OpenedMerge>(new OpenedMerge{
      Charge(*options_.budget, merge_bytes), OpenMerge(std::move(sources), merge_options)});
}

/// Says whose fault a failed merge is: a map task's segment is named to the caller, who has it
/// computed again; our own intermediate merge heals when the task runs again.
Status MergedInput::Blame(const Status& failure, const MergeStream& stream,
                          std::span<const InputRun> runs) const {
  if (!IsLoss(failure) || !stream.failed_run().has_value()) return failure;
  const InputRun& run = runs[*stream.failed_run()];
  if (run.scratch != nullptr) return OwnFailure(failure);
  if (options_.damaged != nullptr) *options_.damaged = run.reader->id();
  return failure;
}

Status MergedInput::Prepare(const std::vector<std::shared_ptr<const SegmentReader>>& segments) {
  ListRuns(segments);
  SPILLWAY_RETURN_IF_ERROR(MergeAhead());
  merge_ = OpenRuns(runs_, options_.order, options_.memory_bytes);
  return OkStatus();
}

Result<GroupBatch> MergedInput::NextMerged() {
  Result<GroupBatch> batch = merge_->stream->Next();
  if (!batch.ok()) return Blame(batch.status(), *merge_->stream, runs_);
  return batch;
}

Result<GroupBatch> MergedInput::Next() {
  if (unpacked_ == nullptr) return NextMerged();
  if (unpacked_->used_up()) {
    SPILLWAY_ASSIGN_OR_RETURN(const GroupBatch packs, NextMerged());
    if (packs.records.empty()) return packs;
    unpacked_->Open(packs);
  }
  return unpacked_->Next();
}

}  // namespace

Result<std::unique_ptr<ReduceInput>> ReduceInput::Open(
    std::vector<std::shared_ptr<const SegmentReader>> segments, const ReduceInputOptions& options) {
  auto input = std::make_unique<MergedInput>(options);
  SPILLWAY_RETURN_IF_ERROR(input->Prepare(segments));
  return std::unique_ptr<ReduceInput>(std::move(input));
}

}  // namespace spillway
