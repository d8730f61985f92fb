#include "shuffle/engine/fold_collector.h"

#include <algorithm>
#include <array>
#include <utility>

#include "mapreduce/base/check.h"
#include "shuffle/engine/fold_run.h"
#include "shuffle/engine/memory_share.h"
#include "shuffle/engine/record_limit.h"
#include "shuffle/engine/sort_collector.h"
#include "shuffle/engine/table_order.h"

namespace spillway {
namespace {

// Folding pays while it drops at least a fifth of the records. Above, sorting all of them costs
// less than looking each of them up and sorting most of them then.
constexpr double kDistinctShareMax = 0.8;

// After so many records the first judgement: early enough to waste little, late enough that keys
// which repeat at all have done so. Later the table is judged whenever it is full.
constexpr std::uint64_t kSampleRecords = std::uint64_t{1} << 20;

constexpr std::size_t kPassBatch = 1024;

// As much as the sorter's arena, which gets this very memory if the fold steps aside.
Result<Buffer> TakeTableMemory(const CollectorOptions& options) {
  const std::uint64_t bytes = SortCollector::ArenaBytes(options);
  return TakeMemory(*options.budget, {.bytes = std::max(bytes, FoldTable::kRegionBytesMin),
                                      .bytes_min = FoldTable::kRegionBytesMin});
}

/// A combiner has nothing to do beside a fold.
CollectorOptions WithFold(CollectorOptions options, const FoldOptions& fold) {
  options.fold = options.combine == nullptr ? &fold : nullptr;
  return options;
}

}  // namespace

FoldCollector::FoldCollector(const CollectorOptions& options, const FoldOptions& fold,
                             SegmentWriter& writer)
    : fold_(fold),
      options_(WithFold(options, fold_)),
      writer_(writer),
      runs_before_(writer.runs()) {
  Result<Buffer> memory = TakeTableMemory(options_);
  memory_status_ = memory.status();
  if (!memory.ok()) return;
  memory_ = std::move(memory).value();
  table_ = std::make_unique<FoldTable>(fold, std::span(memory_.data(), memory_.size()));
}

FoldCollector::~FoldCollector() = default;

Status FoldCollector::Collect(std::span<const Record> batch) {
  SPILLWAY_RETURN_IF_ERROR(memory_status_);
  stats_.records_in += batch.size();
  stats_.bytes_in += batch.size() * fold_.state_bytes;
  for (const Record& record : batch) stats_.bytes_in += record.key_bytes;
  return sorter_ == nullptr ? Fold(batch) : PassOn(batch);
}

Status FoldCollector::Fold(std::span<const Record> batch) {
  if (!table_->StatesFit()) {
    SPILLWAY_RETURN_IF_ERROR(StepAside());
    return PassOn(batch);
  }
  const bool sampled = records_in_table_ >= kSampleRecords;
  for (;;) {
    const std::size_t taken = table_->Fold(batch);
    records_in_table_ += taken;
    batch = batch.subspan(taken);
    if (batch.empty()) break;
    if (!table_->Fits(batch.front())) {
      SPILLWAY_RETURN_IF_ERROR(WriteAlone(batch.front()));
      batch = batch.subspan(1);
      continue;
    }
    if (!Pays()) {
      SPILLWAY_RETURN_IF_ERROR(StepAside());
      return PassOn(batch);
    }
    SPILLWAY_RETURN_IF_ERROR(Spill());
  }
  if (!sampled && records_in_table_ >= kSampleRecords && !Pays()) return StepAside();
  return OkStatus();
}

bool FoldCollector::Pays() const {
  return static_cast<double>(table_->size()) <=
         kDistinctShareMax * static_cast<double>(records_in_table_);
}

Status FoldCollector::Spill() {
  if (table_->size() == 0) return OkStatus();
  records_out_ += table_->size();
  records_in_table_ = 0;
  SPILLWAY_RETURN_IF_ERROR(WriteFoldRun(*table_, options_, writer_));
  UpdateStats();
  return OkStatus();
}

Status FoldCollector::WriteAlone(const Record& record) {
  if (record.key_bytes > kFieldBytesMax) return RecordTooLarge(record);
  Record written = record;
  written.value = StateData(record, fold_.state_bytes);
  written.value_bytes = fold_.state_bytes;
  std::uint32_t partition = 0;
  SPILLWAY_RETURN_IF_ERROR(ChoosePartitions(options_, {&written, 1}, &partition));
  writer_.BeginRun();
  SPILLWAY_RETURN_IF_ERROR(writer_.Add(partition, written));
  SPILLWAY_RETURN_IF_ERROR(writer_.FinishRun());
  ++records_out_;
  UpdateStats();
  return OkStatus();
}

// What is in the table becomes a run; its memory becomes the sorter's.
Status FoldCollector::StepAside() {
  SPILLWAY_RETURN_IF_ERROR(Spill());
  table_.reset();
  memory_.Reset();
  sorter_ = std::make_unique<SortCollector>(options_, writer_);
  stats_.stepped_aside = true;
  return OkStatus();
}

// The sorter takes values as bytes, wherever the fold's records carry their states.
Status FoldCollector::PassOn(std::span<const Record> batch) {
  std::array<Record, kPassBatch> records;
  while (!batch.empty()) {
    const std::size_t count = std::min(kPassBatch, batch.size());
    for (std::size_t i = 0; i < count; ++i) {
      records[i] = batch[i];
      records[i].value = StateData(batch[i], fold_.state_bytes);
      records[i].value_bytes = fold_.state_bytes;
    }
    SPILLWAY_RETURN_IF_ERROR(sorter_->Collect({records.data(), count}));
    batch = batch.subspan(count);
  }
  UpdateStats();
  return OkStatus();
}

Status FoldCollector::Finish() {
  SPILLWAY_RETURN_IF_ERROR(memory_status_);
  SPILLWAY_RETURN_IF_ERROR(sorter_ == nullptr ? Spill() : sorter_->Finish());
  UpdateStats();
  return OkStatus();
}

void FoldCollector::UpdateStats() {
  const std::uint32_t runs = writer_.runs() - runs_before_;
  stats_.spills = runs == 0 ? 0 : runs - 1;
  stats_.records_out = records_out_ + (sorter_ == nullptr ? 0 : sorter_->stats().records_out);
}

}  // namespace spillway
