// What a reader does with bytes that are not what a writer wrote: DataLoss, or the identical
// records, and never a crash or a large allocation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lz4.h>

#include <random>

#include "shuffle/format/segment_layout.h"
#include "tests/shuffle/format/segment_fixture.h"

namespace spillway {
namespace {

using testing::HasSubstr;

constexpr SegmentId kId = {7, 3, 1};

std::vector<PlacedRecord> SomeRecords() {
  std::vector<PlacedRecord> records;
  for (std::uint32_t run = 0; run < 2; ++run)
    for (const std::uint32_t partition : {0u, 1u, 3u})
      for (char c = 'a'; c < 'e'; ++c)
        records.push_back({run, partition, std::string(3, c), std::string(20, c)});
  return records;
}

// Small blocks of both kinds, several to an extent.
std::string SomeSegment(const SegmentId& id = kId, Compression compression = Compression::kLz4) {
  auto written =
      WriteSegment(id, 2, 4, SomeRecords(), {.block_bytes = 70, .compression = compression}, true);
  EXPECT_TRUE(written.ok()) << written.status().message();
  return written->bytes;
}

void ExpectDamageFound(const std::string& bytes, bool resident) {
  auto read = ReadSegment(std::make_shared<StringBytes>(bytes, resident), kId);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.status().code(), Code::kDataLoss) << read.status().message();
  EXPECT_THAT(read.status().message(), HasSubstr("string segment"));
  EXPECT_THAT(read.status().message(), HasSubstr("map task must run again"));
}

TEST(SegmentDamage, EveryFlippedBitIsFound) {
  for (const auto compression : {Compression::kNone, Compression::kLz4}) {
    const std::string good = SomeSegment(kId, compression);
    for (const bool resident : {false, true}) {
      for (std::size_t at = 0; at < good.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
          std::string bad = good;
          bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
          SCOPED_TRACE("offset " + std::to_string(at) + ", bit " + std::to_string(bit));
          ExpectDamageFound(bad, resident);
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST(SegmentDamage, EveryTruncationIsFound) {
  const std::string good = SomeSegment();
  for (std::size_t bytes = 0; bytes < good.size(); ++bytes) {
    SCOPED_TRACE("cut to " + std::to_string(bytes));
    ExpectDamageFound(good.substr(0, bytes), false);
    ExpectDamageFound(good.substr(0, bytes), true);
  }
}

TEST(SegmentDamage, BytesBehindTheEndAreFound) {
  ExpectDamageFound(SomeSegment() + '\0', false);
  ExpectDamageFound(SomeSegment() + std::string(100, 'x'), false);
}

TEST(SegmentDamage, SwappedBlocksAreFound) {
  // All blocks hold one record of one size, so that only their place tells them apart.
  const std::string good = SomeSegment(kId, Compression::kNone);
  auto reader = SegmentReader::Open(std::make_shared<StringBytes>(good, true), kId);
  ASSERT_TRUE(reader.ok());
  const std::uint64_t block_bytes =
      (*reader)->extent(0, 0).stored_bytes / (*reader)->extent(0, 0).blocks;
  const std::uint64_t blocks = 2 * 3 * (*reader)->extent(0, 0).blocks;
  ASSERT_EQ((*reader)->extent(0, 0).stored_bytes % block_bytes, 0u);
  for (std::uint64_t a = 0; a < blocks; ++a) {
    for (std::uint64_t b = a + 1; b < blocks; ++b) {
      SCOPED_TRACE("blocks " + std::to_string(a) + " and " + std::to_string(b));
      std::string bad = good;
      const std::uint64_t at_a = sizeof(SegmentHeader) + a * block_bytes;
      const std::uint64_t at_b = sizeof(SegmentHeader) + b * block_bytes;
      bad.replace(at_a, block_bytes, good, at_b, block_bytes);
      bad.replace(at_b, block_bytes, good, at_a, block_bytes);
      ExpectDamageFound(bad, false);
    }
  }
}

TEST(SegmentDamage, BlocksOfAnotherAttemptTaskOrJobAreFound) {
  const std::string good = SomeSegment();
  for (const SegmentId& id : {SegmentId{7, 3, 2}, SegmentId{7, 4, 1}, SegmentId{8, 3, 1}}) {
    const std::string foreign = SomeSegment(id);
    ASSERT_EQ(foreign.size(), good.size());
    auto opened = SegmentReader::Open(std::make_shared<StringBytes>(foreign, false), kId);
    EXPECT_EQ(opened.status().code(), Code::kDataLoss);
    EXPECT_THAT(opened.status().message(), HasSubstr("foreign segment"));
    // Stale blocks between the right header, index and footer.
    std::string mixed = good;
    const std::uint64_t from = sizeof(SegmentHeader);
    mixed.replace(from, 60, foreign, from, 60);
    ExpectDamageFound(mixed, true);
  }
}

TEST(SegmentDamage, RandomDamageNeverGivesOtherRecords) {
  const std::string good = SomeSegment();
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    std::mt19937_64 random(seed);
    std::string bad = good;
    const std::size_t from = random() % bad.size();
    const std::size_t bytes = 1 + random() % (bad.size() - from);
    for (std::size_t i = from; i < from + bytes; ++i) bad[i] = static_cast<char>(random());
    SCOPED_TRACE("seed " + std::to_string(seed));
    auto read = ReadSegment(std::make_shared<StringBytes>(bad, seed % 2 == 0), kId);
    if (read.ok())
      EXPECT_EQ(bad, good);
    else
      EXPECT_EQ(read.status().code(), Code::kDataLoss);
  }
}

// A footer and index that lie, with checksums that are right: what a bug of a writer would give.
std::string Forged(const std::string& index, const SegmentFooter& wish,
                   const std::string& blocks = std::string(100, 'b')) {
  SegmentHeader header;
  header.partitions = wish.partitions;
  header.job = kId.job;
  header.map_task = kId.map_task;
  header.attempt = kId.attempt;
  std::string bytes(BytesOf(header));
  bytes += blocks;
  SegmentFooter footer = wish;
  footer.index_offset = bytes.size();
  footer.index_bytes = index.size();
  footer.index_checksum = Digest(index);
  footer.job = kId.job;
  footer.map_task = kId.map_task;
  footer.attempt = kId.attempt;
  footer.footer_checksum = FooterChecksum(footer);
  return bytes + index + std::string(BytesOf(footer));
}

Status OpenForged(const std::string& index, std::uint32_t runs, std::uint32_t partitions,
                  std::uint32_t blocks) {
  SegmentFooter footer;
  footer.runs = runs;
  footer.partitions = partitions;
  footer.blocks = blocks;
  return SegmentReader::Open(std::make_shared<StringBytes>(Forged(index, footer), false), kId)
      .status();
}

TEST(SegmentDamage, AnIndexThatLiesIsRefusedBeforeAnythingIsAllocated) {
  using namespace std::string_literals;
  // gap 0, 1 block, 1 record, 76 raw bytes, 100 stored: exactly the 100 bytes that are there.
  const std::string honest = "\x01\x00\x01\x01\x4c\x64"s;
  EXPECT_TRUE(OpenForged(honest, 1, 1, 1).ok()) << OpenForged(honest, 1, 1, 1).message();
  const std::string lies[] = {
      "\x01\x00\x01\x01\x4c\x63"s,                      // not all blocks covered
      "\x01\x00\x01\x01\x4c\x65"s,                      // beyond the blocks
      "\x01\x01\x01\x01\x4c\x64"s,                      // partition out of range
      "\x02\x00\x01\x01\x4c\x64"s,                      // an extent that is not there
      "\x01\x00\x00\x01\x4c\x64"s,                      // no block
      "\x01\x00\x01\x00\x4c\x64"s,                      // a block without a record
      "\x01\x00\x01\x27\x4c\x64"s,                      // more records than bytes for them
      "\x01\x00\x01\x01\x4b\x64"s,                      // stored larger than raw
      "\x01\x00\x01\x01\xff\xff\xff\x0f\x64"s,          // expands more than LZ4 can
      "\x01\x00\x01\x01\xcc\x00\x64"s,                  // a number padded with zeros
      "\x01\x00\x01\x01\x4c\x64\x00"s,                  // bytes behind the end
      "\x01\x00\x01\x01\x4c"s,                          // cut off
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"s,  // a count beyond 56 bits
      ""s,
  };
  for (const std::string& lie : lies) {
    SCOPED_TRACE(testing::PrintToString(lie));
    EXPECT_EQ(OpenForged(lie, 1, 1, 1).code(), Code::kDataLoss);
  }
  EXPECT_EQ(OpenForged(honest, UINT32_MAX, 1, 1).code(), Code::kDataLoss);
  EXPECT_EQ(OpenForged(honest, 2, 1, 1).code(), Code::kDataLoss);
  EXPECT_EQ(OpenForged(honest, 1, 1, 2).code(), Code::kDataLoss);
  // Two blocks: the largest must fit both bounds.
  EXPECT_TRUE(OpenForged("\x01\x00\x02\x02\x34\x64\x1a"s, 1, 1, 2).ok());
  EXPECT_EQ(OpenForged("\x01\x00\x02\x02\x34\x64\x19"s, 1, 1, 2).code(), Code::kDataLoss);
  EXPECT_EQ(OpenForged("\x01\x00\x02\x02\x34\x64\x35"s, 1, 1, 2).code(), Code::kDataLoss);
}

TEST(SegmentDamage, CompressedBlockWhereTheIndexHasNoneIsRefusedBeforeItIsUnpacked) {
  const std::string raw(76, 'a');
  std::string packed(200, '\0');
  packed.resize(static_cast<std::size_t>(LZ4_compress_default(raw.data(), packed.data(), 76, 200)));
  BlockHeader header;
  header.raw_bytes = 76;
  header.stored_bytes = static_cast<std::uint32_t>(packed.size());
  header.records = 1;
  header.flags = kBlockIsLz4;
  header.checksum = BlockChecksum(header, {kId, 0, 0, 0}, Digest(packed));
  std::string blocks = std::string(BytesOf(header)) + packed;
  blocks.resize(100, '\0');
  SegmentFooter footer;
  footer.runs = footer.partitions = footer.blocks = 1;
  const std::string index("\x01\x00\x01\x01\x4c\x64", 6);
  auto reader =
      SegmentReader::Open(std::make_shared<StringBytes>(Forged(index, footer, blocks), true), kId);
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  MemoryBudget budget(0);
  const auto source = (*reader)->OpenRun(0, 0, budget, {});
  Block block;
  EXPECT_EQ(source->Next(&block).status().code(), Code::kDataLoss);
  EXPECT_LE(budget.peak_bytes(), source->buffer_bytes());
}

TEST(SegmentDamage, AnotherVersionIsNamed) {
  SegmentFooter footer;
  footer.version = 9;
  const auto opened =
      SegmentReader::Open(std::make_shared<StringBytes>(Forged("", footer), false), kId);
  EXPECT_EQ(opened.status().code(), Code::kDataLoss);
  EXPECT_THAT(opened.status().message(), HasSubstr("format version 9, but this build reads 1"));
}

}  // namespace
}  // namespace spillway
