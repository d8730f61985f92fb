#include "runtime/transfer/sliced_segment.h"

#include <utility>

#include "mapreduce/base/check.h"
#include "shuffle/format/segment_layout.h"

namespace spillway {

Result<std::shared_ptr<SlicedSegment>> SlicedSegment::Create(std::string name,
                                                             std::string_view head,
                                                             std::uint64_t segment_bytes) {
  if (head.size() < sizeof(SegmentHeader) + sizeof(SegmentFooter) || head.size() > segment_bytes)
    return DataLoss(name + ": a head of " + std::to_string(head.size()) +
                    " bytes does not belong to a segment of " + std::to_string(segment_bytes) +
                    "; the map task must run again");
  return std::shared_ptr<SlicedSegment>(new SlicedSegment(std::move(name), head, segment_bytes));
}

SlicedSegment::SlicedSegment(std::string name, std::string_view head, std::uint64_t segment_bytes)
    : name_(std::move(name)),
      head_(std::string(head) + std::string(SPILLWAY_PADDING_BYTES, '\0')),
      head_bytes_(head.size()),
      segment_bytes_(segment_bytes) {}

void SlicedSegment::Attach(PartitionStream stream, std::shared_ptr<SegmentBytes> local) {
  SPILLWAY_CHECK(local_ == nullptr);
  SPILLWAY_CHECK_EQ(local->size(), stream.bytes());
  stream_ = std::move(stream);
  local_ = std::move(local);
}

Result<std::string_view> SlicedSegment::ReadAt(std::uint64_t offset, std::uint64_t bytes,
                                               char* scratch) const {
  if (offset > segment_bytes_ || bytes > segment_bytes_ - offset)
    return DataLoss(name_ + " has " + std::to_string(segment_bytes_) + " bytes; " +
                    std::to_string(bytes) + " at offset " + std::to_string(offset) +
                    " were asked for");
  if (bytes == 0) return std::string_view(scratch, 0);
  const std::string_view head = HeadView(offset, bytes);
  if (!head.empty()) return head;
  const std::uint64_t local_offset = LocalOffset(offset, bytes);
  if (local_offset == UINT64_MAX)
    return InternalError(name_ + ": " + std::to_string(bytes) + " bytes at offset " +
                         std::to_string(offset) + " are not of " + NameOf(stream_.partitions()) +
                         ", and nothing else was fetched");
  return local_->ReadAt(local_offset, bytes, scratch);
}

std::string_view SlicedSegment::View(std::uint64_t offset, std::uint64_t bytes) const {
  if (bytes == 0 || offset >= segment_bytes_ || bytes > segment_bytes_ - offset) return {};
  const std::string_view head = HeadView(offset, bytes);
  if (!head.empty()) return head;
  const std::uint64_t local_offset = LocalOffset(offset, bytes);
  return local_offset == UINT64_MAX ? std::string_view() : local_->View(local_offset, bytes);
}

void SlicedSegment::Release(std::uint64_t offset, std::uint64_t bytes) {
  const std::uint64_t local_offset = LocalOffset(offset, bytes);
  if (local_offset != UINT64_MAX) local_->Release(local_offset, bytes);
}

std::string_view SlicedSegment::HeadView(std::uint64_t offset, std::uint64_t bytes) const {
  const std::string_view head = std::string_view(head_).substr(0, head_bytes_);
  if (offset + bytes <= sizeof(SegmentHeader)) return head.substr(offset, bytes);
  const std::uint64_t tail_offset = segment_bytes_ - (head_bytes_ - sizeof(SegmentHeader));
  if (offset < tail_offset) return {};
  return head.substr(sizeof(SegmentHeader) + (offset - tail_offset), bytes);
}

std::uint64_t SlicedSegment::LocalOffset(std::uint64_t offset, std::uint64_t bytes) const {
  const std::size_t i = stream_.PieceAtOffset(offset);
  if (i == stream_.pieces().size()) return UINT64_MAX;
  const PartitionStream::Piece& piece = stream_.pieces()[i];
  const std::uint64_t begin = offset - piece.offset;
  return bytes > piece.bytes - begin ? UINT64_MAX : piece.position + begin;
}

}  // namespace spillway
