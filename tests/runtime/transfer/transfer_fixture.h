// What the tests of fetching share: segments of many runs and partitions in a store, and everything
// that a reduce would read of one partition.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "shuffle/format/segment_layout.h"
#include "shuffle/format/segment_reader.h"
#include "shuffle/format/segment_writer.h"
#include "shuffle/store/memory_segment_store.h"
#include "tests/shuffle/format/segment_fixture.h"

namespace spillway {

struct SegmentShape {
  std::uint32_t runs = 3;
  std::uint32_t partitions = 5;
  std::size_t records = 400;
  std::size_t value_bytes_max = 40;
  std::set<std::uint32_t> empty_partitions;
  SegmentWriterOptions writer = {.block_bytes = 100, .compression = Compression::kLz4};
};

/// Some (run, partition) stay empty.
inline std::string RandomSegment(const SegmentId& id, std::uint64_t seed,
                                 const SegmentShape& shape = {}) {
  std::mt19937_64 random(seed);
  std::vector<PlacedRecord> records;
  for (std::size_t i = 0; i < shape.records; ++i) {
    PlacedRecord record;
    record.run = static_cast<std::uint32_t>(random() % shape.runs);
    record.partition = static_cast<std::uint32_t>(random() % shape.partitions);
    if (record.run % 2 == 1 && record.partition % 3 == 1) continue;
    if (shape.empty_partitions.count(record.partition) > 0) continue;
    for (std::size_t n = random() % 10; n > 0; --n)
      record.key += static_cast<char>('a' + random() % 26);
    const std::size_t value_bytes = random() % (shape.value_bytes_max + 1);
    if (random() % 2 == 0)
      record.value = std::string(value_bytes, 'v');
    else
      while (record.value.size() < value_bytes) record.value += static_cast<char>(random());
    records.push_back(std::move(record));
  }
  std::sort(records.begin(), records.end());
  auto written = WriteSegment(id, shape.runs, shape.partitions, records, shape.writer, true);
  EXPECT_TRUE(written.ok()) << written.status().message();
  return written.ok() ? written->bytes : std::string();
}

inline void Put(SegmentStore& store, const SegmentId& id, std::string_view bytes) {
  auto file = store.Create(id);
  ASSERT_TRUE(file.ok()) << file.status().message();
  ASSERT_TRUE((*file)->Append(bytes).ok());
  ASSERT_TRUE((*file)->Commit().ok());
}

/// The encoded records of one partition, run after run.
inline Result<std::string> ReadPartition(const SegmentReader& reader, std::uint32_t partition,
                                         const SegmentReader::OpenOptions& options = {}) {
  MemoryBudget budget(1 << 20);
  std::string all;
  for (std::uint32_t run = 0; run < reader.runs(); ++run) {
    all += "run " + std::to_string(run) + ":";
    const auto blocks = reader.OpenRun(run, partition, budget, options);
    Block block;
    while (true) {
      SPILLWAY_ASSIGN_OR_RETURN(const bool more, blocks->Next(&block));
      if (!more) break;
      all += block.bytes;
    }
  }
  return all;
}

/// The same of each partition of a range.
inline Result<std::vector<std::string>> ReadPartitions(
    const SegmentReader& reader, const PartitionRange& partitions,
    const SegmentReader::OpenOptions& options = {}) {
  std::vector<std::string> all;
  for (std::uint32_t partition = partitions.first; partition < partitions.end(); ++partition) {
    SPILLWAY_ASSIGN_OR_RETURN(std::string read, ReadPartition(reader, partition, options));
    all.push_back(std::move(read));
  }
  return all;
}

inline std::shared_ptr<const SegmentReader> ReaderOf(const std::string& segment,
                                                     const SegmentId& id) {
  auto reader = SegmentReader::Open(std::make_shared<StringBytes>(segment, true), id);
  EXPECT_TRUE(reader.ok()) << reader.status().message();
  return std::move(*reader);
}

/// What the reduce side must see: read from the segment itself.
inline std::string ExpectedPartition(const std::string& segment, const SegmentId& id,
                                     std::uint32_t partition) {
  auto read = ReadPartition(*ReaderOf(segment, id), partition);
  EXPECT_TRUE(read.ok()) << read.status().message();
  return read.ok() ? *read : std::string();
}

inline std::vector<std::string> ExpectedPartitions(const std::string& segment, const SegmentId& id,
                                                   const PartitionRange& partitions) {
  auto read = ReadPartitions(*ReaderOf(segment, id), partitions);
  EXPECT_TRUE(read.ok()) << read.status().message();
  return read.ok() ? *read : std::vector<std::string>();
}

/// Everything of a segment that is not blocks (docs/formats/fetch.md).
inline std::string HeadOf(const std::string& segment) {
  SegmentFooter footer;
  std::memcpy(&footer, segment.data() + segment.size() - sizeof footer, sizeof footer);
  return segment.substr(0, sizeof(SegmentHeader)) + segment.substr(footer.index_offset);
}

/// The stream of a range of partitions, put together from one extent after the other.
inline std::string StreamOf(const std::string& segment, const SegmentId& id,
                            const PartitionRange& partitions) {
  const auto reader = ReaderOf(segment, id);
  std::string stream;
  for (std::uint32_t run = 0; run < reader->runs(); ++run) {
    for (std::uint32_t partition = partitions.first; partition < partitions.end(); ++partition) {
      const Extent& extent = reader->extent(run, partition);
      stream += segment.substr(extent.offset, extent.stored_bytes);
    }
  }
  return stream;
}

/// All ranges of so many partitions.
inline std::vector<PartitionRange> RangesOf(std::uint32_t partitions) {
  std::vector<PartitionRange> ranges;
  for (std::uint32_t first = 0; first < partitions; ++first)
    for (std::uint32_t count = 1; count <= partitions - first; ++count)
      ranges.push_back({first, count});
  return ranges;
}

}  // namespace spillway
