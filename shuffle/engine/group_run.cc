#include "shuffle/engine/group_run.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "shuffle/engine/table_order.h"
#include "shuffle/engine/value_chain.h"

namespace spillway {
namespace {

// Keys whose values are asked for before their turn; their slots have come by then.
constexpr std::size_t kPrefetchValues = 6;

class GroupRun {
 public:
  GroupRun(GroupTable& table, const CollectorOptions& options, SegmentWriter& writer)
      : region_(table.region()),
        partitions_(options.partitions),
        order_(table.keys(), options),
        writer_(writer) {}

  Status Write() {
    SPILLWAY_RETURN_IF_ERROR(order_.AssignPartitions());
    writer_.BeginRun();
    for (std::uint32_t p = 0; p < partitions_; ++p) {
      const std::span<const FoldEntry> part = order_.Sort(p);
      for (std::size_t i = 0; i < part.size(); ++i) {
        order_.PrefetchSlot(part, i);
        if (i + kPrefetchValues < part.size()) ChainOf(part[i + kPrefetchValues]).PrefetchEnd();
        SPILLWAY_RETURN_IF_ERROR(WriteKey(p, part[i]));
      }
    }
    return writer_.FinishRun();
  }

 private:
  ValueChain ChainOf(const FoldEntry& entry) {
    chain_state_ = order_.slot(entry).state;
    return ValueChain(region_, chain_state_);
  }

  // A chunk holds whole values, and so packs are made of whole chunks.
  Status WriteKey(std::uint32_t partition, const FoldEntry& entry) {
    chunks_.clear();
    ChainOf(entry).ListBackwards(chunks_);
    std::reverse(chunks_.begin(), chunks_.end());
    const std::string_view key = order_.slot(entry).key_view();
    const std::span<const std::string_view> chunks(chunks_);
    for (std::size_t begin = 0, end; begin < chunks.size(); begin = end) {
      std::uint64_t bytes = chunks[begin].size();
      for (end = begin + 1; end < chunks.size() && bytes + chunks[end].size() <= kPackBytesMax;
           ++end)
        bytes += chunks[end].size();
      SPILLWAY_RETURN_IF_ERROR(writer_.Add(partition, key, chunks.subspan(begin, end - begin)));
    }
    return OkStatus();
  }

  char* const region_;
  const std::uint32_t partitions_;
  TableOrder order_;
  SegmentWriter& writer_;
  std::uint64_t chain_state_ = 0;
  std::vector<std::string_view> chunks_;  // Of one key.
};

}  // namespace

Status WriteGroupRun(GroupTable& table, const CollectorOptions& options, SegmentWriter& writer) {
  SPILLWAY_RETURN_IF_ERROR(GroupRun(table, options, writer).Write());
  table.Clear();
  return OkStatus();
}

}  // namespace spillway
