#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/protocol/wire_values.h"
#include "tests/runtime/coordinator/machine_bench.h"

namespace spillway {
namespace {

using ::testing::HasSubstr;

Code CodeOf(const wire::Reply& reply) { return FromWire(reply.status()).code(); }

TEST(ClientRequests, AJobIsAcceptedWhenItsOutputIsOpen) {
  MachineBench bench;
  bench.Submit("c", SampleSpec(2, 1));
  EXPECT_TRUE(bench.said["c"].empty());
  ASSERT_EQ(bench.outputs.size(), 1u);
  EXPECT_EQ(bench.records.size(), 1u) << "it is journalled before anything is made";
  bench.Open();
  EXPECT_THAT(bench.LastReply("c").submitted().job_id(), HasSubstr("-0001"));
}

// Else a power cut takes the job's beginning, and the attempts that workers had are numbered again.
TEST(ClientRequests, AJobThatBeginsIsDurable) {
  MachineBench bench;
  bench.Submit("c", SampleSpec(1, 1));
  bench.machine.OnOutputDone(bench.outputs.at(0), OkStatus(), "/staging", bench.now);
  EXPECT_TRUE(bench.machine.TakeEffects(bench.now).durable);
}

TEST(ClientRequests, AnOutputThatCannotBeOpenedIsTheSubmittersAnswer) {
  MachineBench bench;
  bench.Submit("c", SampleSpec(2, 1));
  bench.Open(AlreadyExists("the output exists"));
  EXPECT_EQ(CodeOf(bench.LastReply("c")), Code::kAlreadyExists);
  EXPECT_FALSE(bench.machine.has_jobs());
}

TEST(ClientRequests, ASubmissionKeyNamesOneJob) {
  MachineBench bench;
  wire::JobSpec spec = SampleSpec(1, 1);
  spec.set_submission_key("nightly");
  bench.Submit("a", spec, 1);
  bench.Open();
  bench.Submit("b", spec, 2);
  EXPECT_TRUE(bench.LastReply("b").submitted().reattached());
  EXPECT_EQ(bench.LastReply("b").submitted().job_id(), bench.LastReply("a").submitted().job_id());
}

TEST(ClientRequests, TheKeyOfAFailedOrKilledJobIsFreeAgain) {
  MachineBench bench;
  wire::JobSpec spec = SampleSpec(1, 1);
  spec.set_submission_key("nightly");
  bench.Submit("a", spec, 1);
  bench.Open(PermissionDenied("the output cannot be made"));
  bench.Submit("b", spec, 2);
  bench.Open();
  EXPECT_FALSE(bench.LastReply("b").submitted().reattached()) << "the first had failed";
  EXPECT_THAT(bench.LastReply("b").submitted().job_id(), HasSubstr("-0002"));

  wire::Request kill;
  kill.mutable_kill()->set_job_id(bench.LastReply("b").submitted().job_id());
  bench.Ask("k", kill);
  bench.Submit("c", spec, 3);
  bench.Open();
  EXPECT_FALSE(bench.LastReply("c").submitted().reattached()) << "the second was killed";
  EXPECT_THAT(bench.LastReply("c").submitted().job_id(), HasSubstr("-0003"));
  bench.Submit("d", spec, 4);
  EXPECT_TRUE(bench.LastReply("d").submitted().reattached());
  EXPECT_THAT(bench.LastReply("d").submitted().job_id(), HasSubstr("-0003"));
}

TEST(ClientRequests, TheKeyOfAJobThatIsBeingKilledMustWait) {
  MachineBench bench;
  wire::JobSpec spec = SampleSpec(1, 1);
  spec.set_submission_key("nightly");
  bench.Submit("a", spec, 1);
  wire::Request list;
  list.mutable_jobs();
  bench.Ask("l", list);
  wire::Request kill;
  kill.mutable_kill()->set_job_id(bench.LastReply("l").jobs().jobs(0).job_id());
  bench.Ask("k", kill);
  bench.Submit("b", spec, 2);
  EXPECT_EQ(CodeOf(bench.LastReply("b")), Code::kAlreadyExists);
  EXPECT_THAT(bench.LastReply("b").status().message(), HasSubstr("is being killed"));
}

TEST(ClientRequests, AKeyThatAClientMadeUpNamesItsJobWhateverBecameOfIt) {
  MachineBench bench;
  wire::JobSpec spec = SampleSpec(1, 1);
  spec.set_submission_key(std::string(kOwnKeyPrefix) + "1");
  bench.Submit("a", spec, 1);
  bench.Open(PermissionDenied("the output cannot be made"));
  bench.Submit("a", spec, 2);
  EXPECT_TRUE(bench.LastReply("a").submitted().reattached());
}

TEST(ClientRequests, AfterARestartAKeyNamesTheLastJobThatHadIt) {
  MachineBench bench;
  for (const char* number : {"2", "3", "1"}) {
    wire::JobState state;
    state.set_job_id(std::string("20270115-080000-000") + number);
    state.set_submission_key("nightly");
    state.set_ended(true);
    *state.mutable_status() = ToWire(std::string(number) == "3" ? OkStatus() : Cancelled("killed"));
    bench.machine.RestoreEnded(state.SerializeAsString());
  }
  wire::JobSpec spec = SampleSpec(1, 1);
  spec.set_submission_key("nightly");
  bench.Submit("a", spec, 1);
  EXPECT_TRUE(bench.LastReply("a").submitted().reattached());
  EXPECT_THAT(bench.LastReply("a").submitted().job_id(), HasSubstr("-0003"));
}

TEST(ClientRequests, AnOutputIsThatOfOneJobUntilItIsOver) {
  MachineBench bench;
  bench.Submit("a", SampleSpec(1, 1), 1);
  bench.Open();
  wire::JobSpec same = SampleSpec(1, 1);
  same.set_output_dir("/out/");
  same.set_overwrite(true);
  bench.Submit("b", same, 2);
  EXPECT_EQ(CodeOf(bench.LastReply("b")), Code::kAlreadyExists);
  const std::string first = bench.LastReply("a").submitted().job_id();
  EXPECT_THAT(bench.LastReply("b").status().message(), HasSubstr(first));
  wire::JobSpec other = SampleSpec(1, 1);
  other.set_output_dir("/out2");
  bench.Submit("c", other, 3);
  bench.Open();
  EXPECT_TRUE(bench.LastReply("c").has_submitted());

  wire::Request kill;
  kill.mutable_kill()->set_job_id(first);
  bench.Ask("k", kill);
  bench.Submit("b", same, 4);
  bench.Open();
  EXPECT_TRUE(bench.LastReply("b").has_submitted());
}

TEST(ClientRequests, TheLastPieceMayComeTwice) {
  MachineBench bench;
  bench.Submit("c", SampleSpec(1, 1), 7);
  bench.Submit("c", SampleSpec(1, 1), 7);
  ASSERT_EQ(bench.outputs.size(), 1u);
  bench.Open();
  EXPECT_EQ(bench.said["c"].size(), 2u);
  bench.Submit("c", SampleSpec(1, 1), 7);
  EXPECT_THAT(bench.LastReply("c").submitted().job_id(), HasSubstr("-0001"));
}

TEST(ClientRequests, PiecesMustFollowEachOther) {
  MachineBench bench;
  wire::Request request;
  request.mutable_submit()->set_upload(5);
  request.mutable_submit()->set_offset(10);
  request.mutable_submit()->set_total_bytes(20);
  bench.Ask("c", request);
  EXPECT_EQ(CodeOf(bench.LastReply("c")), Code::kAborted);
  request.mutable_submit()->set_offset(0);
  request.mutable_submit()->set_total_bytes(std::uint64_t{1} << 40);
  bench.Ask("c", request);
  EXPECT_EQ(CodeOf(bench.LastReply("c")), Code::kInvalidArgument);
}

TEST(ClientRequests, SpecsThatNoClientMakesAreRefused) {
  const auto refused = [](const std::function<void(wire::JobSpec&)>& spoil) {
    MachineBench bench;
    wire::JobSpec spec = SampleSpec(2, 1);
    spoil(spec);
    bench.Submit("c", spec);
    return CodeOf(bench.LastReply("c")) == Code::kInvalidArgument && bench.outputs.empty();
  };
  EXPECT_TRUE(refused([](auto& s) { s.clear_name(); }));
  EXPECT_TRUE(refused([](auto& s) { s.set_output_dir("relative"); }));
  EXPECT_TRUE(refused([](auto& s) { s.set_output_dir(std::string("/a\0b", 4)); }));
  EXPECT_TRUE(refused([](auto& s) { s.mutable_plugin()->set_sha256("short"); }));
  EXPECT_TRUE(refused([](auto& s) { s.set_parts(0); }));
  EXPECT_TRUE(refused([](auto& s) { s.set_parts(70'000); }));
  EXPECT_TRUE(refused([](auto& s) { s.set_decoder_bytes((std::uint64_t{4} << 30) + 1); }));
  EXPECT_FALSE(refused([](auto& s) { s.set_decoder_bytes(std::uint64_t{4} << 30); }));
  EXPECT_TRUE(refused([](auto& s) { s.mutable_maps(0)->mutable_ranges(0)->set_file_index(9); }));
  EXPECT_TRUE(refused([](auto& s) { s.set_map_only(true); }));
  EXPECT_TRUE(refused([](auto& s) { s.add_args(std::string(800 << 10, 'x')); }));
  EXPECT_FALSE(refused([](auto&) {}));
}

TEST(ClientRequests, RolesDecideWhatMayBeAsked) {
  MachineBench bench(true);
  bench.Submit("v", SampleSpec(1, 1), 1, Role::kViewer);
  EXPECT_EQ(CodeOf(bench.LastReply("v")), Code::kPermissionDenied);
  bench.Submit("w", SampleSpec(1, 1), 2, Role::kWorker);
  EXPECT_EQ(CodeOf(bench.LastReply("w")), Code::kPermissionDenied);
  bench.Submit("s", SampleSpec(1, 1), 3, Role::kSubmitter);
  bench.Open();
  EXPECT_TRUE(bench.LastReply("s").has_submitted());

  wire::Request kill;
  kill.mutable_kill()->set_job_id(bench.LastReply("s").submitted().job_id());
  bench.Ask("v", kill, Role::kViewer);
  EXPECT_EQ(CodeOf(bench.LastReply("v")), Code::kPermissionDenied);
  wire::Request list;
  list.mutable_jobs();
  bench.Ask("v", list, Role::kViewer);
  EXPECT_EQ(bench.LastReply("v").jobs().jobs_size(), 1);
  wire::Request file;
  file.mutable_file()->set_job(1);
  bench.Ask("v", file, Role::kViewer);
  EXPECT_EQ(CodeOf(bench.LastReply("v")), Code::kPermissionDenied);
}

TEST(ClientRequests, WhoWaitsIsAnsweredAtTheJobsEndOrInTime) {
  MachineBench bench;
  bench.Submit("c", SampleSpec(1, 1));
  bench.Open();
  wire::Request query;
  query.mutable_job()->set_job_id(bench.LastReply("c").submitted().job_id());
  query.mutable_job()->set_wait_ms(100);
  bench.Ask("w", query);
  EXPECT_TRUE(bench.said["w"].empty());
  ASSERT_TRUE(bench.machine.next_tick_ms().has_value());
  bench.now += 100;
  bench.machine.Tick(bench.now);
  bench.Take();
  EXPECT_EQ(bench.LastReply("w").job().phase(), wire::MAPPING);

  bench.said.clear();
  query.mutable_job()->set_wait_ms(60'000);
  bench.Ask("w", query);
  wire::Request kill;
  kill.mutable_kill()->set_job_id(query.job().job_id());
  kill.mutable_kill()->set_reason("enough");
  bench.Ask("k", kill);
  EXPECT_TRUE(bench.LastReply("w").job().ended());
  EXPECT_THAT(bench.LastReply("w").job().status().message(), HasSubstr("enough"));
}

TEST(ClientRequests, LogsAreKeptBeyondTheEnd) {
  MachineBench bench;
  bench.Submit("c", SampleSpec(1, 1));
  bench.Open();
  wire::Request kill;
  kill.mutable_kill()->set_job_id(bench.LastReply("c").submitted().job_id());
  bench.Ask("k", kill);
  wire::Request logs;
  logs.mutable_logs()->set_job_id(kill.kill().job_id());
  bench.Ask("l", logs);
  EXPECT_GE(bench.LastReply("l").logs().lines_size(), 3);
  logs.mutable_logs()->set_job_id("../../etc/passwd");
  bench.Ask("l", logs);
  EXPECT_EQ(CodeOf(bench.LastReply("l")), Code::kNotFound);
}

// Found by the simulation: a power cut took the kill, and the job was published.
TEST(ClientRequests, AKillIsDurableBeforeItIsAnswered) {
  MachineBench bench;
  wire::Message hello;
  hello.mutable_register_()->set_incarnation(5);
  hello.mutable_register_()->set_registration(1);
  hello.mutable_register_()->set_version_min(kProtocolVersionMin);
  hello.mutable_register_()->set_version_max(kProtocolVersion);
  hello.mutable_register_()->set_slots(1);
  bench.machine.OnFrame("w", Role::kNone, LoneFrame(hello), bench.now);
  bench.Submit("c", SampleSpec(1, 1));
  bench.Open();
  wire::Message kill;
  kill.mutable_request()->mutable_kill()->set_job_id(bench.LastReply("c").submitted().job_id());
  bench.machine.OnFrame("k", Role::kNone, LoneFrame(kill), bench.now);
  EXPECT_TRUE(bench.machine.TakeEffects(bench.now).durable);
  EXPECT_TRUE(bench.machine.has_jobs()) << "its attempt has not stopped yet";
}

TEST(ClientRequests, AKillBeforeTheOutputIsOpenCounts) {
  MachineBench bench;
  bench.Submit("c", SampleSpec(1, 1));
  wire::Request list;
  list.mutable_jobs();
  bench.Ask("l", list);
  wire::Request kill;
  kill.mutable_kill()->set_job_id(bench.LastReply("l").jobs().jobs(0).job_id());
  bench.Ask("k", kill);
  bench.Open();
  EXPECT_FALSE(bench.machine.has_jobs());
}

}  // namespace
}  // namespace spillway
