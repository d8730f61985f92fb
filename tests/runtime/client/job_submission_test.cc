#include "runtime/client/job_submission.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/runtime/client/upload_desk.h"

namespace spillway {
namespace {

/// A coordinator in the same thread: answers are lost and doubled, and now and then it is
/// restarted, as the seed says.
class UnreliableCoordinator : public CoordinatorCalls {
 public:
  UnreliableCoordinator(std::uint32_t seed, int restart_percent)
      : random_(seed), restart_percent_(restart_percent) {}

  Result<wire::Reply> Call(wire::Request request, const CallOptions&) override {
    ++calls;
    chunk_bytes_max = std::max(chunk_bytes_max, request.submit().bytes().size());
    if (Percent(restart_percent_)) desk_.Forget();
    auto reply = Answer(request.submit());
    while (Percent(30)) reply = Answer(request.submit());  // The answer was lost: once more.
    return reply;
  }

  std::set<std::string> jobs;
  wire::JobSpec received;
  int calls = 0;
  std::size_t chunk_bytes_max = 0;

 private:
  bool Percent(int percent) { return static_cast<int>(random_() % 100) < percent; }

  Result<wire::Reply> Answer(const wire::SubmitChunk& chunk) {
    SPILLWAY_ASSIGN_OR_RETURN(const auto spec, desk_.Take(chunk));
    wire::Reply reply;
    if (!spec.has_value()) return reply;
    received = *spec;
    reply.mutable_submitted()->set_reattached(!jobs.insert(spec->submission_key()).second);
    reply.mutable_submitted()->set_job_id("job of " + spec->submission_key());
    return reply;
  }

  std::mt19937 random_;
  const int restart_percent_;
  UploadDesk desk_;
};

wire::JobSpec SpecOf(std::uint32_t maps) {
  wire::JobSpec spec;
  spec.set_name("wordcount");
  spec.set_submission_key("key");
  for (std::uint32_t i = 0; i < maps; ++i) {
    wire::FileRange* range = spec.add_maps()->add_ranges();
    range->set_file_index(i * 7'919);
    range->set_offset(std::uint64_t{i} << 27);
    range->set_bytes(1 << 27);
  }
  return spec;
}

TEST(UploadJob, TheJobArrivesWholeInPiecesOfAnySize) {
  const wire::JobSpec spec = SpecOf(200);
  const std::size_t whole = spec.ByteSizeLong();
  for (const std::uint64_t chunk_bytes :
       {std::uint64_t{1}, std::uint64_t{7}, whole - 1, whole, whole + 1, kSubmitChunkBytes}) {
    UnreliableCoordinator coordinator(1, 0);
    const auto submitted = UploadJob(coordinator, spec, {}, chunk_bytes);
    ASSERT_TRUE(submitted.ok()) << submitted.status().message();
    EXPECT_EQ(submitted->job_id(), "job of key");
    EXPECT_EQ(coordinator.received.SerializeAsString(), spec.SerializeAsString());
    EXPECT_LE(coordinator.chunk_bytes_max, chunk_bytes);
    EXPECT_EQ(coordinator.calls, static_cast<int>((whole + chunk_bytes - 1) / chunk_bytes));
  }
}

TEST(UploadJob, LostAnswersAndRestartsMakeNoSecondJob) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    UnreliableCoordinator coordinator(seed, 5);
    const wire::JobSpec spec = SpecOf(50);
    const auto submitted = UploadJob(coordinator, spec, {}, 100);
    EXPECT_LE(coordinator.jobs.size(), 1u) << "seed " << seed;
    if (!submitted.ok()) {
      // So many restarts that every upload met one.
      EXPECT_EQ(submitted.status().code(), Code::kAborted) << "seed " << seed;
      continue;
    }
    EXPECT_EQ(coordinator.received.SerializeAsString(), spec.SerializeAsString())
        << "seed " << seed;
  }
}

TEST(UploadJob, ACoordinatorThatForgetsEachTimeIsGivenUp) {
  UnreliableCoordinator coordinator(1, 100);
  EXPECT_EQ(UploadJob(coordinator, SpecOf(50), {}, 100).status().code(), Code::kAborted);
  EXPECT_EQ(coordinator.calls, 2 * kUploadsMax);  // The second piece of each was one too many.
}

TEST(UploadJob, KeysOfTheirOwnDiffer) {
  std::set<std::string> keys;
  for (int i = 0; i < 1'000; ++i) keys.insert(NewSubmissionKey());
  EXPECT_EQ(keys.size(), 1'000u);
}

}  // namespace
}  // namespace spillway
