// BatchMerge: merges many runs of byte-ordered keys by sorting batches instead of playing a
// tournament per record. One thread.
//
// The idea. Each run holds one decoded block, and every W-th record of it, as well as its last,
// is a *sample*. A small tournament over the runs' next samples gives the samples in order. The
// last one taken is the *pivot*: in every run, the records up to the run's last taken sample are
// below it, and no more than W - 1 records beyond can be. So a batch is found with one tournament
// game per W records, its size is bounded, and it is then sorted as 16-byte entries {key prefix,
// length class, index} (see BatchSorter). The index counts records as they were gathered, run by
// run, and so makes the sort stable.
//
//      run 0   a b c|d e f|g        | ends a window; the sample is the record before it
//      run 1   a a d|h i|           samples in order: c d f ...; after "d" of run 1 the pivot
//      run 2   b e f|k l m|         is (d, run 1): the batch is a b c d . a a d . b
//
// The order of samples is (key, rank), and so is the bound of a batch: runs of lower rank give
// their keys that equal the pivot, those of higher rank keep them. That is why a hot key needs no
// special case: it streams window by window through the runs that hold it.
//
// A block may be dropped only when none of its records is viewed, so a finished block ends the
// batch. To not have that happen too early (with 1024 runs a block ends every few hundred
// records), the tail of a finished block is copied aside, as long as the batch is small.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "shuffle/merge/batch_sorter.h"
#include "shuffle/merge/loser_tree.h"
#include "shuffle/merge/merge_stream.h"

namespace spillway {

class BatchMerge : public MergeStream {
 public:
  /// Requires options.order.is_bytes().
  BatchMerge(std::vector<std::unique_ptr<BlockSource>> sources, const MergeOptions& options);

  Result<GroupBatch> Next() override;
  std::optional<std::uint32_t> failed_run() const override { return failed_run_; }

  static MergeMemory Memory(const MergeOptions& options);

 private:
  /// A window's last record, and all that is mostly asked of it: the record itself is in no cache.
  struct Sample {
    std::uint64_t prefix;
    std::uint32_t begin;  ///< In the block.
    std::uint32_t end;
  };
  /// One run and its current block. All pointers are null when it is at its end.
  struct Run {
    const char* cursor = nullptr;     ///< The first record that is not given out.
    const char* taken_end = nullptr;  ///< Behind the last sample taken.
    const char* sample = nullptr;     ///< The next sample.
    const char* sample_end = nullptr;
    const char* end = nullptr;  ///< Of the block.
    std::uint64_t sample_prefix = UINT64_MAX;
    const char* block = nullptr;
    std::uint32_t block_records = 0;
    std::uint32_t next_window = 0;
    std::vector<Sample> samples;
    std::unique_ptr<BlockSource> source;
  };
  /// The tail of a block, copied into carried_.
  struct Carry {
    std::uint32_t rank;
    const char* begin;
    const char* end;
  };
  struct Before {
    const BatchMerge* merge;
    bool operator()(std::uint32_t a, std::uint32_t b) const;
  };

  Status Start();
  Status LoadBlock(std::uint32_t rank);
  Status FindSamples(std::uint32_t rank, const Block& block);
  Status NextBlock(std::uint32_t rank);
  void TakeSample(Run& run);

  Result<bool> ChoosePivot();
  bool CarryTail(std::uint32_t rank);

  void Gather();
  bool HeadIsBelowPivot(std::uint32_t rank) const;
  void FindActive();
  void TakeAll(const char* from, const char* to);
  void TakeRun(std::uint32_t rank);
  const char* TakeBelowPivot(std::uint32_t rank, const char* from);
  std::size_t CommonBytesWithSample(const Run& run) const;

  void Emit(std::span<const SortEntry> entries);

  const KeyOrder order_;
  const std::uint32_t batch_records_;
  const std::uint32_t window_records_;
  const std::uint32_t carry_bytes_max_;
  std::vector<Run> runs_;
  /// Of the records at the cursors, or 0 once a sample is taken: the run is in the batch then.
  std::vector<std::uint64_t> head_prefixes_;
  LoserTree<Before> samples_;

  // The batch in the making.
  const char* pivot_ = nullptr;  ///< The last sample taken.
  std::string_view pivot_key_;
  std::uint64_t pivot_prefix_ = 0;
  std::uint32_t pivot_rank_ = 0;
  std::size_t common_bytes_ = 0;       ///< That all keys of the batch begin with.
  std::vector<std::uint32_t> active_;  ///< Runs with records in it.
  std::vector<Carry> carries_;
  std::unique_ptr<char[]> carried_;
  std::size_t carried_bytes_ = 0;
  std::size_t count_ = 0;
  std::unique_ptr<Record[]> gathered_;
  BatchSorter sorter_;
  std::unique_ptr<Record[]> sorted_;
  std::vector<std::uint32_t> groups_;

  std::optional<PaddedKey> last_key_;          ///< Of the batch before.
  std::optional<std::uint32_t> finished_run_;  ///< Its block is given out; the next is due.
  std::optional<std::uint32_t> failed_run_;
  bool started_ = false;
};

}  // namespace spillway
