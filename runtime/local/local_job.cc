#include "runtime/local/local_job.h"

#include <algorithm>
#include <variant>

#include "mapreduce/base/units.h"
#include "runtime/storage/machine.h"

namespace spillway {

namespace {

constexpr JobId kJob = 1;
constexpr WorkerId kWorker = 0;
constexpr std::uint64_t kWaitMsMax = 50;  ///< Between looks at cancel requests.
/// User code that does not come back is left to itself after this long: a cancelled job ends
/// within seconds.
constexpr std::uint64_t kStopTimeoutMs = 4'000;

void Add(CounterValues& sum, const CounterValues& more) {
  for (const auto& [group, names] : more)
    for (const auto& [name, value] : names) sum[group][name] += value;
}

}  // namespace

LocalJob::LocalJob(std::shared_ptr<const PreparedJob> job,
                   const std::atomic<bool>& cancel_requested)
    : job_(std::move(job)),
      cancel_requested_(cancel_requested),
      runner_(std::make_shared<AttemptRunner>(job_)),
      scheduler_({.stop_timeout_ms = kStopTimeoutMs}) {
  progress_.maps_total = static_cast<std::uint32_t>(job_->maps.size());
  progress_.reduces_total = job_->map_only() ? 0 : job_->parts;
  progress_.input_bytes_total = job_->plan.input_bytes;
}

LocalJob::~LocalJob() = default;

TimeMs LocalJob::NowMs() const {
  return static_cast<TimeMs>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start_).count());
}

JobReport LocalJob::Run() {
  JobReport report;
  Status status = runner_->Open();
  if (status.ok()) status = runner_->ChooseRanges(cancel_requested_);
  prepared_ms_ = NowMs();
  if (status.ok()) {
    slots_ = std::make_unique<SlotPool>(job_->memory.threads);
    Submit();
    Loop();
    status = ended_->status;
    if (abandoned_ > 0) slots_->Abandon();
    slots_.reset();
  }
  report.status = status;
  Finish(report);
  runner_->Close();
  report.total_ms = NowMs();
  const std::lock_guard lock(progress_mutex_);
  progress_.phase = JobProgress::Phase::kDone;
  return report;
}

void LocalJob::Submit() {
  SubmitJob submit;
  submit.job = kJob;
  for (const MapInput& map : job_->maps) submit.maps.push_back({map.bytes, {}});
  submit.reduces = job_->map_only() ? 0 : job_->parts;
  submit.options.attempts_max = job_->request.attempts_max;
  submit.options.task_timeout_ms = job_->request.task_timeout_ms;
  submit.options.skip_bad_max = job_->request.skip_bad_max;
  events_.push_back(WorkerJoined{kWorker, 1, job_->memory.threads, "localhost", ""});
  events_.push_back(std::move(submit));
}

void LocalJob::Loop() {
  TimeMs last_look = 0;
  while (true) {
    while (!events_.empty()) {
      const Event event = std::move(events_.front());
      events_.pop_front();
      Feed(event);
    }
    if (ended_.has_value()) return;
    if (cancel_requested_ && !cancel_sent_) {
      cancel_sent_ = true;
      events_.push_back(CancelJob{kJob, "interrupted"});
      continue;
    }
    const TimeMs now = NowMs();
    const std::optional<TimeMs> tick = scheduler_.next_tick_ms();
    if (now >= last_look + kWaitMsMax) {
      last_look = now;
      ReportProgress();
      if (!events_.empty()) continue;
    }
    if (tick.has_value() && *tick <= now) {
      events_.push_back(Tick{});
      continue;
    }
    const std::uint64_t wait = tick.has_value() ? std::min(*tick - now, kWaitMsMax) : kWaitMsMax;
    if (auto outcome = runner_->NextOutcome(wait)) Apply(*outcome);
  }
}

void LocalJob::Feed(const Event& event) {
  Actions actions;
  scheduler_.Step(event, NowMs(), actions);
  for (const Action& action : actions) std::visit([this](const auto& a) { Do(a); }, action);
}

void LocalJob::Apply(AttemptOutcome& outcome) {
  const AttemptId id = outcome.attempt;
  running_.erase(id);
  reduces_.erase(id);
  const Event event = outcome.event;
  if (outcome.segment != nullptr) {
    segments_[{id.task, id.attempt}] = outcome.segment;
    map_results_[id.task] = std::move(outcome.map);
    if (map_results_.size() == job_->maps.size()) maps_done_ms_ = NowMs();
  } else if (std::holds_alternative<CommitRequested>(event)) {
    waiting_commits_[id] = std::move(outcome);
  } else if (std::holds_alternative<SegmentLost>(event)) {
    warnings_.push_back(outcome.reduce.status.message());
  }
  events_.push_back(event);
}

