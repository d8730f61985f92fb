// The rounds of loops in memory mode: what seats contribute, and what workers are told.
#include <algorithm>
#include <utility>

#include "mapreduce/base/units.h"
#include "runtime/coordinator/coordinator_machine.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {

namespace {
/// A message stays well below a frame's limit; one part is smaller than it.
constexpr std::size_t kRoundMessageBytes = kLoopPartBytesMax;
/// What a loop's rounds may take of the coordinator's memory.
constexpr std::uint64_t kRoundsBytesMax = std::uint64_t{1} << 30;
}  // namespace

void CoordinatorMachine::OnLoopContribution(WorkerEntry& worker,
                                            const wire::LoopContribution& contribution) {
  JobEntry* const job = Job(contribution.seat().job());
  if (job == nullptr || !job->is_loop() || !Owns(worker, contribution.seat())) return;
  if (contribution.generation() == 0) return TellLoop(worker, *job);  // It asks where the loop is.
  if (job->rounds == nullptr) return;
  LoopRounds& rounds = *job->rounds;
  bool done = false;
  for (const wire::LoopPart& part : contribution.parts())
    done = rounds.Add(contribution.generation(), contribution.round(), part.part(), part.bytes()) ||
           done;
  if (!done) return;
  if (rounds.bytes() > kRoundsBytesMax) {
    const std::string why = "its rounds leave more than " + FormatBytes(kRoundsBytesMax) +
                            " with the coordinator: ask for fewer --rounds, or use --mode disk";
    job->Log(now_, why);
    return Feed(CancelJob{job->number, why});
  }
  for (const auto& [id, other] : workers_.all())
    if (other->told_loops.contains(job->number)) TellRound(*other, *job, rounds.round() - 1);
}

void CoordinatorMachine::TellRound(WorkerEntry& worker, const JobEntry& job, std::uint32_t round) {
  const std::vector<std::string>& parts = job.rounds->Done(round);
  wire::Message message;
  std::size_t bytes = 0;
  const auto post = [&] {
    Post(worker, message.SerializeAsString());
    message.Clear();
    bytes = 0;
  };
  for (std::uint32_t part = 0; part < parts.size(); ++part) {
    if (bytes > 0 && bytes + parts[part].size() > kRoundMessageBytes) post();
    wire::LoopRound& say = *message.mutable_loop_round();
    say.set_job(job.number);
    say.set_generation(job.rounds->generation());
    say.set_round(round);
    wire::LoopPart& one = *say.add_parts();
    one.set_part(part);
    one.set_bytes(parts[part]);
    bytes += parts[part].size() + 16;
  }
  if (message.has_loop_round()) post();
}

void CoordinatorMachine::TellLoop(WorkerEntry& worker, JobEntry& job) {
  if (!job.is_loop()) return;
  const bool over = job.parts[0].epoch != 0;
  if (job.rounds == nullptr) {
    job.rounds = std::make_unique<LoopRounds>(options_.epoch, job.spec.loop().parts(),
                                              job.spec.loop().rounds_stand_alone());
    // A seat that has ended has no parts to map, and its loop no result yet: a coordinator died
    // within the moment between two seats' ends.
    const bool unfinished = std::any_of(job.parts.begin(), job.parts.end(),
                                        [](const JobEntry::Part& part) { return part.epoch != 0; });
    if (unfinished && !over)
      return Feed(CancelJob{job.number,
                            "the coordinator was restarted while the loop ended: submit it again"});
  }
  worker.told_loops.insert(job.number);
  wire::Message message;
  message.mutable_loop_begin()->set_job(job.number);
  message.mutable_loop_begin()->set_generation(job.rounds->generation());
  message.mutable_loop_begin()->set_over(over);
  Post(worker, message.SerializeAsString());
  for (std::uint32_t round = job.rounds->kept_from(); round < job.rounds->round(); ++round)
    TellRound(worker, job, round);
}

}  // namespace spillway
