#include "runtime/task/loop_exchange.h"

#include <algorithm>
#include <utility>

#include "mapreduce/base/units.h"

namespace spillway {

namespace {
/// Between looks at a request to stop. What it waits for wakes it.
constexpr std::chrono::milliseconds kLookMs{50};
}  // namespace

LoopExchange::LoopExchange(const Options& options, Post post)
    : options_(options), post_(std::move(post)) {}

void LoopExchange::Begin(std::uint64_t generation, bool over, std::uint32_t checkpoint) {
  std::vector<std::shared_ptr<const LoopContribution>> again;
  {
    const std::lock_guard lock(mutex_);
    if (over) {
      ended_ = true;
      moved_.notify_all();
    }
    if (over && place_.generation != 0) {
      // Whoever waits sees the end.
    } else if (generation == place_.generation) {
      for (const auto& [seat, contribution] : contributed_)
        if (contribution->place == place_) again.push_back(contribution);
      checkpoint_ = checkpoint;
      moved_.notify_all();
    } else {
      place_ = {generation, 0};
      state_ = nullptr;
      ended_ = over;
      checkpoint_ = checkpoint;
      rounds_.clear();
      contributed_.clear();
      history_ = {};
      moved_.notify_all();
    }
  }
  for (const auto& contribution : again) post_.contribution(*contribution);
}

void LoopExchange::Add(const LoopPlace& place, std::vector<LoopPart> parts) {
  const std::lock_guard lock(mutex_);
  if (place.generation != place_.generation || place.round < place_.round || ended_) return;
  RoundParts& round = rounds_[place.round];
  round.bytes.resize(options_.parts);
  round.here.resize(options_.parts);
  for (LoopPart& part : parts) {
    if (part.part >= options_.parts || round.here[part.part]) continue;
    round.here[part.part] = true;
    round.bytes[part.part] = std::move(part.bytes);
    ++round.count;
  }
  // Nobody needs those before it any more.
  if (options_.stand_alone && IsComplete(place.round))
    rounds_.erase(rounds_.begin(), rounds_.find(place.round));
  if (NextStep().has_value()) moved_.notify_all();
}

bool LoopExchange::IsComplete(std::uint32_t round) const {
  const auto found = rounds_.find(round);
  return (found == rounds_.end() ? 0 : found->second.count) == options_.parts;
}

std::optional<std::uint32_t> LoopExchange::NextStep() const {
  if (place_.generation == 0 || ended_) return std::nullopt;
  if (options_.stand_alone)  // Newer than any checkpoint.
    for (auto newest = rounds_.rbegin(); newest != rounds_.rend(); ++newest)
      if (IsComplete(newest->first)) return newest->first;
  const bool steps = !ReadIsDue() && IsComplete(place_.round);
  return steps ? std::optional(place_.round) : std::nullopt;
}

Result<LoopExchange::Turn> LoopExchange::Await(const AttemptId& seat, const LoopPlace& last,
                                               TaskHost& host, AttemptControl& control) {
  std::unique_lock lock(mutex_);
  if (place_.generation == 0 && !asked_) {
    asked_ = true;
    lock.unlock();
    post_.contribution({seat, {}, {}});
    lock.lock();
  }
  while (true) {
    if (control.cancelled()) return Cancelled("the attempt was stopped");
    // Whoever comes late passes over the rounds that are complete already.
    if (const std::optional<std::uint32_t> round = NextStep()) {
      if (!stepping_) {
        SPILLWAY_RETURN_IF_ERROR(StepOn(*round, lock, host));
        continue;
      }
    } else if (place_.generation != 0 && ReadIsDue()) {
      if (!stepping_) {
        SPILLWAY_RETURN_IF_ERROR(ReadCheckpoint(seat, lock, host));
        continue;
      }
    } else if (place_.generation != 0 && (place_ != last || ended_)) {
      return Turn{place_, state_, ended_};
    }
    // Waiting for others is no hang.
    control.AddProgress();
    moved_.wait_for(lock, kLookMs);
  }
}

Status LoopExchange::StepOn(std::uint32_t round, std::unique_lock<std::mutex>& lock,
                            TaskHost& host) {
  stepping_ = true;
  place_.round = round;  // Rounds that are passed over are nobody's to map.
  const LoopPlace from = place_;
  const std::shared_ptr<const LoopObject> state = state_;
  const std::vector<std::string> parts = std::move(rounds_[from.round].bytes);
  lock.unlock();
  Result<Stepped> stepped = Step(from.round, state, parts, host);
  lock.lock();
  stepping_ = false;
  moved_.notify_all();
  const bool same = place_ == from;
  if (!stepped.ok()) {
    if (same) rounds_[from.round].bytes = parts;  // Another seat tries, and fails alike.
    return stepped.status();
  }
  if (!same) return OkStatus();  // Another generation began meanwhile.
  KeepTime(from.round);
  history_.rounds = from.round;
  history_.converged = stepped->converged;
  rounds_.erase(from.round);
  state_ = std::move(stepped->state);
  // It may have been told so meanwhile.
  ended_ = ended_ || stepped->converged || from.round >= options_.rounds_max;
  place_.round = from.round + 1;
  return OkStatus();
}

std::uint32_t LoopExchange::round() const {
  const std::lock_guard lock(mutex_);
  return place_.round;
}

void LoopExchange::KeepTime(std::uint32_t round) {
  const Clock::time_point now = Clock::now();
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now - round_began_);
  round_began_ = now;
  history_.round_us.resize(std::min(round, kRoundTimesMax));
  if (round < kRoundTimesMax) history_.round_us.push_back(static_cast<std::uint64_t>(took.count()));
}

