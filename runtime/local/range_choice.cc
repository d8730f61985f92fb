#include "runtime/local/range_choice.h"

#include "runtime/task/key_sampler.h"
#include "shuffle/engine/range_partition.h"

namespace spillway {

Result<std::vector<std::string>> ChooseRangeCuts(const PreparedJob& job, FileSystem& files,
                                                 MemoryBudget& spare,
                                                 const std::atomic<bool>& cancel_requested) {
  JobContext context;
  context.plugin = job.plugin.get();
  context.side_files = job.request.side_files;
  context.partitions = job.parts;
  if (context.abi().partition_kind != SPILLWAY_PARTITION_RANGE || context.partitions < 2)
    return std::vector<std::string>();
  std::vector<SplitRange> ranges;
  for (std::uint32_t map = 0; map < job.maps.size(); ++map) {
    std::vector<SplitRange> more = job.RangesOf(map);
    ranges.insert(ranges.end(), more.begin(), more.end());
  }
  SPILLWAY_ASSIGN_OR_RETURN(
      auto keys, SampleKeys(context, files, ranges, spare, {.decoder_bytes = job.decoder_bytes},
                            cancel_requested));
  return RangeCuts(std::move(keys), context.partitions);
}

}  // namespace spillway
