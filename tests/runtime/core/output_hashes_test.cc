#include "runtime/core/output_hashes.h"

#include <gtest/gtest.h>

#include <numeric>

namespace spillway {
namespace {

using Numbers = std::vector<std::uint64_t>;

/// `ordered`: of one run. `records`: wherever runs were cut.
AttemptDone Done(std::uint32_t attempt, Numbers ordered, Numbers records = {}) {
  return {{1, TaskKind::kMap, 5, attempt}, 1, std::move(ordered), std::move(records)};
}

/// Of several runs.
AttemptDone Spilled(std::uint32_t attempt, Numbers records) {
  return Done(attempt, {}, std::move(records));
}

OutputHashes Hashes(std::uint32_t partitions, std::uint64_t single_hashes_max = 1 << 20) {
  return OutputHashes(10, partitions, single_hashes_max);
}

TEST(OutputHashes, NameThePartitionsThatDiffer) {
  OutputHashes hashes = Hashes(4);
  EXPECT_EQ(hashes.first_attempt(5), kNoAttempt);
  EXPECT_EQ(hashes.Compare(Spilled(2, {1, 2, 3, 4})), "");
  EXPECT_EQ(hashes.first_attempt(5), 2u);
  EXPECT_EQ(hashes.Compare(Spilled(3, {1, 2, 3, 4})), "");
  EXPECT_EQ(hashes.Compare(Spilled(4, {1, 7, 3, 4})), "other records to partition 1");
  EXPECT_EQ(hashes.Compare(Spilled(5, {1, 7, 3, 9})), "other records to partitions 1 and 3");
  EXPECT_EQ(hashes.Compare(Spilled(6, {1, 7, 0, 9})), "other records to partitions 1, 2 and 3");
  EXPECT_EQ(hashes.first_attempt(5), 2u);
}

TEST(OutputHashes, NameEightPartitionsAtMost) {
  OutputHashes hashes = Hashes(20);
  Numbers first(20);
  std::iota(first.begin(), first.end(), 0);
  hashes.Compare(Spilled(0, first));
  for (std::uint64_t& hash : first) hash += 100;
  EXPECT_EQ(hashes.Compare(Spilled(1, first)),
            "other records to partitions 0, 1, 2, 3, 4, 5, 6, 7 and 12 more");
}

TEST(OutputHashes, KeepOneForATaskOfAJobThatWouldHaveTooMany) {
  OutputHashes hashes = Hashes(3, 29);
  hashes.Compare(Spilled(0, {1, 2, 3}));
  EXPECT_EQ(hashes.Compare(Spilled(1, {1, 2, 3})), "");
  EXPECT_EQ(hashes.Compare(Spilled(2, {1, 2, 4})), "other records");
}

TEST(OutputHashes, CompareWhatBothAttemptsHave) {
  OutputHashes hashes = Hashes(2);
  hashes.Compare(Done(0, {1, 2}));
  EXPECT_EQ(hashes.Compare(Done(1, {1, 2}, {7, 8})), "");
  EXPECT_EQ(hashes.Compare(Done(2, {1, 3})),
            "other records, or the same in another order, to partition 1");
  EXPECT_EQ(hashes.Compare(Done(3, {1, 3}, {7, 8})),
            "the same records in another order to partition 1");
  EXPECT_EQ(hashes.Compare(Done(4, {1, 3}, {7, 9})), "other records to partition 1");
  // What the second one knew beyond the first holds for both.
  EXPECT_EQ(hashes.Compare(Spilled(5, {7, 8})), "");
  EXPECT_EQ(hashes.Compare(Spilled(6, {6, 8})), "other records to partition 0");
}

TEST(OutputHashes, SayNothingOfWhatCannotBeCompared) {
  OutputHashes hashes = Hashes(1);
  EXPECT_EQ(hashes.Compare(Done(0, {})), "");
  EXPECT_EQ(hashes.first_attempt(5), kNoAttempt);
  EXPECT_EQ(hashes.Compare(Done(1, {1})), "") << "one run";
  EXPECT_EQ(hashes.Compare(Done(2, {})), "") << "a combiner, and several runs";
  EXPECT_EQ(hashes.Compare(Done(3, {2})),
            "other records, or the same in another order, to partition 0");
}

}  // namespace
}  // namespace spillway
