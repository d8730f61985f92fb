// MemorySegmentStore: segments in chunks of budgeted memory. Each append stays in one piece, so
// that a reader sees the blocks of a segment where they lie. The store is thread-safe; a file
// belongs to one thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "shuffle/store/memory_budget.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

struct MemorySegmentStoreOptions {
  /// A segment's first chunk; each further one is twice as large, up to the maximum, so that a
  /// small segment costs little and a large one has few chunks. An append that exceeds a chunk has
  /// one of its own.
  std::uint64_t chunk_bytes_min = 64 << 10;
  std::uint64_t chunk_bytes_max = 4 << 20;
};

/// A segment's bytes as they are appended. Readers come after the last append.
class SegmentChunks {
 public:
  SegmentChunks(MemoryBudget& budget, const MemorySegmentStoreOptions& options)
      : budget_(budget), options_(options) {}

  /// All of `bytes` or none; ResourceExhausted when the budget has no room.
  Status Append(std::string_view bytes);
  /// See SegmentFile::Room; null when the budget has no room.
  char* Room(std::uint64_t bytes);
  /// Gives back what the last chunk does not use.
  void Seal();

  std::uint64_t size() const { return size_; }
  std::size_t chunks() const { return chunks_.size(); }
  std::string_view chunk(std::size_t i) const;

  /// The chunk that holds the byte at `offset`, which is less than size().
  std::size_t ChunkAt(std::uint64_t offset) const;
  std::uint64_t chunk_offset(std::size_t i) const { return chunks_[i].offset; }
  /// Gives the chunk's memory back; chunk(i) is empty afterwards.
  void FreeChunk(std::size_t i) { chunks_[i].buffer.Reset(); }

 private:
  struct Chunk {
    std::uint64_t offset = 0;
    std::uint64_t used_bytes = 0;
    Buffer buffer;
  };
  Status MakeRoom(std::uint64_t bytes);
  Result<Buffer> AllocateChunk(std::uint64_t bytes_min);

  MemoryBudget& budget_;
  const MemorySegmentStoreOptions options_;
  std::vector<Chunk> chunks_;
  std::uint64_t size_ = 0;
};

class MemorySegmentStore final : public SegmentStore {
 public:
  /// `budget` outlives the store and its segments.
  explicit MemorySegmentStore(MemoryBudget& budget, const MemorySegmentStoreOptions& options = {})
      : budget_(budget), options_(options) {}
  ~MemorySegmentStore() override;

  Result<std::unique_ptr<SegmentFile>> Create(const SegmentId& id) override;
  Result<std::shared_ptr<SegmentBytes>> Open(const SegmentId& id) override;
  Status Discard(const SegmentId& id) override;
  std::uint64_t spilled_bytes() const override { return 0; }

  /// Chunks for a segment that Publish may take later.
  std::unique_ptr<SegmentChunks> NewChunks() const;
  /// Makes `chunks` the segment `id`, unless there is one.
  void Publish(const SegmentId& id, std::unique_ptr<SegmentChunks> chunks);

 private:
  class Segment;
  class File;

  MemoryBudget& budget_;
  const MemorySegmentStoreOptions options_;
  std::mutex mutex_;
  std::map<SegmentId, std::shared_ptr<Segment>, bool (*)(const SegmentId&, const SegmentId&)>
      segments_{&IdLess};  // Guarded by mutex_.

  static bool IdLess(const SegmentId& a, const SegmentId& b);
};

}  // namespace spillway
