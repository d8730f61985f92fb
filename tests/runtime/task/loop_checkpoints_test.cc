#include "runtime/task/loop_checkpoints.h"

#include <gtest/gtest.h>

#include <string>

#include "runtime/storage/posix_file_system.h"
#include "tests/runtime/storage/failing_file_system.h"

namespace spillway {
namespace {

class LoopCheckpointsTest : public ::testing::Test {
 protected:
  LoopCheckpointsTest() {
    std::string made = ::testing::TempDir() + "checkpoints-XXXXXX";
    dir_ = ::mkdtemp(made.data());
    checkpoints_ = std::make_unique<LoopCheckpoints>(files_, dir_, true);
  }
  ~LoopCheckpointsTest() override { EXPECT_TRUE(files_.RemoveTree(dir_).ok()); }

  void WriteRaw(const std::string& name, const std::string& bytes) {
    auto file = files_.Create(dir_ + "/" + name);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(bytes).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
  std::string ReadRaw(const std::string& name) {
    const auto file = files_.Open(dir_ + "/" + name);
    std::string bytes(*(*file)->Size(), '\0');
    EXPECT_EQ(*(*file)->ReadAt(0, bytes.size(), bytes.data()), bytes.size());
    return bytes;
  }

  PosixFileSystem files_;
  std::string dir_;
  std::unique_ptr<LoopCheckpoints> checkpoints_;
};

TEST_F(LoopCheckpointsTest, GiveBackTheStateOfTheirRound) {
  ASSERT_TRUE(checkpoints_->Write(5, 0, "state").ok());
  ASSERT_TRUE(checkpoints_->Write(10, 0, "").ok());
  EXPECT_EQ(*checkpoints_->Read(5), "state");
  EXPECT_EQ(*checkpoints_->Read(10), "");
  EXPECT_EQ(checkpoints_->Read(6).status().code(), Code::kNotFound);
  checkpoints_->Remove(5);
  checkpoints_->Remove(5);
  EXPECT_EQ(checkpoints_->Read(5).status().code(), Code::kNotFound);
  EXPECT_EQ(files_.List(dir_)->size(), 1u) << "nothing else is left";
}

TEST_F(LoopCheckpointsTest, KnowEveryDamage) {
  ASSERT_TRUE(checkpoints_->Write(7, 0, "some state").ok());
  const std::string whole = ReadRaw("checkpoint-7");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 4);
    for (const std::string& bad : {flipped, whole.substr(0, i)}) {
      checkpoints_->Remove(7);
      WriteRaw("checkpoint-7", bad);
      EXPECT_EQ(checkpoints_->Read(7).status().code(), Code::kDataLoss) << i;
    }
  }
  WriteRaw("checkpoint-8", whole);
  EXPECT_EQ(checkpoints_->Read(8).status().code(), Code::kDataLoss) << "of another round";
}

TEST_F(LoopCheckpointsTest, ReplaceWhatIsDamagedOrHalfWritten) {
  WriteRaw("checkpoint-3", "torn");
  WriteRaw("checkpoint-3.1", "cut sho");
  ASSERT_TRUE(checkpoints_->Write(3, 1, "state").ok());
  EXPECT_EQ(*checkpoints_->Read(3), "state");
  ASSERT_TRUE(checkpoints_->Write(3, 2, "state").ok()) << "another attempt writes the same";
  EXPECT_EQ(files_.List(dir_)->size(), 1u);
}

TEST_F(LoopCheckpointsTest, SyncTheDirectoryAlsoForWhatAnotherAttemptHasWritten) {
  ASSERT_TRUE(checkpoints_->Write(3, 0, "state").ok());
  // The file aside, its renaming and its removal; then comes the directory.
  FailingFileSystem failing(3);
  EXPECT_FALSE(LoopCheckpoints(failing, dir_, true).Write(3, 1, "state").ok());
}

}  // namespace
}  // namespace spillway
