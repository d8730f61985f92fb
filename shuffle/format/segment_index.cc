#include "shuffle/format/segment_index.h"

#include <algorithm>

#include "mapreduce/base/check.h"
#include "shuffle/format/segment_layout.h"

namespace spillway {
namespace {

// An encoded record has at least its two lengths.
constexpr std::uint64_t kRecordBytesMin = 2;
// An encoded extent has at least five one-byte numbers.
constexpr std::uint64_t kExtentBytesMin = 5;

void AppendVarint(std::string& to, std::uint64_t value) {
  while (value >= 0x80) {
    to.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  to.push_back(static_cast<char>(value));
}

// Reads numbers off the front of the index. A number that is cut off, padded with zeros or beyond
// 56 bits (so that sums cannot wrap) makes it fail for good.
class NumberReader {
 public:
  explicit NumberReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t Next() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 56 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) {
        if (byte == 0 && shift > 0) break;
        return value;
      }
    }
    failed_ = true;
    return 0;
  }

  bool failed() const { return failed_; }
  std::uint64_t bytes_left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

bool IsPlausible(const Extent& e, std::uint64_t room_bytes) {
  return e.blocks >= 1 && e.records >= e.blocks && e.stored_bytes <= room_bytes &&
         e.raw_bytes / kRecordBytesMin >= e.records &&
         e.raw_bytes <= kExpansionMax * e.stored_bytes &&
         e.stored_bytes <= e.raw_bytes + std::uint64_t{e.blocks} * sizeof(BlockHeader) &&
         e.stored_bytes > std::uint64_t{e.blocks} * sizeof(BlockHeader) &&
         e.raw_block_bytes_max <= e.raw_bytes &&
         std::uint64_t{e.raw_block_bytes_max} * e.blocks >= e.raw_bytes;
}

Status Malformed(std::uint32_t run) {
  return DataLoss("the index is malformed at run " + std::to_string(run));
}

}  // namespace

void SegmentIndexBuilder::BeginRun() {
  run_.clear();
  run_extents_ = 0;
  next_partition_ = 0;
}

void SegmentIndexBuilder::Add(std::uint32_t partition, const Extent& extent) {
  SPILLWAY_CHECK_GE(partition, next_partition_);
  AppendVarint(run_, partition - next_partition_);
  AppendVarint(run_, extent.blocks);
  AppendVarint(run_, extent.records);
  AppendVarint(run_, extent.raw_bytes);
  AppendVarint(run_, extent.stored_bytes);
  if (extent.blocks > 1) AppendVarint(run_, extent.raw_block_bytes_max);
  next_partition_ = partition + 1;
  ++run_extents_;
}

void SegmentIndexBuilder::EndRun() {
  AppendVarint(bytes_, run_extents_);
  bytes_ += run_;
}

Result<SegmentIndex> SegmentIndex::Parse(std::string_view bytes, const Shape& shape) {
  // Each run has its count, so this bounds what a wrong footer could make us allocate.
  if (shape.runs > bytes.size()) return DataLoss("the index is too short for its runs");
  SegmentIndex index;
  index.partitions_ = shape.partitions;
  index.run_begin_.reserve(shape.runs + std::size_t{1});
  index.run_begin_.push_back(0);
  NumberReader numbers(bytes);
  std::uint64_t offset = shape.blocks_offset;
  std::uint64_t block = 0;
  for (std::uint32_t run = 0; run < shape.runs; ++run) {
    const std::uint64_t extents = numbers.Next();
    if (extents > shape.partitions || extents * kExtentBytesMin > numbers.bytes_left())
      return Malformed(run);
    std::uint64_t partition = 0;
    for (std::uint64_t i = 0; i < extents; ++i, ++partition) {
      partition += numbers.Next();
      const std::uint64_t blocks = numbers.Next();
      Extent e;
      e.offset = offset;
      e.first_block = static_cast<std::uint32_t>(block);
      e.records = numbers.Next();
      e.raw_bytes = numbers.Next();
      e.stored_bytes = numbers.Next();
      const std::uint64_t block_max = blocks > 1 ? numbers.Next() : e.raw_bytes;
      if (numbers.failed() || partition >= shape.partitions || blocks > shape.blocks - block ||
          block_max > kBlockRawBytesMax)
        return Malformed(run);
      e.blocks = static_cast<std::uint32_t>(blocks);
      e.raw_block_bytes_max = static_cast<std::uint32_t>(block_max);
      if (!IsPlausible(e, shape.blocks_end - offset)) return Malformed(run);
      offset += e.stored_bytes;
      block += blocks;
      index.extents_.push_back(e);
      index.extent_partitions_.push_back(static_cast<std::uint32_t>(partition));
    }
    index.run_begin_.push_back(index.extents_.size());
  }
  if (numbers.failed() || numbers.bytes_left() != 0 || offset != shape.blocks_end ||
      block != shape.blocks)
    return DataLoss("the index does not cover the blocks of the segment");
  return index;
}

const Extent& SegmentIndex::extent(std::uint32_t run, std::uint32_t partition) const {
  static constexpr Extent kEmpty;
  const RunExtents found = extents(run, {partition});
  return found.extents.empty() ? kEmpty : found.extents.front();
}

RunExtents SegmentIndex::extents(std::uint32_t run, const PartitionRange& partitions) const {
  SPILLWAY_CHECK_LT(run + std::size_t{1}, run_begin_.size());
  SPILLWAY_CHECK(partitions.IsWithin(partitions_));
  const std::uint64_t begin = LowerBound(run, partitions.first);
  const std::uint64_t count = LowerBound(run, partitions.end()) - begin;
  return {std::span(extents_).subspan(begin, count),
          std::span(extent_partitions_).subspan(begin, count)};
}

// Of the run's extents the first that is not of an earlier partition.
std::uint64_t SegmentIndex::LowerBound(std::uint32_t run, std::uint64_t partition) const {
  const std::uint64_t begin = run_begin_[run], end = run_begin_[run + 1];
  if (end - begin == partitions_) return begin + partition;
  const auto first = extent_partitions_.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto last = extent_partitions_.begin() + static_cast<std::ptrdiff_t>(end);
  return static_cast<std::uint64_t>(std::lower_bound(first, last, partition) -
                                    extent_partitions_.begin());
}

}  // namespace spillway
