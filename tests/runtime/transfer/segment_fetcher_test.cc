// SegmentFetcher and FetchService over real sockets: many segments of many workers, workers that
// die and come back, damage and lie, windows, tokens and cancelling.
#include "runtime/transfer/segment_fetcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <thread>

#include "runtime/storage/posix_file_system.h"
#include "runtime/transfer/fetch_message.h"
#include "runtime/transfer/fetch_service.h"
#include "runtime/transport/fetch_token.h"
#include "shuffle/format/segment_layout.h"
#include "shuffle/store/disk_segment_store.h"
#include "shuffle/store/hybrid_segment_store.h"
#include "tests/runtime/transfer/transfer_fixture.h"

namespace spillway {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kJob = 7;
constexpr std::uint64_t kSegmentJob = 0xabcdef;
const char* const kTcp = "tcp://127.0.0.1:0";

SegmentId Id(std::uint32_t map_task) { return {kSegmentJob, map_task, 1}; }

/// Answers of fetches, by map task and partitions; a number alone is one partition.
class Answers {
 public:
  SegmentSource::Done For(const SegmentOrder& order) {
    {
      std::lock_guard lock(mutex_);
      ++open_;
    }
    return [this, order](Result<std::shared_ptr<const SegmentReader>> result) {
      std::lock_guard lock(mutex_);
      const Key key{order.id.map_task, order.partitions};
      EXPECT_EQ(results_.count(key), 0u) << "answered twice";
      results_.emplace(key, std::move(result));
      --open_;
      changed_.notify_all();
    };
  }

  void WaitForAll() {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(60), [this] { return open_ == 0; }));
  }

  std::size_t open() {
    std::lock_guard lock(mutex_);
    return open_;
  }

  Status status(std::uint32_t map_task, const PartitionRange& partitions) {
    return results_.at({map_task, partitions}).status();
  }
  Status status(std::uint32_t map_task, std::uint32_t partition) {
    return status(map_task, PartitionRange{partition});
  }
  std::shared_ptr<const SegmentReader> reader(std::uint32_t map_task,
                                              const PartitionRange& partitions) {
    const auto& result = results_.at({map_task, partitions});
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? *result : nullptr;
  }
  std::shared_ptr<const SegmentReader> reader(std::uint32_t map_task, std::uint32_t partition) {
    return reader(map_task, PartitionRange{partition});
  }
  void Clear() { results_.clear(); }

 private:
  using Key = std::pair<std::uint32_t, PartitionRange>;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t open_ = 0;
  std::map<Key, Result<std::shared_ptr<const SegmentReader>>> results_;
};

class SegmentFetcherTest : public testing::Test {
 protected:
  SegmentFetcherTest() : copies_(budget_) {}

  FetchServiceOptions ServiceOptions(const std::string& endpoint) {
    FetchServiceOptions options;
    options.socket.endpoint = endpoint;
    options.socket.insecure = true;
    options.server.token_key = token_key_;
    return options;
  }

  std::unique_ptr<FetchService> Serve(const std::string& endpoint,
                                      std::shared_ptr<SegmentStore> store) {
    auto service =
        FetchService::Start(context_, ServiceOptions(endpoint),
                            [store](std::uint64_t job) { return job == kJob ? store : nullptr; });
    EXPECT_TRUE(service.ok()) << service.status().message();
    return service.ok() ? std::move(*service) : nullptr;
  }

  std::unique_ptr<SegmentFetcher> NewFetcher(const FetchLimits& limits, SegmentStore& store) {
    SegmentFetcherOptions options;
    options.limits = limits;
    options.job = kJob;
    options.copy_attempt = 5;
    return std::make_unique<SegmentFetcher>(context_, store, budget_, options);
  }

  void Fetch(SegmentFetcher& fetcher, FetchTicket ticket, const SegmentOrder& order) {
    fetcher.Fetch(ticket, order, answers_.For(order));
  }

