#include "runtime/task/block_reader.h"

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

#include "tests/runtime/archive/packed_text.h"
#include "tests/runtime/task/string_file.h"

namespace spillway {
namespace {

spillway_framing Framing(std::uint32_t kind) {
  spillway_framing framing{};
  framing.struct_bytes = sizeof framing;
  framing.kind = kind;
  framing.delimiter = '\n';
  return framing;
}

/// Reads every split of `text` and returns what each of them gave, joined per split.
std::vector<std::string> ReadSplits(const std::string& text, const spillway_framing& framing,
                                    std::uint64_t split_bytes, std::uint64_t block_bytes) {
  const StringFile file(text);
  MemoryBudget budget(1 << 20);
  std::vector<std::string> splits;
  for (std::uint64_t offset = 0; offset < text.size(); offset += split_bytes) {
    const SplitRange range{"t", 0, text.size(), offset,
                           std::min<std::uint64_t>(split_bytes, text.size() - offset)};
    BlockReader reader(file, range, framing, {block_bytes, 1 << 20}, budget);
    std::string got;
    spillway_block block{};
    while (true) {
      const Result<bool> more = reader.Next(&block);
      EXPECT_TRUE(more.ok()) << more.status().message();
      if (!more.ok() || !*more) break;
      EXPECT_EQ(text.substr(block.file_offset, block.bytes),
                std::string_view(block.data, block.bytes));
      got.append(block.data, block.bytes);
    }
    splits.push_back(got);
  }
  return splits;
}

/// What each split should give: the records whose first byte lies in it. `ends(c)` tells the bytes
/// behind which a record may begin.
template <class Ends>
std::vector<std::string> Oracle(const std::string& text, std::uint64_t split_bytes, Ends ends) {
  std::vector<std::string> splits((text.size() + split_bytes - 1) / split_bytes);
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!ends(text[i]) && i + 1 != text.size()) continue;
    splits[begin / split_bytes] += text.substr(begin, i + 1 - begin);
    begin = i + 1;
  }
  return splits;
}

TEST(BlockReaderTest, EachRecordIsReadByTheSplitItBeginsIn) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::string text(1 + random() % 20'000, 'x');
    const unsigned every = 1 + random() % 3000;
    for (char& c : text)
      if (random() % every == 0) c = random() % 2 == 0 ? '\n' : ' ';
    const std::uint64_t split = 1 + random() % 6000;
    const std::uint64_t block = 1 + random() % 9000;
    EXPECT_EQ(ReadSplits(text, Framing(SPILLWAY_FRAMING_DELIMITED), split, block),
              Oracle(text, split, [](char c) { return c == '\n'; }));
    EXPECT_EQ(ReadSplits(text, Framing(SPILLWAY_FRAMING_SPACES), split, block),
              Oracle(text, split, [](char c) { return static_cast<unsigned char>(c) <= 0x20; }));
  }
}

TEST(BlockReaderTest, ALineAcrossThreeSplitsIsReadOnce) {
  const std::string text = "ab\n" + std::string(30, 'x') + "\ncd\n";
  EXPECT_THAT(ReadSplits(text, Framing(SPILLWAY_FRAMING_DELIMITED), 10, 4096),
              testing::ElementsAre("ab\n" + std::string(30, 'x') + "\n", "", "", "cd\n"));
}

TEST(BlockReaderTest, FixedRecordsAreSplitAtTheirBorders) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += std::to_string(1000 + i) + "abc";
  spillway_framing framing = Framing(SPILLWAY_FRAMING_FIXED);
  framing.fixed_bytes = 7;
  for (const std::uint64_t split : {1u, 6u, 7u, 8u, 100u, 6999u, 9000u}) {
    SCOPED_TRACE(split);
    std::string all;
    for (const std::string& part : ReadSplits(text, framing, split, 50)) {
      EXPECT_EQ(part.size() % 7, 0u);
      all += part;
    }
    EXPECT_EQ(all, text);
  }
}

TEST(BlockReaderTest, AFileThatIsNoMultipleOfTheRecordIsBadData) {
  spillway_framing framing = Framing(SPILLWAY_FRAMING_FIXED);
  framing.fixed_bytes = 100;
  const StringFile file(std::string(250, 'x'));
  MemoryBudget budget(1 << 20);
  BlockReader reader(file, {"in.dat", 0, 250, 0, 250}, framing, {}, budget);
  spillway_block block{};
  const Status status = reader.Next(&block).status();
  EXPECT_EQ(status.code(), Code::kBadData);
  EXPECT_THAT(status.message(), testing::HasSubstr("in.dat:200: the last record has 50 of 100"));
}

