// Sessions of workers, and whose they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/protocol/wire_values.h"
#include "tests/runtime/coordinator/machine_bench.h"

namespace spillway {
namespace {

using ::testing::HasSubstr;

/// A worker with a key, as the machine hears it.
class Speaker {
 public:
  Speaker(MachineBench& bench, std::string peer, std::string key, std::uint64_t incarnation)
      : bench_(bench), peer_(std::move(peer)), key_(std::move(key)), incarnation_(incarnation) {}

  wire::Registered Register(Role role = Role::kWorker, std::uint64_t epoch = 0) {
    wire::Message message;
    wire::Register& details = *message.mutable_register_();
    details.set_incarnation(incarnation_);
    details.set_registration(++registrations_);
    details.set_version_min(kProtocolVersionMin);
    details.set_version_max(kProtocolVersion);
    details.set_slots(2);
    details.set_epoch(epoch);
    details.set_name(peer_);
    details.set_host("h");
    bench_.machine.OnFrame(peer_, role, LoneFrame(message), bench_.now, key_);
    bench_.Take();
    return bench_.said[peer_].empty() ? wire::Registered() : bench_.said[peer_].back().registered();
  }

  void Beat(std::uint64_t session, Role role = Role::kWorker) {
    wire::Frame frame;
    frame.set_version(kProtocolVersion);
    frame.set_session(session);
    bench_.machine.OnFrame(peer_, role, frame.SerializeAsString(), bench_.now, key_);
    bench_.Take();
  }

 private:
  MachineBench& bench_;
  const std::string peer_;
  const std::string key_;
  const std::uint64_t incarnation_;
  std::uint64_t registrations_ = 0;
};

TEST(WorkerSessions, ARevokedKeyEndsThoseThatItOpenedAndNoOther) {
  MachineBench bench(true);
  Speaker one(bench, "one", "key-1", 11), two(bench, "two", "key-2", 22);
  const auto session = one.Register().session();
  two.Register();
  ASSERT_EQ(bench.machine.ViewCluster().workers_size(), 2);
  bench.machine.RevokeKey("key-1", bench.now);
  bench.Take();
  ASSERT_EQ(bench.machine.ViewCluster().workers_size(), 1);
  EXPECT_EQ(bench.machine.ViewCluster().workers(0).name(), "two");

  bench.said.clear();
  one.Beat(session, Role::kNone);
  ASSERT_EQ(bench.said["one"].size(), 1u);
  EXPECT_TRUE(bench.said["one"].back().has_register_again());
  const wire::Registered refused = one.Register(Role::kNone);
  EXPECT_EQ(FromWire(refused.refused()).code(), Code::kPermissionDenied);
  EXPECT_THAT(FromWire(refused.refused()).message(), HasSubstr("revoked"));
  EXPECT_EQ(bench.machine.ViewCluster().workers_size(), 1);
}

TEST(WorkerSessions, FramesUnderAnotherKeyDoNotCount) {
  MachineBench bench(true);
  Speaker worker(bench, "one", "key-1", 11), thief(bench, "thief", "key-2", 11);
  const auto session = worker.Register().session();
  ASSERT_NE(session, 0u);
  // Its lease would be renewed, and what is for it would be sent to the thief.
  const std::uint64_t lease_ms = CoordinatorMachineOptions().scheduler.lease_ms;
  bench.now += lease_ms - 1;
  thief.Beat(session);
  EXPECT_TRUE(bench.said["thief"].empty());
  bench.now += 1;
  bench.machine.Tick(bench.now);
  bench.Take();
  EXPECT_EQ(bench.machine.ViewCluster().workers_size(), 0);
}

TEST(WorkerSessions, NobodyTakesAProcessOverUnderAnotherKey) {
  MachineBench bench(true);
  Speaker worker(bench, "one", "key-1", 11), thief(bench, "thief", "key-2", 11);
  worker.Register();
  EXPECT_EQ(FromWire(thief.Register().refused()).code(), Code::kPermissionDenied);
  EXPECT_EQ(bench.machine.ViewCluster().workers(0).name(), "one");
}

// Found by the simulation: the end of its first epoch, which is journalled behind the beginning of
// the second, made a new coordinator forget it, and its maps ran again.
TEST(WorkerSessions, AWorkerThatRegisteredTwiceIsKnownAfterARestart) {
  MachineBench before;
  Speaker worker(before, "w1", "", 11);
  worker.Register();  // The answer is lost, so that it comes again without an epoch.
  const wire::Registered joined = worker.Register();
  ASSERT_EQ(joined.epoch(), 2u);

  MachineBench after;
  for (const std::string& record : before.records) ASSERT_TRUE(after.machine.Restore(record).ok());
  after.machine.Resume(after.now);
  Speaker again(after, "w1", "", 11);
  const wire::Registered resumed = again.Register(Role::kWorker, joined.epoch());
  EXPECT_EQ(resumed.worker(), joined.worker());
  EXPECT_EQ(resumed.epoch(), joined.epoch());
}

TEST(WorkerSessions, LostWorkersAreInTheLogsOfJobsThatRun) {
  MachineBench bench;
  bench.Submit("c", SampleSpec(2, 1));
  bench.Open();
  Speaker worker(bench, "w1", "", 11);
  worker.Register();
  bench.now += CoordinatorMachineOptions().scheduler.lease_ms;
  bench.machine.Tick(bench.now);
  bench.Take();
  wire::Request logs;
  logs.mutable_logs()->set_job_id(bench.LastReply("c").submitted().job_id());
  bench.Ask("l", logs);
  const wire::LogLines answer = bench.LastReply("l").logs();
  ASSERT_GT(answer.lines_size(), 0);
  EXPECT_THAT(
      answer.lines(answer.lines_size() - 1),
      ::testing::MatchesRegex("2027-01-15T08:00:10.000Z worker 1 .w1 on h, pid 0. is lost: .*"));
}

}  // namespace
}  // namespace spillway
