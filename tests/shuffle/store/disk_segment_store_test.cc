#include "shuffle/store/disk_segment_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <map>

#include "runtime/storage/posix_file_system.h"
#include "tests/shuffle/store/faulty_file_system.h"
#include "tests/shuffle/store/temporary_directory.h"

namespace spillway {
namespace {

using testing::HasSubstr;

class DiskSegmentStoreTest : public testing::Test {
 protected:
  static Status Write(SegmentStore& store, const SegmentId& id, std::uint64_t bytes) {
    SPILLWAY_ASSIGN_OR_RETURN(const auto file, store.Create(id));
    const std::string piece(1000, 'x');
    for (std::uint64_t at = 0; at < bytes; at += piece.size())
      SPILLWAY_RETURN_IF_ERROR(file->Append(piece));
    return file->Commit();
  }

  std::size_t FilesIn(const TemporaryDirectory& directory) {
    return posix_.List(directory.path())->size();
  }

  TemporaryDirectory a_, b_;
  PosixFileSystem posix_;
  FaultyFileSystem files_{posix_};
};

TEST_F(DiskSegmentStoreTest, FullDiskFailsTheSegmentAndTheNextOneGoesElsewhere) {
  files_.SetRoom(a_.path(), 10'000);
  files_.SetRoom(b_.path(), 9'000);
  DiskSegmentStore store(files_, {.directories = {a_.path(), b_.path()}});
  const Status full = Write(store, {1, 0, 0}, 20'000);
  EXPECT_EQ(full.code(), Code::kResourceExhausted);
  EXPECT_THAT(full.message(), HasSubstr(a_.path()));
  EXPECT_THAT(full.message(), HasSubstr("needed"));
  EXPECT_THAT(full.message(), HasSubstr("free"));
  EXPECT_THAT(full.message(), HasSubstr("map task 0"));
  EXPECT_EQ(FilesIn(a_), 0u) << "the torn segment is gone";
  files_.SetRoom(a_.path(), 1 << 20);  // More than in b, but a has just failed.
  EXPECT_TRUE(Write(store, {1, 0, 1}, 5'000).ok());
  EXPECT_EQ(FilesIn(b_), 1u);
  // b fails as well: both get another chance, and a has the room.
  EXPECT_EQ(Write(store, {1, 1, 0}, 20'000).code(), Code::kResourceExhausted);
  EXPECT_TRUE(Write(store, {1, 1, 1}, 20'000).ok());
  EXPECT_EQ(FilesIn(a_), 1u);
  EXPECT_GE(store.spilled_bytes(), 25'000u) << "failed attempts wrote, too";
}

TEST_F(DiskSegmentStoreTest, RefusingDirectoryIsPassedOver) {
  files_.SetRoom(a_.path(), 1 << 20);
  files_.SetRoom(b_.path(), 1 << 10);
  files_.FailCreateIn(a_.path());
  DiskSegmentStore store(files_, {.directories = {a_.path(), b_.path()}});
  EXPECT_TRUE(Write(store, {1, 0, 0}, 1'000).ok());
  EXPECT_EQ(FilesIn(b_), 1u);
  DiskSegmentStore only(files_, {.directories = {a_.path()}});
  const Status refused = Write(only, {1, 0, 0}, 1'000);
  EXPECT_EQ(refused.code(), Code::kAborted) << "another host's disk may take it";
  EXPECT_THAT(refused.message(), HasSubstr("no spill directory takes a segment"));
  EXPECT_THAT(refused.message(), HasSubstr(a_.path()));
}

TEST_F(DiskSegmentStoreTest, WritersSpreadOverDirectories) {
  files_.SetRoom(a_.path(), 1 << 20);
  files_.SetRoom(b_.path(), 1 << 20);
  DiskSegmentStore store(files_, {.directories = {a_.path(), b_.path()}});
  std::vector<std::unique_ptr<SegmentFile>> writers;
  for (std::uint32_t i = 0; i < 4; ++i) writers.push_back(store.Create({1, i, 0}).value());
  EXPECT_EQ(FilesIn(a_), 2u);
  EXPECT_EQ(FilesIn(b_), 2u);
}

TEST_F(DiskSegmentStoreTest, OneWriterTakesTurnsWhereRoomIsEqual) {
  files_.SetRoom(a_.path(), 1'000'000);
  files_.SetRoom(b_.path(), 1'001'000);  // Nearly so: somebody else writes as well.
  DiskSegmentStore store(files_, {.directories = {a_.path(), b_.path()}});
  for (std::uint32_t i = 0; i < 6; ++i) ASSERT_TRUE(store.Create({1, i, 0}).value()->Commit().ok());
  EXPECT_EQ(FilesIn(a_), 3u);
  EXPECT_EQ(FilesIn(b_), 3u);
}

TEST_F(DiskSegmentStoreTest, JobsOfOneSegmentSpread) {
  files_.SetRoom(a_.path(), 1 << 20);
  files_.SetRoom(b_.path(), 1 << 20);
  for (std::uint64_t job = 1; job <= 4; ++job) {
    DiskSegmentStore store(files_, {.directories = {a_.path(), b_.path()}});
    ASSERT_TRUE(store.Create({job, 0, 0}).value()->Commit().ok());
  }
  EXPECT_EQ(FilesIn(a_), 2u);
  EXPECT_EQ(FilesIn(b_), 2u);
}

TEST_F(DiskSegmentStoreTest, MoreRoomGoesBeforeTurns) {
  files_.SetRoom(a_.path(), 1'000'000);
  files_.SetRoom(b_.path(), 1'100'000);
  DiskSegmentStore store(files_, {.directories = {a_.path(), b_.path()}});
  for (std::uint32_t i = 0; i < 3; ++i) ASSERT_TRUE(store.Create({1, i, 0}).value()->Commit().ok());
  EXPECT_EQ(FilesIn(b_), 3u);
}

TEST_F(DiskSegmentStoreTest, AnotherStoreOnTheDirectoriesSeesWhatIsCommitted) {
  DiskSegmentStore writer(files_, {.directories = {a_.path()}});
  ASSERT_TRUE(Write(writer, {1, 2, 3}, 5'000).ok());
  DiskSegmentStore reader(files_, {.directories = {b_.path(), a_.path()}});
  auto segment = reader.Open({1, 2, 3});
  ASSERT_TRUE(segment.ok()) << segment.status().message();
  EXPECT_EQ((*segment)->size(), 5'000u);
  EXPECT_THAT((*segment)->name(), HasSubstr(a_.path()));
  EXPECT_EQ(reader.Open({1, 2, 4}).status().code(), Code::kNotFound);
}

TEST_F(DiskSegmentStoreTest, ShortenedFileIsDataLoss) {
  DiskSegmentStore store(files_, {.directories = {a_.path()}});
  ASSERT_TRUE(Write(store, {1, 0, 0}, 5'000).ok());
  auto segment = store.Open({1, 0, 0});
  ASSERT_TRUE(segment.ok());
  std::filesystem::resize_file((*segment)->name(), 4'000);
  std::string scratch(5'000, '\0');
  const auto read = (*segment)->ReadAt(0, 5'000, scratch.data());
  EXPECT_EQ(read.status().code(), Code::kDataLoss);
  EXPECT_THAT(read.status().message(), HasSubstr("offset 4000"));
}

TEST_F(DiskSegmentStoreTest, ManySegmentsNeedFewOpenFiles) {
  constexpr std::uint32_t kSegments = 300;
  DiskSegmentStore store(files_, {.directories = {a_.path()}, .open_files_max = 8});
  for (std::uint32_t i = 0; i < kSegments; ++i) ASSERT_TRUE(Write(store, {1, i, 0}, 1'000).ok());
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 64;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  std::vector<std::shared_ptr<SegmentBytes>> segments;
  for (std::uint32_t i = 0; i < kSegments; ++i) {
    auto segment = store.Open({1, i, 0});
    EXPECT_TRUE(segment.ok()) << segment.status().message();
    if (segment.ok()) segments.push_back(*segment);
  }
  std::string scratch(500, '\0');
  for (int round = 0; round < 2; ++round)
    for (const auto& segment : segments) {
      const auto read = segment->ReadAt(250, 500, scratch.data());
      EXPECT_TRUE(read.ok()) << read.status().message();
      EXPECT_LE(files_.open_files, 8u);
    }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(segments.size(), kSegments);
}

TEST_F(DiskSegmentStoreTest, GivesItsOpenFilesUpWhenTheProcessHasNoneLeft) {
  files_.open_files_max = 3;
  DiskSegmentStore store(files_, {.directories = {a_.path()}, .open_files_max = 100});
  std::string scratch(1'000, '\0');
  for (std::uint32_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(Write(store, {1, i, 0}, 1'000).ok());
    auto segment = store.Open({1, i, 0});
    ASSERT_TRUE(segment.ok());
    EXPECT_TRUE((*segment)->ReadAt(0, 1'000, scratch.data()).ok());
  }
}

TEST_F(DiskSegmentStoreTest, KeepsRecentlyReadFilesOpen) {
  DiskSegmentStore store(files_, {.directories = {a_.path()}, .open_files_max = 2});
  std::vector<std::shared_ptr<SegmentBytes>> segments;
  for (std::uint32_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(Write(store, {1, i, 0}, 1'000).ok());
    segments.push_back(*store.Open({1, i, 0}));
  }
  char scratch[8];
  const auto read = [&](std::size_t i) { ASSERT_TRUE(segments[i]->ReadAt(0, 8, scratch).ok()); };
  for (const std::size_t i : {0, 1, 0, 1, 0}) read(i);
  EXPECT_EQ(files_.opens, 2u);
  for (const std::size_t i : {2, 0}) read(i);  // 1 was used least recently and is closed.
  EXPECT_EQ(files_.opens, 3u);
  read(1);
  EXPECT_EQ(files_.opens, 4u);
}

TEST_F(DiskSegmentStoreTest, ReleaseFreesWholeCellsOnceEachInAnyOrder) {
  constexpr std::uint64_t kMiB = 1 << 20;
  DiskSegmentStore store(files_, {.directories = {a_.path()}});
  ASSERT_TRUE(Write(store, {1, 0, 0}, 4 * kMiB).ok());
  auto segment = store.Open({1, 0, 0});
  ASSERT_TRUE(segment.ok());
  (*segment)->Release(100, kMiB);  // No whole cell yet.
  EXPECT_TRUE(files_.released.empty());
  (*segment)->Release(0, 100);                  // Completes cell 0.
  (*segment)->Release(2 * kMiB, kMiB);          // Cell 2.
  (*segment)->Release(kMiB + 100, kMiB - 100);  // Completes cell 1.
  using Pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  EXPECT_EQ(files_.released, (Pairs{{0, kMiB}, {2 * kMiB, kMiB}, {kMiB, kMiB}}));
  struct stat info = {};
  ASSERT_EQ(::stat((*segment)->name().c_str(), &info), 0);
  EXPECT_LE(info.st_blocks * 512, static_cast<std::int64_t>(info.st_size - 3 * kMiB + kMiB / 2));
}

}  // namespace
}  // namespace spillway
