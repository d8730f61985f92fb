// SegmentStore: where map outputs live between map and reduce. One interface, over files in the
// scratch directories, over memory, and over memory that moves to files when the budget ends.
// A store is thread-safe; a writer or reader belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "mapreduce/base/status.h"

namespace spillway {

/// The place a segment belongs to. Bound into every block's checksum, so that a block which is
/// found elsewhere is seen as foreign.
struct SegmentId {
  std::uint64_t job = 0;
  std::uint32_t map_task = 0;  ///< Intermediate merges of a reduce use kMergeTaskBase + n.
  std::uint32_t attempt = 0;
  bool operator==(const SegmentId&) const = default;
};

/// Map task numbers from here on are a reduce task's own intermediate merges.
inline constexpr std::uint32_t kMergeTaskBase = 0x8000'0000u;
/// Map task numbers from here on are local copies of what was fetched from other hosts. The numbers
/// between are enough for the merges of 2^20 partitions.
inline constexpr std::uint32_t kFetchTaskBase = 0xc000'0000u;

/// An append-only byte sink. Discards itself when it is destroyed before Commit.
class SegmentFile {
 public:
  virtual ~SegmentFile() = default;
  virtual Status Append(std::string_view bytes) = 0;
  /// Memory of the segment itself where the next `bytes` may be built, so that Append, given a
  /// prefix of it, need not copy; null where there is none. Valid until the next call.
  virtual char* Room(std::uint64_t /*bytes*/) { return nullptr; }
  /// Bytes appended so far.
  virtual std::uint64_t size() const = 0;
  /// True while the bytes go to a device where compression may pay.
  virtual bool on_disk() const = 0;
  /// Publishes the segment under its id; nothing may be appended afterwards. AlreadyExists is
  /// never an error: a second commit of one id replaces nothing and answers ok.
  virtual Status Commit() = 0;
};

/// A committed segment. ReadAt may be called by any thread.
class SegmentBytes {
 public:
  virtual ~SegmentBytes() = default;
  virtual std::uint64_t size() const = 0;
  /// Exactly `bytes` at `offset`: a view into the store's memory where it lies there, else read
  /// into `scratch` (which has room). DataLoss when the segment is shorter than that.
  virtual Result<std::string_view> ReadAt(std::uint64_t offset, std::uint64_t bytes,
                                          char* scratch) const = 0;
  /// The same without a copy and without a scratch; empty when the bytes do not lie in memory in
  /// one piece. SPILLWAY_PADDING_BYTES are readable behind the view.
  virtual std::string_view View(std::uint64_t /*offset*/, std::uint64_t /*bytes*/) const {
    return {};
  }
  /// Advice: these bytes will not be read again. Memory or disk space may be given back.
  virtual void Release(std::uint64_t offset, std::uint64_t bytes) = 0;
  /// What messages call this segment: its path, or "memory segment of map 3".
  virtual std::string name() const = 0;
};

class SegmentStore {
 public:
  virtual ~SegmentStore() = default;
  virtual Result<std::unique_ptr<SegmentFile>> Create(const SegmentId& id) = 0;
  /// NotFound when it was never committed or is discarded: the map task must run again.
  virtual Result<std::shared_ptr<SegmentBytes>> Open(const SegmentId& id) = 0;
  /// Removes a committed segment; ok when there is none.
  virtual Status Discard(const SegmentId& id) = 0;
  /// Bytes written to files so far, by all segments, discarded ones included.
  virtual std::uint64_t spilled_bytes() const = 0;
};

}  // namespace spillway
