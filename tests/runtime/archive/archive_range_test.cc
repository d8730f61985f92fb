// Ranges of archives: whatever a file is cut into, they have all of its text, once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "runtime/archive/archive_entry.h"
#include "runtime/archive/archive_stream.h"
#include "runtime/archive/bzip2_blocks.h"
#include "tests/runtime/archive/packed_text.h"
#include "tests/runtime/task/string_file.h"

namespace spillway {
namespace {

using ::testing::HasSubstr;

/// What the ranges of `split_bytes` gave, as far as they could be read, and the first failure.
struct RangesRead {
  std::vector<std::string> texts;
  Status status;
  std::string joined() const {
    std::string all;
    for (const std::string& text : texts) all += text;
    return all;
  }
};

std::unique_ptr<ArchiveText> MakeRange(const ReadableFile& file, const ArchiveSource& source,
                                       MemoryBudget& memory) {
  if (source.kind == ArchiveKind::kBzip2)
    return std::make_unique<Bzip2Blocks>(file, source, memory);
  return std::make_unique<ArchiveStream>(file, source, memory);
}

/// The text between the range's first entry and the next one's.
Result<std::string> ReadRange(const ReadableFile& file, const ArchiveSource& source,
                              std::uint64_t at_a_time) {
  MemoryBudget memory(64 << 20);
  std::string text;
  {
    const auto range = MakeRange(file, source, memory);
    SPILLWAY_ASSIGN_OR_RETURN(const bool any, range->Open());
    std::string piece(at_a_time, '\0');
    while (any && !range->at_end() && !range->left_range()) {
      SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t got, range->Read(piece.size(), piece.data()));
      text.append(piece, 0, got);
    }
    // A record may go on behind it.
    if (any && !range->at_end())
      SPILLWAY_RETURN_IF_ERROR(range->Read(piece.size(), piece.data()).status());
  }
  EXPECT_EQ(memory.used_bytes(), 0u);
  return text;
}

RangesRead ReadRanges(ArchiveKind kind, const std::string& packed, std::uint64_t split_bytes,
                      std::uint64_t at_a_time) {
  const StringFile file(packed);
  RangesRead read;
  for (std::uint64_t begin = 0; begin < packed.size(); begin += split_bytes) {
    const ArchiveSource source{kind, "in", packed.size(), 0, begin, begin + split_bytes};
    auto text = ReadRange(file, source, at_a_time);
    if (!text.ok()) {
      if (read.status.ok()) read.status = text.status();
      read.texts.emplace_back();
    } else {
      read.texts.push_back(std::move(text).value());
    }
  }
  return read;
}

/// Some of it compresses well, some not at all.
std::string RandomText(std::mt19937& random, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) {
    const std::size_t run = 1 + random() % 2000;
    if (random() % 4 == 0) {
      text.append(run, static_cast<char>(random()));
    } else {
      for (std::size_t i = 0; i < run; ++i)
        text += static_cast<char>(random() % (random() % 2 == 0 ? 4 : 256));
    }
  }
  text.resize(bytes);
  return text;
}

/// A member of gzip that says how long it is, as bgzip writes them.
std::string SizedGzip(const std::string& text) {
  std::string member = Packed(ArchiveKind::kGzip, text);
  const std::size_t bytes = member.size() + 8;
  member[3] = 4;
  std::string extra("\x06\0BC\x02\0", 6);
  extra += static_cast<char>((bytes - 1) & 0xff);
  extra += static_cast<char>((bytes - 1) >> 8);
  return member.insert(10, extra);
}

std::string PackedMember(ArchiveKind kind, const std::string& text) {
  return kind == ArchiveKind::kGzip ? SizedGzip(text) : Packed(kind, text);
}

/// Several members of random lengths; of bzip2 each of several blocks, some of them empty.
std::string RandomArchive(std::mt19937& random, ArchiveKind kind, std::string* text) {
  const std::size_t text_bytes_max = kind == ArchiveKind::kBzip2 ? 300'000 : 30'000;
  std::string packed;
  for (unsigned members = 1 + random() % 6; members > 0; --members) {
    const std::string member =
        random() % 8 == 0 ? "" : RandomText(random, random() % text_bytes_max);
    *text += member;
    packed += PackedMember(kind, member);
    if (random() % 3 == 0 && (kind == ArchiveKind::kZstd || kind == ArchiveKind::kLz4))
      packed += std::string("\x5e\x2a\x4d\x18\x03\0\0\0abc", 11);
  }
  return packed;
}

class ArchiveRange : public ::testing::TestWithParam<ArchiveKind> {};

