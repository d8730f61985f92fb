// MergeStream: the stable merge of sorted runs into one stream of groups. Records come out in the
// order (key, rank, arrival), where rank is the run's place in the list of sources. Two ways of
// merging stand behind the interface: BatchMerge for keys that compare as bytes, TreeMerge for
// custom comparators and for few runs. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "shuffle/format/segment_reader.h"
#include "shuffle/record/group_stream.h"
#include "shuffle/record/key_order.h"

namespace spillway {

struct MergeOptions {
  KeyOrder order;
  /// Records that a batch aims at. More make longer sorts, fewer make more visits to each run.
  std::uint32_t batch_records = 4096;
  /// Room for the tails of finished blocks, which lets a batch reach over block borders.
  std::uint32_t carry_bytes = 256 << 10;

  /// Limits that make every rare path common in tests.
  static MergeOptions Tiny() { return {.order = {}, .batch_records = 5, .carry_bytes = 64}; }
};

class MergeStream : public GroupStream {
 public:
  /// After a failed Next(): the rank of the run that failed. The stream is over then.
  virtual std::optional<std::uint32_t> failed_run() const = 0;
};

/// Merges the runs in whichever way is faster for them. The sources' own errors pass through; a
/// block that does not hold whole records is DataLoss.
std::unique_ptr<MergeStream> OpenMerge(std::vector<std::unique_ptr<BlockSource>> sources,
                                       const MergeOptions& options);

/// An upper bound of what a merge takes beside its sources' buffers.
struct MergeMemory {
  std::uint64_t fixed_bytes = 0;
  std::uint64_t bytes_per_run = 0;

  std::uint64_t BytesFor(std::uint64_t runs) const { return fixed_bytes + runs * bytes_per_run; }
};
MergeMemory MemoryOfMerge(const MergeOptions& options);

}  // namespace spillway
