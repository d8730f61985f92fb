#include "shuffle/merge/batch_merge.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "mapreduce/base/check.h"
#include "shuffle/merge/padded_key.h"

namespace spillway {
namespace {

/// Shorter windows make more tournament games, longer ones a looser bound of the batch.
constexpr std::uint32_t kWindowRecordsMin = 32;
constexpr std::uint32_t kWindowRecordsMax = 256;

/// A batch of at least 1/kCarryShare of its aim rather ends with a block than copies its tail.
constexpr std::uint32_t kCarryShare = 4;

/// Gathering jumps from run to run, and what lies there is in no near cache. So a run's next bytes
/// are fetched some runs ahead, and then always as much ahead of the record that is read.
constexpr std::size_t kPrefetchRuns = 4;
constexpr std::size_t kPrefetchBytes = 512;

/// The same for the walk over a whole new block, which no hardware follows fast enough: each record
/// says only when it is read where the next one is.
constexpr std::size_t kWalkPrefetchBytes = 4096;

constexpr std::size_t kCacheLineBytes = 64;

/// Per run: nodes of the tournament, and a usual block's samples.
constexpr std::uint64_t kRunBytes = 1024;

std::uint32_t WindowRecords(std::uint64_t runs, const MergeOptions& options) {
  const std::uint64_t share = options.batch_records / std::max<std::uint64_t>(runs, 1);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      share, std::min(kWindowRecordsMin, options.batch_records), kWindowRecordsMax));
}

/// What a batch can hold: the aim, exceeded by less than a window, and in each run the records
/// between the last sample taken and the next one.
std::uint64_t BatchRecordsMax(std::uint64_t runs, const MergeOptions& options) {
  return options.batch_records + (runs + 1) * std::uint64_t{WindowRecords(runs, options)};
}

void Prefetch(const char* from) {
  for (std::size_t i = 0; i < kPrefetchBytes; i += kCacheLineBytes) __builtin_prefetch(from + i);
}

}  // namespace

BatchMerge::BatchMerge(std::vector<std::unique_ptr<BlockSource>> sources,
                       const MergeOptions& options)
    : order_(options.order),
      batch_records_(options.batch_records),
      window_records_(WindowRecords(sources.size(), options)),
      carry_bytes_max_(options.carry_bytes),
      runs_(sources.size()),
      head_prefixes_(sources.size(), UINT64_MAX),
      samples_(Before{this}),
      sorter_(BatchRecordsMax(sources.size(), options)) {
  SPILLWAY_CHECK(order_.is_bytes());
  const std::size_t records = BatchRecordsMax(sources.size(), options);
  gathered_ = std::make_unique_for_overwrite<Record[]>(records);
  sorted_ = std::make_unique_for_overwrite<Record[]>(records);
  groups_.reserve(records);
  carried_ = std::make_unique_for_overwrite<char[]>(carry_bytes_max_ + SPILLWAY_PADDING_BYTES);
  for (std::size_t i = 0; i < sources.size(); ++i) runs_[i].source = std::move(sources[i]);
}

MergeMemory BatchMerge::Memory(const MergeOptions& options) {
  const std::uint64_t record_bytes =
      2 * sizeof(Record) + sizeof(std::uint32_t) + BatchSorter::kBytesPerEntry;
  // Windows are a run's share of the aim, and so all runs' are as much as the aim once more,
  // except where the shortest window exceeds the share.
  return {
      .fixed_bytes = (2 * std::uint64_t{options.batch_records} + kWindowRecordsMax) * record_bytes +
                     options.carry_bytes,
      .bytes_per_run = sizeof(Run) + kRunBytes + kWindowRecordsMin * record_bytes};
}

bool BatchMerge::Before::operator()(std::uint32_t a, std::uint32_t b) const {
  const Run& left = merge->runs_[a];
  const Run& right = merge->runs_[b];
  if (left.sample == nullptr || right.sample == nullptr)
    return right.sample == nullptr && (left.sample != nullptr || a < b);
  const int order = CompareBytes(KeyAt(left.sample), KeyAt(right.sample));
  return order != 0 ? order < 0 : a < b;
}

