#include "runtime/protocol/loop_pieces.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "runtime/protocol/frame.h"

namespace spillway {
namespace {

std::vector<wire::Message> Packed(const std::vector<std::string>& parts) {
  std::vector<wire::Message> messages;
  LoopPacker packer([](wire::Message& m) { return m.mutable_loop_round()->mutable_parts(); },
                    [&](wire::Message m) { messages.push_back(std::move(m)); });
  for (std::uint32_t part = 0; part < parts.size(); ++part) packer.Add(part, parts[part]);
  packer.Flush();
  packer.Flush();
  return messages;
}

std::string Text(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 31 >> 7);
  return text;
}

wire::LoopPart Piece(std::uint32_t part, const std::string& bytes, std::uint64_t offset,
                     std::uint64_t total) {
  wire::LoopPart piece;
  piece.set_part(part);
  piece.set_bytes(bytes);
  piece.set_offset(offset);
  piece.set_total_bytes(total);
  return piece;
}

TEST(LoopPieces, ComeBackWholeFromMessagesThatFitAFrame) {
  const std::vector<std::string> parts = {
      "", Text(3 << 20), "abc", Text(kLoopMessageBytes), Text(kLoopMessageBytes + 1), ""};
  const std::vector<wire::Message> messages = Packed(parts);
  LoopAssembly assembly(kLoneRoundPartBytesMax);
  std::map<std::uint32_t, std::string> whole;
  for (const wire::Message& message : messages) {
    EXPECT_LT(LoneFrame(message).size(), kFrameBytesMax);
    for (const wire::LoopPart& piece : message.loop_round().parts())
      if (auto bytes = assembly.Take(1, piece)) whole[piece.part()] = *bytes;
  }
  ASSERT_EQ(whole.size(), parts.size());
  for (std::uint32_t part = 0; part < parts.size(); ++part)
    EXPECT_TRUE(whole[part] == parts[part]) << part;
  EXPECT_EQ(assembly.bytes(), 0u);
}

TEST(LoopPieces, SmallPartsShareAMessage) {
  EXPECT_EQ(Packed(std::vector<std::string>(100, "0123456789")).size(), 1u);
  EXPECT_TRUE(Packed({}).empty());
}

TEST(LoopPieces, BeginAgainWhenTheSenderDoes) {
  LoopAssembly assembly(100);
  EXPECT_FALSE(assembly.Take(1, Piece(0, "ab", 0, 4)).has_value());
  EXPECT_FALSE(assembly.Take(1, Piece(0, "xy", 0, 4)).has_value());
  EXPECT_EQ(assembly.bytes(), 2u);
  EXPECT_EQ(assembly.Take(1, Piece(0, "zz", 2, 4)), "xyzz");
}

TEST(LoopPieces, KeepSendersApart) {
  LoopAssembly assembly(100);
  EXPECT_FALSE(assembly.Take(1, Piece(0, "ab", 0, 4)).has_value());
  EXPECT_FALSE(assembly.Take(2, Piece(0, "AB", 0, 4)).has_value());
  EXPECT_EQ(assembly.Take(1, Piece(0, "cd", 2, 4)), "abcd");
  EXPECT_EQ(assembly.Take(2, Piece(0, "CD", 2, 4)), "ABCD");
}

TEST(LoopPieces, ThatDoNotFitAreDropped) {
  LoopAssembly assembly(4);
  EXPECT_FALSE(assembly.Take(1, Piece(0, "cd", 2, 4)).has_value()) << "follows on nothing";
  EXPECT_FALSE(assembly.Take(1, Piece(0, "ab", 0, 5)).has_value()) << "more than a part may have";
  EXPECT_FALSE(assembly.Take(1, Piece(0, "ab", 0, 4)).has_value());
  EXPECT_FALSE(assembly.Take(1, Piece(0, "d", 3, 4)).has_value()) << "leaves a gap";
  EXPECT_FALSE(assembly.Take(1, Piece(0, "cde", 2, 4)).has_value()) << "goes beyond the end";
  EXPECT_FALSE(assembly.Take(1, Piece(0, "cd", UINT64_MAX, 4)).has_value());
  EXPECT_EQ(assembly.Take(1, Piece(0, "cd", 2, 4)), "abcd");
  EXPECT_FALSE(assembly.Take(1, Piece(0, "ab", 0, 4)).has_value());
  assembly.Clear();
  EXPECT_EQ(assembly.bytes(), 0u);
  EXPECT_FALSE(assembly.Take(1, Piece(0, "cd", 2, 4)).has_value());
}

}  // namespace
}  // namespace spillway
