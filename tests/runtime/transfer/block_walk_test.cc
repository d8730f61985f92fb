#include "runtime/transfer/block_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/runtime/transfer/transfer_fixture.h"

namespace spillway {
namespace {

using testing::HasSubstr;

constexpr SegmentId kId = {7, 3, 1};

// A server skips blocks that it cannot check; one that seemed to end in the next partition would
// lead it astray.
TEST(BlockWalk, NoBlockReachesFromOnePartitionIntoTheNext) {
  const std::string segment = RandomSegment(kId, 1);
  const auto reader = ReaderOf(segment, kId);
  const PartitionStream stream(*reader, {0, reader->partitions()});
  BlockWalk walk(stream, *reader);
  std::size_t tried = 0;
  for (std::uint32_t run = 0; run < reader->runs(); ++run) {
    for (std::uint32_t partition = 0; partition < reader->partitions(); ++partition) {
      const Extent& extent = reader->extent(run, partition);
      for (std::uint32_t block = 0; block < extent.blocks; ++block) {
        BlockHeader header;
        std::memcpy(&header, segment.data() + walk.offset(), sizeof header);
        const auto bytes = walk.BlockBytes(header);
        ASSERT_TRUE(bytes.ok()) << bytes.status().message();
        const bool last = block + 1 == extent.blocks;
        if (last && header.stored_bytes < extent.raw_block_bytes_max) {
          header.raw_bytes = header.stored_bytes = extent.raw_block_bytes_max;
          const Status status = walk.BlockBytes(header).status();
          EXPECT_EQ(status.code(), Code::kDataLoss);
          EXPECT_THAT(status.message(),
                      HasSubstr("run " + std::to_string(run) + ", partition " +
                                std::to_string(partition) + ") is damaged: the lengths"));
          ++tried;
        }
        ASSERT_TRUE(walk.Check(std::string_view(segment).substr(walk.offset(), *bytes)).ok());
      }
    }
  }
  EXPECT_TRUE(walk.at_end());
  EXPECT_GE(tried, 5u);
}

}  // namespace
}  // namespace spillway