void LocalJob::ReportProgress() {
  JobProgress progress;
  if (const auto view = scheduler_.ViewJob(kJob)) {
    progress.maps_done = view->maps_done;
    progress.maps_total = view->maps_total;
    progress.reduces_done = view->reduces_done;
    progress.reduces_total = view->reduces_total;
    const bool maps_left = view->maps_done < view->maps_total;
    progress.phase = view->committing ? JobProgress::Phase::kCommit
                     : maps_left      ? JobProgress::Phase::kMap
                                      : JobProgress::Phase::kReduce;
  }
  for (const auto& [task, result] : map_results_) {
    progress.input_bytes_read += result.input_bytes;
  }
  for (auto& [id, running] : running_) {
    if (id.kind == TaskKind::kMap) progress.input_bytes_read += running.control->input_bytes();
    const std::uint64_t now = running.control->progress();
    if (now == running.progress) continue;
    running.progress = now;
    const std::uint64_t bytes = id.kind == TaskKind::kMap ? job_->maps[id.task].bytes : 0;
    const double fraction = bytes == 0 ? 0
                                       : static_cast<double>(running.control->input_bytes()) /
                                             static_cast<double>(bytes);
    events_.push_back(AttemptProgress{id, std::min(fraction, 1.0)});
  }
  for (const auto& [task, result] : reduce_results_)
    progress.shuffled_bytes += result.input.stored_bytes;
  progress.input_bytes_total = job_->plan.input_bytes;
  progress.spilled_bytes = runner_->spilled_bytes();
  progress.elapsed_ms = NowMs();
  const std::lock_guard lock(progress_mutex_);
  progress_ = progress;
}

JobProgress LocalJob::progress() const {
  const std::lock_guard lock(progress_mutex_);
  return progress_;
}

std::shared_ptr<AttemptControl> LocalJob::NewControl(const AttemptId& id) {
  auto control = std::make_shared<AttemptControl>();
  running_[id] = {control, 0};
  return control;
}

void LocalJob::Do(const StartMap& action) {
  MapTaskSpec spec;
  spec.index = action.attempt.task;
  spec.attempt = action.attempt.attempt;
  spec.ranges = runner_->RangesOf(spec.index);
  spec.skips.assign(action.skips.begin(), action.skips.end());
  slots_->Start([runner = runner_, spec = std::move(spec), control = NewControl(action.attempt)](
                    std::uint32_t) { runner->RunMap(spec, control); });
}

void LocalJob::Do(const StartReduce& action) {
  Reduce& reduce = reduces_[action.attempt];
  reduce.segments.resize(action.maps);
  reduce.missing = action.maps;
  RunWhenComplete(action.attempt, reduce);
}

void LocalJob::Do(const SegmentsAvailable& action) {
  const auto found = reduces_.find(action.reduce);
  if (found == reduces_.end()) return;
  Reduce& reduce = found->second;
  for (const SegmentRef& segment : action.segments) {
    auto& place = reduce.segments[segment.map_task];
    if (place == nullptr) --reduce.missing;
    place = segments_[{segment.map_task, segment.attempt}];
  }
  RunWhenComplete(action.reduce, reduce);
}

void LocalJob::Do(const SegmentInvalidated& action) {
  const auto found = reduces_.find(action.reduce);
  // A reduce that runs finds out by itself whether it still needs the segment.
  if (found == reduces_.end() || found->second.running) return;
  auto& place = found->second.segments[action.segment.map_task];
  if (place != nullptr) ++found->second.missing;
  place = nullptr;
}

void LocalJob::RunWhenComplete(const AttemptId& id, Reduce& reduce) {
  if (reduce.missing != 0 || reduce.running) return;
  reduce.running = true;
  ReduceTaskSpec spec{id.task, id.attempt, reduce.segments};
  slots_->Start([runner = runner_, spec = std::move(spec),
                 control = NewControl(id)](std::uint32_t) { runner->RunReduce(spec, control); });
}