// Records of the form: one length byte, then so many bytes; a record starts at every 0x01 byte.
std::uint64_t FindMark(const char* data, std::uint64_t bytes, int) {
  for (std::uint64_t i = 0; i < bytes; ++i)
    if (data[i] == '\x01') return i;
  return UINT64_MAX;
}
std::uint64_t MarkedBytes(const char* data, std::uint64_t bytes, int at_end) {
  for (std::uint64_t i = 1; i < bytes; ++i)
    if (data[i] == '\x01') return i;
  return at_end != 0 ? bytes : 0;
}

TEST(BlockReaderTest, CustomFramingDecidesWhereRecordsEnd) {
  spillway_framing framing = Framing(SPILLWAY_FRAMING_CUSTOM);
  framing.find_start = &FindMark;
  framing.record_bytes = &MarkedBytes;
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::string text;
    for (int i = 0; i < 200; ++i) text += '\x01' + std::string(random() % 90, 'x');
    const std::uint64_t split = 1 + random() % 900;
    std::vector<std::string> expected((text.size() + split - 1) / split);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t next = std::min(text.find('\x01', at + 1), text.size());
      expected[at / split] += text.substr(at, next - at);
      at = next;
    }
    EXPECT_EQ(ReadSplits(text, framing, split, 1 + random() % 300), expected);
  }
}

