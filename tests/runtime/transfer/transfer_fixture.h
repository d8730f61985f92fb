// What the tests of fetching share: segments of many runs and partitions in a store, and everything
// that a reduce would read of one partition.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

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

/// What the reduce side must see: read from the segment itself.
inline std::string ExpectedPartition(const std::string& segment, const SegmentId& id,
                                     std::uint32_t partition) {
  auto reader = SegmentReader::Open(std::make_shared<StringBytes>(segment, true), id);
  EXPECT_TRUE(reader.ok()) << reader.status().message();
  auto read = ReadPartition(**reader, partition);
  EXPECT_TRUE(read.ok()) << read.status().message();
  return read.ok() ? *read : std::string();
}

}  // namespace spillway
