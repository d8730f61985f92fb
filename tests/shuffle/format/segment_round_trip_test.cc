#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "shuffle/format/segment_layout.h"
#include "tests/shuffle/format/segment_fixture.h"

namespace spillway {
namespace {

constexpr SegmentId kId = {7, 3, 1};

enum class Content { kText, kNoise, kMixed };

struct Shape {
  std::uint32_t runs = 1;
  std::uint32_t partitions = 1;
  std::uint32_t records = 0;  // In all; spread at random.
  std::uint32_t value_bytes_max = 100;
  Content content = Content::kText;
};

std::string RandomBytes(std::mt19937_64& random, std::uint32_t bytes, Content content) {
  std::string text(bytes, '\0');
  const bool noise = content == Content::kNoise || (content == Content::kMixed && random() % 2);
  for (char& c : text) c = static_cast<char>(noise ? random() : 'a' + random() % 3);
  return text;
}

std::vector<PlacedRecord> RandomRecords(std::mt19937_64& random, const Shape& shape) {
  std::vector<PlacedRecord> records(shape.records);
  for (PlacedRecord& r : records) {
    r.run = static_cast<std::uint32_t>(random() % shape.runs);
    r.partition = static_cast<std::uint32_t>(random() % shape.partitions);
    r.key = RandomBytes(random, random() % 20, shape.content);
    r.value = RandomBytes(random, random() % (shape.value_bytes_max + 1), shape.content);
  }
  std::sort(records.begin(), records.end());
  return records;
}

// Cuts each (run, partition) into blocks as the format says and hashes them.
std::vector<std::uint64_t> OracleHashes(const std::vector<PlacedRecord>& records,
                                        std::uint32_t partitions, std::uint32_t block_bytes) {
  std::vector<std::uint64_t> hashes(partitions, 0);
  std::string block;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const PlacedRecord& r = records[i];
    const Record record = MakeRecord(r.key, r.value);
    std::string bytes(EncodedBytes(record.key_bytes, record.value_bytes), '\0');
    EncodeRecord(record, bytes.data());
    const bool same_extent =
        i > 0 && records[i - 1].run == r.run && records[i - 1].partition == r.partition;
    const bool fits = block.size() + bytes.size() <= std::size_t{block_bytes};
    if (!block.empty() && !(same_extent && fits)) {
      std::uint64_t& hash = hashes[records[i - 1].partition];
      hash = ExtendHash(hash, Digest(block));
      block.clear();
    }
    block += bytes;
  }
  if (!block.empty())
    hashes[records.back().partition] = ExtendHash(hashes[records.back().partition], Digest(block));
  return hashes;
}

void ExpectRoundTrip(const Shape& shape, const SegmentWriterOptions& options, std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed) + ", runs " + std::to_string(shape.runs) +
               ", partitions " + std::to_string(shape.partitions) + ", records " +
               std::to_string(shape.records) + ", block_bytes " +
               std::to_string(options.block_bytes) + ", compression " +
               std::to_string(static_cast<int>(options.compression)));
  std::mt19937_64 random(seed);
  const auto records = RandomRecords(random, shape);
  for (const bool on_disk : {false, true}) {
    auto written = WriteSegment(kId, shape.runs, shape.partitions, records, options, on_disk);
    ASSERT_TRUE(written.ok()) << written.status().message();
    EXPECT_EQ(written->summary.records, records.size());
    EXPECT_EQ(written->summary.runs, shape.runs);
    EXPECT_EQ(written->summary.stored_bytes, written->bytes.size());
    EXPECT_EQ(written->summary.partition_hashes,
              OracleHashes(records, shape.partitions, options.block_bytes));
    for (const bool resident : {false, true}) {
      for (const std::uint32_t read_ahead_bytes : {1u, 700u, 128u << 10}) {
        auto read = ReadSegment(std::make_shared<StringBytes>(written->bytes, resident), kId,
                                {.release_behind = false, .read_ahead_bytes = read_ahead_bytes});
        ASSERT_TRUE(read.ok()) << read.status().message();
        ASSERT_EQ(*read, records);
      }
    }
  }
}

TEST(SegmentRoundTrip, ReturnsWhatWasWrittenForAllShapesAndOptions) {
  const Shape shapes[] = {
      {},
      {.runs = 3, .partitions = 2},
      {.records = 1},
      {.runs = 2, .partitions = 3, .records = 100},
      {.runs = 5, .partitions = 7, .records = 3000, .content = Content::kNoise},
      {.runs = 4, .partitions = 2, .records = 4000, .content = Content::kMixed},
      {.runs = 3, .partitions = 2000, .records = 2500},
      {.runs = 1, .partitions = 1, .records = 60, .value_bytes_max = 20000},
  };
  std::uint64_t seed = 1;
  for (const Shape& shape : shapes)
    for (const std::uint32_t block_bytes : {1u, 64u, 1000u, 64u << 10})
      for (const auto compression : {Compression::kNone, Compression::kLz4, Compression::kAuto})
        for (const std::uint32_t staging_bytes : {1u, 256u << 10})
          ExpectRoundTrip(shape,
                          {.block_bytes = block_bytes,
                           .compression = compression,
                           .staging_bytes = staging_bytes},
                          seed++);
}

TEST(SegmentRoundTrip, RecordLargerThanABlockHasItsOwn) {
  const std::vector<PlacedRecord> records = {{0, 0, "a", "small"},
                                             {0, 0, "b", std::string(6 << 20, 'x')},
                                             {0, 0, "c", "small"},
                                             {0, 0, "d", std::string(300 << 10, 'y')},
                                             {0, 1, "e", "small"}};
  for (const auto compression : {Compression::kNone, Compression::kLz4}) {
    auto written = WriteSegment(kId, 1, 2, records, {.compression = compression}, true);
    ASSERT_TRUE(written.ok()) << written.status().message();
    auto bytes = std::make_shared<StringBytes>(written->bytes, false);
    auto read = ReadSegment(bytes, kId);
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(*read, records);
    auto reader = SegmentReader::Open(bytes, kId);
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ((*reader)->extent(0, 0).blocks, 4u);
    EXPECT_GT((*reader)->extent(0, 0).raw_block_bytes_max, 6u << 20);
    // LZ4 takes the one of 300 KiB and leaves the one of 6 MiB.
    const std::uint64_t stored = (*reader)->extent(0, 0).stored_bytes;
    EXPECT_GT(stored, 6u << 20);
    EXPECT_EQ(stored < (6u << 20) + (100u << 10), compression == Compression::kLz4);
  }
}

}  // namespace
}  // namespace spillway
