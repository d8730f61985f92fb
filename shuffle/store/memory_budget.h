// MemoryBudget: the one account that every large buffer of a process is taken from. Thread-safe.
// Buffer: an anonymous mapping that is charged to a budget for as long as it lives. Task after task
// wants the same large buffers, and touching fresh pages costs more than sorting what is put into
// them: a recycled buffer's mapping stays with the budget, charged, until somebody needs the room.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "mapreduce/base/status.h"

namespace spillway {

class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t total_bytes) : total_bytes_(total_bytes) {}
  ~MemoryBudget() { DropIdle(); }
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// Takes `bytes` if they are free. False means: spill, do not fail.
  [[nodiscard]] bool TryReserve(std::uint64_t bytes);

  /// Takes `bytes` whether free or not: for the few small buffers without which nothing moves.
  void ReserveForced(std::uint64_t bytes);

  void Release(std::uint64_t bytes);

  /// From now on there are so many bytes in all. What is reserved stays so, beyond the end where
  /// there are fewer: new reservations are refused until enough has been released. With
  /// `keeps_idle` false the mappings of recycled buffers go back to the kernel at once, as memory
  /// that others are to have does.
  void Resize(std::uint64_t total_bytes, bool keeps_idle);

  std::uint64_t total_bytes() const { return total_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t used_bytes() const { return used_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t peak_bytes() const { return peak_bytes_.load(std::memory_order_relaxed); }

 private:
  friend class Buffer;

  /// A mapping that waits for its next buffer, still charged.
  struct Idle {
    char* data;
    std::uint64_t bytes;
  };

  bool TryCharge(std::uint64_t bytes);
  /// Takes over a mapping for later, or gives it back to the kernel when it must not be kept.
  void Keep(const Idle& mapping);
  void Drop(const Idle& mapping);
  /// A mapping for exactly `bytes`, or null.
  char* TakeIdle(std::uint64_t bytes);
  /// Gives all idle mappings back to the kernel; false when there was none.
  bool DropIdle();

  std::mutex idle_mutex_;
  std::vector<Idle> idle_;  // Guarded by idle_mutex_.
  bool keeps_idle_ = true;  // Guarded by idle_mutex_.
  std::atomic<std::uint64_t> total_bytes_;
  std::atomic<std::uint64_t> used_bytes_{0};
  std::atomic<std::uint64_t> peak_bytes_{0};
};

/// Zero-filled memory straight from the kernel (huge pages asked for from 2 MiB on), so that what
/// is given back leaves the resident set at once. SPILLWAY_PADDING_BYTES are readable behind it.
/// Move-only.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { *this = static_cast<Buffer&&>(other); }
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer() { Reset(); }

  /// ResourceExhausted when the budget has no `bytes` left.
  static Result<Buffer> Allocate(MemoryBudget& budget, std::uint64_t bytes);
  /// Charges the budget even beyond its end (see ReserveForced).
  static Result<Buffer> AllocateForced(MemoryBudget& budget, std::uint64_t bytes);
  /// As Allocate, but the content is arbitrary: what an earlier recycled buffer of this size held.
  static Result<Buffer> AllocateRecycled(MemoryBudget& budget, std::uint64_t bytes);

  void Reset();

  /// Gives the bytes from `bytes` on back to the kernel and the budget.
  void ShrinkTo(std::uint64_t bytes);

  char* data() const { return data_; }
  std::uint64_t size() const { return bytes_; }
  bool empty() const { return data_ == nullptr; }

 private:
  static Result<Buffer> Map(MemoryBudget& budget, std::uint64_t bytes);

  char* data_ = nullptr;
  std::uint64_t bytes_ = 0;
  bool recycled_ = false;
  MemoryBudget* budget_ = nullptr;
};

}  // namespace spillway
