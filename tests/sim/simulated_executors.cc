// Executors, which are played: a map "writes" a segment on its worker, a reduce needs one of each
// map at the moment it reads, and both write parts whose content tells what they read.
#include <algorithm>
#include <utility>

#include "runtime/protocol/wire_values.h"
#include "tests/sim/simulated_worker.h"

namespace spillway {

namespace {

constexpr std::uint32_t kFailuresMax = 3;  // One less than ends a job.
constexpr std::uint32_t kUnnoticedPermille = 200;
constexpr std::uint32_t kDiesWaitingPermille = 300;
constexpr TimeMs kNoticeMs = 100, kNoticeMsMax = 300;
constexpr TimeMs kWorkMs = 5, kWorkMsMax = 60;

}  // namespace

void SimulatedCluster::Executor(std::uint32_t index, JobId job, const wire::Message& message) {
  Worker& worker = *workers_[index];
  if (!worker.executors.contains(job)) return;
  if (message.has_start_map()) {
    const AttemptId id = FromWire(message.start_map().attempt());
    Begin(index, job, id, {});
    if (JobOf(job).loop) return AdvanceLoop(index, job);
    Later(index, id, kWorkMs + Below(kWorkMsMax), [this, index, id] { FinishMap(index, id); });
  } else if (message.has_start_reduce()) {
    const wire::StartReduce& start = message.start_reduce();
    const AttemptId id = FromWire(start.attempt());
    const std::uint32_t partitions = std::max(1u, start.partitions());
    if (partitions > 1) joined_[id] = partitions;
    Begin(index, job, id, {{start.first_segment(), start.maps()}, id.task, partitions, 0});
    TryReading(index, id);
  } else if (message.has_start_combine()) {
    const wire::StartCombine& start = message.start_combine();
    const AttemptId id = FromWire(start.attempt());
    Begin(index, job, id,
          {{start.first_segment(), start.segments()}, start.partition(), 1, start.segment()});
    TryReading(index, id);
  } else if (message.has_segments_available()) {
    const AttemptId id = FromWire(message.segments_available().reduce());
    const auto found = worker.attempts.find(id);
    if (found == worker.attempts.end()) return;
    for (const wire::SegmentRef& segment : message.segments_available().segments())
      found->second.segments[segment.map_task()] = FromWire(segment);
    TryReading(index, id);
  } else if (message.has_segment_invalidated()) {
    const auto found = worker.attempts.find(FromWire(message.segment_invalidated().reduce()));
    if (found != worker.attempts.end() && !found->second.reading)
      found->second.segments.erase(message.segment_invalidated().segment().map_task());
  } else if (message.has_stop_attempt()) {
    const AttemptId id = FromWire(message.stop_attempt().attempt());
    const auto found = worker.attempts.find(id);
    const auto reason = static_cast<StopReason>(message.stop_attempt().reason());
    if (found != worker.attempts.end() && reason == StopReason::kUnknown)
      found->second.unknown = true;
    Stop(index, id);
  } else if (message.has_commit_refuse()) {
    Stop(index, FromWire(message.commit_refuse().attempt()));
  } else if (message.has_commit_grant()) {
    worker.attempts.erase(FromWire(message.commit_grant().attempt()));
  } else if (message.has_loop_begin()) {
    HearLoopBegin(index, message.loop_begin());
  } else if (message.has_loop_round()) {
    HearLoopRound(index, message.loop_round());
  }
}

void SimulatedCluster::Begin(std::uint32_t index, JobId job, const AttemptId& id,
                             const Sources& sources) {
  Worker& worker = *workers_[index];
  Worker::Running running;
  running.executor = worker.executors.at(job);
  running.sources = sources;
  running.epoch = worker.epoch;
  running.hangs = now_ < options_.faults_end_ms && Chance(options_.hang_permille) && MayFail(id);
  if (!worker.attempts.try_emplace(id, std::move(running)).second) {
    return Fail("an executor is given an attempt twice");
  }
  const auto& begun = worker.attempts.at(id);
  if (!begun.hangs || Chance(kUnnoticedPermille)) return;
  At(now_ + kNoticeMs + Below(kNoticeMsMax), [this, index, id, life = begun.executor] {
    const auto found = workers_[index]->attempts.find(id);
    if (found != workers_[index]->attempts.end() && found->second.executor == life)
      LoseExecutor(index, id.job, id);
  });
}

void SimulatedCluster::Later(std::uint32_t index, const AttemptId& id, TimeMs delay,
                             std::function<void()> what) {
  At(now_ + delay,
     [this, index, id, life = workers_[index]->attempts.at(id).executor, what = std::move(what)] {
       const auto found = workers_[index]->attempts.find(id);
       if (found == workers_[index]->attempts.end() || found->second.executor != life) return;
       if (!found->second.hangs) what();
     });
}

/// Until it has, it may also end by itself.
void SimulatedCluster::Stop(std::uint32_t index, const AttemptId& id) {
  Worker& worker = *workers_[index];
  worker.stops.try_emplace(id, now_);
  const auto running = worker.attempts.find(id);
  if (running != worker.attempts.end() && running->second.hangs) return;
  // Few are told so while they wait for a grant: then it dies more often than by chance.
  const bool waits = running != worker.attempts.end() && running->second.wrote;
  if (waits && options_.executor_crash_ms > 0 && now_ < options_.faults_end_ms &&
      Chance(kDiesWaitingPermille))
    At(now_ + 1, [this, index, job = id.job, life = worker.executors.at(id.job)] {
      const auto found = workers_[index]->executors.find(job);
      if (found != workers_[index]->executors.end() && found->second == life)
        LoseExecutor(index, job, std::nullopt);
    });
  At(now_ + 1 + Below(options_.stop_ms_max), [this, index, id, life = worker.executors.at(id.job)] {
    Worker& at = *workers_[index];
    const auto executor = at.executors.find(id.job);
    if (executor == at.executors.end() || executor->second != life) return;
    const auto stopped_one = at.attempts.find(id);
    if (stopped_one != at.attempts.end()) {
      if (stopped_one->second.wrote) LoseParts(id, stopped_one->second.sources.partitions);
      at.attempts.erase(stopped_one);
    }
    wire::Message stopped;
    *stopped.mutable_attempt_stopped()->mutable_attempt() = ToWire(id);
    ToWorkerMachine(index, id.job, stopped);
  });
}

void SimulatedCluster::EndExecutor(std::uint32_t index, JobId job) {
  Worker& worker = *workers_[index];
  worker.executors.erase(job);
  worker.loops.erase(job);
  std::erase_if(worker.attempts, [&](const auto& entry) { return entry.first.job == job; });
}

void SimulatedCluster::LoseExecutor(std::uint32_t index, JobId job,
                                    std::optional<AttemptId> guilty) {
  std::vector<wire::Message> ends;
  if (guilty.has_value()) {
    wire::AttemptFailed& failed = *ends.emplace_back().mutable_attempt_failed();
    *failed.mutable_attempt() = ToWire(*guilty);
    *failed.mutable_status() = ToWire(Aborted("it hung, or took its process along"));
    failed.mutable_record()->mutable_place()->set_offset(guilty->attempt);
  }
  EndExecutor(index, job);
  Worker& worker = *workers_[index];
  const auto tell = [this, index, job, ends, life = worker.life] {
    if (workers_[index]->life != life) return;
    workers_[index]->machine->OnExecutorEnded(job, ends, "crashed", now_);
    CarryOut(index);
  };
  if (worker.paused) return worker.missed.push_back(tell);
  tell();
}

bool SimulatedCluster::MayFail(const AttemptId& id) {
  // Together with set-ups that fail they would use up a task's attempts.
  if (options_.setup_failure_permille > 0 && !JobOf(id.job).doomed) return false;
  std::uint32_t& failures = failures_[{id.job, id.kind, id.task}];
  const bool doomed = JobOf(id.job).doomed && id.kind == TaskKind::kMap && id.task == 0;
  if (!doomed && failures >= kFailuresMax) return false;
  ++failures;
  return true;
}

void SimulatedCluster::FailAttempt(std::uint32_t index, const AttemptId& id, const char* why) {
  workers_[index]->attempts.erase(id);
  wire::Message message;
  *message.mutable_attempt_failed()->mutable_attempt() = ToWire(id);
  *message.mutable_attempt_failed()->mutable_status() = ToWire(Unavailable(why));
  ToWorkerMachine(index, id.job, message);
}

std::uint64_t SimulatedCluster::MapContent(const AttemptId& map, std::uint32_t partition) {
  const std::uint64_t content = Mix(Mix(map.job, map.task), partition);
  return JobOf(map.job).varying ? Mix(content, map.attempt) : content;
}

void SimulatedCluster::WriteParts(std::uint32_t index, const AttemptId& id,
                                  std::vector<PartFile> parts) {
  workers_[index]->attempts.at(id).wrote = true;
  wire::Message message;
  wire::CommitRequest& request = *message.mutable_commit_request();
  *request.mutable_attempt() = ToWire(id);
  request.mutable_stats()->set_output_records(parts.size());
  if (id.kind == TaskKind::kMap) request.mutable_stats()->set_input_records(1);
  request.mutable_part()->set_xxh3(parts[0].content);
  for (std::uint32_t i = 1; i < parts.size(); ++i)
    request.add_joined()->mutable_part()->set_xxh3(parts[i].content);
  for (std::uint32_t i = 0; i < parts.size(); ++i)
    part_files_[{id.job, id.task + i, id.attempt}] = std::move(parts[i]);
  ToWorkerMachine(index, id.job, message);
}

void SimulatedCluster::LoseParts(const AttemptId& id, std::uint32_t partitions) {
  for (std::uint32_t i = 0; i < partitions; ++i)
    part_files_.erase({id.job, id.task + i, id.attempt});
}

void SimulatedCluster::FinishMap(std::uint32_t index, const AttemptId& id) {
  Worker& worker = *workers_[index];
  const bool doomed = JobOf(id.job).doomed && id.task == 0;
  if (doomed) {
    (void)MayFail(id);
    return FailAttempt(index, id, "it fails whenever it runs");
  }
  if (now_ < options_.faults_end_ms && Chance(options_.attempt_failure_permille) && MayFail(id))
    return FailAttempt(index, id, "a passing failure");
  ++maps_run_;
  if (options_.map_only) return WriteParts(index, id, {{MapContent(id, 0), {}}});
  worker.attempts.erase(id);
  worker.segments.insert({id.job, id.task, id.attempt});
  wire::Message message;
  wire::MapDone& done = *message.mutable_map_done();
  *done.mutable_attempt() = ToWire(id);
  done.mutable_stats()->set_input_records(1);
  for (std::uint32_t part = 0; part < options_.reduces; ++part) {
    const std::uint64_t content = MapContent(id, part);
    done.add_partition_hashes(content);
    // One is large, in some jobs.
    const std::uint64_t size = part == id.job % (options_.reduces + 1) ? 120 : content % 50;
    done.mutable_partition_sizes()->push_back(static_cast<char>(size));
  }
  ToWorkerMachine(index, id.job, message);
}

void SimulatedCluster::TryReading(std::uint32_t index, const AttemptId& id) {
  Worker::Running& running = workers_[index]->attempts.at(id);
  if (running.reading || !running.HasAll()) return;
  running.reading = true;
  Later(index, id, kWorkMs + Below(kWorkMsMax), [this, index, id] { FinishReading(index, id); });
}

bool SimulatedCluster::Reaches(std::uint32_t index, const AttemptId& id,
                               const SegmentRef& segment) const {
  const auto source = by_id_.find(segment.worker);
  return source != by_id_.end() && (source->second == index || !cut_.contains(source->second)) &&
         workers_[source->second]->machine != nullptr &&
         workers_[source->second]->machine->id() == segment.worker &&
         workers_[source->second]->segments.contains({id.job, segment.map_task, segment.attempt});
}

void SimulatedCluster::FinishReading(std::uint32_t index, const AttemptId& id) {
  Worker& worker = *workers_[index];
  const auto found = worker.attempts.find(id);
  const Worker::Running& running = found->second;
  if (running.wrote) return;
  if (now_ < options_.faults_end_ms && Chance(options_.attempt_failure_permille) && MayFail(id))
    return FailAttempt(index, id, "a passing failure");
  const Sources sources = running.sources;
  std::vector<SegmentRef> segments;
  for (std::uint32_t i = 0; i < sources.segments.count; ++i) {
    const SegmentRef segment = running.segments.at(sources.segments.first + i);
    segments.push_back(segment);
    if (Reaches(index, id, segment)) continue;
    wire::Message message;
    wire::SegmentLost& lost = *message.mutable_segment_lost();
    *lost.mutable_reduce() = ToWire(id);
    lost.set_map_task(segment.map_task);
    lost.set_map_attempt(segment.attempt);
    lost.set_ended(true);
    worker.attempts.erase(found);
    return ToWorkerMachine(index, id.job, message);
  }
  std::vector<PartFile> parts;
  for (std::uint32_t i = 0; i < sources.partitions; ++i)
    parts.push_back(Read(id, segments, sources.partition + i));
  if (id.kind == TaskKind::kCombine) return FinishCombine(index, id, std::move(parts[0]));
  joins_run_ += sources.partitions > 1;
  WriteParts(index, id, std::move(parts));
}

SimulatedCluster::PartFile SimulatedCluster::Read(const AttemptId& id,
                                                  const std::vector<SegmentRef>& segments,
                                                  std::uint32_t partition) {
  PartFile part;
  for (const SegmentRef& segment : segments) {
    const AttemptId map{id.job, TaskKind::kMap, segment.map_task, segment.attempt};
    if (map.task < options_.maps) {
      part.content += MapContent(map, partition);
      part.maps[map.task] = map.attempt;
      continue;
    }
    const PartFile& combined = combined_.at({id.job, map.task, map.attempt});
    part.content += combined.content;
    part.maps.insert(combined.maps.begin(), combined.maps.end());
  }
  return part;
}

void SimulatedCluster::FinishCombine(std::uint32_t index, const AttemptId& id, PartFile combined) {
  Worker& worker = *workers_[index];
  const std::uint32_t segment = worker.attempts.at(id).sources.own_segment;
  ++combines_run_;
  combined_[{id.job, segment, id.attempt}] = std::move(combined);
  worker.attempts.erase(id);
  worker.segments.insert({id.job, segment, id.attempt});
  wire::Message message;
  *message.mutable_map_done()->mutable_attempt() = ToWire(id);
  ToWorkerMachine(index, id.job, message);
}

void SimulatedCluster::SayProgress(std::uint32_t index) {
  std::map<JobId, wire::Message> messages;
  for (const auto& [id, running] : workers_[index]->attempts) {
    if (running.hangs) continue;
    wire::Progress::Moved& moved = *messages[id.job].mutable_progress()->add_moved();
    *moved.mutable_attempt() = ToWire(id);
    moved.set_fraction(running.reading ? 0.5 : 0.1);
  }
  for (const auto& [job, message] : messages)
    workers_[index]->machine->OnExecutorMessage(job, message, now_);
}

}  // namespace spillway
