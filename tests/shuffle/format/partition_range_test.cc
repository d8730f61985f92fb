#include "shuffle/format/partition_range.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(PartitionRange, IsOnePartitionUnlessToldOtherwise) {
  EXPECT_EQ((PartitionRange{3}), (PartitionRange{3, 1}));
  EXPECT_EQ(NameOf({3}), "partition 3");
  EXPECT_EQ(NameOf({3, 3}), "partitions 3 to 5");
}

TEST(PartitionRange, IsWithinWhatHasAllOfItWithoutOverflow) {
  EXPECT_TRUE((PartitionRange{0, 5}.IsWithin(5)));
  EXPECT_TRUE((PartitionRange{4, 1}.IsWithin(5)));
  EXPECT_FALSE((PartitionRange{4, 2}.IsWithin(5)));
  EXPECT_FALSE((PartitionRange{5, 1}.IsWithin(5)));
  EXPECT_FALSE((PartitionRange{2, 0}.IsWithin(5)));
  EXPECT_FALSE((PartitionRange{2, UINT32_MAX}.IsWithin(5)));
  EXPECT_FALSE((PartitionRange{UINT32_MAX, UINT32_MAX}.IsWithin(UINT32_MAX)));
  EXPECT_EQ(NameOf({UINT32_MAX, 2}), "partitions 4294967295 to 4294967296");
}

}  // namespace
}  // namespace spillway