void LocalJob::Do(const StopAttempt& action) {
  const auto running = running_.find(action.attempt);
  if (running != running_.end()) {
    running->second.control->Cancel();
    return;
  }
  reduces_.erase(action.attempt);          // It waited for segments,
  waiting_commits_.erase(action.attempt);  // or for its grant.
  events_.push_back(AttemptStopped{action.attempt});
}

void LocalJob::Do(const GrantCommit& action) {
  const auto found = waiting_commits_.find(action.attempt);
  if (found == waiting_commits_.end()) return;
  AttemptOutcome outcome = std::move(found->second);
  waiting_commits_.erase(found);
  const std::uint32_t task = action.attempt.task;
  CommittedPart part{task, action.attempt.attempt, outcome.part->info()};
  part.info.records = job_->map_only() ? outcome.map.output_records : outcome.reduce.output_records;
  parts_.push_back(part);
  if (job_->map_only()) {
    map_results_[task] = std::move(outcome.map);
    maps_done_ms_ = NowMs();
  } else {
    reduce_results_[task] = std::move(outcome.reduce);
  }
  events_.push_back(Committed{action.attempt, action.epoch});
}

void LocalJob::Do(const RefuseCommit& action) {
  waiting_commits_.erase(action.attempt);
  events_.push_back(AttemptStopped{action.attempt});
}

void LocalJob::Do(const DiscardSegment& action) {
  segments_.erase({action.segment.map_task, action.segment.attempt});
  const Status status = runner_->segments().Discard(
      {runner_->segment_job(), action.segment.map_task, action.segment.attempt});
  static_cast<void>(status.ok());  // The scratch directory goes as a whole.
}

void LocalJob::Do(const CommitJob& action) {
  reduces_done_ms_ = NowMs();
  events_.push_back(JobCommitted{
      action.job,
      runner_->output().CommitJob("  \"job\": \"" + job_->plan.job_name + "\",\n", parts_)});
}

void LocalJob::Do(const JobEnded& action) {
  if (!ended_.has_value()) ended_ = action;
}

void LocalJob::Do(const Warning& action) {
  warnings_.push_back(action.text);
  if (action.kind != WarningKind::kAttemptAbandoned) return;
  // A thread cannot be killed. When all are lost in user code, nothing will ever run again.
  if (++abandoned_ < job_->memory.threads) return;
  ended_ = JobEnded{kJob,
                    UserCodeError(action.text + "; all threads hang in the plugin's code, which "
                                                "makes no progress: look for an endless loop"),
                    {}};
}

void LocalJob::Finish(JobReport& report) {
  report.job_id = runner_->job_id();
  report.job_name = job_->plan.job_name;
  report.output_dir = job_->request.output_dir;
  report.maps = static_cast<std::uint32_t>(job_->maps.size());
  report.reduces = job_->map_only() ? 0 : job_->parts;
  report.warnings = warnings_;
  if (ended_.has_value()) {
    report.attempts_failed = ended_->tally.attempts_failed;
    report.maps_rerun = ended_->tally.maps_rerun;
    report.records_skipped = ended_->tally.records_skipped;
  }
  for (const auto& [task, map] : map_results_) {
    report.input_records += map.input_records;
    report.input_bytes += map.input_bytes;
    report.map_output_records += map.collected.records_in;
    report.map_output_bytes += map.collected.bytes_in;
    report.segment_records += map.collected.records_out;
    report.spills += map.collected.spills;
    report.output_records += map.output_records;
    Add(report.counters, map.counters);
  }
  for (const auto& [task, reduce] : reduce_results_) {
    report.shuffled_bytes += reduce.input.stored_bytes;
    report.output_records += reduce.output_records;
    Add(report.counters, reduce.counters);
  }
  if (report.status.ok()) {
    report.partition_output_bytes.resize(job_->parts);
    for (const CommittedPart& part : parts_) {
      report.output_bytes += part.info.bytes;
      report.partition_output_bytes[part.part] = part.info.bytes;
    }
  }
  report.spilled_bytes = runner_->spilled_bytes();
  report.peak_rss_bytes = PeakResidentBytes();
  report.cpu_seconds = CpuSeconds();
  report.prepare_ms = prepared_ms_;
  report.map_ms = maps_done_ms_ > prepared_ms_ ? maps_done_ms_ - prepared_ms_ : 0;
  report.reduce_ms = reduces_done_ms_ > maps_done_ms_ ? reduces_done_ms_ - maps_done_ms_ : 0;
  report.commit_ms = reduces_done_ms_ == 0 ? 0 : NowMs() - reduces_done_ms_;
}

}  // namespace spillway
