// SegmentServer without a socket: any range of any partition is what lies in the segment, whatever
// is wrong is told by its code, and limits and tokens hold.
#include "runtime/transfer/segment_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/transfer/fetch_message.h"
#include "runtime/transport/fetch_token.h"
#include "shuffle/format/segment_layout.h"
#include "tests/runtime/transfer/transfer_fixture.h"

namespace spillway {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

constexpr std::uint64_t kJob = 7;
constexpr std::uint64_t kSegmentJob = 0xabcdef;

class SegmentServerTest : public testing::Test {
 protected:
  SegmentServerTest()
      : store_(std::make_shared<MemorySegmentStore>(budget_)),
        server_([this](std::uint64_t job) { return job == kJob ? store_ : nullptr; }, Options()) {}

  static SegmentServerOptions Options() {
    SegmentServerOptions options;
    options.request_ranges_max = 4;
    options.reply_bytes_max = 10'000;
    options.index_bytes_max = 1;
    return options;
  }

  static SegmentId Id(std::uint32_t map_task) { return {kSegmentJob, map_task, 1}; }

  std::string Add(std::uint32_t map_task, std::uint64_t seed) {
    const std::string segment = RandomSegment(Id(map_task), seed);
    Put(*store_, Id(map_task), segment);
    return segment;
  }

  static wire::FetchRequest Request(const PartitionRange& partitions) {
    wire::FetchRequest request;
    request.set_id(99);
    request.set_job(kJob);
    request.set_segment_job(kSegmentJob);
    SetPartitions(request, partitions);
    return request;
  }

  static void AddRange(wire::FetchRequest& request, std::uint32_t map_task, bool head,
                       std::uint64_t position, std::uint64_t bytes) {
    wire::FetchRange* const range = request.add_ranges();
    range->set_map_task(map_task);
    range->set_attempt(1);
    range->set_head(head);
    range->set_position(position);
    range->set_bytes(bytes);
  }

  Code AskOne(const wire::FetchRequest& request) {
    const auto answer = server_.Handle(request);
    EXPECT_EQ(answer.reply.ranges_size(), 1);
    EXPECT_EQ(answer.reply.xxh3(), Digest(answer.payload.view()));
    message_ = answer.reply.ranges(0).status().message();
    return static_cast<Code>(answer.reply.ranges(0).status().code());
  }

  MemoryBudget budget_{64 << 20};
  std::shared_ptr<SegmentStore> store_;
  SegmentServer server_;
  std::string message_;
};

TEST_F(SegmentServerTest, AnyRangesOfAnyPartitionAreWhatLiesInTheSegment) {
  std::vector<std::string> segments;
  for (std::uint32_t map = 0; map < 6; ++map) segments.push_back(Add(map, map + 1));
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const std::vector<PartitionRange> ranges = RangesOf(5);
    const PartitionRange partitions = ranges[random() % ranges.size()];
    wire::FetchRequest request = Request(partitions);
    std::string expected;
    for (std::uint64_t n = 1 + random() % 4; n > 0; --n) {
      const auto map = static_cast<std::uint32_t>(random() % 6);
      const bool head = random() % 3 == 0;
      const std::string all =
          head ? HeadOf(segments[map]) : StreamOf(segments[map], Id(map), partitions);
      const std::uint64_t position = random() % 4 == 0 ? 0 : random() % (all.size() + 1);
      const std::uint64_t bytes = std::min<std::uint64_t>(random() % 2500, all.size() - position);
      // More than there is of a head, because nobody knows its size.
      AddRange(request, map, head, position, bytes + (head && random() % 2 ? 9 : 0));
      expected += all.substr(position, request.ranges().rbegin()->bytes());
    }
    const auto answer = server_.Handle(request);
    ASSERT_EQ(answer.reply.id(), 99u);
    ASSERT_EQ(answer.payload.view(), expected);
    ASSERT_EQ(answer.reply.xxh3(), Digest(expected));
    ASSERT_EQ(answer.reply.ranges_size(), request.ranges_size());
    for (int i = 0; i < request.ranges_size(); ++i) {
      const auto& range = answer.reply.ranges(i);
      ASSERT_FALSE(range.has_status()) << range.status().message();
      const std::string& segment = segments[request.ranges(i).map_task()];
      if (!request.ranges(i).head()) continue;
      ASSERT_EQ(range.head_bytes(), HeadOf(segment).size());
      ASSERT_EQ(range.segment_bytes(), segment.size());
    }
  }
}

