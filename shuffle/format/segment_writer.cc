#include "shuffle/format/segment_writer.h"

#include <lz4.h>

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include "mapreduce/base/check.h"
#include "mapreduce/base/units.h"
#include "shuffle/format/compression_policy.h"
#include "shuffle/format/segment_index.h"
#include "shuffle/format/segment_layout.h"

namespace spillway {
namespace {

using Bytes = std::unique_ptr<char[]>;

// A block of less is not worth the call: LZ4 needs repeats to gain, and 13 bytes to begin.
constexpr std::size_t kTriedBlockBytesMin = 64;

Bytes AllocateBytes(std::uint64_t bytes) { return std::make_unique_for_overwrite<char[]>(bytes); }

// Gathers bytes for a file, so that it sees few and large appends that never cut a block in two.
// Where the file lies in memory they are gathered in their final place.
class StagedAppender {
 public:
  StagedAppender(SegmentFile& file, std::uint64_t capacity_bytes)
      : file_(file), capacity_bytes_(capacity_bytes) {}

  // `bytes` of room at the result; Commit says how many of them count.
  Result<char*> Reserve(std::uint64_t bytes) {
    SPILLWAY_CHECK_LE(bytes, capacity_bytes_);
    if (bytes > capacity_bytes_ - used_bytes_) SPILLWAY_RETURN_IF_ERROR(Flush());
    if (begin_ == nullptr) begin_ = file_.Room(capacity_bytes_);
    if (begin_ == nullptr) {
      if (own_ == nullptr) own_ = AllocateBytes(capacity_bytes_);
      begin_ = own_.get();
    }
    return begin_ + used_bytes_;
  }

  void Commit(std::uint64_t bytes) { used_bytes_ += bytes; }

  Status Append(std::string_view bytes) {
    if (bytes.size() > capacity_bytes_) {
      SPILLWAY_RETURN_IF_ERROR(Flush());
      return file_.Append(bytes);
    }
    SPILLWAY_ASSIGN_OR_RETURN(char* const to, Reserve(bytes.size()));
    std::memcpy(to, bytes.data(), bytes.size());
    Commit(bytes.size());
    return OkStatus();
  }

  Status Flush() {
    const std::string_view staged(std::exchange(begin_, nullptr), std::exchange(used_bytes_, 0));
    return staged.empty() ? OkStatus() : file_.Append(staged);
  }

  // Where the next byte will lie in the file.
  std::uint64_t offset() const { return file_.size() + used_bytes_; }

 private:
  SegmentFile& file_;
  const std::uint64_t capacity_bytes_;
  char* begin_ = nullptr;  // Of what is staged: in the file's memory or in own_.
  std::uint64_t used_bytes_ = 0;
  Bytes own_;
};

// The staging holds any block that is not huge.
std::uint64_t StagingBytes(const SegmentWriterOptions& options) {
  return std::max<std::uint64_t>(options.staging_bytes,
                                 sizeof(BlockHeader) + std::uint64_t{options.block_bytes});
}

}  // namespace

struct SegmentWriter::State {
  State(const SegmentId& segment, std::uint32_t partition_count, SegmentFile& segment_file,
        const SegmentWriterOptions& writer_options)
      : id(segment),
        partitions(partition_count),
        file(segment_file),
        options(writer_options),
        staging(segment_file, StagingBytes(writer_options)) {
    summary.partition_hashes.resize(partition_count);
    summary.partition_bytes.resize(partition_count);
    if (options.record_hash != RecordHash::kNone) summary.record_hashes.resize(partition_count);
  }

  bool WillCompress(std::uint64_t room_bytes);
  Status OpenBlock(std::uint64_t room_bytes);
  Status CloseBlock(const char* block_end, std::uint32_t records, BlockPlace place);
  Result<bool> StoreCompressed(std::string_view raw, BlockHeader& header, const BlockPlace& place);
  Status StoreAsIs(std::string_view raw, BlockHeader& header, const BlockPlace& place,
                   std::uint64_t raw_digest);
  void Account(const BlockHeader& header);
  void AddHashes(std::string_view raw, std::uint32_t partition, std::uint64_t raw_digest);
  void CloseExtent(std::uint32_t partition);
  Result<SegmentSummary> Finish(std::uint32_t runs);

  const SegmentId id;
  const std::uint32_t partitions;
  SegmentFile& file;
  const SegmentWriterOptions options;
  StagedAppender staging;
  CompressionPolicy policy;
  SegmentIndexBuilder index;

  // The open block has room for its header in front. It lies in the staging itself when it will
  // be stored as it is; in `aside` when LZ4 will move it to the staging, or when it is too large.
  char* block_begin = nullptr;
  bool compress_block = false;
  bool block_is_aside = false;
  Bytes aside;
  std::uint64_t aside_bytes = 0;

