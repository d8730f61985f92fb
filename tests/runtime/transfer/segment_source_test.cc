// LocalSegmentSource and ClusterSegmentSource: from where a segment is read, and what happens when
// it cannot be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>

#include "runtime/storage/posix_file_system.h"
#include "runtime/transfer/cluster_segment_source.h"
#include "runtime/transfer/fetch_service.h"
#include "runtime/transfer/job_directory.h"
#include "runtime/transfer/local_segment_source.h"
#include "shuffle/store/disk_segment_store.h"
#include "tests/runtime/transfer/transfer_fixture.h"

namespace spillway {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kJob = 7;

SegmentId Id(std::uint32_t map_task) { return {0xabc, map_task, 1}; }

Result<std::shared_ptr<const SegmentReader>> FetchOne(SegmentSource& source,
                                                      const SegmentOrder& order) {
  std::promise<Result<std::shared_ptr<const SegmentReader>>> promise;
  source.Fetch(1, order, [&promise](auto result) { promise.set_value(std::move(result)); });
  return promise.get_future().get();
}

TEST(LocalSegmentSource, OpensWhatTheStoreHas) {
  MemoryBudget budget(8 << 20);
  MemorySegmentStore store(budget);
  const std::string segment = RandomSegment(Id(3), 1);
  Put(store, Id(3), segment);
  LocalSegmentSource source(store);
  const auto reader = FetchOne(source, {Id(3), 0, {2}});
  ASSERT_TRUE(reader.ok()) << reader.status().message();
  EXPECT_EQ(*ReadPartition(**reader, 2), ExpectedPartition(segment, Id(3), 2));
  EXPECT_EQ(FetchOne(source, {Id(4), 0, {2}}).status().code(), Code::kNotFound);
  EXPECT_EQ(source.CancelAll(1).segments, 1u);
  EXPECT_EQ(source.CancelAll(1).segments, 0u);
}

/// Workers 0 and 1 on host "here" with files, worker 2 on host "there" behind a socket; this
/// process belongs to worker 0.
class ClusterSegmentSourceTest : public testing::Test {
 protected:
  ClusterSegmentSourceTest()
      : root_(testing::TempDir() + "segment-source-" + std::to_string(getpid())),
        remote_(std::make_shared<MemorySegmentStore>(budget_)),
        copies_(budget_) {
    (void)files_.RemoveTree(root_);
    for (const std::string& path : {root_, root_ + "/w0", root_ + "/w0/j7", root_ + "/w1",
                                    root_ + "/w1/j7", root_ + "/w1b", root_ + "/w1b/j7"})
      EXPECT_TRUE(files_.MakeDirectory(path, 0700).ok());
    FetchServiceOptions options;
    options.socket.endpoint = "inproc://segment-source";
    auto service = FetchService::Start(context_, options, [this](auto) { return remote_; });
    EXPECT_TRUE(service.ok()) << service.status().message();
    service_ = std::move(*service);
    SegmentFetcherOptions fetch;
    fetch.limits = FetchLimits::Tiny();
    fetch.job = kJob;
    fetcher_ = std::make_unique<SegmentFetcher>(context_, copies_, budget_, fetch);
    ClusterSegmentSourceOptions cluster;
    cluster.host = "here";
    cluster.worker = 0;
    cluster.job = kJob;
    source_ = std::make_unique<ClusterSegmentSource>(files_, *fetcher_, cluster);
  }
  ~ClusterSegmentSourceTest() override { (void)files_.RemoveTree(root_); }

  wire::WorkerPlace Place(std::uint32_t worker, const std::string& host,
                          const std::vector<std::string>& scratch_dirs) {
    wire::WorkerPlace place;
    place.set_worker(worker);
    place.set_host(host);
    place.set_fetch_endpoint(service_->endpoint());
    for (const std::string& name : scratch_dirs) place.add_scratch_dirs(root_ + "/" + name);
    return place;
  }

  std::string PutOnDisk(const std::string& worker, std::uint32_t map_task) {
    DiskSegmentStore store(files_, {.directories = {JobDirectory(root_ + "/" + worker, kJob)}});
    const std::string segment = RandomSegment(Id(map_task), map_task);
    Put(store, Id(map_task), segment);
    return segment;
  }

