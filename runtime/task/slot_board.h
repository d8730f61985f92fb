// SlotBoard: what each slot of a process is doing, in memory that outlives the process. The process
// writes it in passing, at no cost; after its end, be it a crash, _exit or kill -9, whoever shares
// the memory reads which attempts ran and at which record of which file they were.
//
// The reader believes nothing: user code may have written anything anywhere. Texts are cut at their
// room, and pointers are only compared with each other. One thread writes a slot; any may read.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "mapreduce/abi.h"
#include "mapreduce/base/file_system.h"
#include "runtime/core/attempt_id.h"
#include "runtime/core/events.h"
#include "runtime/storage/unique_fd.h"

namespace spillway {

/// Stands for the user's class where it was not user code that crashed.
inline constexpr const char* kEngineClass = "Spillway";

/// One slot as it lies in shared memory. Plain data; zero is an idle slot.
struct BoardSlot {
  static constexpr std::size_t kNameBytes = 128;
  static constexpr std::size_t kPathBytes = 1024;
  static constexpr std::size_t kTextBytes = 512;

  std::atomic<std::uint32_t> busy;          ///< The five below are set.
  std::atomic<std::uint32_t> in_user_code;  ///< And not in what user code has called.
  std::uint32_t kind;                       ///< TaskKind.
  std::uint32_t task;
  std::uint32_t attempt;
  std::uint64_t job;
  char user_class[kNameBytes];

  /// The task that the plugin is given, with current_record in it.
  spillway_task plugin_task;

  std::atomic<std::uint32_t> has_block;  ///< The five below are set: a block is being mapped.
  std::uint32_t file_index;
  const char* data;  ///< In the writer's memory.
  std::uint64_t bytes;
  std::uint64_t file_offset;
  char path[kPathBytes];

  char batch_key[kTextBytes];  ///< The first key of the batch being reduced, for messages.

  std::atomic<std::uint32_t> crashed;  ///< What follows is set, by the handler of a crash.
  std::uint32_t snippet_is_key;
  char what[kTextBytes];     ///< "crashed: segmentation fault (SIGSEGV)"
  char snippet[kTextBytes];  ///< The record or key, escaped.

  void ShowBlock(const spillway_block& block);
  void HideBlock() { has_block.store(0, std::memory_order_release); }
  void ShowBatch(const char* key, std::uint32_t key_bytes);
  void ShowClass(const char* name);
};

/// What a slot says, checked and copied.
struct SlotReport {
  AttemptId attempt;
  std::string user_class;
  bool in_user_code = false;
  bool crashed = false;
  std::optional<FailedRecord> record;  ///< The input record it is at.
  std::string batch_key;               ///< Of a reduce; empty: none.
  std::string what;                    ///< Of the crash.
  std::string snippet;
  bool snippet_is_key = false;
};

class SlotBoard {
 public:
  static constexpr std::uint32_t kSlotsMax = 4096;

  /// Makes a board of idle slots in memory that belongs to its descriptor alone.
  static Result<std::unique_ptr<SlotBoard>> Create(std::uint32_t slots);

  /// Maps the board behind `fd`, which another process has made, and takes the descriptor.
  /// InvalidArgument: it is no board.
  static Result<std::unique_ptr<SlotBoard>> Attach(UniqueFd fd);

  ~SlotBoard();
  SlotBoard(const SlotBoard&) = delete;
  SlotBoard& operator=(const SlotBoard&) = delete;

  int fd() const { return fd_.get(); }
  std::uint32_t slots() const { return slots_; }
  BoardSlot& slot(std::uint32_t index) { return slots_begin()[index]; }

  /// Of a busy slot; nothing otherwise. Reads what another thread or process may be writing: only
  /// of one that stands still or has ended it is all of one moment.
  std::optional<SlotReport> Read(std::uint32_t index) const;

  /// The process ends because it was to end, whatever its exit code looks like.
  void SetFinished() { header().finished.store(1, std::memory_order_release); }
  bool finished() const { return header().finished.load(std::memory_order_acquire) != 0; }

  /// For a crash on a thread that runs no attempt. Empty: there was none.
  char* process_crash() { return header().process_crash; }
  std::string ReadProcessCrash() const;

 private:
  struct Header {
    std::uint64_t magic;
    std::uint32_t slots;
    std::atomic<std::uint32_t> finished;
    char process_crash[BoardSlot::kTextBytes];
  };

  SlotBoard(UniqueFd fd, void* memory, std::uint64_t bytes, std::uint32_t slots)
      : fd_(std::move(fd)), memory_(memory), bytes_(bytes), slots_(slots) {}
  static std::uint64_t BytesFor(std::uint32_t slots);
  static Result<std::unique_ptr<SlotBoard>> Map(UniqueFd fd, std::uint32_t slots);
  Header& header() const { return *static_cast<Header*>(memory_); }
  BoardSlot* slots_begin() const;

  const UniqueFd fd_;
  void* const memory_;
  const std::uint64_t bytes_;
  const std::uint32_t slots_;
};

/// "FrequentWords crashed: segmentation fault (SIGSEGV) at /data/a.txt:120, record 'x'": `what`
/// happened to the slot's user code, and where. Without a snippet the record is read from its file,
/// if it still can be.
std::string SlotText(const SlotReport& report, const std::string& what, FileSystem& files);

}  // namespace spillway
