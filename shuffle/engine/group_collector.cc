#include "shuffle/engine/group_collector.h"

#include <algorithm>

#include "mapreduce/base/check.h"
#include "shuffle/engine/group_run.h"
#include "shuffle/engine/memory_share.h"
#include "shuffle/engine/record_limit.h"
#include "shuffle/engine/single_pack.h"
#include "shuffle/engine/sort_collector.h"
#include "shuffle/engine/table_order.h"

namespace spillway {
namespace {

// Grouping pays while it halves what has to be sorted and merged.
constexpr double kDistinctShareMax = 0.5;

// Memory of a key in the table beside its values: its slot and its chunks' ends. For a guess.
constexpr double kTableBytesPerKey = 96;

// Share bytes for each record of the sample, which takes 8 of them.
constexpr std::uint64_t kShareBytesPerSample = 512;

std::uint64_t SampleRecords(std::uint64_t share_bytes) {
  return std::max<std::uint64_t>(share_bytes / kShareBytesPerSample, 1);
}

// The sample lives beside the sorter's arena: both together are the share.
CollectorOptions WithoutSample(CollectorOptions options) {
  options.memory_bytes -= RepeatSample::BytesFor(SampleRecords(options.memory_bytes));
  return options;
}

}  // namespace

GroupCollector::GroupCollector(const CollectorOptions& options, SegmentWriter& writer)
    : options_(WithoutSample(options)),
      writer_(writer),
      runs_before_(writer.runs()),
      sample_(std::make_unique<RepeatSample>(*options.budget, SampleRecords(options.memory_bytes))),
      sorter_(std::make_unique<SortCollector>(options_, writer)) {
  SPILLWAY_CHECK(options.pack_values);
}

GroupCollector::~GroupCollector() = default;

Status GroupCollector::Collect(std::span<const Record> batch) {
  if (table_ != nullptr) return Group(batch);
  SPILLWAY_RETURN_IF_ERROR(sorter_->Collect(batch));
  if (sample_ != nullptr) {
    sample_->Add(batch);
    if (sample_->full()) SPILLWAY_RETURN_IF_ERROR(JudgeSample());
  }
  UpdateStats();
  return OkStatus();
}

// What the sorter has by now becomes a run; a small one, but the table begins empty. The table gets
// as much as the sorter's arena had, which makes that very memory its own where it is recycled.
Status GroupCollector::JudgeSample() {
  const std::uint64_t share = SortCollector::ArenaBytes(options_);
  const double run_records =
      static_cast<double>(share) / (sample_->bytes_per_record() + kTableBytesPerKey);
  const bool group = sample_->HalfWillRepeat(run_records);
  sample_.reset();
  if (!group) {
    stats_.stepped_aside = true;
    return OkStatus();
  }
  SPILLWAY_RETURN_IF_ERROR(sorter_->Finish());
  grouped_ = sorter_->stats();
  sorter_.reset();
  sample_runs_ = writer_.runs() - runs_before_;
  SPILLWAY_ASSIGN_OR_RETURN(
      memory_, TakeMemory(*options_.budget, {.bytes = std::max(share, FoldTable::kRegionBytesMin),
                                             .bytes_min = FoldTable::kRegionBytesMin}));
  table_ = std::make_unique<GroupTable>(std::span(memory_.data(), memory_.size()));
  return OkStatus();
}

Status GroupCollector::Group(std::span<const Record> batch) {
  for (;;) {
    const std::size_t added = table_->Add(batch);
    for (const Record& record : batch.first(added))
      grouped_.bytes_in += std::uint64_t{record.key_bytes} + record.value_bytes;
    grouped_.records_in += added;
    batch = batch.subspan(added);
    if (batch.empty()) {
      UpdateStats();
      return OkStatus();
    }
    if (!table_->Fits(batch.front())) {
      // Equal keys keep their order: what came before is in an earlier run.
      SPILLWAY_RETURN_IF_ERROR(Spill());
      SPILLWAY_RETURN_IF_ERROR(WriteAlone(batch.front()));
      batch = batch.subspan(1);
      continue;
    }
    const bool pays = static_cast<double>(table_->size()) <=
                      kDistinctShareMax * static_cast<double>(table_->records());
    SPILLWAY_RETURN_IF_ERROR(Spill());
    if (!pays) {
      SPILLWAY_RETURN_IF_ERROR(StepAside());
      SPILLWAY_RETURN_IF_ERROR(sorter_->Collect(batch));
      UpdateStats();
      return OkStatus();
    }
  }
}

Status GroupCollector::Spill() {
  if (table_->records() == 0) {
    table_->Clear();
    return OkStatus();
  }
  grouped_.records_out += table_->records();
  SPILLWAY_RETURN_IF_ERROR(WriteGroupRun(*table_, options_, writer_));
  UpdateStats();
  return OkStatus();
}

Status GroupCollector::WriteAlone(const Record& record) {
  if (std::max(record.key_bytes, record.value_bytes) > kFieldBytesMax)
    return RecordTooLarge(record);
  std::uint32_t partition = 0;
  SPILLWAY_RETURN_IF_ERROR(ChoosePartitions(options_, {&record, 1}, &partition));
  writer_.BeginRun();
  SPILLWAY_RETURN_IF_ERROR(WriteSinglePack(partition, record, writer_));
  SPILLWAY_RETURN_IF_ERROR(writer_.FinishRun());
  grouped_.bytes_in += std::uint64_t{record.key_bytes} + record.value_bytes;
  ++grouped_.records_in;
  ++grouped_.records_out;
  UpdateStats();
  return OkStatus();
}

Status GroupCollector::StepAside() {
  table_.reset();
  memory_.Reset();
  sorter_ = std::make_unique<SortCollector>(options_, writer_);
  stats_.stepped_aside = true;
  return OkStatus();
}

Status GroupCollector::Finish() {
  sample_.reset();
  SPILLWAY_RETURN_IF_ERROR(table_ != nullptr ? Spill() : sorter_->Finish());
  UpdateStats();
  return OkStatus();
}

void GroupCollector::UpdateStats() {
  const std::uint32_t runs = writer_.runs() - runs_before_ - sample_runs_;
  stats_.spills = runs == 0 ? 0 : runs - 1;
  const CollectorStats sorted = sorter_ == nullptr ? CollectorStats{} : sorter_->stats();
  stats_.records_in = grouped_.records_in + sorted.records_in;
  stats_.bytes_in = grouped_.bytes_in + sorted.bytes_in;
  stats_.records_out = grouped_.records_out + sorted.records_out;
}

}  // namespace spillway
