#include "runtime/transfer/segment_copy.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "mapreduce/base/check.h"

namespace spillway {

Result<std::uint64_t> SegmentCopy::FinishHead(std::uint64_t segment_bytes) {
  SPILLWAY_ASSIGN_OR_RETURN(sliced_, SlicedSegment::Create(options_.name, head_, segment_bytes));
  head_ = {};
  SPILLWAY_ASSIGN_OR_RETURN(reader_, SegmentReader::Open(sliced_, options_.segment));
  if (!options_.partitions.IsWithin(reader_->partitions()))
    return DataLoss(options_.name + ": a segment of " + std::to_string(reader_->partitions()) +
                    " partitions does not have " + NameOf(options_.partitions) +
                    "; the map task must run again");
  stream_ = PartitionStream(*reader_, options_.partitions);
  walk_.emplace(stream_, *reader_);
  if (stream_.bytes() == 0) return std::uint64_t{0};
  // A process that died may have left one of this name behind.
  SPILLWAY_RETURN_IF_ERROR(options_.store->Discard(options_.copy));
  SPILLWAY_ASSIGN_OR_RETURN(file_, options_.store->Create(options_.copy));
  return stream_.bytes();
}

Status SegmentCopy::AddStream(std::string_view bytes) {
  while (!bytes.empty()) {
    if (split_bytes_ == 0) {
      SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t whole_bytes, AppendWhole(bytes));
      bytes.remove_prefix(whole_bytes);
      if (bytes.empty()) break;
    }
    SPILLWAY_ASSIGN_OR_RETURN(const std::size_t taken_bytes, AddToSplit(bytes));
    bytes.remove_prefix(taken_bytes);
  }
  return OkStatus();
}

// Appends the blocks that lie whole at the front of `bytes`. Returns how long they are.
Result<std::uint64_t> SegmentCopy::AppendWhole(std::string_view bytes) {
  std::uint64_t whole_bytes = 0, appended_bytes = 0;
  while (!walk_->at_end() && bytes.size() - whole_bytes >= sizeof(BlockHeader)) {
    BlockHeader header;
    std::memcpy(&header, bytes.data() + whole_bytes, sizeof header);
    const auto block_bytes = walk_->BlockBytes(header);
    if (!block_bytes.ok()) return block_bytes.status().Annotate(options_.name);
    if (*block_bytes > bytes.size() - whole_bytes) break;
    const Status checked = walk_->Check(bytes.substr(whole_bytes, *block_bytes));
    if (!checked.ok()) return checked.Annotate(options_.name);
    whole_bytes += *block_bytes;
    if (file_->on_disk()) continue;
    SPILLWAY_RETURN_IF_ERROR(
        file_->Append(bytes.substr(appended_bytes, whole_bytes - appended_bytes)));
    appended_bytes = whole_bytes;
  }
  SPILLWAY_CHECK(!walk_->at_end() || whole_bytes == bytes.size());
  // A file is written by as few calls as may be. Memory is filled better block by block.
  if (appended_bytes < whole_bytes)
    SPILLWAY_RETURN_IF_ERROR(
        file_->Append(bytes.substr(appended_bytes, whole_bytes - appended_bytes)));
  return whole_bytes;
}

// Goes on with the block that the last bytes ended in. Returns how many of `bytes` are its.
Result<std::size_t> SegmentCopy::AddToSplit(std::string_view bytes) {
  if (split_bytes_ < sizeof(BlockHeader)) {
    const std::size_t taken = std::min(bytes.size(), sizeof(BlockHeader) - split_bytes_);
    std::memcpy(split_header_.data() + split_bytes_, bytes.data(), taken);
    split_bytes_ += taken;
    if (split_bytes_ < sizeof(BlockHeader)) return taken;
    BlockHeader header;
    std::memcpy(&header, split_header_.data(), sizeof header);
    const auto block_bytes = walk_->BlockBytes(header);
    if (!block_bytes.ok()) return block_bytes.status().Annotate(options_.name);
    split_bytes_wanted_ = *block_bytes;
    split_.emplace();
    SPILLWAY_RETURN_IF_ERROR(split_->Allocate(*options_.budget, split_bytes_wanted_));
    std::memcpy(split_->data(), split_header_.data(), sizeof header);
    return taken;
  }
  const std::size_t taken =
      std::min<std::uint64_t>(bytes.size(), split_bytes_wanted_ - split_bytes_);
  std::memcpy(split_->data() + split_bytes_, bytes.data(), taken);
  split_bytes_ += taken;
  if (split_bytes_ < split_bytes_wanted_) return taken;
  const std::string_view block(split_->data(), split_bytes_wanted_);
  const Status checked = walk_->Check(block);
  if (!checked.ok()) return checked.Annotate(options_.name);
  SPILLWAY_RETURN_IF_ERROR(file_->Append(block));
  split_.reset();
  split_bytes_ = 0;
  return taken;
}

Result<std::shared_ptr<const SegmentReader>> SegmentCopy::Finish() {
  SPILLWAY_CHECK(walk_.has_value());
  if (stream_.bytes() == 0) return reader_;
  if (!walk_->at_end() || split_bytes_ > 0)
    return DataLoss(options_.name +
                    ": the stream ends inside a block; the map task must run again");
  SPILLWAY_ASSIGN_OR_RETURN(std::shared_ptr<SegmentBytes> local, CommitAndOpen());
  sliced_->Attach(stream_, std::move(local));
  return reader_;
}

Result<std::shared_ptr<SegmentBytes>> SegmentCopy::CommitAndOpen() {
  SPILLWAY_RETURN_IF_ERROR(file_->Commit());
  file_.reset();
  auto opened = options_.store->Open(options_.copy);
  if (!opened.ok()) {
    (void)options_.store->Discard(options_.copy);
    return opened.status();
  }
  SegmentBytes* const bytes = opened->get();
  // What cannot be removed now goes with the scratch directory.
  auto discard = [held = std::move(*opened), store = options_.store,
                  copy = options_.copy](SegmentBytes*) mutable {
    held.reset();
    (void)store->Discard(copy);
  };
  return std::shared_ptr<SegmentBytes>(bytes, std::move(discard));
}

}  // namespace spillway
