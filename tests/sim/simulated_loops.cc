// Loops of executors, which are played: seats contribute to a round a hash of what they know, and
// whoever has all of a round folds them, as runtime/task/loop_exchange.h does.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "runtime/protocol/wire_values.h"
#include "tests/sim/simulated_worker.h"

namespace spillway {

namespace {

constexpr TimeMs kRoundMsMax = 20;
constexpr std::uint32_t kUnreadablePermille = 100;
constexpr std::uint32_t kDieAtTheEndPermille = 50;
constexpr TimeMs kDownMsMax = 200;

std::uint64_t Contribution(JobId job, std::uint32_t part, std::uint32_t round,
                           std::uint64_t state) {
  return Mix(Mix(job, part), Mix(state, round));
}

std::uint64_t NextState(const wire::LoopSpec& loop, std::uint64_t state, std::uint64_t total) {
  return loop.rounds_stand_alone() ? total : Mix(state, total);
}

std::string Bytes(std::uint64_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::uint64_t Value(const std::string& bytes) {
  std::uint64_t value = 0;
  if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

}  // namespace

wire::LoopSpec SimulatedCluster::LoopOf(std::uint32_t client) const {
  wire::LoopSpec loop;
  loop.set_parts(options_.maps + 2);
  loop.set_rounds_max(1 + options_.slots);  // Few: what comes at the end is the rarest.
  loop.set_rounds_stand_alone(client % 2 == 1);
  loop.set_checkpoint_every(options_.reduces - 1);
  return loop;
}

/// One process, one thread.
std::uint64_t SimulatedCluster::LoopResult(JobId job) const {
  const wire::LoopSpec loop = LoopOf(clients_.at(job));
  std::uint64_t state = 0;
  for (std::uint32_t round = 0; round <= loop.rounds_max(); ++round) {
    std::uint64_t total = 0;
    for (std::uint32_t part = 0; part < loop.parts(); ++part)
      total = Mix(total, Contribution(job, part, round, state));
    state = NextState(loop, state, total);
  }
  return state;
}

void SimulatedCluster::HearLoopBegin(std::uint32_t index, const wire::LoopBegin& begin) {
  Worker& worker = *workers_[index];
  const auto found = worker.loops.find(begin.job());
  if (found == worker.loops.end()) return;
  Worker::Loop& loop = found->second;
  if (begin.over() && loop.generation != 0) {
    loop.ended = true;
    loop.contributed.clear();  // Whoever waits sees the end.
  } else if (begin.generation() == loop.generation) {
    loop.checkpoint = begin.checkpoint_round();
    std::erase_if(loop.contributed, [&](const auto& said) {  // To be said again.
      return said.second == std::pair(loop.generation, loop.round);
    });
  } else {
    loop = Worker::Loop();
    loop.asked = true;
    loop.generation = begin.generation();
    loop.ended = begin.over();
    loop.checkpoint = begin.checkpoint_round();
  }
  AdvanceLoop(index, begin.job());
}

void SimulatedCluster::HearLoopRound(std::uint32_t index, const wire::LoopRound& said) {
  Worker& worker = *workers_[index];
  const auto found = worker.loops.find(said.job());
  if (found == worker.loops.end()) return;
  Worker::Loop& loop = found->second;
  if (said.generation() != loop.generation || said.round() < loop.round || loop.ended) return;
  auto& round = loop.rounds[said.round()];
  for (const wire::LoopPart& part : said.parts()) round.emplace(part.part(), Value(part.bytes()));
  AdvanceLoop(index, said.job());
}

bool SimulatedCluster::StepLoop(JobId job, Worker& worker) {
  Worker::Loop& loop = worker.loops.at(job);
  if (loop.generation == 0 || loop.ended) return false;
  const wire::LoopSpec spec = LoopOf(clients_.at(job));
  const std::size_t parts = spec.parts();
  auto next = loop.rounds.end();
  if (spec.rounds_stand_alone())  // Newer than any checkpoint.
    for (auto round = loop.rounds.begin(); round != loop.rounds.end(); ++round)
      if (round->second.size() == parts) next = round;
  if (next == loop.rounds.end() && loop.checkpoint <= loop.round) {
    next = loop.rounds.find(loop.round);
    if (next != loop.rounds.end() && next->second.size() < parts) next = loop.rounds.end();
  }
  if (next == loop.rounds.end()) return false;
  std::uint64_t total = 0;
  for (const auto& [part, value] : next->second) total = Mix(total, value);
  loop.state = NextState(spec, loop.state, total);
  loop.ended = next->first >= spec.rounds_max();
  loop.round = next->first + 1;
  loop.rounds.erase(loop.rounds.begin(), std::next(next));
  return true;
}

void SimulatedCluster::ReadCheckpoint(std::uint32_t index, JobId job, const AttemptId& seat) {
  Worker::Loop& loop = workers_[index]->loops.at(job);
  const auto state = checkpoints_.find({job, loop.checkpoint});
  const bool damaged = now_ < options_.faults_end_ms && Chance(kUnreadablePermille);
  if (state != checkpoints_.end() && !damaged) {
    loop.state = state->second;
    loop.round = loop.checkpoint;
    loop.rounds.erase(loop.rounds.begin(), loop.rounds.lower_bound(loop.round));
    return;
  }
  wire::Message message;
  *message.mutable_loop_checkpoint()->mutable_seat() = ToWire(seat);
  message.mutable_loop_checkpoint()->set_generation(loop.generation);
  message.mutable_loop_checkpoint()->set_round(loop.checkpoint);
  message.mutable_loop_checkpoint()->set_unreadable(true);
  loop = Worker::Loop();
  loop.asked = true;  // It is told.
  ToWorkerMachine(index, job, message);
}

void SimulatedCluster::AdvanceLoop(std::uint32_t index, JobId job) {
  Worker& worker = *workers_[index];
  std::vector<AttemptId> seats;
  for (const auto& [id, running] : worker.attempts)
    if (id.job == job && !running.hangs && !running.wrote) seats.push_back(id);
  if (seats.empty()) return;
  Worker::Loop& loop = worker.loops[job];
  if (loop.generation == 0) {
    if (std::exchange(loop.asked, true)) return;
    wire::Message message;
    *message.mutable_loop_contribution()->mutable_seat() = ToWire(seats.front());
    return ToWorkerMachine(index, job, message);
  }
  while (StepLoop(job, worker)) continue;
  if (!loop.ended && loop.checkpoint > loop.round) {
    ReadCheckpoint(index, job, seats.front());
    if (loop.generation == 0) return;
    while (StepLoop(job, worker)) continue;
  }
  const std::pair place(loop.generation, loop.round);
  for (const AttemptId& seat : seats) {
    if (loop.contributed[seat] == place) continue;
    loop.contributed[seat] = place;
    Later(index, seat, 1 + Below(kRoundMsMax), [this, index, seat, place] {
      const Worker::Loop& now = workers_[index]->loops[seat.job];
      if (std::pair(now.generation, now.round) == place) Contribute(index, seat);
    });
  }
}

/// Two deaths within the moment in which they matter most, and which they seldom meet by chance:
/// that of the coordinator while it is asked for grants, and of the first seat, which has the
/// result.
void SimulatedCluster::StrikeAtTheEnd(JobId job) {
  Strike({now_, Fault::Kind::kCoordinatorCrash, 0, Below(kDownMsMax)});
  for (std::uint32_t index = 0; index < workers_.size(); ++index) {
    const auto& attempts = workers_[index]->attempts;
    const bool has_first = std::any_of(attempts.begin(), attempts.end(), [&](const auto& entry) {
      return entry.first.job == job && entry.first.task == 0;
    });
    if (has_first) LoseExecutor(index, job, std::nullopt);
  }
}

void SimulatedCluster::Contribute(std::uint32_t index, const AttemptId& seat) {
  Worker& worker = *workers_[index];
  const Worker::Loop loop = worker.loops.at(seat.job);
  if (worker.attempts.at(seat).wrote) return;
  if (now_ < options_.faults_end_ms && Chance(options_.attempt_failure_permille / 10) &&
      MayFail(seat))
    return FailAttempt(index, seat, "a passing failure");
  if (loop.ended && seat.task != 0 && options_.coordinator_crash_ms > 0 &&
      now_ < options_.faults_end_ms && Chance(kDieAtTheEndPermille))
    At(now_ + 1, [this, job = seat.job] { StrikeAtTheEnd(job); });
  // Who comes when the result is written has nothing to write.
  if (loop.ended) return WriteParts(index, seat, {{seat.task == 0 ? loop.state : 0, {}}});
  const wire::LoopSpec spec = LoopOf(clients_.at(seat.job));
  const std::uint32_t every = spec.checkpoint_every();
  const std::uint32_t done = loop.round == 0 ? 0 : loop.round - 1;
  if (seat.task == 0 && every != 0 && done != 0 && done % every == 0) {
    checkpoints_[{seat.job, loop.round}] = loop.state;
    if (done > 2 * every) checkpoints_.erase({seat.job, loop.round - 2 * every});
    wire::Message message;
    *message.mutable_loop_checkpoint()->mutable_seat() = ToWire(seat);
    message.mutable_loop_checkpoint()->set_generation(loop.generation);
    message.mutable_loop_checkpoint()->set_round(loop.round);
    ToWorkerMachine(index, seat.job, message);
  }
  wire::Message message;
  wire::LoopContribution& said = *message.mutable_loop_contribution();
  *said.mutable_seat() = ToWire(seat);
  said.set_generation(loop.generation);
  said.set_round(loop.round);
  for (std::uint32_t part = seat.task; part < spec.parts(); part += options_.maps) {
    wire::LoopPart& one = *said.add_parts();
    one.set_part(part);
    one.set_bytes(Bytes(Contribution(seat.job, part, loop.round, loop.state)));
  }
  ToWorkerMachine(index, seat.job, message);
}

}  // namespace spillway
