#include "runtime/transfer/open_segment_cache.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "shuffle/format/segment_layout.h"

namespace spillway {
namespace {

// What an index of so many bytes takes once it is parsed, at most: five bytes become an Extent, a
// partition number and their share of vectors.
constexpr std::uint64_t kParsedPerIndexByte = 12;
constexpr std::uint64_t kFixedCostBytes = 1024;

}  // namespace

Result<std::shared_ptr<OpenSegment>> OpenSegment::Open(SegmentStore& store, const SegmentId& id) {
  SPILLWAY_ASSIGN_OR_RETURN(std::shared_ptr<SegmentBytes> bytes, store.Open(id));
  SPILLWAY_ASSIGN_OR_RETURN(auto reader, SegmentReader::Open(bytes, id));
  // The reader has checked it.
  char scratch[sizeof(SegmentFooter)];
  SPILLWAY_ASSIGN_OR_RETURN(
      const std::string_view footer_bytes,
      bytes->ReadAt(bytes->size() - sizeof(SegmentFooter), sizeof(SegmentFooter), scratch));
  SegmentFooter footer;
  std::memcpy(&footer, footer_bytes.data(), sizeof footer);
  return std::shared_ptr<OpenSegment>(
      new OpenSegment(std::move(bytes), std::move(reader), footer.index_offset));
}

OpenSegment::OpenSegment(std::shared_ptr<SegmentBytes> bytes,
                         std::shared_ptr<const SegmentReader> reader, std::uint64_t index_offset)
    : bytes_(std::move(bytes)),
      reader_(std::move(reader)),
      index_offset_(index_offset),
      head_bytes_(sizeof(SegmentHeader) + (bytes_->size() - index_offset)) {}

std::uint64_t OpenSegment::cost_bytes() const {
  return kFixedCostBytes + head_bytes_ * kParsedPerIndexByte;
}

Status OpenSegment::Read(std::uint64_t offset, std::uint64_t bytes, char* to) const {
  SPILLWAY_ASSIGN_OR_RETURN(const std::string_view read, bytes_->ReadAt(offset, bytes, to));
  if (read.data() != to) std::memcpy(to, read.data(), bytes);
  return OkStatus();
}

Status OpenSegment::ReadHead(std::uint64_t position, std::uint64_t bytes, char* to) const {
  const std::uint64_t in_header =
      position < sizeof(SegmentHeader) ? std::min(bytes, sizeof(SegmentHeader) - position) : 0;
  if (in_header > 0) SPILLWAY_RETURN_IF_ERROR(Read(position, in_header, to));
  if (in_header == bytes) return OkStatus();
  const std::uint64_t offset = index_offset_ + (position + in_header - sizeof(SegmentHeader));
  return Read(offset, bytes - in_header, to + in_header);
}

Status OpenSegment::ReadStream(const PartitionStream& stream, std::uint64_t position,
                               std::uint64_t bytes, char* to) const {
  if (bytes == 0) return OkStatus();
  for (std::size_t i = stream.PieceAt(position); bytes > 0; ++i) {
    const PartitionStream::Piece& piece = stream.pieces()[i];
    const std::uint64_t begin = position - piece.position;
    const std::uint64_t stretch = std::min(bytes, piece.bytes - begin);
    SPILLWAY_RETURN_IF_ERROR(Read(piece.offset + begin, stretch, to));
    position += stretch;
    bytes -= stretch;
    to += stretch;
  }
  return OkStatus();
}

ServedStream& OpenSegment::Stream(const PartitionRange& partitions) {
  const auto found = streams_.find(partitions);
  if (found != streams_.end()) return *found->second;
  if (streams_.size() >= kStreamsMax) streams_.clear();
  return *streams_.emplace(partitions, std::make_unique<ServedStream>(*reader_, partitions))
              .first->second;
}

bool OpenSegmentCache::KeyLess::operator()(const Key& a, const Key& b) const {
  return std::tie(a.first, a.second.job, a.second.map_task, a.second.attempt) <
         std::tie(b.first, b.second.job, b.second.map_task, b.second.attempt);
}

Result<std::shared_ptr<OpenSegment>> OpenSegmentCache::Get(std::uint64_t job, const SegmentId& id,
                                                           SegmentStore& store) {
  const Key key = {job, id};
  {
    std::lock_guard lock(mutex_);
    const auto found = entries_.find(key);
    if (found != entries_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second.recency);
      return found->second.segment;
    }
  }
  SPILLWAY_ASSIGN_OR_RETURN(std::shared_ptr<OpenSegment> segment, OpenSegment::Open(store, id));
  std::lock_guard lock(mutex_);
  const auto [entry, added] = entries_.try_emplace(key);
  if (!added) return entry->second.segment;
  recent_.push_front(key);
  entry->second = {segment, segment->cost_bytes(), recent_.begin()};
  cost_bytes_ += entry->second.cost_bytes;
  while (cost_bytes_ > cost_bytes_max_ && entries_.size() > 1) Erase(entries_.find(recent_.back()));
  return segment;
}

void OpenSegmentCache::Forget(std::uint64_t job, const SegmentId& id) {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find({job, id});
  if (found != entries_.end()) Erase(found);
}

void OpenSegmentCache::ForgetJob(std::uint64_t job) {
  std::lock_guard lock(mutex_);
  auto at = entries_.lower_bound({job, SegmentId{}});
  while (at != entries_.end() && at->first.first == job) at = Erase(at);
}

std::size_t OpenSegmentCache::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

OpenSegmentCache::Entries::iterator OpenSegmentCache::Erase(Entries::iterator entry) {
  cost_bytes_ -= entry->second.cost_bytes;
  recent_.erase(entry->second.recency);
  return entries_.erase(entry);
}

}  // namespace spillway
