#include "runtime/coordinator/journal_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/core/journalled.h"
#include "runtime/core/scheduler.h"
#include "tests/runtime/coordinator/machine_bench.h"

namespace spillway {
namespace {

const AttemptId kMap{7, TaskKind::kMap, 3, 1};
const AttemptId kReduce{7, TaskKind::kReduce, 2, 4};
const AttemptId kCombine{7, TaskKind::kCombine, 5, 0};

std::vector<Event> Samples() {
  AttemptFailed failed{kMap, UserCodeError("it threw"), FailedRecord{{5, 99}, "/in"}};
  return {CancelJob{7, "enough"},
          JobCommitted{7, DataLoss("gone")},
          WorkerLost{3, 9},
          DrainWorker{3, 9},
          WorkerResumed{3, 9, {kMap, kReduce}},
          AttemptDone{kMap, 1'000, {1, 2, 3}, {9, 8, 7}, std::string("\0\x07\xff", 3)},
          failed,
          AttemptStopped{kReduce},
          SegmentLost{kReduce, 3, 1, true},
          CommitRequested{kReduce},
          Committed{kReduce, 2},
          TakenOver{},
          ReducesPlanned{7, {{{1, 2}, {5, 16}}, {{6, 64}, {70, 2}}}},
          ReducesPlanned{7, {}},
          AttemptDone{kCombine, 1'000, {}, {}},
          AttemptStarted{kMap, 3, true},
          AttemptStarted{kCombine, 3, false},
          AttemptStopping{kMap, true},
          AttemptAbandoned{kMap}};
}

/// As text, to be compared.
std::string Recorded(const Event& event) {
  wire::JournalRecord record;
  PutEvent(event, record);
  return record.ShortDebugString();
}

TEST(JournalRecords, EventsComeBackAsTheyWere) {
  for (const Event& event : Samples()) {
    wire::JournalRecord record;
    if (const auto* done = std::get_if<AttemptDone>(&event)) {
      for (const std::uint64_t hash : done->partition_hashes)
        record.mutable_map_done()->add_partition_hashes(hash);
      for (const std::uint64_t hash : done->record_hashes)
        record.mutable_map_done()->add_record_hashes(hash);
      record.mutable_map_done()->set_partition_sizes(done->partition_sizes);
    }
    PutEvent(event, record);
    const auto back = TakeEvent(record);
    ASSERT_TRUE(back.has_value()) << record.ShortDebugString();
    EXPECT_EQ(back->index(), event.index());
    EXPECT_EQ(Recorded(*back), Recorded(event));
    EXPECT_EQ(JobOf(*back), JobOf(event));
    if (const auto* planned = std::get_if<ReducesPlanned>(&event)) {
      EXPECT_EQ(std::get<ReducesPlanned>(*back).plan, planned->plan);
    }
    if (const auto* started = std::get_if<AttemptStarted>(&event)) {
      EXPECT_EQ(std::get<AttemptStarted>(*back).attempt, started->attempt);
    }
    if (const auto* done = std::get_if<AttemptDone>(&event)) {
      EXPECT_EQ(std::get<AttemptDone>(*back).partition_hashes, done->partition_hashes);
      EXPECT_EQ(std::get<AttemptDone>(*back).record_hashes, done->record_hashes);
      EXPECT_EQ(std::get<AttemptDone>(*back).partition_sizes, done->partition_sizes);
    }
  }
}

TEST(JournalRecords, EveryJournalledEventHasARecord) {
  for (const Event& event : Samples()) {
    wire::JournalRecord record;
    PutEvent(event, record);
    EXPECT_NE(record.kind_case(), wire::JournalRecord::KIND_NOT_SET);
  }
  EXPECT_FALSE(TakeEvent(wire::JournalRecord()).has_value());
}

TEST(JournalRecords, AMachineIsRestoredFromItsRecords) {
  MachineBench first;
  first.Submit("c", SampleSpec(3, 2));
  first.Open();
  MachineBench second;
  for (const std::string& record : first.records) ASSERT_TRUE(second.machine.Restore(record).ok());
  second.machine.Resume(first.now + 5);
  EXPECT_EQ(second.machine.scheduler().job_ids(), first.machine.scheduler().job_ids());
  const auto state = second.machine.StateOf(first.LastReply("c").submitted().job_id());
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->maps_total(), 3u);
}

TEST(JournalRecords, DamagedOnesAreDataLoss) {
  MachineBench bench;
  EXPECT_EQ(bench.machine.Restore("\xff\xff\xff").code(), Code::kDataLoss);
  wire::JournalRecord orphan;
  orphan.mutable_submitted()->set_job(5);
  EXPECT_EQ(bench.machine.Restore(orphan.SerializeAsString()).code(), Code::kDataLoss);
}

// What workers are told of its tasks would be of one, and the tasks of the other.
TEST(JournalRecords, AJobThatWasAcceptedTwiceIsDamage) {
  MachineBench bench;
  bench.Submit("c", SampleSpec(2, 1));
  MachineBench heir;
  EXPECT_TRUE(heir.machine.Restore(bench.records.at(0)).ok());
  EXPECT_EQ(heir.machine.Restore(bench.records.at(0)).code(), Code::kDataLoss);
}

}  // namespace
}  // namespace spillway