// ---------------------------------------------------------------------------------------------
// Blocks and their samples

Status BatchMerge::Start() {
  started_ = true;
  if (runs_.empty()) return OkStatus();
  std::vector<std::uint64_t> prefixes(runs_.size());
  for (std::uint32_t rank = 0; rank < runs_.size(); ++rank) {
    SPILLWAY_RETURN_IF_ERROR(LoadBlock(rank));
    prefixes[rank] = runs_[rank].sample_prefix;
  }
  samples_.Build(prefixes);
  return OkStatus();
}

Status BatchMerge::LoadBlock(std::uint32_t rank) {
  Run& run = runs_[rank];
  Block block;
  do {
    Result<bool> more = run.source->Next(&block);
    if (!more.ok()) {
      failed_run_ = rank;
      return more.status();
    }
    if (!*more) {
      Run ended;  // its source goes with it: the buffers may serve somebody else
      std::swap(run, ended);
      head_prefixes_[rank] = UINT64_MAX;
      return OkStatus();
    }
  } while (block.bytes.empty());
  return FindSamples(rank, block);
}

/// Walks over the block while it is hot in the cache, which also proves every record whole.
Status BatchMerge::FindSamples(std::uint32_t rank, const Block& block) {
  Run& run = runs_[rank];
  const char* const begin = block.bytes.data();
  const char* const end = begin + block.bytes.size();
  run.samples.clear();
  std::uint32_t records = 0;
  Record record{};
  for (const char* at = begin; at != end;) {
    const char* last = at;
    for (std::uint32_t i = 0; i < window_records_ && at != end; ++i) {
      last = at;
      __builtin_prefetch(at + kWalkPrefetchBytes);
      at = DecodeRecord(at, end, &record);
      if (at == nullptr) [[unlikely]] {
        failed_run_ = rank;
        return DataLoss("run " + std::to_string(rank) + " of a merge has a block of " +
                        std::to_string(block.bytes.size()) + " bytes that breaks off in record " +
                        std::to_string(records) + "; compute the run again");
      }
      ++records;
    }
    run.samples.push_back({.prefix = PaddedPrefix(KeyOf(record), 0),
                           .begin = static_cast<std::uint32_t>(last - begin),
                           .end = static_cast<std::uint32_t>(at - begin)});
  }
  run.block = run.cursor = run.taken_end = begin;
  run.end = end;
  run.block_records = records;
  run.next_window = 0;
  head_prefixes_[rank] = PaddedPrefix(KeyAt(begin), 0);
  TakeSample(run);
  return OkStatus();
}

/// Makes the next window's last record the run's sample.
void BatchMerge::TakeSample(Run& run) {
  const Sample& sample = run.samples[run.next_window++];
  run.sample = run.block + sample.begin;
  run.sample_end = run.block + sample.end;
  run.sample_prefix = sample.prefix;
}

Status BatchMerge::NextBlock(std::uint32_t rank) {
  SPILLWAY_RETURN_IF_ERROR(LoadBlock(rank));
  samples_.Replace(runs_[rank].sample_prefix);
  return OkStatus();
}

// ---------------------------------------------------------------------------------------------
// What belongs to the batch

/// Takes samples in order until there are enough records below the last one, or its block ends.
/// False when nothing is left to merge.
Result<bool> BatchMerge::ChoosePivot() {
  std::uint32_t records = 0;
  for (;;) {
    const std::uint32_t rank = samples_.winner();
    Run& run = runs_[rank];
    if (run.sample == nullptr) return !carries_.empty();
    pivot_ = run.sample;
    pivot_rank_ = rank;
    run.taken_end = run.sample_end;
    head_prefixes_[rank] = 0;
    if (run.sample_end == run.end) {
      records += run.block_records - (run.next_window - 1) * window_records_;
      if (records >= batch_records_ / kCarryShare || !CarryTail(rank)) {
        finished_run_ = rank;
        return true;
      }
      SPILLWAY_RETURN_IF_ERROR(NextBlock(rank));
    } else {
      records += window_records_;
      TakeSample(run);
      samples_.Replace(runs_[rank].sample_prefix);
      if (records >= batch_records_) return true;
    }
  }
}

