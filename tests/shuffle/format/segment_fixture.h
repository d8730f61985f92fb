// What the format's tests share: segments as plain strings, and everything read back from one.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "mapreduce/base/check.h"
#include "shuffle/format/segment_reader.h"
#include "shuffle/format/segment_writer.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

/// Collects a segment; says it is on disk when it shall.
class StringFile final : public SegmentFile {
 public:
  explicit StringFile(bool on_disk) : on_disk_(on_disk) {}
  Status Append(std::string_view piece) override {
    bytes += piece;
    append_bytes_max = std::max<std::uint64_t>(append_bytes_max, piece.size());
    return OkStatus();
  }
  std::uint64_t size() const override { return bytes.size(); }
  bool on_disk() const override { return on_disk_; }
  Status Commit() override { return OkStatus(); }

  std::string bytes;
  std::uint64_t append_bytes_max = 0;

 private:
  const bool on_disk_;
};

/// A segment that must be copied to be read, or (resident) can be viewed in one piece.
class StringBytes final : public SegmentBytes {
 public:
  StringBytes(std::string_view bytes, bool resident)
      : bytes_(std::string(bytes) + std::string(SPILLWAY_PADDING_BYTES, '\xee')),
        size_(bytes.size()),
        resident_(resident) {}

  std::uint64_t size() const override { return size_; }
  Result<std::string_view> ReadAt(std::uint64_t offset, std::uint64_t bytes,
                                  char* scratch) const override {
    if (offset > size_ || bytes > size_ - offset) return DataLoss("short");
    if (resident_) return std::string_view(bytes_).substr(offset, bytes);
    std::memcpy(scratch, bytes_.data() + offset, bytes);
    ++reads;
    return std::string_view(scratch, bytes);
  }
  std::string_view View(std::uint64_t offset, std::uint64_t bytes) const override {
    if (!resident_ || offset > size_ || bytes > size_ - offset) return {};
    return std::string_view(bytes_).substr(offset, bytes);
  }
  void Release(std::uint64_t offset, std::uint64_t bytes) override {
    released.emplace_back(offset, bytes);
  }
  std::string name() const override { return "string segment"; }

  mutable std::uint64_t reads = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> released;

 private:
  const std::string bytes_;
  const std::uint64_t size_;
  const bool resident_;
};

struct PlacedRecord {
  std::uint32_t run = 0;
  std::uint32_t partition = 0;
  std::string key;
  std::string value;
  auto operator<=>(const PlacedRecord&) const = default;
};

struct WrittenSegment {
  std::string bytes;
  SegmentSummary summary;
  std::uint64_t append_bytes_max = 0;
};

/// `records` by (run, partition).
inline Result<WrittenSegment> WriteSegment(const SegmentId& id, std::uint32_t runs,
                                           std::uint32_t partitions,
                                           const std::vector<PlacedRecord>& records,
                                           const SegmentWriterOptions& options, bool on_disk) {
  StringFile file(on_disk);
  SegmentWriter writer(id, partitions, file, options);
  std::size_t next = 0;
  for (std::uint32_t run = 0; run < runs; ++run) {
    writer.BeginRun();
    for (; next < records.size() && records[next].run == run; ++next) {
      const PlacedRecord& r = records[next];
      const Record record = MakeRecord(r.key, r.value);
      if (next % 2 == 0) {
        SPILLWAY_RETURN_IF_ERROR(writer.Add(r.partition, record));
      } else {
        std::string encoded(EncodedBytes(record.key_bytes, record.value_bytes), '\0');
        EncodeRecord(record, encoded.data());
        SPILLWAY_RETURN_IF_ERROR(writer.Add(r.partition, std::string_view(encoded)));
      }
    }
    SPILLWAY_RETURN_IF_ERROR(writer.FinishRun());
  }
  SPILLWAY_CHECK_EQ(next, records.size());
  SPILLWAY_ASSIGN_OR_RETURN(SegmentSummary summary, writer.Finish());
  return WrittenSegment{std::move(file.bytes), std::move(summary), file.append_bytes_max};
}

/// Reads all records of all runs and partitions, as a merge would.
inline Result<std::vector<PlacedRecord>> ReadSegment(
    std::shared_ptr<SegmentBytes> bytes, const SegmentId& id,
    const SegmentReader::OpenOptions& options = {}) {
  SPILLWAY_ASSIGN_OR_RETURN(auto reader, SegmentReader::Open(std::move(bytes), id));
  std::vector<PlacedRecord> records;
  MemoryBudget budget(1 << 20);
  for (std::uint32_t run = 0; run < reader->runs(); ++run) {
    for (std::uint32_t partition = 0; partition < reader->partitions(); ++partition) {
      const auto source = reader->OpenRun(run, partition, budget, options);
      while (true) {
        Block block;
        SPILLWAY_ASSIGN_OR_RETURN(const bool more, source->Next(&block));
        SPILLWAY_CHECK_LE(budget.used_bytes(), source->buffer_bytes());
        if (!more) break;
        const char* at = block.bytes.data();
        const char* const end = at + block.bytes.size();
        volatile char sink = 0;  // The padding must be readable: the sanitizers look.
        for (unsigned i = 0; i < SPILLWAY_PADDING_BYTES; ++i) sink = sink + end[i];
        for (std::uint32_t i = 0; i < block.records; ++i) {
          Record record;
          at = DecodeRecord(at, end, &record);
          if (at == nullptr) return InternalError("a block that passed its check is malformed");
          records.push_back(
              {run, partition, std::string(KeyOf(record)), std::string(ValueOf(record))});
        }
        if (at != end) return InternalError("bytes behind the last record of a block");
      }
    }
  }
  return records;
}

}  // namespace spillway
