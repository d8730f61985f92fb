// SlicedSegment: a segment of which only some partitions' blocks are here. It is made of the head
// (header, index and footer, docs/formats/fetch.md) and, once they have come, of the partitions'
// stream as a local segment's bytes. A SegmentReader works on it unchanged, as long as it is asked
// for those partitions alone. Thread-safe once Attach was called; before, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/transfer/partition_stream.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

class SlicedSegment final : public SegmentBytes {
 public:
  /// DataLoss when a segment of `segment_bytes` cannot have a head like this. `name` is for
  /// messages: whose segment it is and where it came from.
  static Result<std::shared_ptr<SlicedSegment>> Create(std::string name, std::string_view head,
                                                       std::uint64_t segment_bytes);

  /// Gives the blocks: `local` holds `stream`, from its first byte on. Once.
  void Attach(PartitionStream stream, std::shared_ptr<SegmentBytes> local);

  std::uint64_t size() const override { return segment_bytes_; }
  /// InternalError for bytes of another partition, and for a range that reaches from one run into
  /// another.
  Result<std::string_view> ReadAt(std::uint64_t offset, std::uint64_t bytes,
                                  char* scratch) const override;
  std::string_view View(std::uint64_t offset, std::uint64_t bytes) const override;
  /// Passed on to `local`; the head stays.
  void Release(std::uint64_t offset, std::uint64_t bytes) override;
  std::string name() const override { return name_; }

 private:
  SlicedSegment(std::string name, std::string_view head, std::uint64_t segment_bytes);
  std::string_view HeadView(std::uint64_t offset, std::uint64_t bytes) const;
  /// Where [offset, offset + bytes) lies in `local`; UINT64_MAX: nowhere in one piece.
  std::uint64_t LocalOffset(std::uint64_t offset, std::uint64_t bytes) const;

  const std::string name_;
  const std::string head_;  // With padding behind.
  const std::uint64_t head_bytes_;
  const std::uint64_t segment_bytes_;
  PartitionStream stream_;
  std::shared_ptr<SegmentBytes> local_;
};

}  // namespace spillway
