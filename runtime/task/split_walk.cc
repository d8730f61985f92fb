#include "runtime/task/split_walk.h"

#include <algorithm>

#include "mapreduce/base/units.h"
#include "mapreduce/input_format.h"
#include "runtime/task/user_failure.h"

namespace spillway {

/// A file that was replaced or rewritten since the job was planned would give other records to
/// each attempt. One that only grows is read as far as it was planned.
Status SplitWalk::CheckUnchanged(const SplitRange& range) const {
  if (range.inode == 0) return OkStatus();
  SPILLWAY_ASSIGN_OR_RETURN(const FileInfo now, resources_.files.Stat(range.path));
  const bool grown = now.bytes > range.file_bytes;
  if (now.inode == range.inode && (now.mtime_ns == range.mtime_ns || grown)) return OkStatus();
  return BadData(range.path +
                 " was changed while the job ran; run it again when the file is at "
                 "rest");
}

Status SplitWalk::Walk(const SplitRange& range,
                       const std::function<int(const spillway_block&)>& call) {
  if (range.input > 0 && range.input >= resources_.job.abi().input_count)
    return InvalidArgument(
        "the job was planned with more inputs than its plugin has: its file was replaced; submit "
        "the job again");
  SPILLWAY_RETURN_IF_ERROR(CheckUnchanged(range));
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, resources_.files.Open(range.path));
  BlockReader reader(*file, range, FramingOf(resources_.job.abi(), range.input), resources_.reader,
                     resources_.spare);
  spillway_block block{};
  std::uint64_t file_bytes = 0;  // Of this range, that were counted.
  while (true) {
    if (resources_.control.cancelled()) return Cancelled("the attempt was stopped");
    SPILLWAY_ASSIGN_OR_RETURN(const bool more, reader.Next(&block));
    if (!more) {
      CountInput(reader.file_bytes_done() - file_bytes);
      return OkStatus();
    }
    SkipBadRecords(&block);
    const Status status = host_.Run(&block, [&] { return call(block); });
    if (!status.ok()) return AtRecord(status, *host_.task(), block, range.offset > 0, &bad_record_);
    CountInput(reader.file_bytes_done() - file_bytes);
    file_bytes = reader.file_bytes_done();
  }
}

void SplitWalk::CountInput(std::uint64_t file_bytes) {
  input_bytes_ += file_bytes;
  resources_.control.AddInputBytes(file_bytes);
}

/// Points the block at those of its records that are to be passed over.
void SplitWalk::SkipBadRecords(spillway_block* block) {
  skips_.clear();
  const RecordPlace first{block->file_index, block->file_offset};
  for (auto it = std::lower_bound(spec_.skips.begin(), spec_.skips.end(), first);
       it != spec_.skips.end() && it->file_index == block->file_index &&
       it->offset < block->file_offset + block->bytes;
       ++it)
    skips_.push_back(block->data + (it->offset - block->file_offset));
  block->skips = skips_.data();
  block->skip_count = skips_.size();
}

}  // namespace spillway
