#include "runtime/protocol/reliable_channel.h"

#include <gtest/gtest.h>

#include <random>

namespace spillway {
namespace {

constexpr std::uint64_t kSession = 7;

wire::Frame Parsed(const std::string& bytes) { return ParseFrame(bytes).value(); }

TEST(ReliableChannel, DeliversInOneFrameWhatFits) {
  ReliableChannel a(kSession, 2), b(kSession, 2);
  ASSERT_TRUE(a.Post("one"));
  ASSERT_TRUE(a.Post("two"));
  const auto frame = a.NextFrame(0);
  ASSERT_TRUE(frame.has_value());
  EXPECT_FALSE(a.NextFrame(0).has_value());
  std::vector<std::string> delivered;
  b.Accept(Parsed(*frame), 0, delivered);
  EXPECT_EQ(delivered, (std::vector<std::string>{"one", "two"}));
}

TEST(ReliableChannel, VersionOneSendsOneMessageAFrame) {
  ReliableChannel a(kSession, 1), b(kSession, 1);
  ASSERT_TRUE(a.Post("one"));
  ASSERT_TRUE(a.Post("two"));
  std::vector<std::string> delivered;
  for (int frames = 0; frames < 2; ++frames) {
    const wire::Frame frame = Parsed(a.NextFrame(0).value());
    EXPECT_EQ(frame.messages_size(), 1);
    EXPECT_EQ(frame.version(), 1u);
    b.Accept(frame, 0, delivered);
  }
  EXPECT_EQ(delivered.size(), 2u);
}

TEST(ReliableChannel, AcknowledgesByItselfWhenItHasNothingToSay) {
  ReliableChannel a(kSession, 2), b(kSession, 2);
  ASSERT_TRUE(a.Post("one"));
  std::vector<std::string> delivered;
  b.Accept(Parsed(a.NextFrame(0).value()), 5, delivered);
  EXPECT_FALSE(b.NextFrame(5).has_value());
  ASSERT_TRUE(b.due_ms().has_value());
  const auto frame = b.NextFrame(*b.due_ms());
  ASSERT_TRUE(frame.has_value());
  a.Accept(Parsed(*frame), 30, delivered);
  EXPECT_EQ(a.unacknowledged(), 0u);
  EXPECT_FALSE(a.due_ms().has_value());
}

TEST(ReliableChannel, AcknowledgesALargePartOfTheWindowAtOnce) {
  ReliableChannel a(kSession, 2), b(kSession, 2);
  ASSERT_TRUE(a.Post(std::string(512 << 10, 'x')));
  std::vector<std::string> delivered;
  b.Accept(Parsed(a.NextFrame(0).value()), 5, delivered);
  const auto frame = b.NextFrame(5);
  ASSERT_TRUE(frame.has_value());
  a.Accept(Parsed(*frame), 6, delivered);
  EXPECT_EQ(a.unacknowledged(), 0u);
}

TEST(ReliableChannel, SaysWhenTheBacklogIsFull) {
  ReliableChannel a(kSession, 2, ChannelLimits::Tiny());
  EXPECT_TRUE(a.Post(std::string(4'000, 'x')));
  EXPECT_FALSE(a.Post(std::string(4'000, 'x')));
}

TEST(ReliableChannel, IgnoresAcknowledgementsOfWhatWasNeverPosted) {
  ReliableChannel a(kSession, 2);
  ASSERT_TRUE(a.Post("one"));
  wire::Frame frame;
  frame.set_acknowledged(100);
  std::vector<std::string> delivered;
  a.Accept(frame, 0, delivered);
  EXPECT_EQ(a.unacknowledged(), 1u);
}

/// Both ends post at random while the net loses, doubles and delays frames.
TEST(ReliableChannel, DeliversOnceAndInOrderWhateverTheNetDoes) {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto chance = [&](std::uint32_t percent) { return random() % 100 < percent; };
    const std::uint32_t version = 1 + random() % 2;
    ReliableChannel ends[2] = {{kSession, version, ChannelLimits::Tiny()},
                               {kSession, version, ChannelLimits::Tiny()}};
    struct UnderWay {
      int to;
      TimeMs at;
      std::string frame;
    };
    std::vector<UnderWay> net;
    std::uint32_t posted[2] = {0, 0};
    std::vector<std::string> delivered[2];
    for (TimeMs now = 0; now < 4'000; ++now) {
      const bool healed = now >= 2'000;
      for (int end = 0; end < 2; ++end) {
        if (!healed && posted[end] < 200 && chance(20) && ends[end].unacknowledged() < 40) {
          ASSERT_TRUE(ends[end].Post(std::to_string(posted[end]++)));
        }
        while (const auto frame = ends[end].NextFrame(now)) {
          if (!healed && chance(30)) continue;
          for (int copies = !healed && chance(20) ? 2 : 1; copies > 0; --copies)
            net.push_back({1 - end, now + (healed ? 1 : random() % 30), *frame});
        }
      }
      for (std::size_t i = 0; i < net.size();) {
        if (net[i].at > now) {
          ++i;
          continue;
        }
        ends[net[i].to].Accept(Parsed(net[i].frame), now, delivered[net[i].to]);
        net.erase(net.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    for (int end = 0; end < 2; ++end) {
      EXPECT_EQ(ends[end].unacknowledged(), 0u);
      ASSERT_EQ(delivered[1 - end].size(), posted[end]);
      for (std::uint32_t i = 0; i < posted[end]; ++i)
        ASSERT_EQ(delivered[1 - end][i], std::to_string(i));
    }
  }
}

}  // namespace
}  // namespace spillway
