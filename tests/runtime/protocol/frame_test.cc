#include "runtime/protocol/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spillway {
namespace {

using ::testing::HasSubstr;

TEST(Frame, GarbageIsNoFrame) {
  EXPECT_EQ(ParseFrame("\xff\xff\xff garbage").status().code(), Code::kInvalidArgument);
  EXPECT_EQ(ParseFrame("").status().code(), Code::kInvalidArgument);  // No version.
}

TEST(Frame, IsRefusedBeforeItIsParsedWhenItIsTooLarge) {
  EXPECT_THAT(ParseFrame(std::string(kFrameBytesMax + 1, '\0')).status().message(),
              HasSubstr("at most"));
}

TEST(Frame, OfMoreMessagesThanAnybodySendsIsRefused) {
  std::string bytes = "\x08\x02";  // Version 2.
  for (std::uint32_t i = 0; i <= kFrameMessagesMax; ++i) bytes += std::string("\x2a\x00", 2);
  EXPECT_THAT(ParseFrame(bytes).status().message(), HasSubstr("messages"));
  bytes.resize(bytes.size() - 2);
  EXPECT_TRUE(ParseFrame(bytes).ok());
}

TEST(Frame, AnEmptyBufferIsNoMessage) {
  EXPECT_FALSE(ParseMessage("").ok());
  wire::Message message;
  message.mutable_drain();
  EXPECT_TRUE(ParseMessage(message.SerializeAsString()).ok());
}

TEST(Frame, VersionsMeetAtTheNewestThatBothSpeak) {
  EXPECT_EQ(NegotiateVersion(1, 2).value(), 2u);
  EXPECT_EQ(NegotiateVersion(1, 1).value(), 1u);
  EXPECT_EQ(NegotiateVersion(2, 7).value(), 3u);
  const auto none = NegotiateVersion(4, 7);
  EXPECT_THAT(none.status().message(), HasSubstr("4 to 7"));
  EXPECT_THAT(none.status().message(), HasSubstr("1 to 3"));
  EXPECT_FALSE(NegotiateVersion(2, 1).ok());
}

}  // namespace
}  // namespace spillway
