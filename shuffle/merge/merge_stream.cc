#include "shuffle/merge/merge_stream.h"

#include <algorithm>

#include "shuffle/merge/batch_merge.h"
#include "shuffle/merge/tree_merge.h"

namespace spillway {
namespace {

/// Up to this many runs a loser tree has so few levels that it beats sorting a batch.
constexpr std::size_t kTreeRunsMax = 4;

}  // namespace

std::unique_ptr<MergeStream> OpenMerge(std::vector<std::unique_ptr<BlockSource>> sources,
                                       const MergeOptions& options) {
  if (!options.order.is_bytes() || sources.size() <= kTreeRunsMax)
    return std::make_unique<TreeMerge>(std::move(sources), options);
  return std::make_unique<BatchMerge>(std::move(sources), options);
}

MergeMemory MemoryOfMerge(const MergeOptions& options) {
  return options.order.is_bytes() ? BatchMerge::Memory(options) : TreeMerge::Memory(options);
}

}  // namespace spillway
