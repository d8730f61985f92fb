#include "runtime/task/key_sampler.h"

#include <algorithm>

#include "mapreduce/input_format.h"
#include "runtime/task/task_host.h"

namespace spillway {

namespace {

struct Piece {
  SplitRange range;
  std::uint64_t record_bytes;  ///< Of its records, about, that are looked at.
};

/// Pieces at even distances over all bytes of all ranges. Ranges of archives, and of files that
/// cannot be split, are read from their beginning, as far as all their pieces would reach together.
std::vector<Piece> ChoosePieces(const std::vector<SplitRange>& ranges,
                                const KeySamplerOptions& options, const spillway_job& job) {
  std::uint64_t total = 0;
  for (const SplitRange& range : ranges) total += range.bytes;
  const std::uint64_t wanted = std::min<std::uint64_t>(
      options.pieces_max, (total + options.piece_bytes - 1) / options.piece_bytes);
  std::vector<Piece> pieces;
  std::uint64_t passed = 0;  // Bytes of the ranges before this one.
  auto range = ranges.begin();
  for (std::uint64_t i = 0; i < wanted; ++i) {
    const std::uint64_t place = total / wanted * i;
    while (place >= passed + range->bytes) passed += range++->bytes;
    if (range->is_archive() || !IsSplittable(FramingOf(job, range->input))) {
      if (pieces.empty() || pieces.back().range.file_index != range->file_index ||
          pieces.back().range.offset != range->offset)
        pieces.push_back({*range, 0});
      pieces.back().record_bytes += options.piece_bytes;
      continue;
    }
    SplitRange piece = *range;
    piece.offset += place - passed;
    piece.bytes = std::min(options.piece_bytes, range->offset + range->bytes - piece.offset);
    pieces.push_back({std::move(piece), options.piece_bytes});
  }
  return pieces;
}

Status SamplePiece(const JobContext& job, FileSystem& files, const Piece& piece,
                   const KeySamplerOptions& options, MemoryBudget& budget,
                   const std::atomic<bool>& cancel_requested, std::vector<std::string>& keys) {
  AttemptControl control;
  TaskHost host(job, {"map", 0, 0}, control);
  const std::vector<SplitRange> ranges = {piece.range};
  host.set_ranges(&ranges);
  const std::size_t keys_end =
      keys.size() + options.keys_per_piece_max * (piece.record_bytes / options.piece_bytes);
  host.set_collect([&](std::span<const Record> records) {
    if (cancel_requested) return Cancelled("interrupted while sampling keys");
    for (const Record& record : records)
      if (keys.size() < keys_end) keys.emplace_back(job.order().GroupOf(KeyOf(record)));
    return OkStatus();
  });
  SPILLWAY_ASSIGN_OR_RETURN(const auto file, files.Open(piece.range.path));
  BlockReader reader(*file, piece.range, FramingOf(job.abi(), piece.range.input),
                     {.decoder_bytes = options.decoder_bytes}, budget);
  void* mapper = nullptr;
  Status status = host.Run(nullptr, [&] {
    mapper = job.abi().mapper_create(host.task());
    return mapper == nullptr ? 1 : 0;
  });
  spillway_block block{};
  while (status.ok()) {
    if (cancel_requested) status = Cancelled("interrupted while sampling keys");
    if (!status.ok()) break;
    const Result<bool> more = reader.Next(&block);
    status = more.status();
    if (!more.ok() || !*more) break;
    status = host.Run(&block, [&] { return job.abi().mapper_map(mapper, host.task(), &block); });
    if (reader.bytes_done() >= piece.record_bytes) break;
  }
  if (mapper != nullptr) job.abi().mapper_destroy(mapper);
  return status;
}

}  // namespace

Result<std::vector<std::string>> SampleKeys(const JobContext& job, FileSystem& files,
                                            const std::vector<SplitRange>& ranges,
                                            MemoryBudget& budget, const KeySamplerOptions& options,
                                            const std::atomic<bool>& cancel_requested) {
  std::vector<std::string> keys;
  for (const Piece& piece : ChoosePieces(ranges, options, job.abi())) {
    const Status status = SamplePiece(job, files, piece, options, budget, cancel_requested, keys);
    if (status.ok() || status.code() == Code::kUserCode || status.code() == Code::kBadData)
      continue;
    return status.Annotate("sampling keys for the range partitioner");
  }
  return keys;
}

}  // namespace spillway
