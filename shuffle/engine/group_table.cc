#include "shuffle/engine/group_table.h"

#include <algorithm>

#include "shuffle/engine/value_chain.h"

namespace spillway {
namespace {

// Chains' ends that are asked for before their turn: enough to hide memory, and few enough that
// they stay in the first cache.
constexpr std::size_t kPrefetchChains = 16;

// The part of the region that one record may take.
constexpr std::uint64_t kRecordShare = 8;

FoldOptions LocateOptions() {
  FoldOptions options;
  options.kind = kLocateStates;
  return options;
}

}  // namespace

GroupTable::GroupTable(std::span<char> region)
    : keys_(LocateOptions(), region),
      region_(region.data()),
      record_bytes_max_(region.size() / kRecordShare) {}

bool GroupTable::Fits(const Record& record) const {
  return keys_.Fits(record) &&
         record.key_bytes + ValueChain::BytesOfFirstChunk(record.value_bytes) <= record_bytes_max_;
}

std::size_t GroupTable::Add(std::span<const Record> records) {
  std::uint64_t* chains[kKernelRecordsMax];
  std::size_t done = 0;
  std::size_t batch_records = records.size();
  while (done < records.size()) {
    const std::size_t left = std::min(batch_records, records.size() - done);
    const std::size_t located = keys_.Locate(records.subspan(done, left), chains);
    if (located == 0) break;
    std::size_t added = 0;
    for (; added < located; ++added) {
      if (added + kPrefetchChains < located)
        ValueChain(region_, *chains[added + kPrefetchChains]).PrefetchEnd();
      if (!Append(*chains[added], records[done + added])) break;
    }
    done += added;
    if (added == located) continue;
    if (records_ + done != 0 || batch_records == 1) break;
    // The batch's long keys took all the memory. One record that fits leaves some for its value.
    keys_.Clear();
    batch_records = 1;
  }
  records_ += done;
  return done;
}

inline bool GroupTable::Append(std::uint64_t& chain_state, const Record& record) {
  ValueChain chain(region_, chain_state);
  if (chain.Append(record.value, record.value_bytes)) [[likely]]
    return true;
  const std::uint64_t chunk_bytes = chain.BytesOfNextChunk(record.value_bytes);
  char* const chunk = keys_.TakeHeap(chunk_bytes);
  if (chunk == nullptr) return false;
  chain.AppendToChunk(chunk, chunk_bytes, record.value, record.value_bytes);
  return true;
}

void GroupTable::Clear() {
  keys_.Clear();
  records_ = 0;
}

}  // namespace spillway