/// Copies what is left of the run's block, all of which belongs to the batch. False when there is
/// no room.
bool BatchMerge::CarryTail(std::uint32_t rank) {
  const Run& run = runs_[rank];
  const auto bytes = static_cast<std::size_t>(run.end - run.cursor);
  if (bytes > carry_bytes_max_ - carried_bytes_) return false;
  char* const to = carried_.get() + carried_bytes_;
  std::memcpy(to, run.cursor, bytes);
  carried_bytes_ += bytes;
  carries_.push_back({rank, to, to + bytes});
  pivot_ = to + (run.sample - run.cursor);
  return true;
}

/// The long answer, for prefixes that are equal.
bool BatchMerge::HeadIsBelowPivot(std::uint32_t rank) const {
  const Run& run = runs_[rank];
  if (run.cursor == run.end) return false;
  if (run.taken_end > run.cursor) return true;
  const int order = CompareBytes(KeyAt(run.cursor), pivot_key_);
  return order != 0 ? order < 0 : rank < pivot_rank_;
}

void BatchMerge::FindActive() {
  active_.clear();
  for (std::uint32_t rank = 0; rank < runs_.size(); ++rank) {
    if (head_prefixes_[rank] > pivot_prefix_) continue;
    if (head_prefixes_[rank] < pivot_prefix_ || HeadIsBelowPivot(rank)) active_.push_back(rank);
  }
}

// ---------------------------------------------------------------------------------------------
// Gathering, in (rank, arrival) order

void BatchMerge::TakeAll(const char* from, const char* to) {
  std::size_t count = count_;
  SortEntry* const entries = sorter_.entries();
  while (from < to) {
    Record& record = gathered_[count];
    from = ReadRecord(from, &record);
    __builtin_prefetch(from + kPrefetchBytes);
    const std::string_view key = KeyOf(record);
    entries[count] = MakeSortEntry(key, common_bytes_, PaddedPrefix(key, common_bytes_), count);
    ++count;
  }
  count_ = count;
}

/// Takes records from `from` on until one is beyond the pivot, which the run's next sample is.
const char* BatchMerge::TakeBelowPivot(std::uint32_t rank, const char* from) {
  const Run& run = runs_[rank];
  // Up to the next sample keys may stray from the batch's common bytes, but not from those that
  // the sample shares.
  const std::size_t shared = common_bytes_ == 0 ? 0 : CommonBytesWithSample(run);
  const std::uint64_t pivot_prefix = PaddedPrefix(pivot_key_, shared);
  while (from < run.sample) {
    Record& record = gathered_[count_];
    const char* const next = ReadRecord(from, &record);
    __builtin_prefetch(next + kPrefetchBytes);
    const std::string_view key = KeyOf(record);
    std::uint64_t prefix = PaddedPrefix(key, shared);
    if (prefix > pivot_prefix) break;
    if (prefix == pivot_prefix) {
      const int order = CompareBytes(key, pivot_key_);
      if (order > 0 || (order == 0 && rank > pivot_rank_)) break;
    }
    if (shared != common_bytes_) prefix = PaddedPrefix(key, common_bytes_);
    sorter_.entries()[count_] = MakeSortEntry(key, common_bytes_, prefix, count_);
    ++count_;
    from = next;
  }
  return from;
}

