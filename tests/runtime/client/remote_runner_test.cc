// A job on a cluster, seen from its client. The coordinator here is real on the wire and simple
// behind it: it runs what it was sent with the embedded runner, so that the bytes of both ways can
// be compared.

#include "runtime/client/remote_runner.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "runtime/local/local_runner.h"
#include "runtime/local/range_choice.h"
#include "runtime/protocol/wire_values.h"
#include "runtime/storage/posix_file_system.h"
#include "tests/runtime/client/job_files.h"
#include "tests/runtime/client/upload_desk.h"
#include "tests/runtime/client/wire_coordinator.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr CoordinatorClientTimes kFast = {
    .repeat_ms = 200, .busy_ms = 5, .note_ms = 50, .look_ms = 5};

/// Accepts jobs by their submission key; each ends when it is asked for `questions_to_end` times.
class EmbeddedCluster {
 public:
  std::vector<wire::Reply> Answer(const wire::Request& request) {
    if (request.has_submit()) return {Submit(request.submit())};
    wire::Reply reply;
    const std::string& id = request.has_kill() ? request.kill().job_id() : request.job().job_id();
    const auto job = jobs_.find(id);
    if (job == jobs_.end()) {
      *reply.mutable_status() = ToWire(NotFound("no job '" + id + "'"));
      return {reply};
    }
    if (request.has_kill()) {
      ++kills;
      job->second.set_ended(true);
      *job->second.mutable_status() = ToWire(Cancelled("killed: " + request.kill().reason()));
      return {reply};
    }
    if (!job->second.ended() && ++questions_ >= questions_to_end) Run(job->second);
    *reply.mutable_job() = job->second;
    return {reply};
  }

  int questions_to_end = 2;
  int kills = 0;
  std::map<std::string, wire::JobSpec> specs;  ///< By job id.

 private:
  wire::Reply Submit(const wire::SubmitChunk& chunk) {
    wire::Reply reply;
    const auto spec = desk_.Take(chunk);
    if (!spec.ok()) *reply.mutable_status() = ToWire(spec.status());
    if (!spec.ok() || !spec->has_value()) return reply;
    std::string& id = ids_[(*spec)->submission_key()];
    reply.mutable_submitted()->set_reattached(!id.empty());
    if (id.empty()) {
      id = "job-" + std::to_string(ids_.size());
      specs[id] = **spec;
      jobs_[id].set_job_id(id);
      jobs_[id].set_phase(wire::MAPPING);
    }
    reply.mutable_submitted()->set_job_id(id);
    return reply;
  }

  void Run(wire::JobState& job) {
    JobRequest request = RequestOf(specs[job.job_id()]);
    // What the client planned by; a coordinator takes the maps and the cuts of the spec.
    request.threads = 2;
    request.memory_bytes = 1 << 30;
    request.split_bytes = 16 << 10;
    auto runner = PrepareLocalRunner(request);
    const Status status = runner.ok() ? (*runner)->Run().status : runner.status();
    job.set_ended(true);
    *job.mutable_status() = ToWire(status);
  }

  UploadDesk desk_;
  std::map<std::string, std::string> ids_;  // By submission key.
  std::map<std::string, wire::JobState> jobs_;
  int questions_ = 0;
};

/// The thread sanitizer does not see through ZeroMQ that what one side did before it sent lies
/// before what the other does then. A lock that both take in passing tells it.
class OrderedCalls final : public CoordinatorCalls {
 public:
  OrderedCalls(std::unique_ptr<CoordinatorCalls> calls, std::mutex& order)
      : calls_(std::move(calls)), order_(order) {}

  Result<wire::Reply> Call(wire::Request request, const CallOptions& options) override {
    { const std::lock_guard lock(order_); }
    auto reply = calls_->Call(std::move(request), options);
    { const std::lock_guard lock(order_); }
    return reply;
  }

 private:
  const std::unique_ptr<CoordinatorCalls> calls_;
  std::mutex& order_;
};

