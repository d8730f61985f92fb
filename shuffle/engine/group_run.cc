#include "shuffle/engine/group_run.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "shuffle/engine/table_order.h"
#include "shuffle/engine/value_chain.h"

namespace spillway {
namespace {

// Chains that are walked side by side: enough to hide the memory behind each other, few enough that
// what they ask for is still in the first cache when it is copied.
constexpr std::size_t kWalkedKeys = 32;

using Chunks = std::vector<std::string_view>;

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
      for (std::size_t begin = 0; begin < part.size(); begin += kWalkedKeys) {
        const std::size_t count = std::min(kWalkedKeys, part.size() - begin);
        WalkChains(part, begin, count);
        for (std::size_t i = 0; i < count; ++i)
          SPILLWAY_RETURN_IF_ERROR(WriteKey(p, part[begin + i], chunks_[i]));
      }
    }
    return writer_.FinishRun();
  }

 private:
  // Lists the chunks of some keys, one step along each chain in turns.
  void WalkChains(std::span<const FoldEntry> part, std::size_t begin, std::size_t count) {
    std::array<ValueChain::Walk, kWalkedKeys> walks;
    std::array<std::uint8_t, kWalkedKeys> active;
    std::size_t active_count = 0;
    for (std::size_t i = 0; i < count; ++i) {
      order_.PrefetchSlot(part, begin + i);
      chunks_[i].clear();
      walks[i] = ValueChain::Walk(region_, order_.slot(part[begin + i]).state);
      active[active_count] = static_cast<std::uint8_t>(i);
      active_count += !walks[i].done();
    }
    while (active_count != 0) {
      std::size_t still_active = 0;
      for (std::size_t i = 0; i < active_count; ++i) {
        const std::uint8_t key = active[i];
        chunks_[key].push_back(walks[key].Next());
        active[still_active] = key;
        still_active += !walks[key].done();
      }
      active_count = still_active;
    }
  }

  // A chunk holds whole values, and so packs are made of whole chunks.
  Status WriteKey(std::uint32_t partition, const FoldEntry& entry, Chunks& chunks_backwards) {
    std::reverse(chunks_backwards.begin(), chunks_backwards.end());
    const std::span<const std::string_view> chunks(chunks_backwards);
    const std::string_view key = order_.slot(entry).key_view();
    for (std::size_t begin = 0, end; begin < chunks.size(); begin = end) {
      std::uint64_t bytes = chunks[begin].size();
      for (end = begin + 1; end < chunks.size() && bytes + chunks[end].size() <= kPackBytesMax;
           ++end)
        bytes += chunks[end].size();
      SPILLWAY_RETURN_IF_ERROR(writer_.Add(partition, key, chunks.subspan(begin, end - begin)));
    }
    return OkStatus();
  }

  const char* const region_;
  const std::uint32_t partitions_;
  TableOrder order_;
  SegmentWriter& writer_;
  std::array<Chunks, kWalkedKeys> chunks_;  // Of the keys at hand, last chunk first.
};

}  // namespace

Status WriteGroupRun(GroupTable& table, const CollectorOptions& options, SegmentWriter& writer) {
  SPILLWAY_RETURN_IF_ERROR(GroupRun(table, options, writer).Write());
  table.Clear();
  return OkStatus();
}

}  // namespace spillway
