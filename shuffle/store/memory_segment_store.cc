#include "shuffle/store/memory_segment_store.h"

#include <algorithm>
#include <cstring>
#include <shared_mutex>
#include <tuple>
#include <utility>

#include "mapreduce/base/check.h"
#include "shuffle/store/released_ranges.h"

namespace spillway {

namespace {

/// A chunk that has no more than this part of it left when the next append does not fit stays as it
/// is, so that its mapping can be used again: to touch fresh pages costs more than to copy into
/// them.
constexpr std::uint64_t kUnusedShareMax = 32;
/// Smaller chunks cost little, and would lie about in many sizes.
constexpr std::uint64_t kRecycledBytesMin = 1 << 20;

}  // namespace

Status SegmentChunks::Append(std::string_view bytes) {
  if (bytes.empty()) return OkStatus();
  SPILLWAY_RETURN_IF_ERROR(MakeRoom(bytes.size()));
  Chunk& chunk = chunks_.back();
  char* const to = chunk.buffer.data() + chunk.used_bytes;
  if (bytes.data() != to) std::memcpy(to, bytes.data(), bytes.size());
  chunk.used_bytes += bytes.size();
  size_ += bytes.size();
  return OkStatus();
}

char* SegmentChunks::Room(std::uint64_t bytes) {
  if (!MakeRoom(bytes).ok()) return nullptr;
  return chunks_.back().buffer.data() + chunks_.back().used_bytes;
}

// Sees to it that the last chunk has `bytes` of room.
Status SegmentChunks::MakeRoom(std::uint64_t bytes) {
  if (!chunks_.empty() && bytes <= chunks_.back().buffer.size() - chunks_.back().used_bytes)
    return OkStatus();
  // What the full chunk does not use would stay charged for the segment's life.
  Seal();
  SPILLWAY_ASSIGN_OR_RETURN(Buffer buffer, AllocateChunk(bytes));
  chunks_.push_back({size_, 0, std::move(buffer)});
  return OkStatus();
}

// As large as the schedule says, or as the budget allows.
Result<Buffer> SegmentChunks::AllocateChunk(std::uint64_t bytes_min) {
  const std::size_t doublings = std::min<std::size_t>(chunks_.size(), 32);
  std::uint64_t bytes = std::min(options_.chunk_bytes_min << doublings, options_.chunk_bytes_max);
  for (; bytes > bytes_min; bytes /= 2) {
    const bool recycled = bytes == options_.chunk_bytes_max && bytes >= kRecycledBytesMin;
    auto buffer =
        recycled ? Buffer::AllocateRecycled(budget_, bytes) : Buffer::Allocate(budget_, bytes);
    if (buffer.ok()) return buffer;
    if (bytes <= options_.chunk_bytes_min) break;
  }
  return Buffer::Allocate(budget_, bytes_min);
}

void SegmentChunks::Seal() {
  if (chunks_.empty()) return;
  Chunk& last = chunks_.back();
  if (last.used_bytes == 0)
    chunks_.pop_back();
  else if (last.buffer.size() - last.used_bytes > last.buffer.size() / kUnusedShareMax)
    last.buffer.ShrinkTo(last.used_bytes);
}

std::string_view SegmentChunks::chunk(std::size_t i) const {
  const Chunk& c = chunks_[i];
  return c.buffer.empty() ? std::string_view() : std::string_view(c.buffer.data(), c.used_bytes);
}

std::size_t SegmentChunks::ChunkAt(std::uint64_t offset) const {
  SPILLWAY_DCHECK(offset < size_);
  const auto after = std::upper_bound(
      chunks_.begin(), chunks_.end(), offset,
      [](std::uint64_t value, const Chunk& chunk) { return value < chunk.offset; });
  return static_cast<std::size_t>(after - chunks_.begin()) - 1;
}

// Readers share the lock; Release takes it alone to free a chunk. A view stays valid without the
// lock because its bytes are not released yet, so that its chunk cannot be freed.
class MemorySegmentStore::Segment final : public SegmentBytes {
 public:
  Segment(const SegmentId& id, std::unique_ptr<SegmentChunks> chunks)
      : id_(id), size_(chunks->size()), chunks_(std::move(chunks)) {}

  std::uint64_t size() const override { return size_; }

  std::string_view View(std::uint64_t offset, std::uint64_t bytes) const override {
    if (bytes == 0 || offset >= size_ || bytes > size_ - offset) return {};
    std::shared_lock lock(mutex_);
    const std::size_t i = chunks_->ChunkAt(offset);
    const std::string_view chunk = chunks_->chunk(i);
    const std::uint64_t begin = offset - chunks_->chunk_offset(i);
    if (begin >= chunk.size() || bytes > chunk.size() - begin) return {};
    return chunk.substr(begin, bytes);
  }