TEST_F(SegmentServerTest, WhatIsNotThereIsNotFoundAndTheOtherRangesAreSent) {
  const std::string segment = Add(3, 1);
  const std::string stream = StreamOf(segment, Id(3), {0});
  wire::FetchRequest request = Request({0});
  AddRange(request, 4, false, 0, 10);
  AddRange(request, 3, false, 0, 10);
  AddRange(request, 3, false, stream.size() - 5, 6);
  AddRange(request, 3, false, 10, 10);
  const auto answer = server_.Handle(request);
  EXPECT_EQ(answer.payload.view(), stream.substr(0, 20));
  EXPECT_EQ(answer.reply.ranges(0).status().code(), static_cast<std::uint32_t>(Code::kNotFound));
  EXPECT_EQ(answer.reply.ranges(2).status().code(),
            static_cast<std::uint32_t>(Code::kInvalidArgument));
  EXPECT_EQ(answer.reply.xxh3(), Digest(answer.payload.view()));

  request = Request({0});
  request.set_job(8);
  AddRange(request, 3, false, 0, 10);
  EXPECT_EQ(AskOne(request), Code::kNotFound);
}

TEST_F(SegmentServerTest, PartitionsThatTheSegmentDoesNotHaveAreRefused) {
  Add(3, 1);
  for (const bool head : {true, false}) {
    for (const auto& [partitions, name] : std::vector<std::pair<PartitionRange, std::string>>{
             {{5}, "partition 5"},
             {{UINT32_MAX}, "partition 4294967295"},
             {{4, 2}, "partitions 4 to 5"},
             {{0, UINT32_MAX}, "partitions 0 to 4294967294"},
             {{2, UINT32_MAX}, "partitions 2 to 4294967296"},
             {{UINT32_MAX, UINT32_MAX}, "partitions 4294967295 to 8589934589"}}) {
      wire::FetchRequest request = Request(partitions);
      AddRange(request, 3, head, 0, 10);
      EXPECT_EQ(AskOne(request), Code::kInvalidArgument) << name;
      EXPECT_THAT(message_, EndsWith("a segment of 5 partitions does not have " + name));
    }
    wire::FetchRequest request = Request({3, 2});
    AddRange(request, 3, head, 0, 10);
    EXPECT_EQ(AskOne(request), Code::kOk) << message_;
  }
}

TEST_F(SegmentServerTest, ADiscardedSegmentIsNotFoundOnceItIsForgotten) {
  Add(3, 1);
  wire::FetchRequest request = Request({0});
  AddRange(request, 3, false, 0, 10);
  EXPECT_EQ(AskOne(request), Code::kOk);
  ASSERT_TRUE(store_->Discard(Id(3)).ok());
  server_.Forget(kJob, Id(3));
  EXPECT_EQ(AskOne(request), Code::kNotFound);
  Add(3, 1);
  EXPECT_EQ(AskOne(request), Code::kOk);
  ASSERT_TRUE(store_->Discard(Id(3)).ok());
  server_.ForgetJob(kJob);
  EXPECT_EQ(AskOne(request), Code::kNotFound);
}

