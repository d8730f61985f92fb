#include "shuffle/store/hybrid_segment_store.h"

#include <gtest/gtest.h>

#include "runtime/storage/posix_file_system.h"
#include "shuffle/store/disk_segment_store.h"
#include "tests/shuffle/store/faulty_file_system.h"
#include "tests/shuffle/store/temporary_directory.h"

namespace spillway {
namespace {

constexpr SegmentId kId = {7, 3, 1};

class HybridSegmentStoreTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  PosixFileSystem posix_;
  FaultyFileSystem files_{posix_};
  DiskSegmentStore disk_{files_, {.directories = {directory_.path()}}};
  MemoryBudget budget_{500'000};
  HybridSegmentStore store_{budget_, disk_};
};

TEST_F(HybridSegmentStoreTest, MovesToDiskInMidSegmentWhenTheBudgetEnds) {
  auto file = store_.Create(kId);
  ASSERT_TRUE(file.ok());
  std::string all;
  bool was_in_memory = false;
  while (all.size() < 2'000'000) {
    const std::string piece(7'001, static_cast<char>('a' + all.size() % 26));
    was_in_memory |= !(*file)->on_disk();
    ASSERT_TRUE((*file)->Append(piece).ok());
    all += piece;
  }
  EXPECT_TRUE(was_in_memory);
  EXPECT_TRUE((*file)->on_disk());
  EXPECT_EQ(budget_.used_bytes(), 0u);
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_EQ(store_.spilled_bytes(), all.size());
  auto segment = store_.Open(kId);
  ASSERT_TRUE(segment.ok());
  std::string scratch(all.size(), '\0');
  EXPECT_EQ(*(*segment)->ReadAt(0, all.size(), scratch.data()), all);
}

TEST_F(HybridSegmentStoreTest, StaysInMemoryWhileThereIsRoom) {
  auto file = store_.Create(kId);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Append(std::string(300'000, 'x')).ok());
  ASSERT_TRUE((*file)->Commit().ok());
  EXPECT_EQ(store_.spilled_bytes(), 0u);
  EXPECT_TRUE(posix_.List(directory_.path())->empty());
  EXPECT_EQ((*store_.Open(kId))->View(0, 300'000).size(), 300'000u);
}

TEST_F(HybridSegmentStoreTest, FullDiskBehindFullMemoryIsAnError) {
  files_.SetRoom(directory_.path(), 100'000);
  auto file = store_.Create(kId);
  ASSERT_TRUE(file.ok());
  Status status;
  while (status.ok()) status = (*file)->Append(std::string(10'000, 'x'));
  EXPECT_EQ(status.code(), Code::kResourceExhausted);
  file->reset();
  EXPECT_EQ(budget_.used_bytes(), 0u);
  EXPECT_TRUE(posix_.List(directory_.path())->empty());
}

}  // namespace
}  // namespace spillway