  bool run_open = false;
  bool finished = false;
  Extent extent;  // Of the current partition in the current run.
  std::uint32_t blocks = 0;
  SegmentSummary summary;
  Status failure;  // The first one; the segment is lost from then on.
};

SegmentWriter::SegmentWriter(const SegmentId& id, std::uint32_t partitions, SegmentFile& file,
                             const SegmentWriterOptions& options)
    : state_(std::make_unique<State>(id, partitions, file, options)) {
  SPILLWAY_CHECK_GE(partitions, 1u);
  SPILLWAY_CHECK_GE(options.block_bytes, 1u);
  SPILLWAY_CHECK_LE(options.block_bytes, kCompressedBlockRawBytesMax);
  SPILLWAY_CHECK_EQ(file.size(), 0u);
  SegmentHeader header;
  header.partitions = partitions;
  header.job = id.job;
  header.map_task = id.map_task;
  header.attempt = id.attempt;
  state_->failure = state_->staging.Append(BytesOf(header));
}

SegmentWriter::~SegmentWriter() = default;

void SegmentWriter::SkipRecordHashes() {
  SPILLWAY_CHECK(!state_->run_open && runs_ == 0);
  state_->summary.record_hashes.clear();
}

void SegmentWriter::BeginRun() {
  SPILLWAY_CHECK(!state_->run_open && !state_->finished);
  state_->run_open = true;
  state_->index.BeginRun();
  partition_ = UINT32_MAX;
}

Status SegmentWriter::MakeRoom(std::uint32_t partition, std::size_t bytes) {
  State& s = *state_;
  SPILLWAY_RETURN_IF_ERROR(s.failure);
  SPILLWAY_CHECK(s.run_open);
  SPILLWAY_CHECK_LT(partition, s.partitions);
  SPILLWAY_CHECK(partition_ == UINT32_MAX || partition_ <= partition);
  SPILLWAY_CHECK_LE(bytes, kBlockRawBytesMax);
  if (block_records_ > 0) {
    const std::uint32_t records = std::exchange(block_records_, 0);
    s.failure = s.CloseBlock(block_end_, records, {s.id, runs_, partition_, s.blocks});
  }
  if (partition != partition_) s.CloseExtent(partition_);
  partition_ = partition;
  block_room_ = 0;
  const std::uint64_t room_bytes = std::max<std::uint64_t>(bytes, s.options.block_bytes);
  if (s.failure.ok()) s.failure = s.OpenBlock(room_bytes);
  SPILLWAY_RETURN_IF_ERROR(s.failure);
  block_end_ = s.block_begin;
  block_room_ = room_bytes;
  return OkStatus();
}

Status SegmentWriter::FinishRun() {
  State& s = *state_;
  SPILLWAY_CHECK(s.run_open);
  if (block_records_ > 0 && s.failure.ok())
    s.failure = s.CloseBlock(block_end_, block_records_, {s.id, runs_, partition_, s.blocks});
  s.CloseExtent(partition_);
  s.index.EndRun();
  s.run_open = false;
  block_records_ = 0;
  block_room_ = 0;
  partition_ = UINT32_MAX;
  ++runs_;
  return s.failure;
}

Result<SegmentSummary> SegmentWriter::Finish() { return state_->Finish(runs_); }

bool SegmentWriter::State::WillCompress(std::uint64_t room_bytes) {
  if (room_bytes > kCompressedBlockRawBytesMax) return false;
  switch (options.compression) {
    case Compression::kNone: return false;
    case Compression::kLz4: return true;
    case Compression::kAuto: return file.on_disk() && policy.ShouldTry();
  }
  return false;
}

Status SegmentWriter::State::OpenBlock(std::uint64_t room_bytes) {
  const std::uint64_t bytes = sizeof(BlockHeader) + room_bytes;
  compress_block = WillCompress(room_bytes);
  block_is_aside = compress_block || bytes > StagingBytes(options);
  if (!block_is_aside) {
    SPILLWAY_ASSIGN_OR_RETURN(char* at, staging.Reserve(bytes));
    block_begin = at + sizeof(BlockHeader);
    return OkStatus();
  }
  if (aside_bytes < bytes) {
    aside.reset();  // Before the new one: both may be a gibibyte.
    aside_bytes = 0;
    aside.reset(new (std::nothrow) char[bytes]);
    if (aside == nullptr)
      return ResourceExhausted("the system has no " + FormatBytes(bytes) +
                               " of memory for one record; lower --memory or stop other programs");
    aside_bytes = bytes;
  }
  block_begin = aside.get() + sizeof(BlockHeader);
  return OkStatus();
}

Status SegmentWriter::State::CloseBlock(const char* block_end, std::uint32_t records,
                                        BlockPlace place) {
  const std::string_view raw(block_begin, static_cast<std::size_t>(block_end - block_begin));
  BlockHeader header;
  header.raw_bytes = static_cast<std::uint32_t>(raw.size());
  header.records = records;
  const std::uint64_t raw_digest = Digest(raw);
  AddHashes(raw, place.partition, raw_digest);
  SPILLWAY_ASSIGN_OR_RETURN(const bool compressed, StoreCompressed(raw, header, place));
  if (!compressed) SPILLWAY_RETURN_IF_ERROR(StoreAsIs(raw, header, place, raw_digest));
  Account(header);
  if (aside_bytes > kCompressedBlockRawBytesMax + sizeof(BlockHeader)) {
    aside.reset();  // One huge record must not cost its size for the rest of the segment.
    aside_bytes = 0;
  }
  return OkStatus();
}

// False when the block shall be stored as it is.
Result<bool> SegmentWriter::State::StoreCompressed(std::string_view raw, BlockHeader& header,
                                                   const BlockPlace& place) {
  if (!compress_block || raw.size() < kTriedBlockBytesMin) return false;
  Bytes large;
  char* to = nullptr;
  const std::uint64_t bytes_max = sizeof header + raw.size();
  const bool fits_staging = bytes_max <= StagingBytes(options);
  if (fits_staging) {
    SPILLWAY_ASSIGN_OR_RETURN(to, staging.Reserve(bytes_max));
  } else {
    large = AllocateBytes(bytes_max);
    to = large.get();
  }
  // Room for less than the raw bytes: LZ4 gives up when it would not gain.
  const int packed_bytes =
      LZ4_compress_default(raw.data(), to + sizeof header, static_cast<int>(raw.size()),
                           static_cast<int>(raw.size() - 1));
  if (options.compression == Compression::kAuto
          ? !policy.Observe(raw.size(), packed_bytes > 0 ? packed_bytes : raw.size())
          : packed_bytes <= 0)
    return false;
  const std::string_view packed(to + sizeof header, static_cast<std::size_t>(packed_bytes));
  header.stored_bytes = static_cast<std::uint32_t>(packed.size());
  header.flags = kBlockIsLz4;
  header.checksum = BlockChecksum(header, place, Digest(packed));
  std::memcpy(to, &header, sizeof header);
  if (fits_staging)
    staging.Commit(sizeof header + packed.size());
  else
    SPILLWAY_RETURN_IF_ERROR(staging.Append({to, sizeof header + packed.size()}));
  return true;
}

Status SegmentWriter::State::StoreAsIs(std::string_view raw, BlockHeader& header,
                                       const BlockPlace& place, std::uint64_t raw_digest) {
  header.stored_bytes = header.raw_bytes;
  header.flags = 0;
  header.checksum = BlockChecksum(header, place, raw_digest);
  char* const at = block_begin - sizeof header;
  std::memcpy(at, &header, sizeof header);
  if (block_is_aside) return staging.Append({at, sizeof header + raw.size()});
  staging.Commit(sizeof header + raw.size());
  return OkStatus();
}

void SegmentWriter::State::Account(const BlockHeader& header) {
  extent.stored_bytes += sizeof header + header.stored_bytes;
  extent.raw_bytes += header.raw_bytes;
  extent.records += header.records;
  extent.raw_block_bytes_max = std::max(extent.raw_block_bytes_max, header.raw_bytes);
  ++extent.blocks;
  SPILLWAY_CHECK_LT(blocks, UINT32_MAX);
  ++blocks;
}

void SegmentWriter::State::AddHashes(std::string_view raw, std::uint32_t partition,
                                     std::uint64_t raw_digest) {
  std::uint64_t& hash = summary.partition_hashes[partition];
  hash = ExtendHash(hash, raw_digest);
  if (!summary.record_hashes.empty())
    summary.record_hashes[partition] += HashOfRecords(raw, options.record_hash);
}

void SegmentWriter::State::CloseExtent(std::uint32_t partition) {
  if (extent.blocks == 0) return;
  index.Add(partition, extent);
  summary.records += extent.records;
  summary.raw_bytes += extent.raw_bytes;
  summary.partition_bytes[partition] += extent.stored_bytes;
  extent = Extent();
}

Result<SegmentSummary> SegmentWriter::State::Finish(std::uint32_t runs) {
  SPILLWAY_CHECK(!run_open && !finished);
  finished = true;
  SPILLWAY_RETURN_IF_ERROR(failure);
  SegmentFooter footer;
  footer.index_offset = staging.offset();
  footer.index_bytes = index.bytes().size();
  footer.index_checksum = Digest(index.bytes());
  footer.job = id.job;
  footer.map_task = id.map_task;
  footer.attempt = id.attempt;
  footer.partitions = partitions;
  footer.runs = runs;
  footer.blocks = blocks;
  footer.footer_checksum = FooterChecksum(footer);
  SPILLWAY_RETURN_IF_ERROR(staging.Append(index.bytes()));
  SPILLWAY_RETURN_IF_ERROR(staging.Append(BytesOf(footer)));
  SPILLWAY_RETURN_IF_ERROR(staging.Flush());
  summary.runs = runs;
  summary.stored_bytes = file.size();
  return std::move(summary);
}

}  // namespace spillway
