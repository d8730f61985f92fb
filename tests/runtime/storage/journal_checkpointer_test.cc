#include "runtime/storage/journal_checkpointer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace spillway {
namespace {

constexpr std::uint32_t kBusyMs = 1'000;
constexpr int kRows = 2'000;

class JournalCheckpointerTest : public testing::Test {
 protected:
  JournalCheckpointerTest() {
    std::filesystem::create_directories(directory_);
    std::ofstream(path()).close();
    writer_ = SqliteDatabase::Open(path(), kBusyMs).value();
    EXPECT_EQ(writer_->ReadText("PRAGMA journal_mode = WAL").value(), "wal");
    EXPECT_TRUE(writer_->Run("PRAGMA wal_autocheckpoint = 0").ok());
    EXPECT_TRUE(writer_->Run("CREATE TABLE t (bytes BLOB)").ok());
  }
  ~JournalCheckpointerTest() override { std::filesystem::remove_all(directory_); }

  std::string path() const { return directory_ + "/test.db"; }
  void Write() {
    ASSERT_TRUE(writer_->Run("BEGIN").ok());
    for (int i = 0; i < kRows; ++i)
      ASSERT_TRUE(writer_->Run("INSERT INTO t VALUES (randomblob(1000))").ok());
    ASSERT_TRUE(writer_->Run("COMMIT").ok());
  }

  const std::string directory_ = testing::TempDir() + "checkpointer-" + std::to_string(::getpid());
  std::unique_ptr<SqliteDatabase> writer_;
};

TEST_F(JournalCheckpointerTest, MovesTheLogIntoTheDatabaseBesideAnOpenWriter) {
  Write();
  const auto before = std::filesystem::file_size(path());
  {
    const auto checkpointer = JournalCheckpointer::Start(path(), kBusyMs).value();
    checkpointer->Wake();
  }
  EXPECT_GE(std::filesystem::file_size(path()), before + kRows * 1'000u);
}

TEST_F(JournalCheckpointerTest, DoesNothingUnasked) {
  Write();
  const auto before = std::filesystem::file_size(path());
  JournalCheckpointer::Start(path(), kBusyMs).value().reset();
  EXPECT_EQ(std::filesystem::file_size(path()), before);
}

TEST_F(JournalCheckpointerTest, StandsInNobodysWay) {
  const auto checkpointer = JournalCheckpointer::Start(path(), kBusyMs).value();
  for (int turn = 0; turn < 20; ++turn) {
    Write();
    checkpointer->Wake();
  }
  EXPECT_TRUE(checkpointer->status().ok()) << checkpointer->status().message();
  EXPECT_EQ(writer_->ReadNumber("SELECT count(*) FROM t").value(), 20u * kRows);
  EXPECT_EQ(writer_->ReadText("PRAGMA integrity_check").value(), "ok");
}

TEST_F(JournalCheckpointerTest, SaysWhenThereIsNoDatabase) {
  const auto checkpointer = JournalCheckpointer::Start(directory_ + "/none.db", kBusyMs);
  EXPECT_FALSE(checkpointer.ok());
}

}  // namespace
}  // namespace spillway
