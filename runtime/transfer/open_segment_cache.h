// OpenSegmentCache: segments that are being served, open, with their index: reading an index for
// every request would cost more than the blocks. Thread-safe; an OpenSegment's walks belong to the
// one thread that serves.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "runtime/transfer/block_walk.h"
#include "runtime/transfer/partition_stream.h"
#include "shuffle/format/segment_reader.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

/// A stream, and how far its blocks were checked on their way out.
class ServedStream {
 public:
  /// `segment` outlives the stream.
  ServedStream(const SegmentReader& segment, const PartitionRange& partitions)
      : stream_(segment, partitions), segment_(segment), walk_(std::in_place, stream_, segment_) {}
  ServedStream(const ServedStream&) = delete;
  ServedStream& operator=(const ServedStream&) = delete;

  const PartitionStream& stream() const { return stream_; }
  BlockWalk& walk() { return *walk_; }
  void RestartWalk() { walk_.emplace(stream_, segment_); }

 private:
  const PartitionStream stream_;
  const SegmentReader& segment_;
  std::optional<BlockWalk> walk_;
};

class OpenSegment {
 public:
  /// Streams that are remembered at once; more begin anew.
  static constexpr std::size_t kStreamsMax = 64;

  static Result<std::shared_ptr<OpenSegment>> Open(SegmentStore& store, const SegmentId& id);

  const SegmentBytes& bytes() const { return *bytes_; }
  std::uint32_t partitions() const { return reader_->partitions(); }
  /// Header, index and footer: everything that is not blocks.
  std::uint64_t head_bytes() const { return head_bytes_; }
  /// Memory that it takes, about.
  std::uint64_t cost_bytes() const;

  /// Exactly [position, position + bytes) of the head or of a stream, which has them, read to `to`.
  Status ReadHead(std::uint64_t position, std::uint64_t bytes, char* to) const;
  Status ReadStream(const PartitionStream& stream, std::uint64_t position, std::uint64_t bytes,
                    char* to) const;

  /// Valid until the next call. `partitions` are all less than partitions(). What a stream takes
  /// depends on the segment's runs and not on how many partitions are asked for.
  ServedStream& Stream(const PartitionRange& partitions);

 private:
  OpenSegment(std::shared_ptr<SegmentBytes> bytes, std::shared_ptr<const SegmentReader> reader,
              std::uint64_t index_offset);
  Status Read(std::uint64_t offset, std::uint64_t bytes, char* to) const;

  const std::shared_ptr<SegmentBytes> bytes_;
  const std::shared_ptr<const SegmentReader> reader_;
  const std::uint64_t index_offset_;
  const std::uint64_t head_bytes_;
  std::map<PartitionRange, std::unique_ptr<ServedStream>> streams_;
};

class OpenSegmentCache {
 public:
  /// Keeps about this many bytes of indexes, and at least the last segment.
  explicit OpenSegmentCache(std::uint64_t cost_bytes_max) : cost_bytes_max_(cost_bytes_max) {}

  /// As SegmentStore::Open and SegmentReader::Open.
  Result<std::shared_ptr<OpenSegment>> Get(std::uint64_t job, const SegmentId& id,
                                           SegmentStore& store);
  void Forget(std::uint64_t job, const SegmentId& id);
  void ForgetJob(std::uint64_t job);

  std::size_t size() const;

 private:
  using Key = std::pair<std::uint64_t, SegmentId>;
  struct KeyLess {
    bool operator()(const Key& a, const Key& b) const;
  };
  struct Entry {
    std::shared_ptr<OpenSegment> segment;
    std::uint64_t cost_bytes = 0;
    std::list<Key>::iterator recency;
  };
  using Entries = std::map<Key, Entry, KeyLess>;
  Entries::iterator Erase(Entries::iterator entry);

  const std::uint64_t cost_bytes_max_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::list<Key> recent_;  // Newest first.
  std::uint64_t cost_bytes_ = 0;
};

}  // namespace spillway