/// Of several seats the first one reads. When it cannot, the coordinator knows better.
Status LoopExchange::ReadCheckpoint(const AttemptId& seat, std::unique_lock<std::mutex>& lock,
                                    TaskHost& host) {
  stepping_ = true;
  const LoopPlace from = place_;
  const std::uint32_t round = checkpoint_;
  lock.unlock();
  Result<std::shared_ptr<const LoopObject>> state = ReadState(round, host);
  lock.lock();
  stepping_ = false;
  moved_.notify_all();
  if (place_ != from || checkpoint_ != round)
    return OkStatus();  // It was told otherwise meanwhile.
  if (state.ok()) {
    state_ = std::move(state).value();
    place_.round = round;
    history_.rounds = round - 1;
    history_.resumed = round;
    rounds_.erase(rounds_.begin(), rounds_.lower_bound(round));
    round_began_ = Clock::now();
    return OkStatus();
  }
  if (state.status().code() != Code::kDataLoss && state.status().code() != Code::kNotFound)
    return state.status();
  place_ = {};  // Until it says where the loop is now.
  asked_ = true;
  lock.unlock();
  post_.checkpoint({seat, {from.generation, round}, true});
  lock.lock();
  return OkStatus();
}

Result<std::shared_ptr<const LoopObject>> LoopExchange::ReadState(std::uint32_t round,
                                                                  TaskHost& host) const {
  if (options_.checkpoints == nullptr) return NotFound("the loop has no checkpoints");
  SPILLWAY_ASSIGN_OR_RETURN(const std::string bytes, options_.checkpoints->Read(round));
  SPILLWAY_ASSIGN_OR_RETURN(LoopObject state, LoopObject::Load(*host.task()->job->loop,
                                                               SPILLWAY_LOOP_STATE, bytes, host));
  return std::make_shared<const LoopObject>(std::move(state));
}