  /// With time-outs that a slow machine keeps.
  static FetchLimits TinyLimits() {
    FetchLimits limits = FetchLimits::Tiny();
    limits.request_timeout_ms = 30'000;
    return limits;
  }

  const std::string token_key_ = std::string(kFetchKeyBytes, 'k');
  TransportContext context_;
  MemoryBudget budget_{256 << 20};
  MemorySegmentStore copies_;
  Answers answers_;
};

TEST_F(SegmentFetcherTest, KeysDecideWhoMayFetch) {
  const KeyPair server_keys = NewKeyPair(), fetch_keys = NewKeyPair();
  const auto store = std::make_shared<MemorySegmentStore>(budget_);
  const std::string segment = RandomSegment(Id(0), 1);
  Put(*store, Id(0), segment);
  FetchServiceOptions service_options = ServiceOptions(kTcp);
  service_options.socket.keys = server_keys;
  service_options.socket.authority = [&fetch_keys](std::string_view key) {
    return key == fetch_keys.public_key ? Role::kWorker : Role::kNone;
  };
  auto service = FetchService::Start(context_, service_options, [&](auto) { return store; });
  ASSERT_TRUE(service.ok()) << service.status().message();
  SegmentFetcherOptions options;
  options.limits = FetchLimits::Tiny();
  options.limits.request_timeout_ms = 300;
  options.job = kJob;
  for (const bool known : {true, false}) {
    options.keys = known ? fetch_keys : NewKeyPair();
    SegmentFetcher fetcher(context_, copies_, budget_, options);
    fetcher.SetToken(MintFetchToken(token_key_, {kJob, UINT64_MAX}), UINT64_MAX);
    fetcher.SetSource(0, {(*service)->endpoint(), server_keys.public_key});
    Fetch(fetcher, 1, {Id(0), 0, {known ? 0u : 1u}});
    answers_.WaitForAll();
  }
  ASSERT_NE(answers_.reader(0, 0), nullptr);
  EXPECT_EQ(*ReadPartition(*answers_.reader(0, 0), 0), ExpectedPartition(segment, Id(0), 0));
  EXPECT_EQ(answers_.status(0, 1).code(), Code::kUnavailable);
  EXPECT_THAT(answers_.status(0, 1).message(), HasSubstr("does not know this key"));
  answers_.Clear();
}

class SegmentFetcherEndpointTest : public SegmentFetcherTest,
                                   public testing::WithParamInterface<const char*> {};

TEST_P(SegmentFetcherEndpointTest, ManySegmentsOfManyWorkersArriveWholeForSeveralReduces) {
  constexpr std::uint32_t kWorkers = 3, kMaps = 30, kPartitions = 4;
  SegmentShape shape;
  shape.partitions = kPartitions;
  for (const bool tiny : {true, false}) {
    if (!tiny) shape.writer = {.block_bytes = 4000, .compression = Compression::kAuto};
    std::vector<std::shared_ptr<SegmentStore>> stores;
    std::vector<std::unique_ptr<FetchService>> services;
    std::vector<std::string> segments;
    auto fetcher = NewFetcher(tiny ? TinyLimits() : FetchLimits(), copies_);
    fetcher->SetToken(MintFetchToken(token_key_, {kJob, UINT64_MAX}), UINT64_MAX);
    for (std::uint32_t worker = 0; worker < kWorkers; ++worker) {
      stores.push_back(std::make_shared<MemorySegmentStore>(budget_));
      const bool inproc = std::string(GetParam()) == "inproc";
      services.push_back(
          Serve(inproc ? "inproc://fetch-" + std::to_string(worker) + (tiny ? "t" : "d") : kTcp,
                stores.back()));
      fetcher->SetSource(worker, {services.back()->endpoint(), {}});
    }
    for (std::uint32_t map = 0; map < kMaps; ++map) {
      shape.records = tiny ? map * 20 : map * 300;
      segments.push_back(RandomSegment(Id(map), map + 1, shape));
      Put(*stores[map % kWorkers], Id(map), segments.back());
    }
    for (std::uint32_t map = 0; map < kMaps; ++map)
      for (std::uint32_t partition = 0; partition < kPartitions; ++partition)
        Fetch(*fetcher, partition, {Id(map), map % kWorkers, {partition}});
    answers_.WaitForAll();
    for (std::uint32_t map = 0; map < kMaps; ++map) {
      for (std::uint32_t partition = 0; partition < kPartitions; ++partition) {
        const auto reader = answers_.reader(map, partition);
        ASSERT_NE(reader, nullptr);
        const auto read = ReadPartition(*reader, partition);
        ASSERT_TRUE(read.ok()) << read.status().message();
        ASSERT_EQ(*read, ExpectedPartition(segments[map], Id(map), partition));
      }
    }
    std::uint64_t network_bytes = 0, served_bytes = 0;
    for (std::uint32_t partition = 0; partition < kPartitions; ++partition) {
      const FetchTotals totals = fetcher->CancelAll(partition);
      EXPECT_EQ(totals.segments, kMaps);
      EXPECT_EQ(totals.restarts, 0u);
      network_bytes += totals.network_bytes;
    }
    for (const auto& service : services) served_bytes += service->payload_bytes();
    EXPECT_EQ(network_bytes, served_bytes);
    fetcher.reset();
    answers_.Clear();
  }
  // The stores of the workers are gone, and no copy is left.
  EXPECT_EQ(budget_.used_bytes(), 0u);
}

