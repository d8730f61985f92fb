#include "runtime/core/output_hashes.h"

#include <gtest/gtest.h>

#include <numeric>

namespace spillway {
namespace {

AttemptDone Done(std::uint32_t attempt, std::vector<std::uint64_t> hashes,
                 std::uint64_t order_hash = 0) {
  return {{1, TaskKind::kMap, 5, attempt}, 1, std::move(hashes), order_hash};
}

OutputHashes Hashes(std::uint32_t partitions, std::uint64_t single_hashes_max = 1 << 20) {
  return OutputHashes(10, partitions, single_hashes_max);
}

TEST(OutputHashes, NameThePartitionsThatDiffer) {
  OutputHashes hashes = Hashes(4);
  EXPECT_EQ(hashes.first_attempt(5), kNoAttempt);
  EXPECT_EQ(hashes.Compare(Done(2, {1, 2, 3, 4})), "");
  EXPECT_EQ(hashes.first_attempt(5), 2u);
  EXPECT_EQ(hashes.Compare(Done(3, {1, 2, 3, 4})), "");
  EXPECT_EQ(hashes.Compare(Done(4, {1, 7, 3, 4})), "other records to partition 1");
  EXPECT_EQ(hashes.Compare(Done(5, {1, 7, 3, 9})), "other records to partitions 1 and 3");
  EXPECT_EQ(hashes.Compare(Done(6, {1, 7, 0, 9})), "other records to partitions 1, 2 and 3");
  EXPECT_EQ(hashes.first_attempt(5), 2u);
}

TEST(OutputHashes, NameEightPartitionsAtMost) {
  OutputHashes hashes = Hashes(20);
  std::vector<std::uint64_t> first(20);
  std::iota(first.begin(), first.end(), 0);
  hashes.Compare(Done(0, first));
  for (std::uint64_t& hash : first) hash += 100;
  EXPECT_EQ(hashes.Compare(Done(1, first)),
            "other records to partitions 0, 1, 2, 3, 4, 5, 6, 7 and 12 more");
}

TEST(OutputHashes, KeepOneForATaskOfAJobThatWouldHaveTooMany) {
  OutputHashes hashes = Hashes(3, 29);
  hashes.Compare(Done(0, {1, 2, 3}));
  EXPECT_EQ(hashes.Compare(Done(1, {1, 2, 3})), "");
  EXPECT_EQ(hashes.Compare(Done(2, {1, 2, 4})), "other records");
}

TEST(OutputHashes, TellTheOrderWhereBothHaveOne) {
  OutputHashes hashes = Hashes(1);
  hashes.Compare(Done(0, {1}, 7));
  EXPECT_EQ(hashes.Compare(Done(1, {1}, 0)), "") << "cut into runs: it has no order to compare";
  EXPECT_EQ(hashes.Compare(Done(2, {1}, 7)), "");
  EXPECT_EQ(hashes.Compare(Done(3, {1}, 8)), "the same records in another order");
  EXPECT_EQ(hashes.Compare(Done(4, {2}, 8)), "other records to partition 0");
}

TEST(OutputHashes, SayNothingOfAnOutputThatCannotBeCompared) {
  OutputHashes hashes = Hashes(1);
  EXPECT_EQ(hashes.Compare(Done(0, {})), "");
  EXPECT_EQ(hashes.first_attempt(5), kNoAttempt);
  EXPECT_EQ(hashes.Compare(Done(1, {1})), "");
  EXPECT_EQ(hashes.Compare(Done(2, {})), "");
  EXPECT_EQ(hashes.Compare(Done(3, {2})), "other records to partition 0");
}

}  // namespace
}  // namespace spillway
