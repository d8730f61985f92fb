#include "runtime/storage/part_file.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <string>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/storage/posix_file_system.h"

namespace spillway {
namespace {

using testing::ElementsAre;

class PartFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "part-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    ASSERT_TRUE(files_.MakeDirectory(dir_ + "/attempts", 0755).ok());
  }
  void TearDown() override { EXPECT_TRUE(files_.RemoveTree(dir_).ok()); }

  std::vector<std::string> Names() { return files_.List(dir_ + "/attempts").value(); }

  PosixFileSystem files_;
  std::string dir_;
};

TEST_F(PartFileTest, AFinishedPartStaysUnderItsAttemptsName) {
  auto part = PartFile::Create(files_, dir_, {.part = 7, .attempt = 2});
  ASSERT_TRUE(part.ok()) << part.status().message();
  ASSERT_TRUE((*part)->Append("hello ").ok());
  ASSERT_TRUE((*part)->Append("world").ok());
  ASSERT_TRUE((*part)->Finish().ok());
  EXPECT_EQ((*part)->info().bytes, 11u);
  EXPECT_EQ((*part)->info().xxh3, XXH3_64bits("hello world", 11));
  part->reset();
  EXPECT_THAT(Names(), ElementsAre("part-00007.2"));
  EXPECT_EQ(files_.Stat(PartAttemptPath(dir_, 7, 2))->bytes, 11u);
}

TEST_F(PartFileTest, AnUnfinishedPartGoes) {
  auto part = PartFile::Create(files_, dir_, {.part = 1, .attempt = 0, .durable = false});
  ASSERT_TRUE((*part)->Append("half").ok());
  part->reset();
  EXPECT_THAT(Names(), ElementsAre());
}

TEST_F(PartFileTest, AFinishedPartThatLostCanBeRemoved) {
  auto part = PartFile::Create(files_, dir_, {.part = 1, .attempt = 0});
  ASSERT_TRUE((*part)->Finish().ok());
  (*part)->Remove();
  EXPECT_THAT(Names(), ElementsAre());
  // The name is free for nobody else's file to be removed by a second call.
  auto other = PartFile::Create(files_, dir_, {.part = 1, .attempt = 0});
  ASSERT_TRUE((*other)->Finish().ok());
  (*part)->Remove();
  EXPECT_THAT(Names(), ElementsAre("part-00001.0"));
}

TEST_F(PartFileTest, OneAttemptWritesOnce) {
  auto first = PartFile::Create(files_, dir_, {.part = 1, .attempt = 0});
  ASSERT_TRUE(first.ok());
  const auto second = PartFile::Create(files_, dir_, {.part = 1, .attempt = 0});
  EXPECT_EQ(second.status().code(), Code::kAlreadyExists);
  EXPECT_THAT(Names(), ElementsAre("part-00001.0"));
}

TEST_F(PartFileTest, WithoutStagingThereIsNoPart) {
  const auto part = PartFile::Create(files_, dir_ + "/gone", {.part = 1, .attempt = 0});
  EXPECT_EQ(part.status().code(), Code::kNotFound);
}

}  // namespace
}  // namespace spillway
