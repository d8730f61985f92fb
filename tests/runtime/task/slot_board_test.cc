#include "runtime/task/slot_board.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>

#include "runtime/storage/posix_file_system.h"
#include "runtime/task/crash_report.h"

namespace spillway {
namespace {

using testing::HasSubstr;

constexpr char kInput[] = "first\nsecond\nBOOM here\nlast\n";
constexpr std::uint64_t kBoomOffset = 13;

class SlotBoardTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "board-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
    path_ = dir_ + "/input.txt";
    std::ofstream(path_) << kInput;
    auto board = SlotBoard::Create(3);
    ASSERT_TRUE(board.ok()) << board.status().message();
    board_ = std::move(*board);
  }
  void TearDown() override { EXPECT_TRUE(files_.RemoveTree(dir_).ok()); }

  /// Does `what` in a process that shares the board, in slot 1 at the record BOOM of a map, and
  /// answers its wait status.
  int InChild(const std::function<void()>& what) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto board = SlotBoard::Attach(UniqueFd(::dup(board_->fd())));
      if (!board.ok()) ::_exit(99);
      const CrashRecorder recorder(**board);
      BoardSlot& slot = (*board)->slot(1);
      const SlotScope scope(&slot, {7, TaskKind::kMap, 4, 2});
      spillway_block block{};
      block.file_index = 5;
      block.data = kInput;
      block.bytes = std::strlen(kInput);
      block.path = path_.c_str();
      CrashScene scene;
      scene.task = &slot.plugin_task;
      scene.kind = "map";
      scene.user_class = "BoomMapper";
      scene.block = &block;
      slot.ShowClass(scene.user_class);
      slot.ShowBlock(block);
      slot.plugin_task.current_record = kInput + kBoomOffset;
      const CrashScope user_code(&scene);
      what();
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }

  void ExpectPlace(const std::optional<SlotReport>& report) {
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->attempt, (AttemptId{7, TaskKind::kMap, 4, 2}));
    EXPECT_TRUE(report->in_user_code);
    ASSERT_TRUE(report->record.has_value());
    EXPECT_EQ(report->record->place, (RecordPlace{5, kBoomOffset}));
    EXPECT_EQ(report->record->path, path_);
  }

  PosixFileSystem files_;
  std::string dir_, path_;
  std::unique_ptr<SlotBoard> board_;
};

TEST_F(SlotBoardTest, ASignalLeavesItsRecordAndEndsTheProcessByItself) {
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    const int status = InChild([signal] { ::raise(signal); });
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    EXPECT_EQ(WTERMSIG(status), signal);
    const auto report = board_->Read(1);
    ExpectPlace(report);
    EXPECT_TRUE(report->crashed);
    EXPECT_EQ(report->snippet, "BOOM here");
    const std::string text = SlotText(*report, report->what, files_);
    EXPECT_THAT(text, HasSubstr("BoomMapper "));
    EXPECT_THAT(text, HasSubstr(" at " + path_ + ":13, record 'BOOM here'"));
    EXPECT_FALSE(board_->Read(0).has_value());
    EXPECT_FALSE(board_->finished());
    SetUp();
  }
}

TEST_F(SlotBoardTest, ExitIsRecorded) {
  const int status = InChild([] { std::exit(0); });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), CrashRecorder::kExitedExitCode);
  const auto report = board_->Read(1);
  ExpectPlace(report);
  EXPECT_EQ(report->what, "called exit()");
}

TEST_F(SlotBoardTest, KillAndUnderscoreExitLeaveThePlace) {
  for (const bool kill : {true, false}) {
    InChild([kill] { kill ? static_cast<void>(::kill(::getpid(), SIGKILL)) : ::_exit(3); });
    const auto report = board_->Read(1);
    ExpectPlace(report);
    EXPECT_FALSE(report->crashed);
    EXPECT_EQ(SlotText(*report, "was killed", files_),
              "BoomMapper was killed at " + path_ + ":13, record 'BOOM here'");
    SetUp();
  }
}

TEST_F(SlotBoardTest, ASlotIsIdleBeforeAndAfter) {
  BoardSlot& slot = board_->slot(2);
  EXPECT_FALSE(board_->Read(2).has_value());
  {
    const SlotScope scope(&slot, {1, TaskKind::kReduce, 3, 0});
    slot.ShowBatch("key", 3);
    const auto report = board_->Read(2);
    ASSERT_TRUE(report.has_value());
    EXPECT_FALSE(report->in_user_code);
    EXPECT_FALSE(report->record.has_value());
    EXPECT_EQ(SlotText(*report, "hangs", files_), "the plugin hangs at or soon after key 'key'");
  }
  EXPECT_FALSE(board_->Read(2).has_value());
}

TEST_F(SlotBoardTest, AWriterThatLiesIsReadWithinBounds) {
  BoardSlot& slot = board_->slot(0);
  std::memset(static_cast<void*>(&slot), 0xff, sizeof slot);  // No text ends.
  const auto report = board_->Read(0);
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->user_class.size(), BoardSlot::kNameBytes);
  EXPECT_EQ(report->record->path.size(), BoardSlot::kPathBytes);
  EXPECT_FALSE(SlotText(*report, report->what, files_).empty());
  std::memset(board_->process_crash(), 'x', BoardSlot::kTextBytes);
  EXPECT_EQ(board_->ReadProcessCrash().size(), BoardSlot::kTextBytes);
}

TEST_F(SlotBoardTest, OnlyABoardIsAttached) {
  EXPECT_EQ(SlotBoard::Create(0).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(SlotBoard::Create(SlotBoard::kSlotsMax + 1).status().code(), Code::kInvalidArgument);
  std::FILE* const file = std::tmpfile();
  EXPECT_FALSE(SlotBoard::Attach(UniqueFd(::dup(::fileno(file)))).ok());
  ASSERT_EQ(::ftruncate(::fileno(file), 1 << 20), 0);
  EXPECT_FALSE(SlotBoard::Attach(UniqueFd(::dup(::fileno(file)))).ok());
  std::fclose(file);
  EXPECT_FALSE(SlotBoard::Attach(UniqueFd(-1)).ok());
}

}  // namespace
}  // namespace spillway
