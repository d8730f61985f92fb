// TreeMerge: merges runs record by record with a loser tree. It takes any comparator, which the
// batched merge cannot, and it wins where there are only a few runs. One thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "shuffle/merge/loser_tree.h"
#include "shuffle/merge/merge_stream.h"
#include "shuffle/merge/padded_key.h"

namespace spillway {

class TreeMerge : public MergeStream {
 public:
  TreeMerge(std::vector<std::unique_ptr<BlockSource>> sources, const MergeOptions& options);

  /// A batch ends where a block does, because the next block takes the place of the views.
  Result<GroupBatch> Next() override;
  std::optional<std::uint32_t> failed_run() const override { return failed_run_; }

  static MergeMemory Memory(const MergeOptions& options);

 private:
  struct Run {
    std::unique_ptr<BlockSource> source;
    Record head{};               ///< The record that plays.
    const char* next = nullptr;  ///< Behind it; null when the run is at its end.
    const char* end = nullptr;   ///< Of the block.
  };
  struct Before {
    const TreeMerge* merge;
    bool operator()(std::uint32_t a, std::uint32_t b) const;
  };

  Status Start();
  Status LoadBlock(std::uint32_t rank);
  Status ReadHead(std::uint32_t rank);
  std::uint64_t HeadPrefix(std::uint32_t rank) const;
  bool BeginsGroup(std::string_view key, std::size_t count) const;

  const KeyOrder order_;
  const std::size_t batch_records_;
  std::vector<Run> runs_;
  LoserTree<Before> tree_;
  std::vector<Record> records_;
  std::vector<std::uint32_t> groups_;
  std::optional<PaddedKey> last_key_;          ///< Of the batch before.
  std::optional<std::uint32_t> finished_run_;  ///< Its block is given out; the next is due.
  std::optional<std::uint32_t> failed_run_;
  bool started_ = false;
};

}  // namespace spillway
