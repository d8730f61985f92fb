// The rounds of loops in memory mode: what seats contribute, and what workers are told.
#include <algorithm>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/coordinator/coordinator_machine.h"
#include "runtime/protocol/loop_pieces.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {

namespace {
/// What a loop's rounds may take of the coordinator's memory.
constexpr std::uint64_t kRoundsBytesMax = std::uint64_t{1} << 30;
/// Of a worker's backlog, beyond which it is told no more parts until it has taken some: a worker
/// that comes late may have to be told more than a channel holds.
constexpr std::uint64_t kTellBacklogBytes = 16 << 20;
/// Generations that one coordinator may begin for a job.
constexpr std::uint64_t kGenerationsMax = 1 << 16;
constexpr const char* kEndedMeanwhile =
    "the coordinator was restarted while the loop ended: submit it again";

/// A seat that has ended has no parts to map any more: rounds cannot be made again while the loop
/// has no result.
bool HasLostParts(const JobEntry& job) {
  return job.parts[0].epoch == 0 &&
         std::any_of(job.parts.begin(), job.parts.end(),
                     [](const JobEntry::Part& part) { return part.epoch != 0; });
}
}  // namespace

void CoordinatorMachine::OnLoopContribution(WorkerEntry& worker,
                                            const wire::LoopContribution& contribution) {
  JobEntry* const job = Job(contribution.seat().job());
  if (job == nullptr || !job->is_loop()) return;
  // It asks where the loop is, maybe by a seat that is to stop: others beside it wait for the
  // answer.
  if (contribution.generation() == 0) return TellLoop(worker, *job);
  if (job->rounds == nullptr || !Owns(worker, contribution.seat())) return;
  LoopRounds& rounds = *job->rounds;
  if (contribution.generation() != rounds.generation() || contribution.round() != rounds.round())
    return;
  bool done = false;
  for (const wire::LoopPart& piece : contribution.parts())
    if (auto bytes = job->coming->Take(contribution.seat().attempt(), piece))
      done = rounds.Add(contribution.generation(), contribution.round(), piece.part(),
                        *std::move(bytes)) ||
             done;
  if (rounds.bytes() + job->coming->bytes() > kRoundsBytesMax) {
    const std::string why = "its rounds leave more than " + FormatBytes(kRoundsBytesMax) +
                            " with the coordinator: ask for fewer --rounds, give "
                            "--checkpoint-every, or use --mode disk";
    job->Log(now_, why);
    return Feed(CancelJob{job->number, why});
  }
  CancelIfStuck(*job);
  if (!done) return;
  job->coming->Clear();
  TellAll(job->number, &CoordinatorMachine::TellRounds);
}

/// A seat that had asked for its grant under the coordinator before has it, and contributes no more
/// to the rounds that were begun again; the first seat waits for it.
void CoordinatorMachine::CancelIfStuck(const JobEntry& job) {
  if (job.is_loop() && job.rounds != nullptr && job.rounds->IsHere(0) && HasLostParts(job))
    Feed(CancelJob{job.number, kEndedMeanwhile});
}

/// A worker that takes nothing any more is given up meanwhile, and its job may end by it.
void CoordinatorMachine::TellAll(JobId number,
                                 void (CoordinatorMachine::*tell)(WorkerEntry&, JobEntry&)) {
  for (const auto& [id, worker] : workers_.all()) {
    JobEntry* const job = Job(number);
    if (job != nullptr && worker->told_loops.contains(number)) (this->*tell)(*worker, *job);
  }
}