/// Of the run's next sample and the pivot, up to common_bytes_; mostly without a look at the
/// sample, which is in no cache yet.
std::size_t BatchMerge::CommonBytesWithSample(const Run& run) const {
  const std::uint64_t differ = run.sample_prefix ^ pivot_prefix_;
  if (differ != 0)
    return std::min(common_bytes_, static_cast<std::size_t>(std::countl_zero(differ)) / 8);
  return std::min(common_bytes_, CommonBytes(KeyAt(run.sample), pivot_key_));
}

void BatchMerge::TakeRun(std::uint32_t rank) {
  Run& run = runs_[rank];
  if (run.taken_end > run.cursor) {
    TakeAll(run.cursor, run.taken_end);
    run.cursor = run.taken_end;
  }
  if (rank != pivot_rank_) run.cursor = TakeBelowPivot(rank, run.cursor);
  head_prefixes_[rank] = run.cursor == run.end ? UINT64_MAX : PaddedPrefix(KeyAt(run.cursor), 0);
}

void BatchMerge::Gather() {
  pivot_key_ = KeyAt(pivot_);
  pivot_prefix_ = PaddedPrefix(pivot_key_, 0);
  // All keys of the batch lie between the last one given out and the pivot.
  common_bytes_ = last_key_.has_value() ? CommonBytes(last_key_->view(), pivot_key_) : 0;
  FindActive();
  std::stable_sort(carries_.begin(), carries_.end(),
                   [](const Carry& a, const Carry& b) { return a.rank < b.rank; });
  std::size_t carry = 0;
  for (std::size_t i = 0; i < active_.size(); ++i) {
    if (i + kPrefetchRuns < active_.size()) Prefetch(runs_[active_[i + kPrefetchRuns]].cursor);
    for (; carry < carries_.size() && carries_[carry].rank <= active_[i]; ++carry)
      TakeAll(carries_[carry].begin, carries_[carry].end);
    TakeRun(active_[i]);
  }
  for (; carry < carries_.size(); ++carry) TakeAll(carries_[carry].begin, carries_[carry].end);
}

// ---------------------------------------------------------------------------------------------
// Output

/// Brings the records into the entries' order and finds where groups begin.
void BatchMerge::Emit(std::span<const SortEntry> entries) {
  groups_.clear();
  sorted_[0] = gathered_[entries[0].index()];
  std::string_view last = KeyOf(sorted_[0]);
  if (!last_key_.has_value() || !order_.SameGroup(last_key_->view(), last)) groups_.push_back(0);
  const bool groups_are_keys = order_.groups_are_keys();
  for (std::size_t i = 1; i < count_; ++i) {
    sorted_[i] = gathered_[entries[i].index()];
    if (!entries[i].begins_key()) continue;
    const std::string_view key = KeyOf(sorted_[i]);
    if (groups_are_keys || !order_.SameGroup(last, key))
      groups_.push_back(static_cast<std::uint32_t>(i));
    last = key;
  }
  if (!last_key_.has_value()) last_key_.emplace();
  last_key_->Assign(KeyOf(sorted_[count_ - 1]));
}

Result<GroupBatch> BatchMerge::Next() {
  if (!started_) SPILLWAY_RETURN_IF_ERROR(Start());
  if (runs_.empty()) return GroupBatch{};
  if (finished_run_.has_value()) {
    const std::uint32_t rank = *finished_run_;
    finished_run_.reset();
    SPILLWAY_RETURN_IF_ERROR(NextBlock(rank));
  }
  count_ = 0;
  carries_.clear();
  carried_bytes_ = 0;
  SPILLWAY_ASSIGN_OR_RETURN(const bool more, ChoosePivot());
  if (!more) return GroupBatch{};
  Gather();
  const bool one_run = active_.size() + carries_.size() == 1;
  Emit(one_run ? sorter_.MarkSorted(count_, gathered_.get(), common_bytes_)
               : sorter_.SortAndMark(count_, gathered_.get(), common_bytes_));
  return GroupBatch{std::span<const Record>(sorted_.get(), count_), groups_};
}

}  // namespace spillway