TEST_P(SegmentFetcherEndpointTest, RangesOfPartitionsAreReadAsTheSegmentItselfWouldBe) {
  const bool inproc = std::string(GetParam()) == "inproc";
  SegmentShape shape;
  shape.partitions = 6;
  for (const bool tiny : {true, false}) {
    const auto store = std::make_shared<MemorySegmentStore>(budget_);
    std::vector<std::string> segments;
    for (std::uint32_t map = 0; map < 4; ++map) {
      shape.runs = 1 + map;
      shape.records = tiny ? 300 : 3000;
      shape.empty_partitions = std::vector<std::set<std::uint32_t>>{{}, {0, 5}, {2, 3}, {1}}[map];
      segments.push_back(RandomSegment(Id(map), map, shape));
      Put(*store, Id(map), segments.back());
    }
    auto service =
        Serve(inproc ? std::string("inproc://ranges") + (tiny ? "t" : "d") : kTcp, store);
    auto fetcher = NewFetcher(tiny ? TinyLimits() : FetchLimits(), copies_);
    fetcher->SetToken(MintFetchToken(token_key_, {kJob, UINT64_MAX}), UINT64_MAX);
    fetcher->SetSource(0, {service->endpoint(), {}});
    for (std::uint32_t map = 0; map < segments.size(); ++map)
      for (const PartitionRange& partitions : RangesOf(shape.partitions))
        Fetch(*fetcher, 1, {Id(map), 0, partitions});
    answers_.WaitForAll();
    for (std::uint32_t map = 0; map < segments.size(); ++map) {
      for (const PartitionRange& partitions : RangesOf(shape.partitions)) {
        SCOPED_TRACE("map " + std::to_string(map) + ", " + NameOf(partitions));
        const auto reader = answers_.reader(map, partitions);
        ASSERT_NE(reader, nullptr);
        const auto read = ReadPartitions(*reader, partitions);
        ASSERT_TRUE(read.ok()) << read.status().message();
        ASSERT_EQ(*read, ExpectedPartitions(segments[map], Id(map), partitions));
      }
    }
    fetcher.reset();
    answers_.Clear();
  }
  EXPECT_EQ(budget_.used_bytes(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Endpoints, SegmentFetcherEndpointTest, testing::Values("inproc", "tcp"));

TEST_F(SegmentFetcherTest, CopiesGoToDiskWhenTheMemoryEndsAndAreRemovedAfterTheirLastReader) {
  const std::string directory = testing::TempDir() + "fetch-copies-" + std::to_string(getpid());
  PosixFileSystem files;
  (void)files.RemoveTree(directory);
  ASSERT_TRUE(files.MakeDirectory(directory, 0700).ok());
  DiskSegmentStore disk(files, {.directories = {directory}});
  MemoryBudget small(200 << 10);
  HybridSegmentStore copies(small, disk, {.chunk_bytes_min = 1 << 10, .chunk_bytes_max = 8 << 10});
  const auto store = std::make_shared<MemorySegmentStore>(budget_);
  SegmentShape shape;
  shape.partitions = 1;
  shape.records = 2000;
  std::vector<std::string> segments;
  for (std::uint32_t map = 0; map < 12; ++map) {
    segments.push_back(RandomSegment(Id(map), map, shape));
    Put(*store, Id(map), segments.back());
  }
  auto service = Serve(kTcp, store);
  auto fetcher = NewFetcher(FetchLimits(), copies);
  fetcher->SetToken(MintFetchToken(token_key_, {kJob, UINT64_MAX}), UINT64_MAX);
  fetcher->SetSource(0, {service->endpoint(), {}});
  for (std::uint32_t map = 0; map < 12; ++map) Fetch(*fetcher, 1, {Id(map), 0, {0}});
  answers_.WaitForAll();
  EXPECT_GT(copies.spilled_bytes(), 0u);
  EXPECT_GT(small.used_bytes(), 0u);
  EXPECT_FALSE(files.List(directory)->empty());
  for (std::uint32_t map = 0; map < 12; ++map) {
    const auto reader = answers_.reader(map, 0);
    ASSERT_NE(reader, nullptr);
    EXPECT_EQ(*ReadPartition(*reader, 0), ExpectedPartition(segments[map], Id(map), 0));
  }
  answers_.Clear();
  EXPECT_EQ(small.used_bytes(), 0u);
  EXPECT_TRUE(files.List(directory)->empty());
  fetcher.reset();
  (void)files.RemoveTree(directory);
}

TEST_F(SegmentFetcherTest, AWorkerThatDiesAndComesBackIsAskedAgain) {
  const auto store = std::make_shared<MemorySegmentStore>(budget_);
  SegmentShape shape;
  shape.records = 3000;
  std::vector<std::string> segments;
  for (std::uint32_t map = 0; map < 20; ++map) {
    segments.push_back(RandomSegment(Id(map), map, shape));
    Put(*store, Id(map), segments.back());
  }
  auto service = Serve(kTcp, store);
  const std::string endpoint = service->endpoint();
  FetchLimits limits = FetchLimits::Tiny();
  limits.request_timeout_ms = 200;
  limits.tries_max = 100;
  auto fetcher = NewFetcher(limits, copies_);
  fetcher->SetToken(MintFetchToken(token_key_, {kJob, UINT64_MAX}), UINT64_MAX);
  fetcher->SetSource(0, {endpoint, {}});
  for (std::uint32_t map = 0; map < 20; ++map) Fetch(*fetcher, 1, {Id(map), 0, {2}});
  for (int deaths = 0; deaths < 3; ++deaths) {
    const std::uint64_t before = service->requests();
    while (service->requests() < before + 20 && answers_.open() > 0) std::this_thread::yield();
    service.reset();
    service = Serve(endpoint, store);
    ASSERT_NE(service, nullptr);
  }
  answers_.WaitForAll();
  for (std::uint32_t map = 0; map < 20; ++map) {
    const auto reader = answers_.reader(map, 2);
    ASSERT_NE(reader, nullptr);
    EXPECT_EQ(*ReadPartition(*reader, 2), ExpectedPartition(segments[map], Id(map), 2));
  }
}

TEST_F(SegmentFetcherTest, AWorkerThatStaysDeadIsUnavailableAndNamed) {
  std::string endpoint;
  {
    const auto service = Serve(kTcp, std::make_shared<MemorySegmentStore>(budget_));
    endpoint = service->endpoint();
  }
  auto fetcher = NewFetcher(FetchLimits::Tiny(), copies_);
  fetcher->SetSource(4, {endpoint, {}});
  Fetch(*fetcher, 1, {Id(3), 4, {2}});
  answers_.WaitForAll();
  const Status status = answers_.status(3, 2);
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("map task 3, attempt 1"));
  EXPECT_THAT(status.message(), HasSubstr("worker 4 at " + endpoint));
  EXPECT_THAT(status.message(), HasSubstr("6 tries"));
  EXPECT_THAT(status.message(), HasSubstr("cannot connect to " + endpoint));
  EXPECT_EQ(fetcher->CancelAll(1).restarts, 1u);
}

TEST_F(SegmentFetcherTest, LostDamagedAndUnknownEachHaveTheirCode) {
  const auto store = std::make_shared<MemorySegmentStore>(budget_);
  SegmentShape shape;
  shape.records = 50;
  std::string damaged = RandomSegment(Id(1), 1, shape);
  damaged[60] = static_cast<char>(damaged[60] ^ 1);
  Put(*store, Id(1), damaged);
  Put(*store, Id(2), RandomSegment(Id(2), 1, shape));
  auto service = Serve(kTcp, store);
  auto fetcher = NewFetcher(FetchLimits(), copies_);
  fetcher->SetToken(MintFetchToken(token_key_, {kJob, UINT64_MAX}), UINT64_MAX);
  fetcher->SetSource(0, {service->endpoint(), {}});
  Fetch(*fetcher, 1, {Id(0), 0, {0}});
  Fetch(*fetcher, 1, {Id(1), 0, {0}});
  Fetch(*fetcher, 1, {Id(2), 9, {0}});
  Fetch(*fetcher, 1, {Id(2), 0, {77}});
  Fetch(*fetcher, 1, {Id(2), 0, {3, 3}});
  answers_.WaitForAll();
  EXPECT_EQ(answers_.status(0, 0).code(), Code::kNotFound);
  EXPECT_EQ(answers_.status(1, 0).code(), Code::kDataLoss);
  EXPECT_THAT(answers_.status(1, 0).message(), HasSubstr("memory segment of map task 1"));
  EXPECT_EQ(answers_.status(2, 0).code(), Code::kUnavailable);
  EXPECT_THAT(answers_.status(2, 0).message(), HasSubstr("worker 9"));
  EXPECT_EQ(answers_.status(2, 77).code(), Code::kInvalidArgument);
  const Status beyond = answers_.status(2, {3, 3});
  EXPECT_EQ(beyond.code(), Code::kInvalidArgument);
  EXPECT_THAT(beyond.message(), HasSubstr("map task 2, attempt 1 from worker 0"));
  EXPECT_THAT(beyond.message(), HasSubstr("5 partitions does not have partitions 3 to 5"));
}

TEST_F(SegmentFetcherTest, DamageInTheMiddleOfARangeIsDataLossThatNamesItsPartition) {
  const auto store = std::make_shared<MemorySegmentStore>(budget_);
  std::string damaged = RandomSegment(Id(1), 1);
  const Extent extent = ReaderOf(damaged, Id(1))->extent(1, 2);
  ASSERT_GT(extent.blocks, 0u);
  char& byte = damaged[extent.offset + extent.stored_bytes / 2];
  byte = static_cast<char>(byte ^ 1);
  Put(*store, Id(1), damaged);
  auto service = Serve(kTcp, store);
  auto fetcher = NewFetcher(FetchLimits(), copies_);
  fetcher->SetToken(MintFetchToken(token_key_, {kJob, UINT64_MAX}), UINT64_MAX);
  fetcher->SetSource(0, {service->endpoint(), {}});
  Fetch(*fetcher, 1, {Id(1), 0, {1, 3}});
  answers_.WaitForAll();
  EXPECT_EQ(answers_.status(1, {1, 3}).code(), Code::kDataLoss);
  EXPECT_THAT(answers_.status(1, {1, 3}).message(), HasSubstr("run 1, partition 2) is damaged"));
}

// What joining small partitions is for: one head, one index and two requests instead of 64 times
// as many.
TEST_F(SegmentFetcherTest, ARangeOf64PartitionsCostsTheRequestsAndTheHeadOfOne) {
  const auto store = std::make_shared<MemorySegmentStore>(budget_);
  SegmentShape shape;
  shape.partitions = 64;
  shape.records = 1000;
  const std::string segment = RandomSegment(Id(0), 1, shape);
  Put(*store, Id(0), segment);
  const std::uint64_t head_bytes = HeadOf(segment).size();
  const std::uint64_t stream_bytes = segment.size() - head_bytes;
  FetchLimits limits;
  limits.request_timeout_ms = 30'000;
  ASSERT_LT(head_bytes, limits.head_bytes_first);
  ASSERT_LT(stream_bytes, limits.request_bytes);
  for (const std::uint32_t count : {64u, 1u}) {
    auto service = Serve(kTcp, store);
    auto fetcher = NewFetcher(limits, copies_);
    fetcher->SetToken(MintFetchToken(token_key_, {kJob, UINT64_MAX}), UINT64_MAX);
    fetcher->SetSource(0, {service->endpoint(), {}});
    std::uint64_t orders = 0;
    for (std::uint32_t first = 0; first < shape.partitions; first += count, ++orders)
      Fetch(*fetcher, 1, {Id(0), 0, {first, count}});
    answers_.WaitForAll();
    EXPECT_EQ(service->requests(), 2 * orders);
    EXPECT_EQ(service->payload_bytes(), orders * head_bytes + stream_bytes);
    EXPECT_EQ(fetcher->CancelAll(1).segments, orders);
    fetcher.reset();
    answers_.Clear();
  }
}

TEST_F(SegmentFetcherTest, AWrongTokenIsPermissionDenied) {
  auto service = Serve(kTcp, std::make_shared<MemorySegmentStore>(budget_));
  auto fetcher = NewFetcher(FetchLimits(), copies_);
  fetcher->SetToken("not a token", UINT64_MAX);
  fetcher->SetSource(0, {service->endpoint(), {}});
  Fetch(*fetcher, 1, {Id(2), 0, {0}});
  answers_.WaitForAll();
  EXPECT_EQ(answers_.status(2, 0).code(), Code::kPermissionDenied);
}

/// A worker whose answers the test bends. Holds each answer until nothing more is asked for.
class FakeWorker {
 public:
  using Bend = std::function<void(wire::FetchReply&, MessageBuffer&)>;

  FakeWorker(TransportContext& context, std::shared_ptr<SegmentStore> store, Bend bend)
      : server_([store](std::uint64_t) { return store; }, {}), bend_(std::move(bend)) {
    ServerOptions options;
    options.endpoint = kTcp;
    options.insecure = true;
    options.limits = TransportLimits::Data();
    auto socket = ServerSocket::Bind(context, options);
    EXPECT_TRUE(socket.ok()) << socket.status().message();
    socket_ = std::move(*socket);
    endpoint_ = socket_->endpoint();
    thread_ = std::thread([this] { Run(); });
  }
  ~FakeWorker() {
    stopping_ = true;
    wake_.Set();
    thread_.join();
  }

  const std::string& endpoint() const { return endpoint_; }
  std::uint64_t asked_bytes_max() const { return asked_bytes_max_; }

 private:
  void Run() {
    Poller poller;
    poller.Add(*socket_);
    poller.AddFd(wake_.fd());
    std::vector<Incoming> held;
    std::uint64_t held_bytes = 0;
    while (!stopping_) {
      poller.Wait(std::chrono::milliseconds(held.empty() ? 1000 : 5));
      bool more = false;
      while (auto incoming = socket_->Receive()) {
        const auto request = ParseFetchRequest(incoming->message.header.view());
        for (const auto& range : request->ranges()) held_bytes += range.bytes();
        held.push_back(std::move(*incoming));
        more = true;
      }
      asked_bytes_max_ = std::max<std::uint64_t>(asked_bytes_max_, held_bytes);
      if (more) continue;
      for (const Incoming& incoming : held) {
        auto answer = server_.Handle(*ParseFetchRequest(incoming.message.header.view()));
        bend_(answer.reply, answer.payload);
        (void)socket_->Send(incoming.peer,
                            {EncodeFetchReply(answer.reply), std::move(answer.payload)});
      }
      held.clear();
      held_bytes = 0;
    }
  }

  SegmentServer server_;
  const Bend bend_;
  std::unique_ptr<ServerSocket> socket_;
  std::string endpoint_;
  std::atomic<std::uint64_t> asked_bytes_max_{0};
  std::atomic<bool> stopping_{false};
  WakeEvent wake_;
  std::thread thread_;
};

TEST_F(SegmentFetcherTest, NoMoreIsAskedOfAWorkerThanItsWindow) {
  const auto store = std::make_shared<MemorySegmentStore>(budget_);
  SegmentShape shape;
  shape.records = 1000;
  for (std::uint32_t map = 0; map < 10; ++map)
    Put(*store, Id(map), RandomSegment(Id(map), map, shape));
  FetchLimits limits;
  limits.request_bytes = 400;
  limits.head_bytes_first = 200;
  limits.source_window_bytes = 3000;
  limits.total_window_bytes = 5000;
  FakeWorker a(context_, store, [](auto&, auto&) {});
  FakeWorker b(context_, store, [](auto&, auto&) {});
  auto fetcher = NewFetcher(limits, copies_);
  fetcher->SetSource(0, {a.endpoint(), {}});
  fetcher->SetSource(1, {b.endpoint(), {}});
  for (std::uint32_t map = 0; map < 10; ++map)
    for (std::uint32_t partition = 0; partition < 5; ++partition)
      Fetch(*fetcher, partition, {Id(map), map % 2, {partition}});
  answers_.WaitForAll();
  for (std::uint32_t map = 0; map < 10; ++map) ASSERT_NE(answers_.reader(map, 0), nullptr);
  EXPECT_LE(a.asked_bytes_max(), limits.source_window_bytes);
  EXPECT_LE(b.asked_bytes_max(), limits.source_window_bytes);
  EXPECT_GE(a.asked_bytes_max(), limits.source_window_bytes / 2);
}

TEST_F(SegmentFetcherTest, DamageOnTheWayIsHealedByAskingAgain) {
  const auto store = std::make_shared<MemorySegmentStore>(budget_);
  std::vector<std::string> segments;
  for (std::uint32_t map = 0; map < 10; ++map) {
    segments.push_back(RandomSegment(Id(map), map));
    Put(*store, Id(map), segments.back());
  }
  std::uint64_t answers = 0;
  FakeWorker worker(context_, store, [&answers](wire::FetchReply& reply, MessageBuffer& payload) {
    // Every fourth answer: a flipped bit, a lost byte, a byte too many, a missing range, in turn.
    switch (++answers % 16) {
      case 0: payload.data()[payload.size() / 2] ^= 4; break;
      case 4: payload = MessageBuffer::Copy(payload.view().substr(1)); break;
      case 8: payload = MessageBuffer::Copy(std::string(payload.view()) + "x"); break;
      case 12:
        reply.mutable_ranges()->RemoveLast();
        if (reply.ranges().empty()) reply.add_ranges();
        break;
      default: break;
    }
  });
  FetchLimits limits = TinyLimits();
  limits.tries_max = 50;
  auto fetcher = NewFetcher(limits, copies_);
  fetcher->SetSource(0, {worker.endpoint(), {}});
  for (std::uint32_t map = 0; map < 10; ++map) Fetch(*fetcher, 1, {Id(map), 0, {3}});
  answers_.WaitForAll();
  for (std::uint32_t map = 0; map < 10; ++map) {
    const auto reader = answers_.reader(map, 3);
    ASSERT_NE(reader, nullptr);
    EXPECT_EQ(*ReadPartition(*reader, 3), ExpectedPartition(segments[map], Id(map), 3));
  }
}

TEST_F(SegmentFetcherTest, ABlockThatWasSentWrongIsDataLossThoughItsPayloadHashIsRight) {
  const auto store = std::make_shared<MemorySegmentStore>(budget_);
  Put(*store, Id(0), RandomSegment(Id(0), 1));
  FakeWorker worker(context_, store, [](wire::FetchReply& reply, MessageBuffer& payload) {
    if (reply.ranges(0).head_bytes() > 0) return;
    payload.data()[payload.size() / 2] ^= 4;
    reply.set_xxh3(Digest(payload.view()));
  });
  auto fetcher = NewFetcher(TinyLimits(), copies_);
  fetcher->SetSource(6, {worker.endpoint(), {}});
  Fetch(*fetcher, 1, {Id(0), 6, {3}});
  answers_.WaitForAll();
  EXPECT_EQ(answers_.status(0, 3).code(), Code::kDataLoss);
  EXPECT_THAT(answers_.status(0, 3).message(), HasSubstr("worker 6 at " + worker.endpoint()));
  EXPECT_THAT(answers_.status(0, 3).message(), HasSubstr("partition 3) is damaged"));
}

TEST_F(SegmentFetcherTest, WorkersThatAreGoneAndTicketsThatAreCancelledAnswerEachOrderOnce) {
  // Nobody listens: everything stays open.
  auto fetcher = NewFetcher(TinyLimits(), copies_);
  for (std::uint32_t worker = 0; worker < 2; ++worker)
    fetcher->SetSource(worker, {"tcp://127.0.0.1:" + std::to_string(1 + worker), {}});
  for (std::uint32_t map = 0; map < 40; ++map) Fetch(*fetcher, map % 4, {Id(map), map % 2, {0}});
  EXPECT_EQ(fetcher->CancelAll(1).segments, 0u);
  EXPECT_EQ(answers_.open(), 30u);
  EXPECT_EQ(answers_.status(1, 0).code(), Code::kCancelled);
  fetcher->RemoveSource(0);
  fetcher->CancelAll(3);
  EXPECT_EQ(answers_.open(), 0u);
  EXPECT_EQ(answers_.status(0, 0).code(), Code::kUnavailable);
  EXPECT_THAT(answers_.status(0, 0).message(), HasSubstr("gone"));
  EXPECT_EQ(answers_.status(3, 0).code(), Code::kCancelled);
  Fetch(*fetcher, 9, {Id(50), 1, {0}});
  fetcher.reset();
  EXPECT_EQ(answers_.open(), 0u);
  EXPECT_EQ(answers_.status(50, 0).code(), Code::kCancelled);
}

TEST_F(SegmentFetcherTest, GarbageIsCountedAndOthersAreServed) {
  const auto store = std::make_shared<MemorySegmentStore>(budget_);
  Put(*store, Id(0), RandomSegment(Id(0), 1));
  auto service = Serve(kTcp, store);
  auto stranger = ClientSocket::Connect(context_, {.endpoint = service->endpoint()});
  ASSERT_TRUE(stranger.ok());
  std::mt19937_64 random(1);
  wire::FetchRequest no_ranges;
  for (int i = 0; i < 200; ++i) {
    std::string bytes(1 + random() % 300, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    ASSERT_TRUE((*stranger)->Send({MessageBuffer::Copy(bytes), {}}).ok());
  }
  ASSERT_TRUE((*stranger)->Send({EncodeFetchRequest(no_ranges), {}}).ok());
  auto fetcher = NewFetcher(FetchLimits(), copies_);
  fetcher->SetToken(MintFetchToken(token_key_, {kJob, UINT64_MAX}), UINT64_MAX);
  fetcher->SetSource(0, {service->endpoint(), {}});
  Fetch(*fetcher, 1, {Id(0), 0, {1}});
  answers_.WaitForAll();
  EXPECT_NE(answers_.reader(0, 1), nullptr);
  while (service->bad_messages() < 201) std::this_thread::yield();
  EXPECT_FALSE((*stranger)->Receive().has_value());
}

}  // namespace
}  // namespace spillway