void CoordinatorMachine::OnLoopCheckpoint(WorkerEntry& worker,
                                          const wire::LoopCheckpoint& checkpoint) {
  JobEntry* const job = Job(checkpoint.seat().job());
  if (job == nullptr || !job->is_loop()) return;
  if (!Owns(worker, checkpoint.seat())) {  // Nobody else beside that seat would ask.
    if (checkpoint.unreadable()) TellLoop(worker, *job);
    return;
  }
  if (job->rounds == nullptr || checkpoint.generation() != job->rounds->generation()) return;
  if (!checkpoint.unreadable()) {
    if (checkpoint.round() <= job->checkpoint_round || checkpoint.round() > job->rounds->round())
      return;
    job->checkpoint_round = checkpoint.round();
    if (!job->spec.loop().rounds_stand_alone()) job->rounds->DropBefore(checkpoint.round());
    wire::JournalRecord record;
    record.mutable_loop_checkpointed()->set_job(job->number);
    record.mutable_loop_checkpointed()->set_round(checkpoint.round());
    return Append(job->number, record);
  }
  // A newer one took its place before it was read.
  if (checkpoint.round() != job->checkpoint_round || !job->rounds->NeedsState())
    return TellLoop(worker, *job);
  if (HasLostParts(*job))
    return Feed(CancelJob{job->number, "the checkpoint of round " +
                                           std::to_string(checkpoint.round()) +
                                           " cannot be read, and seats of the loop have ended: "
                                           "submit it again"});
  job->Warn(now_, "the checkpoint of round " + std::to_string(checkpoint.round()) +
                      " cannot be read: the rounds begin again at 0");
  job->checkpoint_round = 0;
  BeginRounds(*job, job->rounds->generation() + 1);
  TellAll(job->number, &CoordinatorMachine::TellLoop);
}

void CoordinatorMachine::BeginRounds(JobEntry& job, std::uint64_t generation) {
  const wire::LoopSpec& loop = job.spec.loop();
  job.rounds =
      std::make_shared<LoopRounds>(LoopRounds::Options{.generation = generation,
                                                       .parts = loop.parts(),
                                                       .stand_alone = loop.rounds_stand_alone(),
                                                       .first_round = job.checkpoint_round});
  job.coming = std::make_unique<LoopAssembly>(LoopPartBytesMax(loop.rounds_stand_alone()));
}

void CoordinatorMachine::TellLoop(WorkerEntry& worker, JobEntry& job) {
  if (!job.is_loop()) return;
  if (job.rounds == nullptr) {
    BeginRounds(job, options_.epoch * kGenerationsMax);
    // A coordinator died within the moment between two seats' ends.
    if (HasLostParts(job)) return Feed(CancelJob{job.number, kEndedMeanwhile});
  }
  worker.told_loops[job.number] = {job.rounds->kept_from(), 0};
  TellBegin(worker, job);
  TellRounds(worker, job);
}

void CoordinatorMachine::TellBegin(WorkerEntry& worker, const JobEntry& job) {
  wire::Message message;
  wire::LoopBegin& begin = *message.mutable_loop_begin();
  begin.set_job(job.number);
  begin.set_generation(job.rounds->generation());
  begin.set_over(job.parts[0].epoch != 0);
  if (job.rounds->NeedsState()) begin.set_checkpoint_round(job.rounds->kept_from());
  Post(worker, message.SerializeAsString());
}

void CoordinatorMachine::TellRounds(WorkerEntry& worker, JobEntry& job) {
  const auto told = worker.told_loops.find(job.number);
  if (told == worker.told_loops.end()) return;
  const JobId number = job.number;
  // Kept: the session, and then the job, may end while the worker is told of it.
  const std::shared_ptr<const LoopRounds> rounds = job.rounds;
  LoopCursor cursor = told->second;
  if (cursor.round < rounds->kept_from()) {  // What it was being told is gone.
    cursor = {rounds->kept_from(), 0};
    if (rounds->NeedsState()) TellBegin(worker, job);
  }
  LoopPacker packer(
      [&](wire::Message& message) {
        wire::LoopRound& say = *message.mutable_loop_round();
        say.set_job(number);
        say.set_generation(rounds->generation());
        say.set_round(cursor.round);
        return say.mutable_parts();
      },
      [&](const wire::Message& message) { Post(worker, message.SerializeAsString()); });
  while (worker.channel != nullptr && cursor.round < rounds->round() &&
         worker.channel->backlog_bytes() < kTellBacklogBytes) {
    const std::vector<std::string>& parts = rounds->Done(cursor.round);
    packer.Add(cursor.part, parts[cursor.part]);
    if (++cursor.part < parts.size()) continue;
    packer.Flush();
    cursor = {cursor.round + 1, 0};
  }
  packer.Flush();
  if (worker.channel != nullptr) worker.told_loops[number] = cursor;
}

void CoordinatorMachine::TellMore(WorkerEntry& worker) {
  std::vector<JobId> loops;  // Telling may end the session, and with it the table.
  for (const auto& [number, cursor] : worker.told_loops) loops.push_back(number);
  for (const JobId number : loops)
    if (JobEntry* const job = Job(number)) TellRounds(worker, *job);
}

}  // namespace spillway
