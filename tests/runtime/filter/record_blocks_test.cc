#include "runtime/filter/record_blocks.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/runtime/filter/input_file.h"

namespace spillway {
namespace {

spillway_framing Framing(std::uint32_t kind) {
  spillway_framing framing{};
  framing.struct_bytes = sizeof framing;
  framing.kind = kind;
  framing.delimiter = '\n';
  framing.fixed_bytes = 5;
  return framing;
}

/// A record is a digit and as many letters.
spillway_framing Counted() {
  spillway_framing framing = Framing(SPILLWAY_FRAMING_CUSTOM);
  framing.record_bytes = [](const char* data, std::uint64_t bytes, int) -> std::uint64_t {
    if (data[0] < '0' || data[0] > '9') return UINT64_MAX;
    const auto record = static_cast<std::uint64_t>(data[0] - '0') + 1;
    return record <= bytes ? record : 0;
  };
  return framing;
}

/// The blocks, or the message.
std::vector<std::string> BlocksOf(const spillway_framing& framing, const std::string& text) {
  InputFile input(text, 8);
  RecordBlocks blocks(framing, input.pipe());
  std::vector<std::string> found;
  std::uint64_t offset = 0;
  spillway_block block{};
  while (true) {
    const Result<bool> more = blocks.Next(&block);
    if (!more.ok()) found.push_back(more.status().message());
    if (!more.ok() || !*more) return found;
    EXPECT_EQ(block.file_offset, offset);
    EXPECT_STREQ(block.path, "the input");
    offset += block.bytes;
    found.emplace_back(block.data, block.bytes);
  }
}

using Blocks = std::vector<std::string>;

TEST(RecordBlocks, EndWithLinesHoweverLongTheyAre) {
  EXPECT_EQ(BlocksOf(Framing(SPILLWAY_FRAMING_DELIMITED), "a\nbb\nccc\nlonger than the buffer\nd"),
            (Blocks{"a\nbb\n", "ccc\n", "longer than the buffer\nd"}));
  EXPECT_EQ(BlocksOf(Framing(SPILLWAY_FRAMING_DELIMITED), ""), Blocks{});
  EXPECT_EQ(BlocksOf(Framing(SPILLWAY_FRAMING_DELIMITED), "12345678"), Blocks{"12345678"});
}

TEST(RecordBlocks, EndBehindSpaces) {
  EXPECT_EQ(BlocksOf(Framing(SPILLWAY_FRAMING_SPACES), "one two three"),
            (Blocks{"one two ", "three"}));
}

TEST(RecordBlocks, OfFixedRecordsAreWholeOnes) {
  EXPECT_EQ(BlocksOf(Framing(SPILLWAY_FRAMING_FIXED), "aaaaabbbbb"), (Blocks{"aaaaa", "bbbbb"}));
  EXPECT_EQ(BlocksOf(Framing(SPILLWAY_FRAMING_FIXED), "aaaaabb").back(),
            "the input:5: the last record has 2 of 5 bytes; is this the right input format?");
}

TEST(RecordBlocks, OfACustomFramingAreWhatItSays) {
  EXPECT_EQ(BlocksOf(Counted(), "1a2bb3ccc9ddddddddd0"), (Blocks{"1a2bb", "3ccc", "9ddddddddd0"}));
  EXPECT_EQ(BlocksOf(Counted(), "1ax").back(), "the input:2: malformed record");
  EXPECT_EQ(BlocksOf(Counted(), "1a5bb").back(), "the input:2: the input ends within a record");
}

TEST(RecordBlocks, RefuseARecordWithoutEnd) {
  EXPECT_EQ(BlocksOf(Framing(SPILLWAY_FRAMING_DELIMITED), "a\n" + std::string(3000, 'x')).back(),
            "the input:2: a record has no end within 1 KiB");
}

}  // namespace
}  // namespace spillway
