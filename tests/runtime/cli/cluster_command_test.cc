// The commands that talk to a coordinator, or become one: what they ask, print and answer.

#include <gmock/gmock.h>
#include <stdlib.h>

#include <boost/filesystem.hpp>
#include <nlohmann/json.hpp>

#include "runtime/transport/key_directory.h"
#include "tests/runtime/cli/fake_runner.h"
#include "tests/runtime/cli/golden_text.h"
#include "tests/runtime/cli/sample_cluster.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

using Words = std::vector<std::string>;

constexpr const char* kJobId = "20261126-183000-0002";

Words On(Words words, const Words& more = {}) {
  words.insert(words.end(), {"--on", "127.0.0.1:7077", "--insecure"});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Words Submit(const Words& more = {}) {
  return On({"submit", "./wordcount.so", "-i", "in", "-o", "out"}, more);
}

/// A coordinator that knows one job that runs, and the sample cluster.
Result<wire::Reply> Answer(const wire::Request& request) {
  wire::Reply reply;
  const std::string id = request.has_job()    ? request.job().job_id()
                         : request.has_kill() ? request.kill().job_id()
                         : request.has_logs() ? request.logs().job_id()
                                              : kJobId;
  if (id != kJobId) return NotFound("no job '" + id + "'; 'spillway jobs list --all' shows all.");
  if (request.has_jobs()) *reply.mutable_jobs() = SampleJobs();
  if (request.has_job()) *reply.mutable_job() = SampleRunningJob();
  if (request.has_cluster()) *reply.mutable_cluster() = SampleCluster();
  return reply;
}

class ClusterCommandTest : public testing::Test {
 protected:
  ClusterCommandTest() { bench_.answer = Answer; }

  CommandBench bench_;
};

/// A directory of keys as 'spillway keys init' makes it.
class KeyFiles {
 public:
  KeyFiles() {
    char path[] = "/tmp/spillway_keys_XXXXXX";
    directory_ = ::mkdtemp(path);
    EXPECT_TRUE(KeyDirectory(keys()).Init().ok());
  }
  ~KeyFiles() { boost::filesystem::remove_all(directory_); }
  std::string keys() const { return directory_ + "/keys"; }

 private:
  std::string directory_;
};

TEST_F(ClusterCommandTest, RunOnAClusterAsksTheRemoteRunner) {
  EXPECT_EQ(bench_.Run(On({"run", "./wordcount.so", "-i", "in", "-o", "out"},
                          {"--submission-key", "today", "--priority", "7", "--allow-nondeterminism",
                           "--connect-timeout", "5s"})),
            0)
      << bench_.err;
  ASSERT_THAT(bench_.submissions, SizeIs(1));
  const RemoteOptions& options = bench_.submissions[0];
  EXPECT_EQ(options.coordinator, "tcp://127.0.0.1:7077");
  EXPECT_EQ(options.submission.key, "today");
  EXPECT_EQ(options.submission.weight, 7u);
  EXPECT_TRUE(options.submission.allow_nondeterminism);
  EXPECT_EQ(options.connect_timeout_ms, 5'000u);
  EXPECT_TRUE(options.kill_on_cancel);
  EXPECT_EQ(bench_.runs, 1);
  EXPECT_THAT(bench_.err, HasSubstr("on tcp://127.0.0.1:7077"));
}

TEST_F(ClusterCommandTest, TheCoordinatorIsASettingAndLocalIsNone) {
  bench_.environment = {{"SPILLWAY_ON", "localhost:7077"}, {"SPILLWAY_INSECURE", "true"}};
  const Words job = {"run", "./wordcount.so", "-i", "in", "-o", "out"};
  EXPECT_EQ(bench_.Run(job), 0) << bench_.err;
  EXPECT_THAT(bench_.submissions, SizeIs(1));
  Words local = job;
  local.insert(local.end(), {"--on", "local"});
  EXPECT_EQ(bench_.Run(local), 0) << bench_.err;
  EXPECT_THAT(bench_.submissions, SizeIs(1));
  bench_.environment["SPILLWAY_ON"] = "nowhere";
  EXPECT_EQ(bench_.Run(job), 78);
  EXPECT_THAT(bench_.err, HasSubstr("SPILLWAY_ON: 'nowhere' has no port"));
}

TEST_F(ClusterCommandTest, OptionsOfTheWrongPlaceAreMentioned) {
  EXPECT_EQ(bench_.Run(On({"run", "./j.so", "-i", "a", "-o", "b"}, {"--memory", "1G"})), 0);
  EXPECT_THAT(bench_.err, HasSubstr("warning: --memory has no effect on a cluster"));
  EXPECT_EQ(bench_.Run({"run", "./j.so", "-i", "a", "-o", "b", "--priority", "2"}), 64);
  EXPECT_THAT(bench_.err, HasSubstr("--priority is for a cluster"));
}

TEST_F(ClusterCommandTest, SubmitPrintsTheIdAndDoesNotWait) {
  EXPECT_EQ(bench_.Run(Submit()), 0) << bench_.err;
  EXPECT_EQ(bench_.out, "20261126-183000-0001\n");
  EXPECT_EQ(bench_.runs, 0);
  EXPECT_FALSE(bench_.submissions.at(0).kill_on_cancel);
  EXPECT_EQ(bench_.Run(Submit({"--json"})), 0);
  const auto json = nlohmann::json::parse(bench_.out);
  EXPECT_EQ(json["event"], "submitted");
  EXPECT_EQ(json["job_id"], "20261126-183000-0001");
  EXPECT_EQ(bench_.Run(Submit({"--dry-run"})), 0);
  EXPECT_THAT(bench_.out, HasSubstr("runs on     tcp://127.0.0.1:7077"));
  EXPECT_THAT(bench_.out, Not(HasSubstr("at once")));
}

TEST_F(ClusterCommandTest, SubmitCanWaitAndExitsAsTheJob) {
  EXPECT_EQ(bench_.Run(Submit({"--wait", "-q"})), 0);
  EXPECT_EQ(bench_.runs, 1);
  EXPECT_EQ(bench_.out, "20261126-183000-0001\n");
  bench_.report.status = UserCodeError("WordMapper threw");
  EXPECT_EQ(bench_.Run(Submit({"--wait"})), 1);
  // A job that failed because something was unavailable to it is no unreachable cluster.
  bench_.report.status = Unavailable("try again");
  EXPECT_EQ(bench_.Run(Submit({"--wait"})), 75);
}

TEST_F(ClusterCommandTest, ACoordinatorThatIsNotThereOrRefusesHasItsExitCode) {
  const std::pair<Status, int> kRefusals[] = {
      {Unavailable("the coordinator did not answer"), 69},
      {PermissionDenied("the coordinator does not know this key"), 77},
      {AlreadyExists("the output exists"), 73},
      {InvalidArgument("it speaks protocol versions 5 to 6"), 64}};
  for (const auto& [status, exit_code] : kRefusals) {
    bench_.submit_status = status;
    EXPECT_EQ(bench_.Run(Submit()), exit_code);
    EXPECT_EQ(bench_.Run(On({"run", "./j.so", "-i", "a", "-o", "b"})), exit_code);
    EXPECT_THAT(bench_.err, HasSubstr(status.message()));
    bench_.answer = [status = status](const wire::Request&) -> Result<wire::Reply> {
      return status;
    };
    EXPECT_EQ(bench_.Run(On({"cluster", "status"})), exit_code);
    EXPECT_EQ(bench_.Run(On({"jobs", "list"})), exit_code);
    EXPECT_EQ(bench_.Run(On({"jobs", "kill", kJobId})), exit_code);
    EXPECT_EQ(bench_.out, "");
  }
}

TEST_F(ClusterCommandTest, JobsListAsksForWhatIsWanted) {
  EXPECT_EQ(bench_.Run(On({"jobs", "list"})), 0) << bench_.err;
  EXPECT_FALSE(bench_.asked.at(0).jobs().all());
  EXPECT_EQ(bench_.asked.at(0).jobs().limit(), 50u);
  EXPECT_THAT(bench_.out, HasSubstr(kJobId));
  EXPECT_EQ(bench_.Run(On({"jobs", "list", "--all", "--limit", "9", "--json"})), 0);
  EXPECT_TRUE(bench_.asked.at(1).jobs().all());
  EXPECT_EQ(bench_.asked.at(1).jobs().limit(), 9u);
  EXPECT_THAT(nlohmann::json::parse(bench_.out)["jobs"], SizeIs(5));
}

TEST_F(ClusterCommandTest, AJobThatIsNotThereIsNamed) {
  for (const char* verb : {"status", "wait", "logs", "kill"}) {
    EXPECT_EQ(bench_.Run(On({"jobs", verb, "nothing"})), 66) << verb;
    EXPECT_THAT(bench_.err, HasSubstr("no job 'nothing'")) << verb;
    EXPECT_EQ(bench_.Run(On({"jobs", verb})), 64) << verb;
    EXPECT_THAT(bench_.err, HasSubstr("which job?")) << verb;
  }
}

TEST_F(ClusterCommandTest, WaitExitsAsTheJobDid) {
  const std::pair<Status, int> kEnds[] = {{OkStatus(), 0},
                                          {UserCodeError("WordMapper threw"), 1},
                                          {Cancelled("killed"), 130},
                                          {ResourceExhausted("the disk is full"), 74}};
  for (const auto& [status, exit_code] : kEnds) {
    int questions = 0;
    bench_.answer = [&questions, status = status](const wire::Request&) -> Result<wire::Reply> {
      wire::Reply reply;
      *reply.mutable_job() = SampleRunningJob();
      if (++questions < 4) return reply;
      reply.mutable_job()->set_ended(true);
      *reply.mutable_job()->mutable_status() = ToWire(status);
      return reply;
    };
    EXPECT_EQ(bench_.Run(On({"jobs", "wait", kJobId})), exit_code);
    EXPECT_EQ(questions, 4);
    EXPECT_THAT(bench_.err, HasSubstr(status.message()));
  }
}

TEST_F(ClusterCommandTest, LogsArePrintedPageByPageUntilTheJobEnds) {
  const Words kLines = {"a", "b", "c \x1b[31m", "d", "e"};
  std::size_t written = 2;
  bench_.answer = [&](const wire::Request& request) -> Result<wire::Reply> {
    wire::Reply reply;
    if (request.has_job()) {
      reply.mutable_job()->set_ended(written == kLines.size());
      return reply;
    }
    for (std::size_t i = request.logs().after(); i < std::min(written, request.logs().after() + 2);
         ++i)
      reply.mutable_logs()->add_lines(kLines[i]);
    reply.mutable_logs()->set_next(request.logs().after() +
                                   static_cast<std::uint64_t>(reply.logs().lines_size()));
    if (reply.logs().lines().empty()) written = std::min(written + 2, kLines.size());
    return reply;
  };
  EXPECT_EQ(bench_.Run(On({"jobs", "logs", kJobId})), 0) << bench_.err;
  EXPECT_EQ(bench_.out, "a\nb\n");
  written = 2;
  EXPECT_EQ(bench_.Run(On({"jobs", "logs", kJobId, "-f"})), 0) << bench_.err;
  EXPECT_EQ(bench_.out, "a\nb\nc ?[31m\nd\ne\n");
  EXPECT_EQ(bench_.Run(On({"jobs", "logs", kJobId, "--json"})), 0) << bench_.err;
  EXPECT_THAT(bench_.out, HasSubstr("{\"line\":\"a\"}\n"));
}

TEST_F(ClusterCommandTest, KillWaitsForTheEnd) {
  bool killed = false;
  bench_.answer = [&](const wire::Request& request) -> Result<wire::Reply> {
    wire::Reply reply;
    *reply.mutable_job() = SampleRunningJob();
    if (request.has_kill()) {
      EXPECT_EQ(request.kill().reason(), "wrong input");
      killed = true;
    }
    reply.mutable_job()->set_ended(killed);
    if (killed) *reply.mutable_job()->mutable_status() = ToWire(Cancelled("killed"));
    return reply;
  };
  EXPECT_EQ(bench_.Run(On({"jobs", "kill", kJobId, "--reason", "wrong input"})), 0);
  EXPECT_TRUE(killed);
  EXPECT_THAT(bench_.err, HasSubstr(std::string(kJobId) + ": killed"));
}

TEST_F(ClusterCommandTest, KeysAreReadFromTheirDirectory) {
  const KeyFiles files;
  EXPECT_EQ(bench_.Run({"cluster", "status", "--on", "head:7077", "--keys", files.keys()}), 0)
      << bench_.err;
  const ClientOptions& client = bench_.dialled.at(0);
  EXPECT_EQ(client.endpoint, "tcp://head:7077");
  const KeyDirectory keys(files.keys());
  EXPECT_EQ(client.keys.public_key, keys.Load("submitter")->public_key);
  EXPECT_EQ(client.server_key, *keys.CoordinatorKey());
  EXPECT_EQ(bench_.Run({"cluster", "status", "--on", "head:7077", "--keys", files.keys(), "--key",
                        "viewer"}),
            0);
  EXPECT_EQ(bench_.dialled.at(1).keys.public_key, keys.Load("viewer")->public_key);
  EXPECT_EQ(bench_.Run({"cluster", "status", "--on", "head:7077", "--keys", files.keys(), "--key",
                        "nobody"}),
            66);
  EXPECT_THAT(bench_.err, HasSubstr("nobody"));
}

TEST_F(ClusterCommandTest, SecretsThatOthersCanReadAreRefused) {
  const KeyFiles files;
  boost::filesystem::permissions(files.keys() + "/submitter.secret",
                                 boost::filesystem::add_perms | boost::filesystem::group_read);
  EXPECT_EQ(bench_.Run({"cluster", "status", "--on", "head:7077", "--keys", files.keys()}), 77);
  EXPECT_THAT(bench_.err, HasSubstr("chmod"));
  EXPECT_THAT(bench_.dialled, IsEmpty());
}

TEST_F(ClusterCommandTest, DaemonsAreGivenTheirOptions) {
  const KeyFiles files;
  bench_.daemon_end = Unavailable("the port is in use");
  EXPECT_EQ(
      bench_.Run({"coordinator", "--listen", "*:7077", "--journal", "/j", "--keys", files.keys(),
                  "--slots", "2", "--memory", "512M", "--spill-dir", "/s", "--log", "/l"}),
      75)
      << bench_.err;
  const CoordinatorOptions& coordinator = bench_.coordinators.at(0);
  EXPECT_EQ(coordinator.listen, "tcp://*:7077");
  EXPECT_EQ(coordinator.journal_dir, "/j");
  EXPECT_EQ(coordinator.keys_dir, files.keys());
  EXPECT_FALSE(coordinator.insecure);
  EXPECT_EQ(coordinator.slots, 2u);
  EXPECT_EQ(coordinator.memory_bytes, 512u << 20);
  EXPECT_THAT(coordinator.spill_dirs, ElementsAre("/s"));
  EXPECT_EQ(coordinator.log_path, "/l");

  EXPECT_EQ(
      bench_.Run({"worker", "--coordinator",  "head:7077", "--keys",  files.keys(), "--spill-dir",
                  "/a",     "--spill-dir",    "/b",        "--slots", "3",          "--memory",
                  "2G",     "--name",         "w1",        "--host",  "h1",         "--rack",
                  "r1",     "--fetch-listen", "10.0.0.7:0"}),
      75)
      << bench_.err;
  const WorkerOptions& worker = bench_.workers.at(0);
  EXPECT_EQ(worker.coordinator.endpoint, "tcp://head:7077");
  EXPECT_EQ(worker.coordinator.keys.public_key,
            KeyDirectory(files.keys()).Load("worker")->public_key);
  EXPECT_FALSE(worker.insecure);
  EXPECT_THAT(worker.spill_dirs, ElementsAre("/a", "/b"));
  EXPECT_EQ(worker.slots, 3u);
  EXPECT_EQ(worker.memory_bytes, std::uint64_t{2} << 30);
  EXPECT_EQ(worker.name, "w1");
  EXPECT_EQ(worker.host, "h1");
  EXPECT_EQ(worker.rack, "r1");
  EXPECT_EQ(worker.fetch_listen, "tcp://10.0.0.7:0");
}

TEST_F(ClusterCommandTest, AWorkerSizesItselfAndPathsBecomeAbsolute) {
  EXPECT_EQ(bench_.Run({"worker", "--coordinator", "localhost:7077", "--insecure", "--spill-dir",
                        "spill"}),
            0)
      << bench_.err;
  const WorkerOptions& worker = bench_.workers.at(0);
  EXPECT_GE(worker.slots, 1u);
  EXPECT_GE(worker.memory_bytes, 1u << 20);
  EXPECT_TRUE(worker.insecure);
  EXPECT_TRUE(worker.coordinator.keys.empty());
  EXPECT_EQ(worker.host, "node7");
  EXPECT_THAT(worker.name, HasSubstr("node7-"));
  EXPECT_TRUE(worker.spill_dirs.at(0).starts_with("/"));
  EXPECT_EQ(worker.fetch_listen, "");
}

TEST_F(ClusterCommandTest, MistakesAreAnsweredAsReviewed) {
  const Words kMistakes[] = {
      {"cluster", "status"},
      {"cluster", "status", "--on", "head"},
      {"cluster", "status", "--on", "head:7077"},
      {"cluster", "status", "--on", "head:7077", "--insecure"},
      {"cluster", "status", "--on", "localhost:7077"},
      {"cluster", "status", "--on", "h:1", "--keys", "k", "--insecure"},
      {"submit", "./j.so", "-i", "a", "-o", "b"},
      {"submit", "./j.so", "-i", "a"},
      {"submit", "./j.so", "-i", "a", "-o", "b", "--on", "local"},
      Submit({"--submission-key", "a\nb"}),
      Submit({"--priority", "0"}),
      Submit({"--memory", "1G"}),
      Submit({"--place", "/data"}),
      {"jobs"},
      {"jobs", "lits"},
      {"jobs", "status", "a", "b"},
      {"coordinator"},
      {"coordinator", "--listen", "*:7077", "--journal", "/j"},
      {"coordinator", "--listen", "*:7077", "--journal", "/j", "--insecure"},
      {"coordinator", "--listen", "127.0.0.1:0", "--journal", "/j", "--insecure", "--lease", "0"},
      {"coordinator", "--listen", "127.0.0.1:0", "--journal", "/j", "--insecure", "--slots", "1"},
      {"coordinator", "--listen", "127.0.0.1:0", "--journal", "/j", "--insecure", "--spill-dir",
       "/s"},
      {"worker"},
      {"worker", "--coordinator", "*:7077", "--spill-dir", "/s", "--insecure"},
      {"worker", "--coordinator", "head:7077", "--spill-dir", "/s", "--insecure"},
      {"worker", "--coordinator", "localhost:7077", "--spill-dir", "/s", "--spill-dir", "/s",
       "--insecure"},
      {"worker", "--coordinator", "localhost:7077", "--spill-dir", "/s", "--insecure", "--name",
       "a b"},
      {"worker", "--coordinator", "localhost:7077", "--spill-dir", "/s", "--insecure",
       "--fetch-listen", "*:0"},
      {"worker", "--coordinator", "localhost:7077", "--spill-dir", "/s", "--insecure", "--slots",
       "0"},
  };
  std::string answers;
  for (const Words& words : kMistakes) {
    CommandBench bench;
    EXPECT_EQ(bench.Run(words), 64) << bench.err;
    EXPECT_EQ(bench.out, "");
    EXPECT_EQ(bench.runs, 0);
    EXPECT_THAT(bench.coordinators, IsEmpty());
    EXPECT_THAT(bench.workers, IsEmpty());
    answers += "spillway";
    for (const std::string& word : words) answers += " " + word;
    answers += "\n" + bench.err + "\n";
  }
  ExpectGolden("cluster_mistakes.txt", answers);
}

}  // namespace
}  // namespace spillway
