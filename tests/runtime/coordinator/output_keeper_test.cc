#include "runtime/coordinator/output_keeper.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "runtime/storage/content_hash.h"
#include "runtime/storage/part_file.h"
#include "runtime/storage/posix_file_system.h"

namespace spillway {
namespace {

class OutputKeeperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = "/tmp/spillway-keeper-XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    dir_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  OutputOrder Order(OutputOrder::Kind kind) const {
    OutputOrder order;
    order.kind = kind;
    order.job = 1;
    order.staging = {.output_dir = dir_ + "/out", .job_id = "j1", .parts = 1, .owner = "test"};
    return order;
  }

  KeeperDone Next(OutputKeeper& keeper) {
    std::unique_lock lock(mutex_);
    for (;;) {
      auto done = keeper.Take();
      if (!done.empty()) return std::move(done.front());
      woken_.wait(lock);
    }
  }
  std::function<void()> Wake() {
    return [this] {
      const std::lock_guard lock(mutex_);
      woken_.notify_all();
    };
  }

  std::string dir_;
  PosixFileSystem files_;
  std::mutex mutex_;
  std::condition_variable woken_;
};

TEST_F(OutputKeeperTest, AnotherKeeperGoesOnWhereOneStopped) {
  std::string staging;
  OutputOrder commit = Order(OutputOrder::Kind::kCommit);
  {
    OutputKeeper keeper(files_, {dir_ + "/journal"}, Wake());
    keeper.Give(Order(OutputOrder::Kind::kOpen));
    const auto opened = std::get<OutputDone>(Next(keeper));
    ASSERT_TRUE(opened.status.ok()) << opened.status.message();
    staging = opened.staging_dir;
    auto part = PartFile::Create(files_, staging, {.part = 0, .attempt = 2});
    ASSERT_TRUE(part.ok());
    ASSERT_TRUE((*part)->Append("hello").ok());
    ASSERT_TRUE((*part)->Finish().ok());
    commit.parts = {{0, 2, (*part)->info()}};
  }
  OutputKeeper keeper(files_, {dir_ + "/journal"}, Wake());
  commit.staging_dir = staging;
  for (int times = 0; times < 2; ++times) {
    keeper.Give(commit);
    const auto committed = std::get<OutputDone>(Next(keeper));
    EXPECT_TRUE(committed.status.ok()) << committed.status.message();
  }
  EXPECT_TRUE(std::filesystem::exists(dir_ + "/out/part-00000"));
  EXPECT_TRUE(std::filesystem::exists(dir_ + "/out/_SUCCESS"));
  EXPECT_FALSE(std::filesystem::exists(staging));
}

TEST_F(OutputKeeperTest, WhatIsDroppedIsGone) {
  OutputKeeper keeper(files_, {dir_ + "/journal"}, Wake());
  keeper.Give(Order(OutputOrder::Kind::kOpen));
  const auto opened = std::get<OutputDone>(Next(keeper));
  OutputOrder drop = Order(OutputOrder::Kind::kDrop);
  drop.staging_dir = opened.staging_dir;
  keeper.Give(drop);
  keeper.Give(FileOrder{"p", 1, "/nonexistent", "", 0});
  EXPECT_FALSE(std::get<FileDone>(Next(keeper)).status.ok());
  EXPECT_FALSE(std::filesystem::exists(opened.staging_dir));
}

TEST_F(OutputKeeperTest, TheCoordinatorsOwnPlacesAreNoOutputs) {
  OutputKeeper keeper(files_, {dir_ + "/journal"}, Wake());
  for (const char* place : {"/journal", "/journal/in", "", "/x/../journal"}) {
    OutputOrder order = Order(OutputOrder::Kind::kOpen);
    order.staging.output_dir = dir_ + place;
    order.staging.overwrite = Overwrite::kWhole;
    keeper.Give(order);
    EXPECT_EQ(std::get<OutputDone>(Next(keeper)).status.code(), Code::kPermissionDenied) << place;
  }
}

TEST_F(OutputKeeperTest, OnlyWhatWasPinnedIsServed) {
  std::ofstream(dir_ + "/secret") << "key";
  OutputKeeper keeper(files_, {}, Wake());
  keeper.Give(FileOrder{"p", 1, dir_ + "/secret", std::string(32, 'x'), 0});
  EXPECT_EQ(std::get<FileDone>(Next(keeper)).status.code(), Code::kBadData);
}

TEST_F(OutputKeeperTest, FilesComeInPieces) {
  const std::string content(OutputKeeper::kFileBytesMax + 7, 'x');
  std::ofstream(dir_ + "/file", std::ios::binary) << content;
  OutputKeeper keeper(files_, {dir_ + "/journal"}, Wake());
  std::string got;
  for (bool last = false; !last;) {
    keeper.Give(FileOrder{"p", 1, dir_ + "/file", FileSha256(dir_ + "/file").value(), got.size()});
    const auto piece = std::get<FileDone>(Next(keeper));
    ASSERT_TRUE(piece.status.ok());
    got += piece.bytes;
    last = piece.last;
  }
  EXPECT_EQ(got, content);
}

}  // namespace
}  // namespace spillway
