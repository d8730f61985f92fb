#include "shuffle/format/segment_writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "shuffle/format/compression_policy.h"
#include "tests/shuffle/format/segment_fixture.h"

namespace spillway {
namespace {

constexpr SegmentId kId = {7, 3, 1};

std::vector<PlacedRecord> Records(std::uint32_t records, bool noise) {
  std::mt19937_64 random(1);
  std::vector<PlacedRecord> placed;
  for (std::uint32_t i = 0; i < records; ++i) {
    std::string value(100, 'v');
    if (noise)
      for (char& c : value) c = static_cast<char>(random());
    placed.push_back({0, 0, std::to_string(1'000'000 + i), value});
  }
  return placed;
}

std::uint64_t StoredBytes(bool noise, Compression compression, bool on_disk) {
  auto written =
      WriteSegment(kId, 1, 1, Records(20'000, noise), {.compression = compression}, on_disk);
  EXPECT_TRUE(written.ok());
  return written->bytes.size();
}

TEST(SegmentWriter, AutoCompressesOnDiskAndWhatShrinks) {
  const std::uint64_t raw = StoredBytes(false, Compression::kNone, true);
  EXPECT_LT(StoredBytes(false, Compression::kAuto, true), raw / 4);
  EXPECT_EQ(StoredBytes(false, Compression::kAuto, false), raw);
  EXPECT_LT(StoredBytes(false, Compression::kLz4, false), raw / 4);
  const std::uint64_t raw_noise = StoredBytes(true, Compression::kNone, true);
  EXPECT_EQ(StoredBytes(true, Compression::kAuto, true), raw_noise);
  EXPECT_LE(StoredBytes(true, Compression::kLz4, true), raw_noise);
}

TEST(SegmentWriter, AppendsWholeBlocksInLargePieces) {
  for (const std::uint32_t staging_bytes : {1u, 200'000u, 1u << 20}) {
    StringFile file(true);
    SegmentWriter writer(kId, 1, file,
                         {.compression = Compression::kNone, .staging_bytes = staging_bytes});
    writer.BeginRun();
    for (const PlacedRecord& r : Records(20'000, false))
      ASSERT_TRUE(writer.Add(0, MakeRecord(r.key, r.value)).ok());
    ASSERT_TRUE(writer.FinishRun().ok());
    ASSERT_TRUE(writer.Finish().ok());
    const std::uint64_t largest_bytes = std::max<std::uint64_t>(staging_bytes, (64 << 10) + 24);
    EXPECT_LE(file.append_bytes_max, largest_bytes);
    EXPECT_GE(file.append_bytes_max + (64 << 10) + 24, largest_bytes);
  }
}

TEST(SegmentWriter, IndexCostsBytesOnlyForWhatIsThere) {
  std::vector<PlacedRecord> records;
  for (std::uint32_t run = 0; run < 300; ++run) records.push_back({run, 1999, "key", "value"});
  auto written = WriteSegment(kId, 300, 2000, records, {}, false);
  ASSERT_TRUE(written.ok());
  EXPECT_LE(written->bytes.size(), 300 * (24 + 10 + 7) + 32 + 72u);
}

TEST(SegmentWriter, HashesOfRecordsDoNotDependOnWhereRunsAreCut) {
  std::set<std::vector<std::uint64_t>> partition_hashes, record_hashes;
  for (const std::uint32_t runs : {1u, 3u, 8u}) {
    std::vector<PlacedRecord> records;
    for (std::uint32_t i = 0; i < 2000; ++i)
      records.push_back({i * runs / 2000, i % 5, std::to_string(i * 7919 % 2000), "value"});
    std::sort(records.begin(), records.end());
    const SegmentWriterOptions options = {.block_bytes = 600, .record_hash = RecordHash::kRecords};
    auto written = WriteSegment(kId, runs, 5, records, options, runs % 2 == 1);
    ASSERT_TRUE(written.ok()) << written.status().message();
    partition_hashes.insert(written->summary.partition_hashes);
    record_hashes.insert(written->summary.record_hashes);
  }
  EXPECT_EQ(partition_hashes.size(), 3u);
  ASSERT_EQ(record_hashes.size(), 1u);
  const std::vector<std::uint64_t>& hashes = *record_hashes.begin();
  EXPECT_EQ(std::set(hashes.begin(), hashes.end()).size(), 5u);
}

class FailingFile final : public SegmentFile {
 public:
  explicit FailingFile(std::uint64_t appends) : appends_left_(appends) {}
  Status Append(std::string_view bytes) override {
    if (appends_left_ == 0) return ResourceExhausted("disk full");
    --appends_left_;
    size_ += bytes.size();
    return OkStatus();
  }
  std::uint64_t size() const override { return size_; }
  bool on_disk() const override { return true; }
  Status Commit() override { return OkStatus(); }

 private:
  std::uint64_t appends_left_;
  std::uint64_t size_ = 0;
};

TEST(SegmentWriter, MakesHashesOfRecordsOnlyWhereTheyAreWanted) {
  for (const bool skipped : {false, true}) {
    FailingFile file(100);
    SegmentWriter writer(kId, 1, file, {.record_hash = RecordHash::kRecords});
    if (skipped) writer.SkipRecordHashes();
    writer.BeginRun();
    ASSERT_TRUE(writer.Add(0, MakeRecord("k", "v")).ok());
    ASSERT_TRUE(writer.FinishRun().ok());
    EXPECT_EQ(writer.Finish()->record_hashes.size(), skipped ? 0u : 1u);
  }
}

TEST(SegmentWriter, FirstFailureStays) {
  for (std::uint64_t appends = 0; appends < 8; ++appends) {
    FailingFile file(appends);
    SegmentWriter writer(kId, 1, file, {.block_bytes = 1000, .staging_bytes = 1});
    writer.BeginRun();
    Status status;
    for (const PlacedRecord& r : Records(200, true)) {
      status = writer.Add(0, MakeRecord(r.key, r.value));
      if (!status.ok()) break;
    }
    EXPECT_EQ(status.code(), Code::kResourceExhausted);
    EXPECT_EQ(writer.Add(0, "\x01\x01kv").code(), Code::kResourceExhausted);
    EXPECT_EQ(writer.FinishRun().code(), Code::kResourceExhausted);
    EXPECT_EQ(writer.Finish().status().code(), Code::kResourceExhausted);
  }
}

TEST(SegmentWriterDeathTest, StopsAtPartitionsOutOfOrder) {
  StringFile file(true);
  SegmentWriter writer(kId, 4, file, {});
  writer.BeginRun();
  ASSERT_TRUE(writer.Add(2, "\x01\x01kv").ok());
  EXPECT_DEATH((void)writer.Add(1, "\x01\x01kv"), "partition");
  EXPECT_DEATH((void)writer.Add(4, "\x01\x01kv"), "partition");
}

TEST(CompressionPolicy, BacksOffWhileTriesFailAndNoticesAChange) {
  CompressionPolicy policy;
  std::uint32_t tries = 0;
  for (int block = 0; block < 10'000; ++block)
    if (policy.ShouldTry()) {
      ++tries;
      EXPECT_FALSE(policy.Observe(1000, 900));
    }
  EXPECT_LE(tries, 10'000 / 60 + 10);
  std::uint32_t waited = 0;
  while (!policy.ShouldTry()) ++waited;
  EXPECT_LE(waited, CompressionPolicy::kSkipBlocksMax);
  EXPECT_TRUE(policy.Observe(1000, 500));
  EXPECT_TRUE(policy.ShouldTry()) << "a gain ends the waiting";
}

TEST(CompressionPolicy, NeverKeepsWhatDoesNotShrink) {
  CompressionPolicy policy;
  for (const std::uint64_t bytes : {0u, 1u, 2u, 7u}) EXPECT_FALSE(policy.Observe(bytes, bytes));
}

}  // namespace
}  // namespace spillway