TEST_P(ArchiveRange, AllOfThemHaveAllOfTheText) {
  std::uint64_t texts_in_the_middle = 0;
  for (unsigned seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::string text;
    const std::string packed = RandomArchive(random, GetParam(), &text);
    const std::uint64_t split = std::max<std::uint64_t>(1, packed.size() / (1 + random() % 12));
    const RangesRead read = ReadRanges(GetParam(), packed, split, 1 + random() % 100'000);
    ASSERT_TRUE(read.status.ok()) << read.status.message();
    ASSERT_TRUE(read.joined() == text);
    for (std::size_t i = 1; i < read.texts.size(); ++i)
      texts_in_the_middle += read.texts[i].empty() ? 0 : 1;
  }
  EXPECT_GT(texts_in_the_middle, 30u) << "nothing was split";
}

TEST_P(ArchiveRange, DamageIsFoundOrHarmless) {
  std::mt19937 random(7);
  std::string text;
  const std::string packed = RandomArchive(random, GetParam(), &text);
  unsigned found = 0;
  for (unsigned i = 0; i < 80; ++i) {
    SCOPED_TRACE(i);
    std::string damaged = packed;
    switch (random() % 3) {
      case 0: damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8); break;
      case 1: damaged.resize(random() % damaged.size()); break;
      default: damaged.erase(random() % damaged.size(), 1 + random() % 50);
    }
    if (damaged.empty()) continue;
    const RangesRead read = ReadRanges(GetParam(), damaged, 1 + damaged.size() / 4, 50'000);
    if (read.status.ok()) {
      // Whole members or nothing at the end may be gone, as for the tools; nothing is wrong.
      ASSERT_TRUE(text.starts_with(read.joined()));
      continue;
    }
    ++found;
    EXPECT_EQ(read.status.code(), Code::kBadData);
  }
  EXPECT_GT(found, 50u);
}

INSTANTIATE_TEST_SUITE_P(AllKinds, ArchiveRange, ::testing::ValuesIn(kArchiveKinds),
                         [](const auto& kind) { return ArchiveKindName(kind.param); });

TEST(ArchiveRange, AnArchiveWithinAnotherIsNotTakenForAPartOfIt) {
  std::mt19937 random(3);
  std::string inner;
  for (int i = 0; i < 50; ++i) inner += Packed(ArchiveKind::kZstd, RandomText(random, 1000));
  // What cannot be compressed once more stands in the outer frames as it is.
  std::string packed;
  for (int i = 0; i < 3; ++i) packed += Packed(ArchiveKind::kZstd, inner);
  const RangesRead read = ReadRanges(ArchiveKind::kZstd, packed, packed.size() / 2, 10'000);
  ASSERT_FALSE(read.status.ok());
  EXPECT_EQ(read.status.code(), Code::kBadData);
  EXPECT_THAT(read.status.message(), HasSubstr("cannot be split"));
  EXPECT_THAT(read.status.message(), HasSubstr("--split-size"));
}

TEST(ArchiveRange, WhatOnlyLooksLikeABlockOfBzip2IsFoundToBeNone) {
  std::mt19937 random(11);
  const std::string packed = Packed(ArchiveKind::kBzip2, RandomText(random, 300'000));
  // Between two streams the mark begins no block.
  const std::string between = packed + "\x31\x41\x59\x26\x53\x59" + std::string(40, 'x') + packed;
  const RangesRead read = ReadRanges(ArchiveKind::kBzip2, between, packed.size() / 2, 10'000);
  EXPECT_EQ(read.status.code(), Code::kBadData);
  EXPECT_THAT(read.status.message(), HasSubstr("something else than an archive"));
}

/// A stream of bzip2 whose one block has, within its data, the 48 bits that mark a block. Its codes
/// have nine bits each, so that the mark is one code's end and five more.
class MarkedBlock {
 public:
  static constexpr std::uint64_t kMark = 0x314159265359;

  MarkedBlock() {
    // The text follows from the codes, and its checksum from the text.
    const std::string draft = Encode(0);
    text_ = Decode(draft);
    stream_ = Encode(Checksum(text_));
  }
  const std::string& text() const { return text_; }
  const std::string& stream() const { return stream_; }
  std::size_t mark_byte() const { return mark_bit_ / 8; }

 private:
  void Put(std::uint64_t value, unsigned count) {
    for (unsigned i = count; i-- > 0;) bits_.push_back((value >> i & 1) != 0);
  }

  std::string Encode(std::uint32_t checksum) {
    constexpr unsigned kCodes = 258, kEnd = 257, kCodesPerSelector = 50, kFill = 1000;
    bits_.clear();
    for (const char c : std::string("BZh9")) Put(static_cast<unsigned char>(c), 8);
    Put(kMark, 48);
    Put(checksum, 32);
    Put(0, 1 + 24);                                // Not randomised; the first row is the text.
    for (int i = 0; i < 17; ++i) Put(0xffff, 16);  // All bytes are used.
    const unsigned codes = 2 * kFill + 6 + 1;
    const unsigned selectors = (codes + kCodesPerSelector - 1) / kCodesPerSelector;
    Put(2, 3);
    Put(selectors, 15);
    for (unsigned i = 0; i < selectors; ++i) Put(0, 1);
    for (int table = 0; table < 2; ++table) {
      Put(9, 5);
      for (unsigned i = 0; i < kCodes; ++i) Put(0, 1);  // As long as the one before.
    }
    for (unsigned i = 0; i < kFill; ++i) Put(2 + i * 7 % 250, 9);
    mark_bit_ = bits_.size() + 5;
    Put(kMark >> 44, 9);
    Put(kMark << 1 & ((std::uint64_t{1} << 45) - 1), 45);
    for (unsigned i = 0; i < kFill; ++i) Put(2 + i * 11 % 250, 9);
    Put(kEnd, 9);
    Put(0x177245385090, 48);
    Put(checksum, 32);
    std::string bytes((bits_.size() + 7) / 8, '\0');
    for (std::size_t i = 0; i < bits_.size(); ++i)
      if (bits_[i]) bytes[i / 8] = static_cast<char>(bytes[i / 8] | 0x80 >> i % 8);
    return bytes;
  }

  /// Whatever its checksum says.
  static std::string Decode(std::string stream) {
    std::string text(1 << 20, '\0');
    bz_stream decoder{};
    SPILLWAY_CHECK_EQ(BZ2_bzDecompressInit(&decoder, 0, 0), BZ_OK);
    decoder.next_in = stream.data();
    decoder.avail_in = static_cast<unsigned>(stream.size());
    decoder.next_out = text.data();
    decoder.avail_out = static_cast<unsigned>(text.size());
    while (BZ2_bzDecompress(&decoder) == BZ_OK) continue;
    text.resize(text.size() - decoder.avail_out);
    BZ2_bzDecompressEnd(&decoder);
    return text;
  }

  static std::uint32_t Checksum(const std::string& text) {
    std::uint32_t sum = 0xffffffff;
    for (const char c : text) {
      sum ^= std::uint32_t{static_cast<unsigned char>(c)} << 24;
      for (int i = 0; i < 8; ++i) sum = sum << 1 ^ ((sum >> 31) * 0x04c11db7);
    }
    return ~sum;
  }

  std::vector<bool> bits_;
  std::size_t mark_bit_ = 0;
  std::string text_, stream_;
};

TEST(ArchiveRange, AMarkWithinABlockOfBzip2IsPassedOver) {
  const MarkedBlock block;
  ASSERT_GT(block.text().size(), 1000u);
  std::mt19937 random(5);
  const std::string next = RandomText(random, 3000);
  const std::string packed = block.stream() + Packed(ArchiveKind::kBzip2, next);
  const StringFile file(packed);
  const auto range = [&](std::uint64_t begin, std::uint64_t end) {
    return ReadRange(file, {ArchiveKind::kBzip2, "in", packed.size(), 0, begin, end}, 100);
  };
  EXPECT_EQ(range(0, packed.size() + 1).value(), block.text() + next);
  EXPECT_EQ(range(0, block.mark_byte() + 2).value(), block.text());
  EXPECT_EQ(range(block.mark_byte() + 2, packed.size()).value(), next);
  // Where the next range would begin with it, nothing is lost without a word.
  const auto cut = range(0, block.mark_byte() - 10);
  ASSERT_FALSE(cut.ok());
  EXPECT_THAT(cut.status().message(), HasSubstr("cannot be split here"));
  EXPECT_FALSE(range(block.mark_byte() - 10, packed.size()).ok());
}

TEST(ArchiveRange, OfBzip2LongRunsExpandFar) {
  const std::string text(20 << 20, 'a');
  const std::string packed = Packed(ArchiveKind::kBzip2, text);
  const RangesRead read = ReadRanges(ArchiveKind::kBzip2, packed, 40, 1 << 20);
  ASSERT_TRUE(read.status.ok()) << read.status.message();
  EXPECT_TRUE(read.joined() == text);
  EXPECT_GT(read.texts.size() - std::count(read.texts.begin(), read.texts.end(), ""), 3);
}

TEST(FindArchiveEntry, FindsMembersAndNothingElse) {
  const std::string member = SizedGzip("one\n"), plain = Packed(ArchiveKind::kGzip, "two\n");
  const StringFile sized(member + member + member);
  const auto find = [&](const StringFile& file, std::uint64_t from) {
    return FindArchiveEntry(file, ArchiveKind::kGzip, 3 * member.size(), from, UINT64_MAX).value();
  };
  EXPECT_EQ(find(sized, 0), 0u);
  EXPECT_EQ(find(sized, 1), member.size());
  EXPECT_EQ(find(sized, 2 * member.size()), 2 * member.size());
  EXPECT_EQ(find(sized, 2 * member.size() + 1), std::nullopt);
  const StringFile unsized(plain + plain + plain);
  EXPECT_EQ(find(unsized, 1), std::nullopt) << "it does not say where it ends";
}

}  // namespace
}  // namespace spillway
