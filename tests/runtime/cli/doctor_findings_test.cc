#include "runtime/cli/doctor_findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem.hpp>
#include <fstream>

#include "runtime/transport/key_directory.h"

namespace spillway {
namespace {

using ::testing::HasSubstr;
namespace fs = boost::filesystem;

class DoctorFindingsTest : public ::testing::Test {
 protected:
  DoctorFindingsTest() { fs::create_directories(root_); }
  ~DoctorFindingsTest() override { fs::remove_all(root_); }
  std::string Path(const std::string& name) const { return (root_ / name).string(); }

  fs::path root_ = fs::temp_directory_path() / fs::unique_path("spillway-doctor-%%%%%%%%");
};

TEST_F(DoctorFindingsTest, ASpillDirectoryIsThereAndHasRoom) {
  const Finding good = ExamineSpillDirectory(root_.string(), 1);
  if (good.health == Health::kWarning) {
    EXPECT_THAT(good.text, HasSubstr("tmpfs"));
  } else {
    EXPECT_EQ(good.health, Health::kGood) << good.text;
    const Finding full = ExamineSpillDirectory(root_.string(), UINT64_MAX);
    EXPECT_EQ(full.health, Health::kWarning);
    EXPECT_THAT(full.text, HasSubstr("less than the memory of a job"));
  }
}

TEST_F(DoctorFindingsTest, WhatIsNoDirectoryIsBad) {
  const Finding missing = ExamineSpillDirectory(Path("missing"), 1);
  EXPECT_EQ(missing.health, Health::kBad);
  EXPECT_THAT(missing.text, HasSubstr("No such file or directory. Make it"));
  std::ofstream(Path("file")) << "x";
  EXPECT_THAT(ExamineSpillDirectory(Path("file"), 1).text, HasSubstr("is no directory"));
}

TEST_F(DoctorFindingsTest, ATemporaryFileSystemIsWarnedOf) {
  if (!fs::is_directory("/dev/shm")) GTEST_SKIP() << "SKIPPED: no /dev/shm";
  const Finding finding = ExamineSpillDirectory("/dev/shm", 1);
  EXPECT_EQ(finding.health, Health::kWarning);
  EXPECT_THAT(finding.text, HasSubstr("lies in memory"));
}

TEST_F(DoctorFindingsTest, KeysAreTheUsersAlone) {
  const KeyDirectory keys(Path("keys"));
  ASSERT_TRUE(keys.Init().ok());
  const Finding good = ExamineKeys(Path("keys"), "");
  EXPECT_EQ(good.health, Health::kGood) << good.text;
  EXPECT_THAT(good.text, HasSubstr("as 'submitter'"));
  EXPECT_EQ(ExamineKeys(Path("keys"), "nobody").health, Health::kBad);
  ASSERT_EQ(::chmod(Path("keys/submitter.secret").c_str(), 0644), 0);
  const Finding open = ExamineKeys(Path("keys"), "");
  EXPECT_EQ(open.health, Health::kBad);
  EXPECT_THAT(open.text, HasSubstr("chmod"));
}

TEST_F(DoctorFindingsTest, FewOpenFilesAreWarnedOf) {
  EXPECT_EQ(ExamineOpenFiles(4096, 4096).health, Health::kGood);
  EXPECT_THAT(ExamineOpenFiles(1024, 1'048'576).text, HasSubstr("ulimit -n 4096"));
  EXPECT_THAT(ExamineOpenFiles(256, 1024).text, HasSubstr("ulimit -n 1024"));
}

}  // namespace
}  // namespace spillway
