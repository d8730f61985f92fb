#include "runtime/worker/task_engine.h"

#include <algorithm>

#include "mapreduce/base/check.h"
#include "runtime/core/scheduler.h"
#include "runtime/protocol/wire_values.h"
#include "runtime/task/crash_report.h"
#include "shuffle/store/kill_point.h"

namespace spillway {

namespace {

wire::Message Message(AttemptEnd end) { return std::move(end.answer); }

std::string Milliseconds(std::uint64_t ms) {
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

/// The seats of a loop must all run at once.
std::uint32_t ThreadsFor(const JobRuntime& job) {
  const std::uint32_t slots = job.memory.threads;
  if (!job.is_loop()) return slots;
  return std::max(slots, std::min(job.maps, slots * kGangTasksPerSlotMax));
}

void PostContribution(const LoopContribution& contribution,
                      const std::function<void(wire::Message)>& post) {
  const auto begin = [&](wire::Message& message) {
    wire::LoopContribution& say = *message.mutable_loop_contribution();
    *say.mutable_seat() = ToWire(contribution.seat);
    say.set_generation(contribution.place.generation);
    say.set_round(contribution.place.round);
    return say.mutable_parts();
  };
  LoopPacker packer(begin, post);
  for (const LoopPart& part : contribution.parts) packer.Add(part.part, part.bytes);
  packer.Flush();
  if (!contribution.parts.empty()) return;
  wire::Message message;
  begin(message);
  post(std::move(message));
}

void PostCheckpoint(const LoopCheckpointNote& note,
                    const std::function<void(wire::Message)>& post) {
  wire::Message message;
  wire::LoopCheckpoint& say = *message.mutable_loop_checkpoint();
  *say.mutable_seat() = ToWire(note.seat);
  say.set_generation(note.place.generation);
  say.set_round(note.place.round);
  say.set_unreadable(note.unreadable);
  post(std::move(message));
}

LoopExchange::Options ExchangeOptions(const JobRuntime& job, bool alone) {
  return {.parts = job.loop->parts(),
          .rounds_max = job.loop->rounds_max(),
          .stand_alone = job.loop->rounds_stand_alone(),
          .alone = alone,
          .part_bytes_max = LoopPartBytesMax(job.loop->rounds_stand_alone()),
          .round_bytes_max = kLoopRoundBytesMax,
          .checkpoint_every = job.loop->checkpoint_every(),
          .checkpoints = alone ? nullptr : &job.checkpoints};
}

/// All that the maps left, or pieces that combines made of it, of a map's each at least.
bool HasSegments(const JobRuntime& job, const wire::StartReduce& start) {
  if (start.first_segment() == 0) return start.maps() == job.maps;
  return start.first_segment() >= job.maps && start.maps() <= job.maps;
}

bool LosesSegment(Code code) {
  return code == Code::kNotFound || code == Code::kDataLoss || code == Code::kUnavailable;
}

}  // namespace

Result<std::unique_ptr<TaskEngine>> TaskEngine::Create(const wire::StartJob& job,
                                                       const TaskEngineHost& host,
                                                       const TaskEngineOptions& options) {
  std::unique_ptr<TaskEngine> engine(new TaskEngine(job, host, options));
  Status status = engine->job_.Check();
  if (status.ok()) status = engine->job_.TakeInputNames(job);
  if (status.ok() && host.board.slots() < ThreadsFor(engine->job_))
    status = InternalError("the slot board has fewer slots than there are threads");
  if (status.ok()) return engine;
  SPILLWAY_CHECK(engine->Stop(0));
  return status;
}

TaskEngine::TaskEngine(const wire::StartJob& job, const TaskEngineHost& host,
                       const TaskEngineOptions& options)
    : host_(host),
      options_(options),
      task_timeout_ms_(job.spec().limits().task_timeout_ms()),
      job_(job, host.plugin, options.memory, host.files, host.segments),
      slots_(std::make_unique<SlotPool>(ThreadsFor(job_))) {
  if (!job_.is_loop()) return;
  rounds_ = std::make_unique<LoopAssembly>(LoopPartBytesMax(job_.loop->rounds_stand_alone()));
  job_.exchange = std::make_unique<LoopExchange>(
      ExchangeOptions(job_, options.alone),
      LoopExchange::Post{
          [post = host.post](const LoopContribution& said) { PostContribution(said, post); },
          [post = host.post](const LoopCheckpointNote& said) { PostCheckpoint(said, post); }});
}

TaskEngine::~TaskEngine() { SPILLWAY_CHECK(stopping_); }

void TaskEngine::Handle(const wire::Message& message) {
  switch (message.kind_case()) {
    case wire::Message::kStartMap: return On(message.start_map());
    case wire::Message::kStartReduce: return On(message.start_reduce());
    case wire::Message::kStartCombine: return On(message.start_combine());
    case wire::Message::kSegmentsAvailable: return On(message.segments_available());
    case wire::Message::kSegmentInvalidated: return On(message.segment_invalidated());
    case wire::Message::kStopAttempt: return On(message.stop_attempt());
    case wire::Message::kCommitGrant: return On(message.commit_grant());
    case wire::Message::kCommitRefuse: return On(message.commit_refuse());
    case wire::Message::kDiscardSegment: return On(message.discard_segment());
    case wire::Message::kLoopBegin: return On(message.loop_begin());
    case wire::Message::kLoopRound: return On(message.loop_round());
    default: return;
  }
}

// --- Starting.

void TaskEngine::On(const wire::StartMap& start) {
  const AttemptId id = FromWire(start.attempt());
  if (id.job != job_.job) return;
  Result<MapTaskSpec> spec = MapTaskSpecOf(start);
  if (spec.ok() && (id.kind != TaskKind::kMap || id.task >= job_.maps))
    spec = InvalidArgument("the job has no " + AttemptText(id));
  Deferred deferred;
  {
    const std::lock_guard lock(mutex_);
    if (Repeated(id, deferred)) {
      // Answered below.
    } else if (!spec.ok()) {
      deferred.posts.push_back(Message(FailedAttempt(id, spec.status())));
    } else {
      Attempt& attempt = attempts_[id];
      for (const SplitRange& range : spec->ranges) attempt.input_bytes += range.bytes;
      slots_->Start(
          [this, id, task = std::move(*spec)](std::uint32_t slot) { RunMap(id, task, slot); });
    }
  }
  Do(deferred);
}

void TaskEngine::On(const wire::StartReduce& start) {
  const AttemptId id = FromWire(start.attempt());
  if (id.job != job_.job) return;
  const PartitionRange partitions{id.task, std::max(1u, start.partitions())};
  Deferred deferred;
  {
    const std::lock_guard lock(mutex_);
    if (Repeated(id, deferred)) {
      // Answered below.
    } else if (id.kind != TaskKind::kReduce || job_.map_only() ||
               !partitions.IsWithin(job_.context.partitions) || !HasSegments(job_, start)) {
      deferred.posts.push_back(
          Message(FailedAttempt(id, InvalidArgument("the job has no " + AttemptText(id) + " of " +
                                                    std::to_string(start.maps()) + " map tasks"))));
    } else {
      StartReading(id, start.maps(),
                   {.first_segment = start.first_segment(), .partitions = partitions});
    }
  }
  Do(deferred);
}

void TaskEngine::On(const wire::StartCombine& start) {
  const AttemptId id = FromWire(start.attempt());
  if (id.job != job_.job) return;
  Deferred deferred;
  {
    const std::lock_guard lock(mutex_);
    if (Repeated(id, deferred)) {
      // Answered below.
    } else if (id.kind != TaskKind::kCombine || job_.map_only() ||
               start.partition() >= job_.context.partitions || start.segment() < job_.maps ||
               start.first_segment() > job_.maps ||
               start.segments() > job_.maps - start.first_segment()) {
      deferred.posts.push_back(
          Message(FailedAttempt(id, InvalidArgument("the job has no such " + AttemptText(id)))));
    } else {
      StartReading(id, start.segments(),
                   {.first_segment = start.first_segment(),
                    .partitions = {start.partition(), 1},
                    .own_segment = start.segment()});
    }
  }
  Do(deferred);
}

void TaskEngine::StartReading(const AttemptId& id, std::uint32_t segments, Inputs inputs) {
  Attempt& attempt = attempts_[id];
  attempt.state = State::kFetching;
  inputs.ticket = next_ticket_++;
  inputs.wanted.assign(segments, kNoAttempt);
  inputs.readers.resize(segments);
  inputs.missing = segments;
  tickets_[inputs.ticket] = id;
  attempt.inputs = std::move(inputs);
  if (segments > 0) return;
  attempt.state = State::kQueued;
  slots_->Start([this, id](std::uint32_t slot) { RunReading(id, slot); });
}

/// Whether the attempt was started before. Its answer, if there is one, is told again.
bool TaskEngine::Repeated(const AttemptId& id, Deferred& deferred) {
  const Attempt* const attempt = Find(id);
  if (attempt == nullptr) return stopping_;
  if (attempt->state == State::kPromised || attempt->state == State::kEnded)
    deferred.posts.push_back(attempt->answer);
  return true;
}

TaskEngine::Attempt* TaskEngine::Find(const AttemptId& id) {
  const auto found = attempts_.find(id);
  return found == attempts_.end() ? nullptr : &found->second;
}

// --- Segments.

void TaskEngine::On(const wire::SegmentsAvailable& available) {
  const AttemptId id = FromWire(available.reduce());
  Deferred deferred;
  {
    const std::lock_guard lock(mutex_);
    Attempt* const attempt = Find(id);
    if (attempt == nullptr || attempt->state != State::kFetching) return;
    Inputs& inputs = *attempt->inputs;
    for (const wire::SegmentRef& segment : available.segments()) {
      const auto at = inputs.Find(segment.map_task());
      if (!at.has_value() || inputs.wanted[*at] == segment.attempt()) continue;
      inputs.Forget(*at);
      inputs.wanted[*at] = segment.attempt();
      deferred.fetches.push_back({inputs.ticket,
                                  {{job_.context.job, segment.map_task(), segment.attempt()},
                                   segment.worker(),
                                   inputs.partitions}});
    }
  }
  Do(deferred);
}

void TaskEngine::On(const wire::SegmentInvalidated& invalidated) {
  const std::lock_guard lock(mutex_);
  Attempt* const attempt = Find(FromWire(invalidated.reduce()));
  // A reduce that runs finds out by itself whether it still needs the segment.
  if (attempt == nullptr || attempt->state != State::kFetching) return;
  Inputs& inputs = *attempt->inputs;
  const auto at = inputs.Find(invalidated.segment().map_task());
  if (at.has_value() && inputs.wanted[*at] == invalidated.segment().attempt()) inputs.Forget(*at);
}

void TaskEngine::OnFetched(const AttemptId& id, FetchTicket ticket, const SegmentOrder& order,
                           Result<std::shared_ptr<const SegmentReader>> reader) {
  Deferred deferred;
  {
    const std::lock_guard lock(mutex_);
    Attempt* const attempt = Find(id);
    if (attempt == nullptr || attempt->state != State::kFetching) return;
    Inputs& inputs = *attempt->inputs;
    // Invalidated meanwhile, and maybe announced anew.
    if (inputs.ticket != ticket) return;
    const std::size_t at = order.id.map_task - inputs.first_segment;
    if (inputs.wanted[at] != order.id.attempt || inputs.readers[at] != nullptr) return;
    if (!reader.ok()) {
      LoseSegment(id, *attempt, order, reader.status(), deferred);
    } else {
      inputs.readers[at] = std::move(*reader);
      attempt->control->AddProgress();
      if (--inputs.missing == 0) {
        attempt->state = State::kQueued;
        slots_->Start([this, id](std::uint32_t slot) { RunReading(id, slot); });
      }
    }
  }
  for (wire::Message& message : deferred.posts) host_.post(std::move(message));
  // A ticket must not be ended from here: the next Tick does it.
}

void TaskEngine::LoseSegment(const AttemptId& id, Attempt& attempt, const SegmentOrder& order,
                             const Status& why, Deferred& deferred) {
  // A worker of an older version does not know ranges, and what it answers looks like damage. One
  // by one, the partitions can be had of it; real damage shows again then.
  const bool of_range = attempt.inputs->partitions.count > 1 && why.code() != Code::kNotFound &&
                        why.code() != Code::kUnavailable;
  if (of_range || !LosesSegment(why.code())) {
    const Status told = of_range ? Cancelled(why.message()) : why;
    End(id, attempt, Message(FailedAttempt(id, told)), deferred);
    return;
  }
  attempt.inputs->wanted[order.id.map_task - attempt.inputs->first_segment] = kNoAttempt;
  wire::Message message;
  wire::SegmentLost& lost = *message.mutable_segment_lost();
  *lost.mutable_reduce() = ToWire(id);
  lost.set_map_task(order.id.map_task);
  lost.set_map_attempt(order.id.attempt);
  lost.set_message(why.message());
  deferred.posts.push_back(std::move(message));
}

void TaskEngine::On(const wire::DiscardSegment& discard) {
  if (discard.job() != job_.job) return;
  const Status discarded = host_.segments.Discard(
      {job_.context.job, discard.segment().map_task(), discard.segment().attempt()});
  static_cast<void>(discarded.ok());  // The job's scratch directory goes as a whole.
}

void TaskEngine::On(const wire::LoopBegin& begin) {
  if (begin.job() != job_.job || !job_.is_loop()) return;
  rounds_->Clear();
  job_.exchange->Begin(begin.generation(), begin.over(), begin.checkpoint_round());
}

void TaskEngine::On(const wire::LoopRound& round) {
  if (round.job() != job_.job || !job_.is_loop()) return;
  std::vector<LoopPart> parts;
  for (const wire::LoopPart& piece : round.parts())
    if (std::optional<std::string> bytes = rounds_->Take(0, piece))
      parts.push_back({piece.part(), *std::move(bytes)});
  if (!parts.empty()) job_.exchange->Add({round.generation(), round.round()}, std::move(parts));
}

// --- Running.

/// Null: the attempt was stopped while it waited for a thread.
TaskEngine::Attempt* TaskEngine::TakeThread(const AttemptId& id, std::uint32_t slot) {
  Attempt* const attempt = Find(id);
  if (attempt == nullptr || attempt->state != State::kQueued || stopping_) return nullptr;
  attempt->state = State::kRunning;
  attempt->slot = slot;
  attempt->moved = Clock::now();
  attempt->control->set_slot(&host_.board.slot(slot));
  ++running_;
  return attempt;
}

void TaskEngine::RunMap(const AttemptId& id, const MapTaskSpec& spec, std::uint32_t slot) {
  std::shared_ptr<AttemptControl> control;
  {
    const std::lock_guard lock(mutex_);
    Attempt* const attempt = TakeThread(id, slot);
    if (attempt == nullptr) return;
    control = attempt->control;
  }
  AttemptEnd end;
  {
    const SlotScope scope(control->slot(), id);
    end = RunMapAttempt(job_, spec, *control);
  }
  Finish(id, std::move(end));
}

void TaskEngine::RunReading(const AttemptId& id, std::uint32_t slot) {
  std::shared_ptr<AttemptControl> control;
  Inputs inputs;
  {
    const std::lock_guard lock(mutex_);
    Attempt* const attempt = TakeThread(id, slot);
    if (attempt == nullptr) return;
    control = attempt->control;
    inputs = *std::exchange(attempt->inputs, std::nullopt);
    tickets_.erase(inputs.ticket);
  }
  const FetchTotals fetched = host_.source.CancelAll(inputs.ticket);
  AttemptEnd end;
  {
    const SlotScope scope(control->slot(), id);
    if (id.kind == TaskKind::kReduce) {
      end = RunReduceAttempt(
          job_, id, {std::move(inputs.readers), fetched, inputs.partitions.count}, *control);
    } else {
      end = RunCombineAttempt(job_,
                              {.index = id.task,
                               .attempt = id.attempt,
                               .partition = inputs.partitions.first,
                               .segment = inputs.own_segment,
                               .segments = std::move(inputs.readers)},
                              fetched, *control);
    }
  }
  Finish(id, std::move(end));
}

void TaskEngine::Finish(const AttemptId& id, AttemptEnd end) {
  Deferred deferred;
  {
    const std::lock_guard lock(mutex_);
    --running_;
    idle_.notify_all();
    Attempt* const attempt = Find(id);
    // It was given up before it came back.
    const bool late = attempt == nullptr || attempt->state != State::kRunning || stopping_;
    if (late) {
      for (const auto& part : end.parts) part->Remove();
      if (end.beside != nullptr) end.beside->Remove();
      return;
    }
    if (!end.parts.empty() && attempt->stopped.has_value()) {
      // It was told too late to notice. Nobody answers such a request.
      attempt->parts = std::move(end.parts);
      End(id, *attempt, Message(StoppedAttempt(id)), deferred);
    } else if (!end.parts.empty()) {
      attempt->state = State::kPromised;
      attempt->parts = std::move(end.parts);
      attempt->answer = end.answer;
      deferred.posts.push_back(std::move(end.answer));
    } else {
      End(id, *attempt, std::move(end.answer), deferred);
    }
  }
  Do(deferred);
}

/// Keeps the answer and lets go of everything else.
void TaskEngine::End(const AttemptId& id, Attempt& attempt, wire::Message answer,
                     Deferred& deferred) {
  for (const auto& part : attempt.parts) part->Remove();
  attempt.parts.clear();
  attempt.inputs.reset();
  attempt.state = State::kEnded;
  attempt.answer = answer;
  deferred.posts.push_back(std::move(answer));
  ended_.push_back(id);
  while (ended_.size() > options_.answers_max) {
    attempts_.erase(ended_.front());
    ended_.pop_front();
  }
}

// --- Ends.

void TaskEngine::On(const wire::StopAttempt& stop) {
  const AttemptId id = FromWire(stop.attempt());
  if (id.job != job_.job) return;
  Deferred deferred;
  {
    const std::lock_guard lock(mutex_);
    Attempt* const attempt = Find(id);
    if (attempt == nullptr || attempt->state == State::kEnded) {
      deferred.posts.push_back(Message(StoppedAttempt(id)));
    } else if (attempt->state == State::kRunning) {
      attempt->control->Cancel();
      if (!attempt->stopped.has_value()) attempt->stopped = Clock::now();
    } else {
      End(id, *attempt, Message(StoppedAttempt(id)), deferred);
    }
  }
  Do(deferred);
}

void TaskEngine::On(const wire::CommitGrant& grant) {
  const std::lock_guard lock(mutex_);
  const AttemptId id = FromWire(grant.attempt());
  Attempt* const attempt = Find(id);
  if (attempt == nullptr || attempt->state != State::kPromised) return;
  KillPoint("part-granted");
  attempts_.erase(id);  // With its output, which was finished: the files stay.
}

void TaskEngine::On(const wire::CommitRefuse& refuse) {
  const AttemptId id = FromWire(refuse.attempt());
  if (id.job != job_.job) return;
  Deferred deferred;
  {
    const std::lock_guard lock(mutex_);
    Attempt* const attempt = Find(id);
    if (attempt != nullptr && attempt->state == State::kPromised)
      End(id, *attempt, Message(StoppedAttempt(id)), deferred);
    else
      deferred.posts.push_back(Message(StoppedAttempt(id)));
  }
  Do(deferred);
}

/// Without the mutex.
void TaskEngine::Do(const Deferred& deferred) {
  for (const wire::Message& message : deferred.posts) host_.post(message);
  for (const auto& [ticket, order] : deferred.fetches) {
    AttemptId id;
    {
      const std::lock_guard lock(mutex_);
      const auto found = tickets_.find(ticket);
      if (found == tickets_.end()) continue;
      id = found->second;
    }
    host_.source.Fetch(ticket, order,
                       [this, id, ticket = ticket,
                        order = order](Result<std::shared_ptr<const SegmentReader>> reader) {
                         OnFetched(id, ticket, order, std::move(reader));
                       });
  }
  for (const FetchTicket ticket : deferred.tickets_done) host_.source.CancelAll(ticket);
  for (const AttemptId& id : deferred.stuck) host_.stuck(id);
}

// --- Looking after them.

wire::Progress TaskEngine::Progress() {
  wire::Progress progress;
  const std::lock_guard lock(mutex_);
  for (auto& [id, attempt] : attempts_) {
    const std::uint64_t steps = attempt.control->progress();
    const bool live = attempt.state == State::kRunning || attempt.state == State::kFetching;
    // One that waits for a thread does not hang.
    const bool moved = (live && steps != attempt.told_steps) || attempt.state == State::kQueued;
    if (!moved) continue;
    attempt.told_steps = steps;
    wire::Progress::Moved& entry = *progress.add_moved();
    *entry.mutable_attempt() = ToWire(id);
    const std::uint64_t done = attempt.control->input_bytes();
    entry.set_input_bytes(done);
    if (attempt.input_bytes != 0)
      entry.set_fraction(
          std::min(1.0, static_cast<double>(done) / static_cast<double>(attempt.input_bytes)));
  }
  return progress;
}

std::uint32_t TaskEngine::loop_round() const { return job_.is_loop() ? job_.exchange->round() : 0; }

AttemptEnd TaskEngine::HangOf(const AttemptId& id, const Attempt& attempt) const {
  const auto report = host_.board.Read(attempt.slot);
  std::string what = "made no progress for " + Milliseconds(task_timeout_ms_);
  const std::string said = attempt.control->status();
  if (!said.empty()) what += " (its last status: " + said + ")";
  const std::string text =
      report.has_value() ? SlotText(*report, what, host_.files) : "the task " + what;
  return FailedAttempt(id, Aborted(text + "; look for an endless loop there, or raise --timeout"),
                       report.has_value() ? report->record : std::nullopt);
}

void TaskEngine::Tick() {
  const Clock::time_point now = Clock::now();
  const auto passed = [now](Clock::time_point since, std::uint64_t limit_ms) {
    return now - since >= std::chrono::milliseconds(limit_ms);
  };
  Deferred deferred;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, attempt] : attempts_) {
      if (attempt.state != State::kRunning) continue;
      const std::uint64_t steps = attempt.control->progress();
      if (steps != attempt.seen_steps) attempt.moved = now;
      attempt.seen_steps = steps;
      const bool deaf =
          attempt.stopped.has_value() && passed(*attempt.stopped, options_.stop_timeout_ms);
      const bool hangs = !attempt.stopped.has_value() && task_timeout_ms_ != 0 &&
                         passed(attempt.moved, task_timeout_ms_);
      if (deaf || hangs) deferred.stuck.push_back(id);
    }
    for (const AttemptId& id : deferred.stuck) {
      Attempt& attempt = *Find(id);
      AttemptEnd end = attempt.stopped.has_value() ? StoppedAttempt(id) : HangOf(id, attempt);
      attempt.control->Cancel();
      End(id, attempt, std::move(end.answer), deferred);
    }
    // Tickets of reduces that ended without a thread.
    for (auto it = tickets_.begin(); it != tickets_.end();) {
      const Attempt* const attempt = Find(it->second);
      const bool over = attempt == nullptr || !attempt->inputs.has_value();
      if (over) deferred.tickets_done.push_back(it->first);
      it = over ? tickets_.erase(it) : std::next(it);
    }
  }
  Do(deferred);
}

std::vector<AttemptId> TaskEngine::attempts() const {
  const std::lock_guard lock(mutex_);
  std::vector<AttemptId> ids;
  for (const auto& [id, attempt] : attempts_)
    if (attempt.state != State::kEnded) ids.push_back(id);
  return ids;
}

bool TaskEngine::Stop(std::uint64_t timeout_ms) {
  std::vector<FetchTicket> tickets;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& [id, attempt] : attempts_) {
      attempt.control->Cancel();
      attempt.parts.clear();  // They may still be granted.
    }
    for (const auto& [ticket, id] : tickets_) tickets.push_back(ticket);
    tickets_.clear();
  }
  for (const FetchTicket ticket : tickets) host_.source.CancelAll(ticket);
  {
    std::unique_lock lock(mutex_);
    const auto enough = std::chrono::milliseconds(timeout_ms);
    if (!idle_.wait_for(lock, enough, [this] { return running_ == 0; })) {
      slots_->Abandon();
      return false;
    }
  }
  slots_.reset();
  return true;
}

}  // namespace spillway