  void ExpectRead(const SegmentOrder& order, const std::string& segment) {
    const auto reader = FetchOne(*source_, order);
    ASSERT_TRUE(reader.ok()) << reader.status().message();
    EXPECT_EQ(*ReadPartitions(**reader, order.partitions),
              ExpectedPartitions(segment, order.id, order.partitions));
  }

  const std::string root_;
  PosixFileSystem files_;
  TransportContext context_;
  MemoryBudget budget_{64 << 20};
  std::shared_ptr<SegmentStore> remote_;
  MemorySegmentStore copies_;
  std::unique_ptr<FetchService> service_;
  std::unique_ptr<SegmentFetcher> fetcher_;
  std::unique_ptr<ClusterSegmentSource> source_;
};

TEST_F(ClusterSegmentSourceTest, SegmentsOfThisHostAreReadFromFilesAndOthersAreFetched) {
  source_->SetPlace(Place(0, "here", {"w0"}));
  source_->SetPlace(Place(1, "here", {"w1", "w1b"}));
  source_->SetPlace(Place(2, "there", {"not-here"}));
  const std::string own = PutOnDisk("w0", 1);
  const std::string neighbour = PutOnDisk("w1", 2), other_disk = PutOnDisk("w1b", 3);
  const std::string far = RandomSegment(Id(4), 4);
  Put(*remote_, Id(4), far);
  ExpectRead({Id(1), 0, {2}}, own);
  ExpectRead({Id(2), 1, {2, 3}}, neighbour);
  ExpectRead({Id(3), 1, {0, 5}}, other_disk);
  EXPECT_EQ(service_->requests(), 0u);
  ExpectRead({Id(4), 2, {1, 3}}, far);
  EXPECT_GT(service_->requests(), 0u);
  const FetchTotals totals = source_->CancelAll(1);
  EXPECT_EQ(totals.segments, 4u);
  EXPECT_EQ(totals.network_bytes, service_->payload_bytes());
}

TEST_F(ClusterSegmentSourceTest, FilesThatCannotBeSeenAreFetchedButNotFromOurselves) {
  source_->SetPlace(Place(0, "here", {"w0"}));
  source_->SetPlace(Place(1, "here", {"in-another-container"}));
  const std::string segment = RandomSegment(Id(4), 4);
  Put(*remote_, Id(4), segment);
  ExpectRead({Id(4), 1, {2}}, segment);
  EXPECT_EQ(FetchOne(*source_, {Id(4), 0, {2}}).status().code(), Code::kNotFound);
}

TEST_F(ClusterSegmentSourceTest, AWorkerThatIsUnknownOrGoneIsUnavailableAtOnce) {
  const auto unknown = FetchOne(*source_, {Id(4), 5, {2}}).status();
  EXPECT_EQ(unknown.code(), Code::kUnavailable);
  EXPECT_THAT(unknown.message(), HasSubstr("worker 5"));
  wire::WorkerPlace place = Place(2, "there", {});
  source_->SetPlace(place);
  place.set_gone(true);
  source_->SetPlace(place);
  const auto gone = FetchOne(*source_, {Id(4), 2, {2}}).status();
  EXPECT_EQ(gone.code(), Code::kUnavailable);
  EXPECT_THAT(gone.message(), HasSubstr("gone"));
}

TEST_F(ClusterSegmentSourceTest, DamageOfAFileIsDataLossAndNotAskedForElsewhere) {
  source_->SetPlace(Place(1, "here", {"w1"}));
  std::string segment = RandomSegment(Id(4), 4);
  Put(*remote_, Id(4), segment);
  DiskSegmentStore store(files_, {.directories = {JobDirectory(root_ + "/w1", kJob)}});
  segment.back() = 'x';
  Put(store, Id(4), segment);
  EXPECT_EQ(FetchOne(*source_, {Id(4), 1, {2}}).status().code(), Code::kDataLoss);
  EXPECT_EQ(service_->requests(), 0u);
}

}  // namespace
}  // namespace spillway
