// Any bytes as the index of a segment: refused, or every extent lies inside the segment and no
// reader would be made to allocate more than LZ4 could have packed into it.
#include <fuzzer/FuzzedDataProvider.h>

#include "mapreduce/base/check.h"
#include "shuffle/format/segment_index.h"

using namespace spillway;

namespace {

constexpr std::uint64_t kLz4ExpansionMax = 255;

void CheckExtent(const Extent& extent, const SegmentIndex::Shape& shape) {
  if (extent.stored_bytes == 0) {
    SPILLWAY_CHECK_EQ(extent.records, 0u);
    return;
  }
  SPILLWAY_CHECK_GE(extent.offset, shape.blocks_offset);
  SPILLWAY_CHECK_LE(extent.stored_bytes, shape.blocks_end - extent.offset);
  SPILLWAY_CHECK_GT(extent.blocks, 0u);
  SPILLWAY_CHECK_GE(extent.records, extent.blocks);
  SPILLWAY_CHECK_LE(extent.raw_block_bytes_max, extent.raw_bytes);
  SPILLWAY_CHECK_LE(extent.raw_bytes / kLz4ExpansionMax, extent.stored_bytes);
}

// What streams of several partitions are cut by.
void CheckBackToBack(const RunExtents& run) {
  SPILLWAY_CHECK_EQ(run.extents.size(), run.partitions.size());
  for (std::size_t i = 1; i < run.extents.size(); ++i) {
    const Extent &before = run.extents[i - 1], &extent = run.extents[i];
    SPILLWAY_CHECK_LT(run.partitions[i - 1], run.partitions[i]);
    SPILLWAY_CHECK_EQ(before.offset + before.stored_bytes, extent.offset);
    SPILLWAY_CHECK_EQ(before.first_block + before.blocks, extent.first_block);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  SegmentIndex::Shape shape;
  shape.runs = input.ConsumeIntegralInRange<std::uint32_t>(0, 8);
  shape.partitions = input.ConsumeIntegralInRange<std::uint32_t>(1, 8);
  shape.blocks = input.ConsumeIntegralInRange<std::uint32_t>(0, 64);
  shape.blocks_offset = 32;
  shape.blocks_end = shape.blocks_offset + input.ConsumeIntegral<std::uint32_t>();
  const std::string bytes = input.ConsumeRemainingBytesAsString();

  const auto index = SegmentIndex::Parse(bytes, shape);
  if (!index.ok()) {
    SPILLWAY_CHECK(index.status().code() == Code::kDataLoss);
    return 0;
  }
  for (std::uint32_t run = 0; run < shape.runs; ++run) {
    CheckBackToBack(index->extents(run, {0, shape.partitions}));
    for (std::uint32_t partition = 0; partition < shape.partitions; ++partition)
      CheckExtent(index->extent(run, partition), shape);
  }
  return 0;
}