TEST_F(SegmentServerTest, LimitsHoldWhateverIsAskedFor) {
  Add(3, 1);
  wire::FetchRequest request = Request({0});
  AddRange(request, 3, true, 0, 10'000);
  EXPECT_EQ(AskOne(request), Code::kOk);
  request.mutable_ranges(0)->set_bytes(10'001);
  EXPECT_EQ(AskOne(request), Code::kInvalidArgument);
  for (const std::uint64_t bytes : {UINT64_MAX, UINT64_MAX - 1, std::uint64_t{1} << 63}) {
    wire::FetchRequest two = Request({0});
    AddRange(two, 3, true, 0, bytes);
    AddRange(two, 3, true, 0, UINT64_MAX - bytes + 2);
    const auto answer = server_.Handle(two);
    EXPECT_EQ(answer.payload.size(), 0u);
    EXPECT_EQ(answer.reply.ranges(1).status().code(),
              static_cast<std::uint32_t>(Code::kInvalidArgument));
  }
  request = Request({0});
  for (int i = 0; i < 5; ++i) AddRange(request, 3, true, 0, 1);
  EXPECT_EQ(AskOne(request), Code::kInvalidArgument);
  request = Request({0});
  AddRange(request, 3, false, UINT64_MAX, 10);
  EXPECT_EQ(AskOne(request), Code::kInvalidArgument);
}

// A flipped bit on the disk, in each byte of a stream that is asked for in order in pieces of many
// sizes: a block that is sent whole is checked; one that is cut by a piece's end is the receiver's.
TEST_F(SegmentServerTest, ADamagedBlockIsDataLossAndNamesTheSegment) {
  const std::string good = RandomSegment(Id(3), 5);
  const Extent extent = ReaderOf(good, Id(3))->extent(2, 1);
  const PartitionRange partitions{0, 3};
  const std::uint64_t stream_bytes = StreamOf(good, Id(3), partitions).size();
  std::uint64_t found = 0, missed = 0;
  for (std::uint64_t at = 0; at < extent.stored_bytes; ++at) {
    std::string bad = good;
    bad[extent.offset + at] = static_cast<char>(bad[extent.offset + at] ^ (1 << at % 8));
    ASSERT_TRUE(store_->Discard(Id(3)).ok());
    server_.ForgetJob(kJob);
    Put(*store_, Id(3), bad);
    const std::uint64_t piece_bytes = at % 3 == 0 ? 10'000 : 150 + at % 500;
    Code code = Code::kOk;
    for (std::uint64_t position = 0; position < stream_bytes && code == Code::kOk;
         position += piece_bytes) {
      wire::FetchRequest request = Request(partitions);
      AddRange(request, 3, false, position, std::min(piece_bytes, stream_bytes - position));
      code = AskOne(request);
    }
    ++(code == Code::kOk ? missed : found);
    if (code == Code::kOk) {
      ASSERT_NE(at % 3, 0u) << "at " << at;
      continue;
    }
    ASSERT_EQ(code, Code::kDataLoss);
    ASSERT_THAT(message_, HasSubstr("memory segment of map task 3"));
    ASSERT_THAT(message_, HasSubstr("run 2, partition 1"));
  }
  EXPECT_GT(found, 2 * missed);
}

TEST_F(SegmentServerTest, AnythingDamagedInTheHeadIsDataLoss) {
  std::string bad = RandomSegment(Id(3), 5);
  bad[bad.size() - 100] = static_cast<char>(bad[bad.size() - 100] ^ 1);
  Put(*store_, Id(3), bad);
  wire::FetchRequest request = Request({0});
  AddRange(request, 3, true, 0, 1000);
  EXPECT_EQ(AskOne(request), Code::kDataLoss);
}

TEST(SegmentServer, TheTokenDecides) {
  MemoryBudget budget(1 << 20);
  const auto store = std::make_shared<MemorySegmentStore>(budget);
  Put(*store, {1, 0, 0}, RandomSegment({1, 0, 0}, 1));
  std::uint64_t now = 1000;
  SegmentServerOptions options;
  options.token_key = std::string(kFetchKeyBytes, 'k');
  options.now_unix_ms = [&now] { return now; };
  SegmentServer server([store](std::uint64_t) { return store; }, options);
  const auto ask = [&](std::uint64_t job, std::uint64_t expires, const std::string& token) {
    wire::FetchRequest request;
    request.set_job(job);
    request.set_segment_job(1);
    request.set_expires_unix_ms(expires);
    request.set_token(token);
    request.add_ranges()->set_head(true);
    request.mutable_ranges(0)->set_bytes(100);
    const auto answer = server.Handle(request);
    EXPECT_EQ(answer.payload.size() > 0, !answer.reply.ranges(0).has_status());
    return static_cast<Code>(answer.reply.ranges(0).status().code());
  };
  const std::string good = MintFetchToken(options.token_key, {7, 2000});
  now = 1999;
  EXPECT_EQ(ask(7, 2000, good), Code::kOk);
  EXPECT_EQ(ask(8, 2000, good), Code::kPermissionDenied);
  EXPECT_EQ(ask(7, 2001, good), Code::kPermissionDenied);
  EXPECT_EQ(ask(7, 2000, ""), Code::kPermissionDenied);
  EXPECT_EQ(ask(7, 2000, good.substr(1)), Code::kPermissionDenied);
  EXPECT_EQ(ask(7, 2000, MintFetchToken(std::string(kFetchKeyBytes, 'x'), {7, 2000})),
            Code::kPermissionDenied);
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    ASSERT_EQ(ask(7, 2000, bad), Code::kPermissionDenied);
  }
  now = 2000;
  EXPECT_EQ(ask(7, 2000, good), Code::kPermissionDenied);
}

TEST(FetchMessage, OnePartitionIsToldAsBeforeThereWereRanges) {
  wire::FetchRequest request;
  request.set_partition(7);
  const std::string before = request.SerializeAsString();
  EXPECT_EQ(PartitionsOf(request), (PartitionRange{7, 1}));
  SetPartitions(request, {7, 3});
  EXPECT_EQ(PartitionsOf(request), (PartitionRange{7, 3}));
  SetPartitions(request, {7});
  EXPECT_EQ(request.SerializeAsString(), before);
}

TEST(FetchMessage, WhatIsNoRequestIsInvalidArgument) {
  wire::FetchRequest request;
  request.add_ranges()->set_bytes(3);
  const MessageBuffer good = EncodeFetchRequest(request);
  ASSERT_TRUE(ParseFetchRequest(good.view()).ok());
  EXPECT_EQ(ParseFetchRequest(good.view())->ranges(0).bytes(), 3u);
  EXPECT_EQ(ParseFetchReply(good.view()).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(ParseFetchRequest({}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(ParseFetchRequest(EncodeFetchRequest({}).view()).status().code(),
            Code::kInvalidArgument);
  const std::string long_one(kFetchHeaderBytesMax + 1, '\0');
  EXPECT_EQ(ParseFetchRequest(long_one).status().code(), Code::kInvalidArgument);
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    std::mt19937_64 random(seed);
    std::string bytes(seed % 2 == 0 ? std::string(good.view()) : std::string(random() % 60, ' '));
    for (char& c : bytes)
      if (random() % 3 == 0) c = static_cast<char>(random());
    (void)ParseFetchRequest(bytes);  // Whatever it says, it returns.
    (void)ParseFetchReply(bytes);
  }
}

}  // namespace
}  // namespace spillway
