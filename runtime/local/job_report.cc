#include "runtime/local/job_report.h"

#include <algorithm>
#include <utility>

#include "runtime/protocol/wire_values.h"

namespace spillway {

namespace {

JobProgress::Phase PhaseOf(const wire::JobState& state) {
  if (state.ended()) return JobProgress::Phase::kDone;
  switch (state.phase()) {
    case wire::MAPPING: return JobProgress::Phase::kMap;
    case wire::REDUCING: return JobProgress::Phase::kReduce;
    case wire::COMMITTING: return JobProgress::Phase::kCommit;
    case wire::DONE: return JobProgress::Phase::kDone;
    default: return JobProgress::Phase::kPreparing;
  }
}

void AddLoop(const wire::LoopStats& stats, LoopReport* loop) {
  loop->mode = "memory";
  loop->rounds = stats.rounds();
  loop->converged = stats.converged();
  loop->resumed_round = stats.resumed_round();
  for (int i = 0; i < stats.round_us_size(); ++i) {
    const double seconds = static_cast<double>(stats.round_us(i)) / 1e6;
    if (i == 0)
      loop->start_seconds = seconds;
    else
      loop->iteration_seconds.push_back(seconds);
  }
}

void AddVolumes(const wire::TaskStats& stats, JobReport* report) {
  report->input_records = stats.input_records();
  report->input_bytes = stats.input_bytes();
  report->map_output_records = stats.map_output_records();
  report->map_output_bytes = stats.map_output_bytes();
  report->segment_records = stats.segment_records();
  report->spills = stats.spills();
  report->spilled_bytes = stats.spilled_bytes();
  report->shuffled_bytes = stats.shuffled_bytes();
  report->output_records = stats.output_records();
  report->cpu_seconds = static_cast<double>(stats.cpu_us()) / 1e6;
  for (const wire::Counter& counter : stats.counters())
    report->counters[counter.group()][counter.name()] += counter.value();
}

double ShareOf(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::vector<KeyLoad> HeavyKeysOf(const wire::TaskStats& stats) {
  std::vector<KeyLoad> loads;
  for (const wire::HeavyKey& key : stats.heavy_keys())
    loads.push_back({key.key(), key.key_bytes(), key.records(), key.bytes(),
                     ShareOf(key.records(), std::max(key.records(), stats.map_output_records()))});
  return loads;
}

}  // namespace

SkewReport SkewOf(const wire::JobState& state) {
  SkewReport skew;
  skew.reduces = state.reduces_total();
  skew.shuffled_bytes = state.stats().shuffled_bytes();
  skew.heavy_keys = HeavyKeysOf(state.stats());
  for (const wire::PartitionLoad& load : state.partitions()) {
    if (load.has_largest_group()) {
      const wire::HeavyKey& key = load.largest_group();
      skew.hottest = static_cast<std::uint32_t>(skew.partitions.size());
      skew.hottest_key = {key.key(), key.key_bytes(), key.records(), key.bytes(),
                          ShareOf(key.records(), load.records())};
    }
    skew.partitions.push_back(
        {load.shuffled_bytes(), load.records(), load.run_us(), load.pieces()});
  }
  return skew;
}

JobProgress ProgressOf(const wire::JobState& state) {
  JobProgress progress;
  progress.phase = PhaseOf(state);
  progress.maps_done = state.maps_done();
  progress.maps_total = state.maps_total();
  progress.reduces_done = state.reduces_done();
  progress.reduces_total = state.reduces_total();
  progress.combines_done = state.combines_done();
  progress.combines_total = state.combines_total();
  progress.input_bytes_read = state.input_bytes_read();
  progress.input_bytes_total = state.input_bytes();
  progress.spilled_bytes = state.stats().spilled_bytes();
  progress.shuffled_bytes = state.stats().shuffled_bytes();
  progress.elapsed_ms = state.elapsed_ms();
  progress.heavy_keys = HeavyKeysOf(state.stats());
  progress.round = state.stats().loop().rounds();
  return progress;
}

JobReport ReportOf(const wire::JobState& state) {
  JobReport report;
  report.status = FromWire(state.status());
  report.job_id = state.job_id();
  report.job_name = state.name();
  report.output_dir = state.output_dir();
  report.maps = state.maps_total();
  report.reduces = state.reduces_total();
  report.combines = state.combines_total();
  report.joined_partitions = state.joined_partitions();
  report.attempts_failed = state.attempts_failed();
  report.maps_rerun = state.maps_rerun();
  AddVolumes(state.stats(), &report);
  // While it runs only its round is told.
  if (state.ended() && state.stats().has_loop()) AddLoop(state.stats().loop(), &report.loop);
  report.output_bytes = state.output_bytes();
  report.read_bytes = report.input_bytes;
  report.written_bytes = report.output_bytes;
  report.records_skipped = state.records_skipped();
  report.partition_output_bytes.assign(state.partition_output_bytes().begin(),
                                       state.partition_output_bytes().end());
  report.skew = SkewOf(state);
  report.prepare_ms = state.prepare_ms();
  report.map_ms = state.map_ms();
  report.reduce_ms = state.reduce_ms();
  report.commit_ms = state.commit_ms();
  report.total_ms = state.elapsed_ms();
  report.warnings.assign(state.warnings().begin(), state.warnings().end());
  return report;
}

}  // namespace spillway