TEST(BlockReaderTest, ARecordOverTheLimitIsBadDataThatNamesItsPlace) {
  const StringFile file("short\n" + std::string(100'000, 'x') + "\n");
  MemoryBudget budget(1 << 20);
  const SplitRange range{"in.txt", 0, 100'007, 0, 100'007};
  BlockReader reader(file, range, Framing(SPILLWAY_FRAMING_DELIMITED), {4096, 64 << 10}, budget);
  spillway_block block{};
  ASSERT_TRUE(*reader.Next(&block));
  const Status status = reader.Next(&block).status();
  EXPECT_EQ(status.code(), Code::kBadData);
  EXPECT_THAT(status.message(), testing::HasSubstr("in.txt:6: a record is longer than 64"));
}

/// Reads an archive of `text` in blocks and returns their bytes; `status` is how it ended.
std::string ReadArchive(const std::string& path, const std::string& packed,
                        const spillway_framing& framing, std::uint64_t block_bytes,
                        Status* status) {
  const StringFile file(packed);
  MemoryBudget budget(8 << 20);
  BlockReader reader(file, {path, 0, packed.size(), 0, packed.size()}, framing,
                     {block_bytes, 1 << 20}, budget);
  std::string got;
  spillway_block block{};
  while (true) {
    const Result<bool> more = reader.Next(&block);
    *status = more.status();
    if (!more.ok() || !*more) break;
    EXPECT_EQ(block.file_offset, got.size());
    got.append(block.data, block.bytes);
    EXPECT_EQ(reader.bytes_done(), got.size());
    EXPECT_LE(reader.file_bytes_done(), packed.size());
  }
  if (status->ok()) {
    EXPECT_EQ(reader.file_bytes_done(), packed.size());
  }
  return got;
}

TEST(BlockReaderTest, ACompressedFileIsReadAsItsTextInEveryFraming) {
  constexpr const char* kNames[] = {"t.gz", "t.bz2", "t.zst", "t.lz4"};
  spillway_framing fixed = Framing(SPILLWAY_FRAMING_FIXED);
  fixed.fixed_bytes = 7;
  spillway_framing custom = Framing(SPILLWAY_FRAMING_CUSTOM);
  custom.record_bytes = &MarkedBytes;
  for (unsigned seed = 0; seed < 120; ++seed) {
    std::mt19937 random(seed);
    const std::string name = kNames[seed % 4];
    SCOPED_TRACE(name + ", seed " + std::to_string(seed));
    std::string text(random() % 3 * (random() % 2'000) * 7, 'x');
    for (char& c : text)
      if (random() % 300 == 0) c = "\n \x01"[random() % 3];
    const std::size_t half = random() % (text.size() + 1);
    const ArchiveKind kind = ArchiveKindOf(name);
    const std::string packed = Packed(kind, text.substr(0, half)) + Packed(kind, text.substr(half));
    const std::uint64_t block = 1 + random() % 9000;
    for (const spillway_framing& framing :
         {Framing(SPILLWAY_FRAMING_DELIMITED), Framing(SPILLWAY_FRAMING_SPACES), fixed, custom}) {
      Status status;
      EXPECT_EQ(ReadArchive(name, packed, framing, block, &status), text);
      EXPECT_TRUE(status.ok()) << status.message();
    }
  }
}

/// The records of one split of an archive.
std::string ReadArchiveSplit(const SplitRange& range, const StringFile& file,
                             const spillway_framing& framing, std::uint64_t block_bytes) {
  MemoryBudget budget(16 << 20);
  BlockReader reader(file, range, framing, {block_bytes, 1 << 20}, budget);
  std::string got;
  std::uint64_t first_offset = 0;
  spillway_block block{};
  while (true) {
    const Result<bool> more = reader.Next(&block);
    EXPECT_TRUE(more.ok()) << more.status().message();
    if (!more.ok() || !*more) break;
    if (got.empty()) first_offset = block.file_offset;
    EXPECT_GE(first_offset, range.offset);
    EXPECT_EQ(block.file_offset, first_offset + got.size());
    got.append(block.data, block.bytes);
    EXPECT_LE(reader.file_bytes_done(), range.bytes);
  }
  EXPECT_EQ(reader.file_bytes_done(), range.bytes);
  return got;
}

TEST(BlockReaderTest, EachRecordOfASplitArchiveIsReadOnce) {
  constexpr const char* kNames[] = {"t.bz2", "t.zst", "t.lz4"};
  std::size_t splits_with_text = 0;
  for (unsigned seed = 0; seed < 150; ++seed) {
    std::mt19937 random(seed);
    const std::string name = kNames[seed % 3];
    SCOPED_TRACE(name + ", seed " + std::to_string(seed));
    const ArchiveKind kind = ArchiveKindOf(name);
    const unsigned every = 1 + random() % 3000;
    std::string text, packed;
    for (unsigned members = 1 + random() % 8; members > 0; --members) {
      std::string member(random() % 10 == 0 ? 0 : random() % 20'000, ' ');
      for (char& c : member) {
        c = static_cast<char>('!' + random() % 90);
        if (random() % every == 0) c = random() % 2 == 0 ? '\n' : ' ';
      }
      if (random() % 3 == 0 && !member.empty()) member.back() = '\n';
      text += member;
      packed += Packed(kind, member);
    }
    const StringFile file(packed);
    const std::uint64_t split = 1 + packed.size() / (1 + random() % 12);
    const std::uint64_t block = 1 + random() % 9000;
    for (const auto kind_of_framing : {SPILLWAY_FRAMING_DELIMITED, SPILLWAY_FRAMING_SPACES}) {
      std::string all;
      for (std::uint64_t offset = 0; offset < packed.size(); offset += split) {
        const SplitRange range{name, 0, packed.size(), offset,
                               std::min<std::uint64_t>(split, packed.size() - offset)};
        const std::string part = ReadArchiveSplit(range, file, Framing(kind_of_framing), block);
        all += part;
        splits_with_text += part.empty() ? 0 : 1;
      }
      ASSERT_EQ(all, text);
    }
  }
  EXPECT_GT(splits_with_text, 600u) << "hardly anything was split";
}

TEST(BlockReaderTest, AnArchiveIsSplitAtDelimitersOnly) {
  const std::string packed = Packed(ArchiveKind::kZstd, "abcabc");
  const StringFile file(packed);
  MemoryBudget budget(1 << 20);
  spillway_framing framing = Framing(SPILLWAY_FRAMING_FIXED);
  framing.fixed_bytes = 3;
  BlockReader reader(file, {"t.zst", 0, packed.size(), 5, 3}, framing, {}, budget);
  spillway_block block{};
  EXPECT_EQ(reader.Next(&block).status().code(), Code::kInvalidArgument);
}

TEST(BlockReaderTest, ACompressedFileThatIsNoMultipleOfTheRecordIsBadData) {
  spillway_framing framing = Framing(SPILLWAY_FRAMING_FIXED);
  framing.fixed_bytes = 100;
  Status status;
  ReadArchive("in.gz", Packed(ArchiveKind::kGzip, std::string(250, 'x')), framing, 4096, &status);
  EXPECT_EQ(status.code(), Code::kBadData);
  EXPECT_THAT(status.message(),
              testing::HasSubstr("in.gz:200 (of the decompressed text): the last record has 50 of "
                                 "100"));
}

TEST(BlockReaderTest, ALineThatExpandsBeyondAllBoundsIsBadData) {
  Status status;
  ReadArchive("in.zst", Packed(ArchiveKind::kZstd, "a\n" + std::string(64 << 20, 'x')),
              Framing(SPILLWAY_FRAMING_DELIMITED), 4096, &status);
  EXPECT_EQ(status.code(), Code::kBadData);
  EXPECT_THAT(status.message(),
              testing::HasSubstr("in.zst:2 (of the decompressed text): a record"));
}

TEST(BlockReaderTest, AFileThatBecameShorterIsBadData) {
  const StringFile file("one\ntwo\n");
  MemoryBudget budget(1 << 20);
  BlockReader reader(file, {"in.txt", 0, 100, 0, 100}, Framing(SPILLWAY_FRAMING_DELIMITED), {},
                     budget);
  spillway_block block{};
  const Status status = reader.Next(&block).status();
  EXPECT_EQ(status.code(), Code::kBadData);
  EXPECT_THAT(status.message(), testing::HasSubstr("became shorter"));
}

}  // namespace
}  // namespace spillway
