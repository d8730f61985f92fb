#include "shuffle/store/memory_budget.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "mapreduce/abi.h"
#include "mapreduce/base/check.h"
#include "mapreduce/base/units.h"

namespace spillway {
namespace {

constexpr std::uint64_t kPageBytes = 4 * kKiB;
constexpr std::uint64_t kHugePageBytes = 2 * kMiB;

// What is mapped for a buffer: its bytes and the padding, in whole pages. The padding's page is
// never written, so that it costs address space and no memory.
std::uint64_t MappedBytes(std::uint64_t bytes) {
  return (bytes + SPILLWAY_PADDING_BYTES + kPageBytes - 1) & ~(kPageBytes - 1);
}

void RaiseTo(std::atomic<std::uint64_t>& peak, std::uint64_t value) {
  std::uint64_t seen = peak.load(std::memory_order_relaxed);
  while (seen < value && !peak.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

// Maps `bytes`, which is a whole number of pages, at a huge page's border where that makes huge
// pages possible. Null when the kernel refuses.
char* MapPages(std::uint64_t bytes) {
  const bool huge = bytes >= kHugePageBytes;
  const std::uint64_t slack = huge ? kHugePageBytes : 0;
  void* mapped = ::mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  char* begin = static_cast<char*>(mapped);
  if (!huge) return begin;
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  const std::uint64_t skip = -address & (kHugePageBytes - 1);
  if (skip > 0) ::munmap(begin, skip);
  ::munmap(begin + skip + bytes, slack - skip);
  // Only advice: without huge pages the memory is as good, at 6 times the price of first touch.
  ::madvise(begin + skip, bytes, MADV_HUGEPAGE);
  return begin + skip;
}

}  // namespace

bool MemoryBudget::TryReserve(std::uint64_t bytes) {
  return TryCharge(bytes) || (DropIdle() && TryCharge(bytes));
}

bool MemoryBudget::TryCharge(std::uint64_t bytes) {
  std::uint64_t used = used_bytes_.load(std::memory_order_relaxed);
  do {
    const std::uint64_t total = total_bytes();
    if (bytes > total || used > total - bytes) return false;
  } while (!used_bytes_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  RaiseTo(peak_bytes_, used + bytes);
  return true;
}

void MemoryBudget::ReserveForced(std::uint64_t bytes) {
  if (TryReserve(bytes)) return;
  RaiseTo(peak_bytes_, used_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes);
}

void MemoryBudget::Release(std::uint64_t bytes) {
  const std::uint64_t used = used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  SPILLWAY_CHECK_GE(used, bytes);
}

void MemoryBudget::Resize(std::uint64_t total_bytes, bool keeps_idle) {
  total_bytes_.store(total_bytes, std::memory_order_relaxed);
  {
    const std::lock_guard lock(idle_mutex_);
    keeps_idle_ = keeps_idle;
  }
  if (!keeps_idle || used_bytes() > total_bytes) DropIdle();
}

void MemoryBudget::Keep(const Idle& mapping) {
  {
    const std::lock_guard lock(idle_mutex_);
    if (keeps_idle_ && used_bytes() <= total_bytes()) return idle_.push_back(mapping);
  }
  Drop(mapping);
}

void MemoryBudget::Drop(const Idle& mapping) {
  ::munmap(mapping.data, MappedBytes(mapping.bytes));
  Release(mapping.bytes);
}

char* MemoryBudget::TakeIdle(std::uint64_t bytes) {
  const std::lock_guard lock(idle_mutex_);
  for (Idle& idle : idle_) {
    if (idle.bytes != bytes) continue;
    char* const data = idle.data;
    idle = idle_.back();
    idle_.pop_back();
    return data;
  }
  return nullptr;
}

bool MemoryBudget::DropIdle() {
  std::vector<Idle> dropped;
  {
    const std::lock_guard lock(idle_mutex_);
    dropped.swap(idle_);
  }
  for (const Idle& idle : dropped) Drop(idle);
  return !dropped.empty();
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  Reset();
  data_ = std::exchange(other.data_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  recycled_ = std::exchange(other.recycled_, false);
  budget_ = std::exchange(other.budget_, nullptr);
  return *this;
}

Result<Buffer> Buffer::Allocate(MemoryBudget& budget, std::uint64_t bytes) {
  if (!budget.TryReserve(bytes))
    return ResourceExhausted("no " + FormatBytes(bytes) + " left of the memory budget: " +
                             FormatBytes(budget.used_bytes()) + " of " +
                             FormatBytes(budget.total_bytes()) + " are used; raise --memory");
  return Map(budget, bytes);
}

Result<Buffer> Buffer::AllocateForced(MemoryBudget& budget, std::uint64_t bytes) {
  budget.ReserveForced(bytes);
  return Map(budget, bytes);
}

Result<Buffer> Buffer::AllocateRecycled(MemoryBudget& budget, std::uint64_t bytes) {
  if (char* const data = budget.TakeIdle(bytes)) {
    Buffer buffer;
    buffer.data_ = data;
    buffer.bytes_ = bytes;
    buffer.recycled_ = true;
    buffer.budget_ = &budget;
    return buffer;
  }
  Result<Buffer> buffer = Allocate(budget, bytes);
  if (buffer.ok()) buffer->recycled_ = true;
  return buffer;
}

Result<Buffer> Buffer::Map(MemoryBudget& budget, std::uint64_t bytes) {
  char* data = MapPages(MappedBytes(bytes));
  if (data == nullptr) {
    budget.Release(bytes);
    return ResourceExhausted("the system has no " + FormatBytes(bytes) + " of memory: " +
                             std::strerror(errno) + "; lower --memory or stop other programs");
  }
  Buffer buffer;
  buffer.data_ = data;
  buffer.bytes_ = bytes;
  buffer.budget_ = &budget;
  return buffer;
}

void Buffer::Reset() {
  if (data_ == nullptr) return;
  if (recycled_) {
    budget_->Keep({data_, bytes_});
  } else {
    ::munmap(data_, MappedBytes(bytes_));
    budget_->Release(bytes_);
  }
  data_ = nullptr;
  bytes_ = 0;
  recycled_ = false;
  budget_ = nullptr;
}

void Buffer::ShrinkTo(std::uint64_t bytes) {
  SPILLWAY_CHECK_LE(bytes, bytes_);
  if (data_ == nullptr) return;
  const std::uint64_t kept = MappedBytes(bytes), mapped = MappedBytes(bytes_);
  if (kept < mapped) ::munmap(data_ + kept, mapped - kept);
  budget_->Release(bytes_ - bytes);
  // Nobody asks for one of this odd size again.
  if (bytes < bytes_) recycled_ = false;
  bytes_ = bytes;
}

}  // namespace spillway