Status LoopExchange::Checkpoint(const AttemptId& seat, const Turn& turn, TaskHost& host) {
  const std::uint32_t every = options_.checkpoint_every;
  const std::uint32_t done = turn.place.round == 0 ? 0 : turn.place.round - 1;  // After round 0.
  if (options_.checkpoints == nullptr || every == 0 || done == 0 || done % every != 0)
    return OkStatus();
  if (history().resumed == turn.place.round) return OkStatus();  // It is there.
  SPILLWAY_ASSIGN_OR_RETURN(const std::string bytes, turn.state->Save(host));
  SPILLWAY_RETURN_IF_ERROR(options_.checkpoints->Write(turn.place.round, seat.attempt, bytes));
  post_.checkpoint({seat, turn.place, false});
  // Whoever was told of the one before may be reading it.
  if (done > 2 * every) options_.checkpoints->Remove(turn.place.round - 2 * every);
  return OkStatus();
}

/// The former state is left alone: an attempt that was given up may still read it. So Next is given
/// a copy, by its bytes, or a new state where rounds stand alone.
Result<LoopExchange::Stepped> LoopExchange::Step(std::uint32_t round,
                                                 const std::shared_ptr<const LoopObject>& state,
                                                 const std::vector<std::string>& parts,
                                                 TaskHost& host) const {
  const spillway_loop& loop = *host.task()->job->loop;
  const std::uint32_t kind = round == 0 ? SPILLWAY_LOOP_START : SPILLWAY_LOOP_PARTIAL;
  SPILLWAY_ASSIGN_OR_RETURN(LoopObject total, LoopObject::Create(loop, kind, host));
  for (const std::string& bytes : parts) {
    SPILLWAY_ASSIGN_OR_RETURN(const LoopObject part, LoopObject::Load(loop, kind, bytes, host));
    SPILLWAY_RETURN_IF_ERROR(host.Run(
        nullptr, [&] { return loop.fold(loop.self, host.task(), kind, total.get(), part.get()); }));
  }
  LoopObject next;
  if (state == nullptr || options_.stand_alone) {
    SPILLWAY_ASSIGN_OR_RETURN(next, LoopObject::Create(loop, SPILLWAY_LOOP_STATE, host));
  } else {
    SPILLWAY_ASSIGN_OR_RETURN(const std::string bytes, state->Save(host));
    SPILLWAY_ASSIGN_OR_RETURN(next, LoopObject::Load(loop, SPILLWAY_LOOP_STATE, bytes, host));
  }
  int converged = 0;
  SPILLWAY_RETURN_IF_ERROR(host.Run(nullptr, [&] {
    return loop.next(loop.self, host.task(), round, next.get(), total.get(), &converged);
  }));
  return Stepped{std::make_shared<const LoopObject>(std::move(next)), converged != 0};
}

Status LoopExchange::Contribute(LoopContribution contribution) {
  if (options_.alone) {
    Add(contribution.place, std::move(contribution.parts));
    return OkStatus();
  }
  for (const LoopPart& part : contribution.parts)
    if (part.bytes.size() > options_.part_bytes_max)
      return InvalidArgument("part " + std::to_string(part.part) + " of the loop leaves " +
                             FormatBytes(part.bytes.size()) + " for the fold, more than " +
                             FormatBytes(options_.part_bytes_max) + ": use --mode disk");
  const auto kept = std::make_shared<const LoopContribution>(std::move(contribution));
  std::uint64_t bytes = 0;
  {
    const std::lock_guard lock(mutex_);
    if (kept->place != place_) return OkStatus();
    contributed_[kept->seat] = kept;
    for (const auto& [seat, said] : contributed_)
      if (said->place == place_)
        for (const LoopPart& part : said->parts) bytes += part.bytes.size();
  }
  if (bytes > options_.round_bytes_max)
    return InvalidArgument("the parts of the loop leave more than " +
                           FormatBytes(options_.round_bytes_max) +
                           " for the fold in one round: use --mode disk");
  post_.contribution(*kept);
  return OkStatus();
}

void LoopExchange::Leave(const AttemptId& seat) {
  const std::lock_guard lock(mutex_);
  contributed_.erase(seat);
}

LoopExchange::History LoopExchange::history() const {
  const std::lock_guard lock(mutex_);
  return history_;
}

}  // namespace spillway
