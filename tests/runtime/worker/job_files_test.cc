#include "runtime/worker/job_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "runtime/storage/content_hash.h"
#include "runtime/storage/posix_file_system.h"
#include "runtime/transfer/job_directory.h"
#include "tests/shuffle/store/temporary_directory.h"

namespace spillway {
namespace {

class JobFilesTest : public testing::Test {
 protected:
  JobFilesTest() {
    const std::string plugin = place_.path() + "/plugin.so";
    std::ofstream(plugin) << "code";
    start_.set_job(7);
    wire::PinnedFile& pinned = *start_.mutable_spec()->mutable_plugin();
    pinned.set_path(plugin);
    pinned.set_bytes(4);
    pinned.set_sha256(FileSha256(plugin).value());
  }

  Status Prepare(const std::vector<std::string>& scratch_dirs) {
    return PrepareJobFiles(
        files_, scratch_dirs,
        [](std::uint64_t, const std::string&, std::uint64_t) -> Result<wire::FileBytes> {
          return Unavailable("nobody is asked");
        },
        start_);
  }

  PosixFileSystem files_;
  TemporaryDirectory place_, scratch_;
  wire::StartJob start_;
};

TEST_F(JobFilesTest, ADirectoryThatRefusesIsPassedOver) {
  ASSERT_TRUE(Prepare({place_.path() + "/gone", scratch_.path()}).ok());
  EXPECT_EQ(start_.spec().plugin().path(), JobDirectory(scratch_.path(), 7) + "/files/plugin.so");
  EXPECT_TRUE(std::filesystem::exists(start_.spec().plugin().path()));
}

// Other workers may have better disks: only Aborted and ResourceExhausted send the task to them.
TEST_F(JobFilesTest, WhenAllDirectoriesRefuseTheTaskRunsElsewhere) {
  const std::string gone = place_.path() + "/gone";
  const Status refused = Prepare({gone});
  EXPECT_EQ(refused.code(), Code::kAborted);
  EXPECT_THAT(refused.message(), testing::HasSubstr(gone));
}

TEST_F(JobFilesTest, WhatAnEarlierStartLeftGoes) {
  const std::string directory = JobDirectory(scratch_.path(), 7);
  std::filesystem::create_directories(directory + "/files");
  std::ofstream(directory + "/files/plugin.so") << "torn";
  ASSERT_TRUE(Prepare({scratch_.path()}).ok());
  EXPECT_EQ(FileSha256(start_.spec().plugin().path()).value(), start_.spec().plugin().sha256());
}

}  // namespace
}  // namespace spillway