class RemoteRunnerTest : public testing::Test {
 protected:
  RemoteRunnerTest()
      : coordinator_([this](const wire::Request& request) {
          const std::lock_guard lock(order_);
          return cluster_.Answer(request);
        }) {
    files_.WriteWords("a", 1, 3'000);
    files_.WriteWords("b", 2, 500);
  }

  RemoteOptions Options() {
    RemoteOptions options;
    options.coordinator = coordinator_.endpoint();
    options.connect = [this, client = coordinator_.client()](
                          WaitNote note) -> Result<std::unique_ptr<CoordinatorCalls>> {
      auto calls = CoordinatorClient::Connect(client, std::move(note), kFast);
      if (!calls.ok()) return calls.status();
      return std::unique_ptr<CoordinatorCalls>(
          std::make_unique<OrderedCalls>(std::move(calls).value(), order_));
    };
    options.connect_timeout_ms = 20'000;
    return options;
  }

  std::unique_ptr<RemoteRunner> Prepare(const JobRequest& request, RemoteOptions options) {
    auto runner = RemoteRunner::Prepare(request, std::move(options));
    EXPECT_TRUE(runner.ok()) << runner.status().message();
    return std::move(runner).value();
  }

  void ExpectSameBytesAsEmbedded(const std::string& plugin) {
    const JobRequest embedded = files_.Request(plugin, plugin + "-embedded");
    auto local = PrepareLocalRunner(embedded);
    ASSERT_TRUE(local.ok()) << local.status().message();
    ASSERT_TRUE((*local)->Run().status.ok());

    const JobRequest request = files_.Request(plugin, plugin + "-remote");
    const auto runner = Prepare(request, Options());
    const JobReport report = runner->Run();
    ASSERT_TRUE(report.status.ok()) << report.status.message();
    EXPECT_TRUE(files_.Parts(plugin + "-remote") == files_.Parts(plugin + "-embedded"));
    EXPECT_THAT(files_.Parts(plugin + "-remote"), SizeIs(3));
    EXPECT_EQ(runner->progress().phase, JobProgress::Phase::kDone);

    PosixFileSystem system;
    JobRequest again = request;
    again.output_dir = files_.Path("nowhere");
    const auto prepared = PrepareJob(system, again);
    ASSERT_TRUE(prepared.ok()) << prepared.status().message();
    EXPECT_EQ(MapsOf(cluster_.specs.at(report.job_id)), prepared->maps);
  }

  JobFiles files_;
  std::mutex order_;
  EmbeddedCluster cluster_;
  WireCoordinator coordinator_;
};

TEST_F(RemoteRunnerTest, AFoldHasTheBytesOfTheEmbeddedRunner) {
  ExpectSameBytesAsEmbedded("wordcount");
}

TEST_F(RemoteRunnerTest, ARangePartitionedJobIsSentWithTheSameCuts) {
  files_.WriteRecords("a", 3, 4'000);
  files_.WriteRecords("b", 4, 1'000);
  ExpectSameBytesAsEmbedded("tera_sort");
  JobRequest request = files_.Request("tera_sort", "elsewhere");
  PosixFileSystem system;
  const auto job = PrepareJob(system, request);
  ASSERT_TRUE(job.ok()) << job.status().message();
  MemoryBudget spare(16 << 20);
  const std::atomic<bool> cancelled{false};
  const auto cuts = ChooseRangeCuts(*job, system, spare, cancelled);
  ASSERT_TRUE(cuts.ok()) << cuts.status().message();
  ASSERT_THAT(cluster_.specs, SizeIs(1));
  const auto& sent = cluster_.specs.begin()->second.range_cuts();
  EXPECT_THAT(sent, SizeIs(2));
  EXPECT_TRUE(std::equal(sent.begin(), sent.end(), cuts->begin(), cuts->end()));
}

TEST_F(RemoteRunnerTest, ThePlanNamesTheCoordinatorAndNoSizesOfThisMachine) {
  const auto runner = Prepare(files_.Request("wordcount", "out"), Options());
  EXPECT_EQ(runner->plan().coordinator, coordinator_.endpoint());
  EXPECT_EQ(runner->plan().memory_bytes, 0u);
  EXPECT_GT(runner->plan().maps, 1u);
  EXPECT_THAT(coordinator_.requests(), SizeIs(0));
}

TEST_F(RemoteRunnerTest, TheJobGoesOnWhenTheCoordinatorIsAwayForAWhile) {
  cluster_.questions_to_end = 3;
  const auto runner = Prepare(files_.Request("wordcount", "out"), Options());
  const auto accepted = runner->Submit();
  ASSERT_TRUE(accepted.ok()) << accepted.status().message();
  coordinator_.Stop();
  std::thread back([&] {
    while (runner->progress().note.find("does not answer") == std::string::npos)
      std::this_thread::yield();
    coordinator_.Start();
  });
  const JobReport report = runner->Run();
  back.join();
  EXPECT_TRUE(report.status.ok()) << report.status.message();
  EXPECT_EQ(report.job_id, accepted->job_id);
  EXPECT_THAT(cluster_.specs, SizeIs(1));
  EXPECT_THAT(runner->progress().note, HasSubstr(accepted->job_id));
}

TEST_F(RemoteRunnerTest, OneSubmissionKeyIsOneJob) {
  RemoteOptions options = Options();
  options.submission.key = "nightly";
  const auto first = Prepare(files_.Request("wordcount", "out"), options)->Submit();
  const auto second = Prepare(files_.Request("wordcount", "out"), options)->Submit();
  const auto other = Prepare(files_.Request("wordcount", "out"), Options())->Submit();
  ASSERT_TRUE(first.ok() && second.ok() && other.ok());
  EXPECT_FALSE(first->reattached);
  EXPECT_TRUE(second->reattached);
  EXPECT_EQ(first->job_id, second->job_id);
  EXPECT_NE(first->job_id, other->job_id);
}

TEST_F(RemoteRunnerTest, AJobThatIsDoneIsJoinedByItsKeyThoughItsOutputExists) {
  RemoteOptions options = Options();
  options.submission.key = "nightly";
  const JobRequest request = files_.Request("wordcount", "out");
  const JobReport first = Prepare(request, options)->Run();
  ASSERT_TRUE(first.status.ok()) << first.status.message();
  const JobReport second = Prepare(request, options)->Run();
  EXPECT_TRUE(second.status.ok()) << second.status.message();
  EXPECT_EQ(second.job_id, first.job_id);
  // Also when somebody has taken the markers away, by which it is known as an output.
  for (const char* marker : {"out/_SUCCESS", "out/_manifest.json"})
    ASSERT_TRUE(boost::filesystem::remove(files_.Path(marker))) << marker;
  JobRequest replacing = request;
  replacing.overwrite = Overwrite::kWhole;
  for (const JobRequest& again : {request, replacing}) {
    const auto third = RemoteRunner::Prepare(again, options);
    ASSERT_TRUE(third.ok()) << third.status().message();
    EXPECT_EQ((*third)->Run().job_id, first.job_id);
  }
  // Without the key it is another job, and its output is in the way; nobody is asked.
  EXPECT_EQ(RemoteRunner::Prepare(request, Options()).status().code(), Code::kAlreadyExists);
  // Under a new key the coordinator says so, and the job did not ask to overwrite.
  options.submission.key = "other";
  EXPECT_EQ(Prepare(request, options)->Run().status.code(), Code::kAlreadyExists);
  for (const auto& [id, spec] : cluster_.specs) EXPECT_FALSE(spec.overwrite()) << id;
}

TEST_F(RemoteRunnerTest, CancelKillsTheJob) {
  cluster_.questions_to_end = 1'000'000;
  const auto runner = Prepare(files_.Request("wordcount", "out"), Options());
  ASSERT_TRUE(runner->Submit().ok());
  runner->Cancel();
  const JobReport report = runner->Run();
  EXPECT_EQ(report.status.code(), Code::kCancelled);
  EXPECT_EQ(cluster_.kills, 1);
}

TEST_F(RemoteRunnerTest, CancelCanLeaveTheJobRunning) {
  cluster_.questions_to_end = 1'000'000;
  RemoteOptions options = Options();
  options.kill_on_cancel = false;
  const auto runner = Prepare(files_.Request("wordcount", "out"), options);
  ASSERT_TRUE(runner->Submit().ok());
  runner->Cancel();
  const JobReport report = runner->Run();
  EXPECT_EQ(report.status.code(), Code::kCancelled);
  EXPECT_THAT(report.status.message(), HasSubstr("goes on"));
  EXPECT_EQ(cluster_.kills, 0);
}

TEST_F(RemoteRunnerTest, AJobThatNobodyAcceptsHasNoId) {
  coordinator_.Stop();
  RemoteOptions options = Options();
  options.connect_timeout_ms = 300;
  const auto runner = Prepare(files_.Request("wordcount", "out"), options);
  const JobReport report = runner->Run();
  EXPECT_EQ(report.status.code(), Code::kUnavailable);
  EXPECT_EQ(report.job_id, "");
  EXPECT_THAT(report.status.message(), HasSubstr(coordinator_.endpoint()));
}

TEST_F(RemoteRunnerTest, AFailedJobReportsItsOwnFailure) {
  // The output appears between planning and running.
  const auto runner = Prepare(files_.Request("wordcount", "out"), Options());
  boost::filesystem::create_directory(files_.Path("out"));
  const JobReport report = runner->Run();
  EXPECT_EQ(report.status.code(), Code::kAlreadyExists);
  EXPECT_NE(report.job_id, "");
  EXPECT_THAT(report.status.message(), Not(HasSubstr("coordinator")));
}

}  // namespace
}  // namespace spillway
