#include "runtime/worker/executor_process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>

#include "mapreduce/base/units.h"
#include "runtime/protocol/frame.h"
#include "runtime/transport/socket.h"
#include "runtime/worker/executor.h"
#include "tests/places.h"
#include "tests/runtime/worker/engine_fixture.h"

namespace spillway {
namespace {

using testing::AllOf;
using testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

/// What a worker's daemon does for one executor: a socket, a process, messages both ways.
class Daemon {
 public:
  /// Under sanitizers the program alone takes some 80 MiB.
  Daemon(TestJob& job, std::uint32_t slots, std::uint64_t memory_bytes = 512 * kMiB) : job_(job) {
    ServerOptions options;
    options.endpoint = "ipc://" + job.dir() + "/daemon";
    server_ = ServerSocket::Bind(context_, options).value();
    output_ = UniqueFd(::open((job.dir() + "/output").c_str(), O_WRONLY | O_CREAT, 0600));
    process_ = ExecutorProcess::Start({.program = BuildPath("bin/spillway"),
                                       .endpoint = options.endpoint,
                                       .job = kTestJob,
                                       .slots = slots,
                                       .output_fd = output_.get()})
                   .value();
    poller_.Add(*server_);
    poller_.AddFd(process_->end_fd());
    if (!AwaitKind(wire::Message::kExecutorReady).has_value()) return;
    wire::Message setup;
    wire::ExecutorSetup& s = *setup.mutable_executor_setup();
    *s.mutable_job() = job.start;
    s.set_slots(slots);
    s.mutable_memory()->set_bytes(memory_bytes);
    s.mutable_memory()->set_executors(1);
    s.add_scratch_dirs(job.scratch());
    s.set_host("here");
    s.set_worker(1);
    Send(setup);
    wire::Message place;
    place.mutable_worker_place()->set_worker(1);
    place.mutable_worker_place()->set_host("here");
    place.mutable_worker_place()->add_scratch_dirs(job.scratch());
    Send(place);
  }

  void Send(const wire::Message& message) {
    TransportMessage frame;
    frame.header = MessageBuffer::Copy(LoneFrame(message));
    EXPECT_TRUE(server_->Send(peer_, std::move(frame)).ok());
  }

  /// The next message of this kind; others are dropped. Nothing when the process ended before.
  std::optional<wire::Message> AwaitKind(wire::Message::KindCase kind) {
    for (int waits = 0; waits < 600; ++waits) {
      while (!arrived_.empty()) {
        wire::Message message = std::move(arrived_.front());
        arrived_.pop_front();
        if (message.kind_case() == kind) return message;
      }
      const bool receiving = Receive();
      if (receiving) continue;
      if (ended_) return std::nullopt;
      for (const std::size_t item : poller_.Wait(std::chrono::milliseconds(50)))
        ended_ = ended_ || item == 1;
    }
    ADD_FAILURE() << "the message never came";
    return std::nullopt;
  }

  ExecutorEnd AwaitEnd() {
    while (true) {
      if (auto end = process_->Reap(job_.files)) return *end;
      poller_.Wait(std::chrono::milliseconds(50));
      Receive();
    }
  }

  ExecutorProcess& process() { return *process_; }

 private:
  bool Receive() {
    bool any = false;
    while (auto incoming = server_->Receive()) {
      any = true;
      peer_ = incoming->peer;
      const auto frame = ParseFrame(incoming->message.header.view());
      if (!frame.ok()) continue;
      for (const std::string& text : frame->messages())
        if (auto message = ParseMessage(text); message.ok()) arrived_.push_back(*message);
    }
    return any;
  }

