// SegmentIndex: what it says of a range of partitions is what was added for each of them, whether
// the index has all of them or few.
#include "shuffle/format/segment_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace spillway {
namespace {

TEST(SegmentIndex, ARunsExtentsOfARangeAreThoseOfItsPartitionsThatAreNotEmpty) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    SegmentIndex::Shape shape = {.runs = 1 + static_cast<std::uint32_t>(random() % 4),
                                 .partitions = 1 + static_cast<std::uint32_t>(random() % 9),
                                 .blocks = 0,
                                 .blocks_offset = 32,
                                 .blocks_end = 32};
    SegmentIndexBuilder builder;
    std::map<std::pair<std::uint32_t, std::uint32_t>, Extent> added;
    for (std::uint32_t run = 0; run < shape.runs; ++run) {
      builder.BeginRun();
      const std::uint64_t gaps = random() % 4;  // None, so that the index has each; or many.
      for (std::uint32_t partition = 0; partition < shape.partitions; ++partition) {
        if (gaps > 0 && random() % (gaps + 1) > 0) continue;
        const auto bytes = static_cast<std::uint32_t>(10 + random() % 90);
        const Extent extent = {
            shape.blocks_end, 24 + std::uint64_t{bytes}, bytes, 1, 1, shape.blocks, bytes};
        builder.Add(partition, extent);
        added[{run, partition}] = extent;
        shape.blocks_end += extent.stored_bytes;
        ++shape.blocks;
      }
      builder.EndRun();
    }
    const auto index = SegmentIndex::Parse(builder.bytes(), shape);
    ASSERT_TRUE(index.ok()) << index.status().message();
    for (std::uint32_t run = 0; run < shape.runs; ++run) {
      for (std::uint32_t first = 0; first < shape.partitions; ++first) {
        for (std::uint32_t count = 1; count <= shape.partitions - first; ++count) {
          SCOPED_TRACE("run " + std::to_string(run) + ", " + NameOf({first, count}));
          const RunExtents found = index->extents(run, {first, count});
          ASSERT_EQ(found.extents.size(), found.partitions.size());
          std::size_t i = 0;
          for (auto at = added.lower_bound({run, first});
               at != added.end() && at->first < std::pair(run, first + count); ++at, ++i) {
            ASSERT_LT(i, found.extents.size());
            EXPECT_EQ(found.partitions[i], at->first.second);
            EXPECT_EQ(found.extents[i].offset, at->second.offset);
            EXPECT_EQ(found.extents[i].stored_bytes, at->second.stored_bytes);
            EXPECT_EQ(found.extents[i].first_block, at->second.first_block);
          }
          EXPECT_EQ(i, found.extents.size());
        }
        const auto at = added.find({run, first});
        EXPECT_EQ(index->extent(run, first).offset, at == added.end() ? 0 : at->second.offset);
        EXPECT_EQ(index->extent(run, first).blocks, at == added.end() ? 0 : 1u);
      }
    }
  }
}

}  // namespace
}  // namespace spillway
