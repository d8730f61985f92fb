// A job whose reduce work is cut, as its workers hear of it, and as its clients see it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "runtime/core/large_first.h"
#include "runtime/protocol/wire_values.h"
#include "tests/runtime/coordinator/machine_bench.h"

namespace spillway {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint32_t kMaps = 8;
constexpr std::uint32_t kReduces = 25;

/// Of partition 0 it has a thousand times what it has of the others.
wire::JobSpec SkewedSpec() {
  wire::JobSpec spec = SampleSpec(kMaps, kReduces);
  spec.set_associative(true);
  spec.mutable_limits()->set_split_partition_bytes(1'000);
  spec.mutable_limits()->set_attempts_max(4);
  return spec;
}

/// Two slots, and all that is said to them. Ends its attempts when it is asked to.
class PlainWorker {
 public:
  PlainWorker(MachineBench& bench, std::string peer, std::uint64_t incarnation,
              std::uint32_t version_max = kProtocolVersion)
      : bench_(&bench), peer_(std::move(peer)), incarnation_(incarnation), version_(version_max) {
    Register();
  }

  /// At this machine, as one that has been there under another one.
  void Resume(MachineBench& bench) {
    bench_ = &bench;
    sent_ = 0;
    read_ = 0;
    Register();
    Listen();
  }

  /// Attempts that it was told to run and did not end.
  const std::map<AttemptId, wire::Message>& running() {
    Listen();
    return running_;
  }
  /// Those of the kind, in their order.
  std::vector<AttemptId> Running(TaskKind kind) {
    std::vector<AttemptId> ids;
    for (const auto& [id, start] : running())
      if (id.kind == kind) ids.push_back(id);
    return ids;
  }
  std::uint32_t granted() {
    Listen();
    return granted_;
  }

  void FinishMaps() {
    for (auto maps = Running(TaskKind::kMap); !maps.empty(); maps = Running(TaskKind::kMap)) {
      wire::Message message;
      wire::MapDone& done = *message.mutable_map_done();
      *done.mutable_attempt() = ToWire(maps.front());
      std::string sizes(kReduces, static_cast<char>(SizeByteOf(10)));
      sizes[0] = static_cast<char>(SizeByteOf(10'000));
      done.set_partition_sizes(sizes);
      Say(maps.front(), message);
    }
  }
  void FinishCombine(const AttemptId& id) {
    wire::Message message;
    *message.mutable_map_done()->mutable_attempt() = ToWire(id);
    message.mutable_map_done()->mutable_stats()->set_cpu_us(1'000);
    Say(id, message);
  }
  /// Asks to commit so many parts, of as many bytes as their partitions' numbers.
  void Commit(const AttemptId& id, std::uint32_t parts) {
    wire::Message message;
    wire::CommitRequest& request = *message.mutable_commit_request();
    *request.mutable_attempt() = ToWire(id);
    for (std::uint32_t i = 0; i < parts; ++i) {
      wire::JoinedPart* const joined = i == 0 ? nullptr : request.add_joined();
      (i == 0 ? request.mutable_part() : joined->mutable_part())->set_bytes(id.task + i);
      (i == 0 ? request.mutable_load() : joined->mutable_load())->set_run_us(5);
    }
    Say(id, message);
  }
  void Leave() {
    wire::Message message;
    message.mutable_leave();
    Say({}, message);
  }
  /// As it was told to.
  void Commit(const AttemptId& id) {
    Commit(id, std::max(1u, running().at(id).start_reduce().partitions()));
  }

 private:
  void Listen() {
    const std::vector<wire::Message>& heard = bench_->said[peer_];
    for (; read_ < heard.size(); ++read_) {
      const wire::Message& message = heard[read_];
      if (message.has_start_map()) running_[FromWire(message.start_map().attempt())] = message;
      if (message.has_start_reduce())
        running_[FromWire(message.start_reduce().attempt())] = message;
      if (message.has_start_combine())
        running_[FromWire(message.start_combine().attempt())] = message;
      if (message.has_commit_grant()) ++granted_;
    }
  }
  void Say(const AttemptId& ended, const wire::Message& message) {
    running_.erase(ended);
    wire::Frame frame;
    frame.set_version(version_);
    frame.set_session(session_);
    frame.set_first_sequence(++sent_);
    frame.set_acknowledged(bench_->said[peer_].size() - 1);  // All but the first answer.
    frame.add_messages(message.SerializeAsString());
    bench_->machine.OnFrame(peer_, Role::kNone, frame.SerializeAsString(), bench_->now);
    bench_->Take();
  }
  void Register() {
    wire::Message message;
    wire::Register& details = *message.mutable_register_();
    details.set_incarnation(incarnation_);
    details.set_registration(1);
    details.set_version_min(kProtocolVersionMin);
    details.set_version_max(version_);
    details.set_slots(2);
    details.set_epoch(epoch_);
    for (const auto& [id, start] : running_) *details.add_attempts() = ToWire(id);
    bench_->machine.OnFrame(peer_, Role::kNone, LoneFrame(message, version_), bench_->now);
    bench_->Take();
    epoch_ = bench_->said[peer_].front().registered().epoch();
    session_ = bench_->said[peer_].front().registered().session();
  }

  MachineBench* bench_;
  const std::string peer_;
  const std::uint64_t incarnation_;
  const std::uint32_t version_;
  std::uint64_t epoch_ = 0, session_ = 0, sent_ = 0;
  std::size_t read_ = 0;
  std::uint32_t granted_ = 0;
  std::map<AttemptId, wire::Message> running_;
};

class PlannedReducesTest : public ::testing::Test {
 protected:
  PlannedReducesTest() {
    bench.Submit("c", SkewedSpec());
    bench.Open();
    job_id = bench.LastReply("c").submitted().job_id();
  }
  wire::JobState State(MachineBench& of) { return of.machine.StateOf(job_id).value(); }
  wire::JobState State() { return State(bench); }
  std::vector<std::string> Log() {
    wire::Request request;
    request.mutable_logs()->set_job_id(job_id);
    bench.Ask("l", request);
    const wire::LogLines answer = bench.LastReply("l").logs();
    return {answer.lines().begin(), answer.lines().end()};
  }
  /// Ends all that runs until there is nothing more to do.
  static void FinishAll(PlainWorker& worker) {
    while (!worker.running().empty()) {
      const AttemptId id = worker.running().begin()->first;
      if (id.kind == TaskKind::kCombine) {
        worker.FinishCombine(id);
      } else {
        worker.Commit(id);
      }
    }
  }

  MachineBench bench;
  std::string job_id;
};

// The first one that is small starts while the last map runs, and stays alone.
TEST_F(PlannedReducesTest, AreToldToWorkersAndShownToClients) {
  PlainWorker worker(bench, "w", 11);
  worker.FinishMaps();
  EXPECT_THAT(Log(),
              Contains(HasSubstr("partition 0 is large: it is split among 2 combine tasks")));
  EXPECT_THAT(Log(), Contains(HasSubstr("23 small partitions are reduced by 8 tasks")));
  EXPECT_EQ(State().combines_total(), 2u);
  EXPECT_EQ(State().combines_running(), 1u);
  EXPECT_EQ(State().joined_partitions(), 15u);
  const auto combines = worker.Running(TaskKind::kCombine);
  ASSERT_EQ(combines.size(), 1u);
  const wire::StartCombine first = worker.running().at(combines[0]).start_combine();
  EXPECT_EQ(first.partition(), 0u);
  EXPECT_EQ(first.first_segment(), 0u);
  EXPECT_EQ(first.segments(), 4u);
  EXPECT_EQ(first.segment(), 8u);
  worker.FinishCombine(combines[0]);
  EXPECT_EQ(State().combines_done(), 1u);
  worker.FinishCombine(worker.Running(TaskKind::kCombine).at(0));
  EXPECT_EQ(State().combines_done(), 2u);
  EXPECT_GE(State().stats().cpu_us(), 2'000u) << "what they took is the job's";
  const AttemptId hot{1, TaskKind::kReduce, 0, 0};
  ASSERT_THAT(worker.Running(TaskKind::kReduce), Contains(hot));
  const wire::StartReduce reduce = worker.running().at(hot).start_reduce();
  EXPECT_EQ(reduce.first_segment(), 8u);
  EXPECT_EQ(reduce.maps(), 2u);
  EXPECT_EQ(reduce.partitions(), 1u);
  worker.Commit(hot);
  ASSERT_EQ(State().partitions_size(), static_cast<int>(kReduces));
  EXPECT_EQ(State().partitions(0).pieces(), 2u);
  EXPECT_EQ(State().partitions(1).pieces(), 0u);
  const AttemptId joined{1, TaskKind::kReduce, 2, 0};
  ASSERT_THAT(worker.Running(TaskKind::kReduce), Contains(joined));
  EXPECT_EQ(worker.running().at(joined).start_reduce().partitions(), 3u);
  EXPECT_EQ(worker.running().at(joined).start_reduce().first_segment(), 0u);
  EXPECT_EQ(worker.running().at(joined).start_reduce().maps(), kMaps);
  worker.Commit(joined);
  EXPECT_EQ(worker.granted(), 2u);
  EXPECT_EQ(State().reduces_done(), 4u);
  EXPECT_GT(State().partitions(4).run_us(), 0u);
  FinishAll(worker);
  EXPECT_EQ(State().reduces_done(), kReduces);
}

TEST_F(PlannedReducesTest, PublishEachPartOfAJoin) {
  PlainWorker worker(bench, "w", 11);
  worker.FinishMaps();
  FinishAll(worker);
  ASSERT_EQ(bench.outputs.size(), 1u);
  EXPECT_EQ(bench.outputs[0].kind, OutputOrder::Kind::kCommit);
  ASSERT_EQ(bench.outputs[0].parts.size(), kReduces);
  for (std::uint32_t part = 0; part < kReduces; ++part)
    EXPECT_EQ(bench.outputs[0].parts[part].info.bytes, part);
  bench.Open();
  EXPECT_TRUE(State().ended());
  EXPECT_EQ(State().combines_done(), 2u);
  EXPECT_EQ(State().combines_total(), 2u);
}

TEST_F(PlannedReducesTest, ACommitOfAnotherNumberOfPartsIsNone) {
  PlainWorker worker(bench, "w", 11);
  worker.FinishMaps();
  const AttemptId alone = worker.Running(TaskKind::kReduce).at(0);
  ASSERT_EQ(alone.task, 1u);
  const std::uint32_t granted = worker.granted();
  const std::uint32_t done = State().reduces_done();
  const std::size_t running = State().reduces_running();
  worker.Commit(alone, 2);
  EXPECT_EQ(worker.granted(), granted);
  EXPECT_EQ(State().reduces_done(), done);
  EXPECT_EQ(State().reduces_running(), running) << "it has its slot until it ends";
  EXPECT_TRUE(bench.outputs.empty());
}

TEST_F(PlannedReducesTest, GoOnUnderANewCoordinator) {
  PlainWorker worker(bench, "w", 11);
  worker.FinishMaps();
  worker.FinishCombine(worker.Running(TaskKind::kCombine).at(0));
  worker.Commit({1, TaskKind::kReduce, 1, 0});
  worker.Commit(worker.Running(TaskKind::kReduce).at(0));
  const wire::JobState before = State();
  ASSERT_EQ(before.combines_done(), 1u);
  ASSERT_EQ(before.reduces_done(), 4u);

  MachineBench next;
  for (const std::string& record : bench.records) ASSERT_TRUE(next.machine.Restore(record).ok());
  next.machine.Resume(next.now);
  next.Take();
  next.Open();
  worker.Resume(next);
  const wire::JobState after = State(next);
  EXPECT_EQ(after.combines_done(), before.combines_done());
  EXPECT_EQ(after.combines_total(), before.combines_total());
  EXPECT_EQ(after.combines_running(), before.combines_running());
  EXPECT_EQ(after.joined_partitions(), before.joined_partitions());
  EXPECT_EQ(after.reduces_done(), before.reduces_done());
  EXPECT_EQ(after.stats().SerializeAsString(), before.stats().SerializeAsString());
  FinishAll(worker);
  ASSERT_EQ(next.outputs.size(), 1u);
  ASSERT_EQ(next.outputs[0].parts.size(), kReduces);
  for (std::uint32_t part = 0; part < kReduces; ++part)
    EXPECT_EQ(next.outputs[0].parts[part].info.bytes, part);
  next.Open();
  EXPECT_TRUE(State(next).ended());
  EXPECT_EQ(State(next).maps_rerun(), 0u);
}

TEST_F(PlannedReducesTest, AreNotPlannedWhileAWorkerOfAFormerVersionIsThere) {
  PlainWorker old(bench, "old", 22, kProtocolVersionOfPlans - 1);
  PlainWorker worker(bench, "w", 11);
  for (int i = 0; i < 20 && State().maps_done() < kMaps; ++i) {
    old.FinishMaps();
    worker.FinishMaps();
  }
  ASSERT_EQ(State().maps_done(), kMaps);
  EXPECT_EQ(State().combines_total(), 0u);
  EXPECT_EQ(State().joined_partitions(), 0u);
  for (int i = 0; i < 40; ++i) {
    FinishAll(old);
    FinishAll(worker);
  }
  EXPECT_EQ(State().reduces_done(), kReduces);
}

TEST_F(PlannedReducesTest, AreDoneWholeWhenOnlyAWorkerOfAFormerVersionIsLeft) {
  PlainWorker worker(bench, "w", 11);
  worker.FinishMaps();
  ASSERT_EQ(State().combines_total(), 2u);
  PlainWorker old(bench, "old", 22, kProtocolVersionOfPlans - 1);
  EXPECT_TRUE(old.running().empty());
  worker.Leave();
  EXPECT_THAT(Log(), Contains(HasSubstr("only workers of an older version are left")));
  old.FinishMaps();
  for (const auto& [id, start] : old.running()) {
    EXPECT_EQ(id.kind, TaskKind::kReduce);
    EXPECT_EQ(start.start_reduce().first_segment(), 0u);
    EXPECT_LE(start.start_reduce().partitions(), 1u);
  }
  FinishAll(old);
  EXPECT_EQ(State().reduces_done(), kReduces);
}

TEST_F(PlannedReducesTest, OfAPlanThatDoesNotFitItsJobAreDamage) {
  PlainWorker worker(bench, "w", 11);
  worker.FinishMaps();
  MachineBench next;
  bool planned = false;
  for (const std::string& bytes : bench.records) {
    wire::JournalRecord record;
    ASSERT_TRUE(record.ParseFromString(bytes));
    if (record.has_reduces_planned()) {
      planned = true;
      record.mutable_reduces_planned()->mutable_joins(0)->set_count(kReduces);
      EXPECT_EQ(next.machine.Restore(record.SerializeAsString()).code(), Code::kDataLoss);
      break;
    }
    ASSERT_TRUE(next.machine.Restore(bytes).ok());
  }
  EXPECT_TRUE(planned);
}

}  // namespace
}  // namespace spillway