  Result<std::string_view> ReadAt(std::uint64_t offset, std::uint64_t bytes,
                                  char* scratch) const override {
    if (offset > size_ || bytes > size_ - offset)
      return DataLoss(name() + " has " + std::to_string(size_) + " bytes; " +
                      std::to_string(bytes) + " at offset " + std::to_string(offset) +
                      " were asked for");
    if (bytes == 0) return std::string_view(scratch, 0);
    const std::string_view view = View(offset, bytes);
    if (!view.empty()) return view;
    std::shared_lock lock(mutex_);
    std::uint64_t copied = 0;
    for (std::size_t i = chunks_->ChunkAt(offset); copied < bytes; ++i) {
      const std::string_view chunk = chunks_->chunk(i);
      if (chunk.empty())
        return DataLoss(name() + ": the bytes at offset " + std::to_string(offset) +
                        " were released after their last read; the map task must run again");
      const std::uint64_t begin = offset + copied - chunks_->chunk_offset(i);
      const std::uint64_t piece = std::min<std::uint64_t>(bytes - copied, chunk.size() - begin);
      std::memcpy(scratch + copied, chunk.data() + begin, piece);
      copied += piece;
    }
    return std::string_view(scratch, bytes);
  }

  void Release(std::uint64_t offset, std::uint64_t bytes) override {
    if (bytes == 0 || offset >= size_) return;
    const std::uint64_t end = offset + std::min(bytes, size_ - offset);
    std::unique_lock lock(mutex_);
    const auto range = released_.Add(offset, end);
    const std::size_t last = chunks_->ChunkAt(end - 1);
    for (std::size_t i = chunks_->ChunkAt(offset); i <= last; ++i) {
      const std::uint64_t begin = chunks_->chunk_offset(i);
      const std::uint64_t chunk_bytes = chunks_->chunk(i).size();
      if (chunk_bytes > 0 && range.begin <= begin && begin + chunk_bytes <= range.end)
        chunks_->FreeChunk(i);
    }
  }

  std::string name() const override {
    return "memory segment of map task " + std::to_string(id_.map_task) + ", attempt " +
           std::to_string(id_.attempt);
  }

 private:
  const SegmentId id_;
  const std::uint64_t size_;
  mutable std::shared_mutex mutex_;
  std::unique_ptr<SegmentChunks> chunks_;  // Guarded by mutex_, except the bytes of views.
  ReleasedRanges released_;                // Guarded by mutex_.
};

class MemorySegmentStore::File final : public SegmentFile {
 public:
  File(MemorySegmentStore& store, const SegmentId& id)
      : store_(store), id_(id), chunks_(store.NewChunks()) {}

  Status Append(std::string_view bytes) override {
    SPILLWAY_CHECK(chunks_ != nullptr);
    SPILLWAY_RETURN_IF_ERROR(chunks_->Append(bytes));
    size_ += bytes.size();
    return OkStatus();
  }

  char* Room(std::uint64_t bytes) override { return chunks_->Room(bytes); }
  std::uint64_t size() const override { return size_; }
  bool on_disk() const override { return false; }

  Status Commit() override {
    SPILLWAY_CHECK(chunks_ != nullptr);
    store_.Publish(id_, std::move(chunks_));
    return OkStatus();
  }

 private:
  MemorySegmentStore& store_;
  const SegmentId id_;
  std::unique_ptr<SegmentChunks> chunks_;  // Null once committed.
  std::uint64_t size_ = 0;
};

MemorySegmentStore::~MemorySegmentStore() = default;

bool MemorySegmentStore::IdLess(const SegmentId& a, const SegmentId& b) {
  return std::tie(a.job, a.map_task, a.attempt) < std::tie(b.job, b.map_task, b.attempt);
}

Result<std::unique_ptr<SegmentFile>> MemorySegmentStore::Create(const SegmentId& id) {
  return std::unique_ptr<SegmentFile>(std::make_unique<File>(*this, id));
}

Result<std::shared_ptr<SegmentBytes>> MemorySegmentStore::Open(const SegmentId& id) {
  std::lock_guard lock(mutex_);
  const auto found = segments_.find(id);
  if (found == segments_.end())
    return NotFound("no memory segment of map task " + std::to_string(id.map_task) + ", attempt " +
                    std::to_string(id.attempt) + "; the map task must run again");
  return std::shared_ptr<SegmentBytes>(found->second);
}

Status MemorySegmentStore::Discard(const SegmentId& id) {
  std::shared_ptr<Segment> dropped;  // Freed after the lock: giving memory back takes time.
  std::lock_guard lock(mutex_);
  const auto found = segments_.find(id);
  if (found == segments_.end()) return OkStatus();
  dropped = std::move(found->second);
  segments_.erase(found);
  return OkStatus();
}

std::unique_ptr<SegmentChunks> MemorySegmentStore::NewChunks() const {
  return std::make_unique<SegmentChunks>(budget_, options_);
}

void MemorySegmentStore::Publish(const SegmentId& id, std::unique_ptr<SegmentChunks> chunks) {
  chunks->Seal();
  auto segment = std::make_shared<Segment>(id, std::move(chunks));
  std::lock_guard lock(mutex_);
  segments_.try_emplace(id, std::move(segment));
}

}  // namespace spillway