  TestJob& job_;
  TransportContext context_;
  std::unique_ptr<ServerSocket> server_;
  UniqueFd output_;
  std::unique_ptr<ExecutorProcess> process_;
  Poller poller_;
  PeerId peer_;
  std::deque<wire::Message> arrived_;
  bool ended_ = false;
};

const wire::AttemptFailed& FailureOf(const ExecutorEnd& end) {
  static const wire::AttemptFailed none;
  EXPECT_EQ(end.ends.size(), 1u) << end.how;
  return end.ends.size() == 1 ? end.ends[0].attempt_failed() : none;
}

TEST(ExecutorProcessTest, RunsAJob) {
  const CountedLines lines(3);
  TestJob job(TestPlugin("faulty"), {"well"}, lines.text, 4, 1);
  Daemon daemon(job, 2);
  daemon.Send(job.StartReduce(job.Reduce(0)));
  for (std::uint32_t map = 0; map < 4; ++map) daemon.Send(job.StartMap(job.Map(map)));
  for (int i = 0; i < 4; ++i) {
    const auto done = daemon.AwaitKind(wire::Message::kMapDone);
    ASSERT_TRUE(done.has_value());
    daemon.Send(job.Available(job.Reduce(0), {FromWire(done->map_done().attempt())}));
  }
  const auto request = daemon.AwaitKind(wire::Message::kCommitRequest);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->commit_request().part().bytes(), lines.expected.size());
  EXPECT_EQ(job.ReadPart(0), lines.expected);
  wire::Message exit;
  exit.mutable_executor_exit();
  daemon.Send(exit);
  const ExecutorEnd end = daemon.AwaitEnd();
  EXPECT_TRUE(end.expected) << end.how;
  EXPECT_TRUE(end.ends.empty());
  EXPECT_TRUE(job.HasPart(0));
}

TEST(ExecutorProcessTest, APluginThatDoesNotLoadIsSaidWithItsReason) {
  TestJob job("/nowhere/plugin.so", {}, "a\n", 1, 1);
  Daemon daemon(job, 1);
  const auto ready = daemon.AwaitKind(wire::Message::kExecutorReady);
  ASSERT_TRUE(ready.has_value());
  EXPECT_EQ(FromWire(ready->executor_ready().status()).code(), Code::kNotFound);
  EXPECT_THAT(ready->executor_ready().status().message(), HasSubstr("/nowhere/plugin.so"));
}

struct Death {
  const char* how;
  Code code;
  const char* text;
};
void PrintTo(const Death& death, std::ostream* out) { *out << death.how; }

class ExecutorDeathTest : public testing::TestWithParam<Death> {};

// The record BOOM is at offset 8.
TEST_P(ExecutorDeathTest, NamesTheRecord) {
  const std::string how = GetParam().how;
  if (kSanitized && (how == "null" || how == "divide"))
    GTEST_SKIP() << "the sanitizers end the process before it crashes";
  TestJob job(TestPlugin("faulty"), {GetParam().how}, "one\ntwo\nBOOM\nfour\n", 1, 1);
  Daemon daemon(job, 2);
  daemon.Send(job.StartMap(job.Map(0, 3)));
  const ExecutorEnd end = daemon.AwaitEnd();
  EXPECT_FALSE(end.expected);
  const wire::AttemptFailed& failed = FailureOf(end);
  EXPECT_EQ(FromWire(failed.attempt()), job.Map(0, 3));
  EXPECT_EQ(FromWire(failed.status()).code(), GetParam().code);
  EXPECT_THAT(failed.status().message(),
              AllOf(HasSubstr("Faulty "), HasSubstr(GetParam().text),
                    HasSubstr(" at " + job.input_path() + ":8, record 'BOOM'")));
  EXPECT_EQ(FromWire(failed.record().place()), (RecordPlace{3, 8}));
  EXPECT_EQ(failed.record().path(), job.input_path());
}

INSTANTIATE_TEST_SUITE_P(Ways, ExecutorDeathTest,
                         testing::Values(Death{"abort", Code::kUserCode, "aborted (SIGABRT)"},
                                         Death{"segv", Code::kUserCode, "SIGSEGV"},
                                         Death{"null", Code::kUserCode, "SIGSEGV"},
                                         Death{"overflow", Code::kUserCode, "SIGSEGV"},
                                         Death{"divide", Code::kUserCode, "SIGFPE"},
                                         Death{"terminate", Code::kUserCode, "SIGABRT"},
                                         Death{"exit", Code::kUserCode, "called exit()"},
                                         Death{"_exit", Code::kUserCode, "by _exit(3)"},
                                         Death{"_exit-0", Code::kUserCode, "by _exit(0)"},
                                         Death{"kill", Code::kAborted,
                                               "was killed with its process (SIGKILL"}));

TEST(ExecutorProcessTest, AThrowFailsTheAttemptAndTheProcessGoesOn) {
  TestJob job(TestPlugin("faulty"), {"throw"}, "one\ntwo\nBOOM\nfour\n", 1, 1);
  Daemon daemon(job, 1);
  for (std::uint32_t attempt = 0; attempt < 3; ++attempt) {
    daemon.Send(job.StartMap(job.Map(0, attempt)));
    const auto failed = daemon.AwaitKind(wire::Message::kAttemptFailed);
    ASSERT_TRUE(failed.has_value());
    EXPECT_THAT(failed->attempt_failed().status().message(),
                HasSubstr(job.input_path() + ":8, record 'BOOM'"));
  }
}

TEST(ExecutorProcessTest, AllocatingWithoutEndFailsWithThePlace) {
  if (kSanitized) GTEST_SKIP() << "the sanitizers' allocators end the process instead of throwing";
  TestJob job(TestPlugin("faulty"), {"allocate"}, "one\ntwo\nBOOM\nfour\n", 1, 1);
  Daemon daemon(job, 1);
  daemon.Send(job.StartMap(job.Map(0)));
  const auto failed = daemon.AwaitKind(wire::Message::kAttemptFailed);
  ASSERT_TRUE(failed.has_value());
  EXPECT_EQ(FromWire(failed->attempt_failed().status()).code(), Code::kUserCode);
  EXPECT_THAT(failed->attempt_failed().status().message(),
              AllOf(HasSubstr("bad_alloc"), HasSubstr(job.input_path() + ":8, record 'BOOM'")));
}

TEST(ExecutorProcessTest, ALoopIsFoundNamedAndReplaced) {
  TestJob job(TestPlugin("faulty"), {"hang"}, "one\ntwo\nBOOM\nfour\n", 1, 1);
  job.start.mutable_spec()->mutable_limits()->set_task_timeout_ms(300);
  Daemon daemon(job, 1);
  daemon.Send(job.StartMap(job.Map(0)));
  const auto failed = daemon.AwaitKind(wire::Message::kAttemptFailed);
  ASSERT_TRUE(failed.has_value());
  EXPECT_EQ(FromWire(failed->attempt_failed().status()).code(), Code::kAborted);
  EXPECT_THAT(
      failed->attempt_failed().status().message(),
      HasSubstr("made no progress for 300 ms at " + job.input_path() + ":8, record 'BOOM'"));
  const ExecutorEnd end = daemon.AwaitEnd();
  EXPECT_TRUE(end.ends.empty());  // It was told already.
}

/// Two maps, each waiting at its GATE.
struct TwoAtTheGate {
  TwoAtTheGate() : job(TestPlugin("faulty"), {"-"}, "one\nGATE\nGATE\n", 2, 1) {
    gate = job.dir() + "/gate";
    job.start.mutable_spec()->set_args(0, "map-gate:" + gate);
    daemon.emplace(job, 2);
    for (std::uint32_t map = 0; map < 2; ++map) {
      const Status ignored = job.files.Remove(gate + ".waiting");
      daemon->Send(job.StartMap(job.Map(map)));
      while (!job.files.Stat(gate + ".waiting").ok()) {
      }
    }
  }
  TestJob job;
  std::string gate;
  std::optional<Daemon> daemon;
};

TEST(ExecutorProcessTest, AKillFromOutsideNamesAllThatRan) {
  TwoAtTheGate two;
  ASSERT_EQ(::kill(two.daemon->process().pid(), SIGKILL), 0);
  const ExecutorEnd end = two.daemon->AwaitEnd();
  EXPECT_FALSE(end.expected);
  ASSERT_EQ(end.ends.size(), 2u);
  std::vector<std::string> places;
  for (const wire::Message& message : end.ends) {
    const wire::AttemptFailed& failed = message.attempt_failed();
    EXPECT_EQ(FromWire(failed.status()).code(), Code::kAborted);
    EXPECT_THAT(failed.status().message(), HasSubstr(", record 'GATE'"));
    places.push_back(failed.record().path() + ":" +
                     std::to_string(failed.record().place().offset()));
  }
  EXPECT_THAT(places, testing::UnorderedElementsAre(two.job.input_path() + ":4",
                                                    two.job.input_path() + ":9"));
}

TEST(ExecutorProcessTest, AKillByTheDaemonBlamesNobody) {
  TwoAtTheGate two;
  two.daemon->process().Kill();
  const ExecutorEnd end = two.daemon->AwaitEnd();
  EXPECT_TRUE(end.expected);
  EXPECT_TRUE(end.ends.empty());
  EXPECT_EQ(::kill(two.daemon->process().pid(), 0), -1);
}

/// How an executor ended in which map 0 waited at its gate while map 1 did `how`.
ExecutorEnd EndBeside(const std::string& how) {
  TestJob job(TestPlugin("faulty"), {"-"}, "one\nGATE\ntwo\nBOOM\n", 2, 1);
  const std::string gate = job.dir() + "/gate";
  job.start.mutable_spec()->set_args(0, "map-gate:" + gate + "!" + how);
  Daemon daemon(job, 2);
  daemon.Send(job.StartMap(job.Map(0)));
  while (!job.files.Stat(gate + ".waiting").ok()) {
  }
  daemon.Send(job.StartMap(job.Map(1)));
  return daemon.AwaitEnd();
}

TEST(ExecutorProcessTest, ACulpritLeavesTheOthersInnocent) {
  for (const char* how : {"segv", "exit", "abort"}) {
    const ExecutorEnd end = EndBeside(how);
    const wire::AttemptFailed& failed = FailureOf(end);
    EXPECT_EQ(failed.attempt().task(), 1u);
    EXPECT_THAT(failed.status().message(), HasSubstr(", record 'BOOM'"));
  }
}

TEST(ExecutorProcessTest, AnUnknownCulpritIsOneOfAll) {
  const ExecutorEnd end = EndBeside("_exit");
  ASSERT_EQ(end.ends.size(), 2u);
  for (const wire::Message& message : end.ends) {
    EXPECT_EQ(FromWire(message.attempt_failed().status()).code(), Code::kAborted);
    EXPECT_THAT(message.attempt_failed().status().message(),
                HasSubstr("by _exit(3) (or a task beside it did)"));
  }
}

// What a worker's end does to its executors, however sudden it is.
TEST(ExecutorProcessTest, DiesWithItsDaemon) {
  TestJob job(TestPlugin("faulty"), {"well"}, "one\n", 1, 1);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, 0), 0);  // The executor inherits it: its end closes the last writer.
  const pid_t daemon = ::fork();
  if (daemon == 0) {
    ::close(ends[0]);
    Daemon running(job, 1);  // It has said that it is ready.
    const pid_t pid = running.process().pid();
    static_cast<void>(!::write(ends[1], &pid, sizeof pid));
    ::pause();
  }
  ::close(ends[1]);
  pid_t executor = 0;
  ASSERT_EQ(::read(ends[0], &executor, sizeof executor), static_cast<ssize_t>(sizeof executor));
  ASSERT_GT(executor, 0);
  ASSERT_EQ(::kill(daemon, SIGKILL), 0);
  ASSERT_EQ(::waitpid(daemon, nullptr, 0), daemon);
  char rest = 0;
  EXPECT_EQ(::read(ends[0], &rest, 1), 0);  // Waits for the executor's end.
  ::close(ends[0]);
}

}  // namespace
}  // namespace spillway
