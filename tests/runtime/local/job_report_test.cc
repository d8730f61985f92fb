#include "runtime/local/job_report.h"

#include <gmock/gmock.h>

#include "runtime/protocol/wire_values.h"

namespace spillway {
namespace {

using testing::ElementsAre;

wire::JobState SampleState() {
  wire::JobState state;
  state.set_job_id("20261126-183000-0001");
  state.set_name("wordcount");
  state.set_phase(wire::REDUCING);
  state.set_output_dir("/data/out");
  state.set_maps_done(7);
  state.set_maps_total(8);
  state.set_reduces_done(1);
  state.set_reduces_total(4);
  state.set_combines_done(5);
  state.set_combines_total(6);
  state.set_joined_partitions(3);
  state.set_input_bytes(1'000);
  state.set_input_bytes_read(900);
  state.set_elapsed_ms(60'000);
  state.set_attempts_failed(2);
  state.set_maps_rerun(3);
  state.set_records_skipped(4);
  state.set_output_bytes(500);
  state.add_partition_output_bytes(200);
  state.add_partition_output_bytes(300);
  state.add_warnings("worker 3 was lost");
  wire::TaskStats* stats = state.mutable_stats();
  stats->set_input_records(10);
  stats->set_input_bytes(11);
  stats->set_map_output_records(12);
  stats->set_map_output_bytes(13);
  stats->set_segment_records(14);
  stats->set_spills(15);
  stats->set_spilled_bytes(16);
  stats->set_shuffled_bytes(17);
  stats->set_output_records(18);
  stats->set_cpu_us(2'500'000);
  wire::Counter* counter = stats->add_counters();
  counter->set_group("words");
  counter->set_name("total");
  counter->set_value(99);
  return state;
}

TEST(JobReport, SaysWhatTheCoordinatorSaid) {
  wire::JobState state = SampleState();
  state.set_ended(true);
  *state.mutable_status() = ToWire(UserCodeError("WordMapper threw"));
  const JobReport report = ReportOf(state);
  EXPECT_EQ(report.status.code(), Code::kUserCode);
  EXPECT_EQ(report.status.message(), "WordMapper threw");
  EXPECT_EQ(report.job_id, "20261126-183000-0001");
  EXPECT_EQ(report.job_name, "wordcount");
  EXPECT_EQ(report.output_dir, "/data/out");
  EXPECT_EQ(report.maps, 8u);
  EXPECT_EQ(report.reduces, 4u);
  EXPECT_EQ(report.combines, 6u);
  EXPECT_EQ(report.joined_partitions, 3u);
  EXPECT_EQ(report.attempts_failed, 2u);
  EXPECT_EQ(report.maps_rerun, 3u);
  EXPECT_EQ(report.records_skipped, 4u);
  EXPECT_EQ(report.input_records, 10u);
  EXPECT_EQ(report.input_bytes, 11u);
  EXPECT_EQ(report.map_output_records, 12u);
  EXPECT_EQ(report.map_output_bytes, 13u);
  EXPECT_EQ(report.segment_records, 14u);
  EXPECT_EQ(report.spills, 15u);
  EXPECT_EQ(report.spilled_bytes, 16u);
  EXPECT_EQ(report.shuffled_bytes, 17u);
  EXPECT_EQ(report.output_records, 18u);
  EXPECT_EQ(report.output_bytes, 500u);
  EXPECT_DOUBLE_EQ(report.cpu_seconds, 2.5);
  EXPECT_EQ(report.total_ms, 60'000u);
  EXPECT_EQ(report.peak_rss_bytes, 0u);
  EXPECT_EQ(report.counters.at("words").at("total"), 99u);
  EXPECT_THAT(report.partition_output_bytes, ElementsAre(200, 300));
  EXPECT_THAT(report.warnings, ElementsAre("worker 3 was lost"));
}

TEST(JobProgress, FollowsThePhases) {
  wire::JobState state = SampleState();
  const std::pair<wire::JobPhase, JobProgress::Phase> kPhases[] = {
      {wire::PREPARING, JobProgress::Phase::kPreparing},
      {wire::MAPPING, JobProgress::Phase::kMap},
      {wire::REDUCING, JobProgress::Phase::kReduce},
      {wire::COMMITTING, JobProgress::Phase::kCommit},
      {wire::DONE, JobProgress::Phase::kDone}};
  for (const auto& [phase, expected] : kPhases) {
    state.set_phase(phase);
    EXPECT_EQ(ProgressOf(state).phase, expected);
  }
  const JobProgress progress = ProgressOf(state);
  EXPECT_EQ(progress.maps_done, 7u);
  EXPECT_EQ(progress.maps_total, 8u);
  EXPECT_EQ(progress.reduces_done, 1u);
  EXPECT_EQ(progress.reduces_total, 4u);
  EXPECT_EQ(progress.combines_done, 5u);
  EXPECT_EQ(progress.combines_total, 6u);
  EXPECT_EQ(progress.input_bytes_read, 900u);
  EXPECT_EQ(progress.input_bytes_total, 1'000u);
  EXPECT_EQ(progress.elapsed_ms, 60'000u);
}

TEST(JobProgress, TellsTheRoundOfALoopAndTheReportOnlyWhatBecameOfIt) {
  wire::JobState state = SampleState();
  state.mutable_stats()->mutable_loop()->set_rounds(7);
  EXPECT_EQ(ProgressOf(state).round, 7u);
  EXPECT_EQ(ReportOf(state).loop.mode, "");
  state.set_ended(true);
  EXPECT_EQ(ReportOf(state).loop.mode, "memory");
  EXPECT_EQ(ReportOf(state).loop.rounds, 7u);
}

TEST(JobReport, SharesOfKeysAreThoseOfWhatTheyArePartOf) {
  wire::JobState state = SampleState();
  wire::HeavyKey& heavy = *state.mutable_stats()->add_heavy_keys();
  heavy.set_key("the");
  heavy.set_key_bytes(3);
  heavy.set_records(6);
  for (std::uint64_t i = 0; i < 3; ++i) {
    state.add_partitions()->set_shuffled_bytes(i);
    state.mutable_partitions()->rbegin()->set_records(10 * i);
    state.mutable_partitions()->rbegin()->set_run_us(100 * i);
    state.mutable_partitions()->rbegin()->set_pieces(i == 1 ? 9 : 0);
  }
  state.mutable_partitions(2)->mutable_largest_group()->set_key("of");
  state.mutable_partitions(2)->mutable_largest_group()->set_records(5);
  const SkewReport skew = ReportOf(state).skew;
  ASSERT_EQ(skew.heavy_keys.size(), 1u);
  EXPECT_EQ(skew.heavy_keys[0].key, "the");
  EXPECT_DOUBLE_EQ(skew.heavy_keys[0].share, 0.5);
  EXPECT_EQ(ProgressOf(state).heavy_keys.size(), 1u);
  EXPECT_EQ(skew.reduces, 4u);
  EXPECT_EQ(skew.shuffled_bytes, 17u);
  ASSERT_EQ(skew.partitions.size(), 3u);
  EXPECT_EQ(skew.partitions[1].run_us, 100u);
  EXPECT_EQ(skew.partitions[1].pieces, 9u);
  EXPECT_EQ(skew.partitions[2].pieces, 0u);
  EXPECT_EQ(skew.hottest, 2u);
  EXPECT_EQ(skew.hottest_key.key, "of");
  EXPECT_DOUBLE_EQ(skew.hottest_key.share, 0.25);
}

}  // namespace
}  // namespace spillway
