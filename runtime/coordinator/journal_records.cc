#include "runtime/coordinator/journal_records.h"

#include "runtime/protocol/frame.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {

namespace {

/// One overload for each event that is journalled; the others leave the record as it is.
class Putter {
 public:
  explicit Putter(wire::JournalRecord& record) : record_(record) {}

  void operator()(const SubmitJob& e) { record_.mutable_submitted()->set_job(e.job); }
  void operator()(const CancelJob& e) {
    record_.mutable_cancelled()->set_job(e.job);
    record_.mutable_cancelled()->set_reason(e.reason);
  }
  void operator()(const JobCommitted& e) {
    record_.mutable_committed()->set_job(e.job);
    *record_.mutable_committed()->mutable_status() = ToWire(e.status);
  }
  void operator()(const WorkerJoined& e) { PutWorker(e, *record_.mutable_worker_joined()); }
  void operator()(const WorkerLost& e) { PutWorker(e, *record_.mutable_worker_gone()); }
  void operator()(const DrainWorker& e) { PutWorker(e, *record_.mutable_worker_draining()); }
  void operator()(const WorkerResumed& e) {
    PutWorker(e, *record_.mutable_worker_resumed());
    for (const AttemptId& id : e.attempts)
      *record_.mutable_worker_resumed()->add_attempts() = ToWire(id);
  }
  void operator()(const AttemptDone& e) {
    *record_.mutable_map_done()->mutable_attempt() = ToWire(e.attempt);
  }
  void operator()(const AttemptFailed& e) {
    wire::AttemptFailed& failed = *record_.mutable_failed();
    *failed.mutable_attempt() = ToWire(e.attempt);
    *failed.mutable_status() = ToWire(e.status);
    if (!e.record.has_value()) return;
    *failed.mutable_record()->mutable_place() = ToWire(e.record->place);
    failed.mutable_record()->set_path(e.record->path);
  }
  void operator()(const AttemptStopped& e) {
    *record_.mutable_stopped()->mutable_attempt() = ToWire(e.attempt);
  }
  void operator()(const SegmentLost& e) {
    wire::SegmentLost& lost = *record_.mutable_segment_lost();
    *lost.mutable_reduce() = ToWire(e.reduce);
    lost.set_map_task(e.map_task);
    lost.set_map_attempt(e.map_attempt);
    lost.set_ended(e.ended);
  }
  void operator()(const CommitRequested& e) {
    *record_.mutable_commit_requested()->mutable_attempt() = ToWire(e.attempt);
  }
  void operator()(const Committed& e) {
    *record_.mutable_part_committed()->mutable_attempt() = ToWire(e.attempt);
    record_.mutable_part_committed()->set_epoch(e.epoch);
  }
  void operator()(const ReducesPlanned& e) {
    wire::ReducesPlanned& planned = *record_.mutable_reduces_planned();
    planned.set_job(e.job);
    for (const SplitPartition& split : e.plan.splits) {
      planned.add_splits()->set_partition(split.partition);
      planned.mutable_splits()->rbegin()->set_pieces(split.pieces);
    }
    for (const JoinedPartitions& join : e.plan.joins) {
      planned.add_joins()->set_first(join.first);
      planned.mutable_joins()->rbegin()->set_count(join.count);
    }
  }
  void operator()(const AttemptStarted& e) {
    *record_.mutable_started()->mutable_attempt() = ToWire(e.attempt);
    record_.mutable_started()->set_worker(e.worker);
    record_.mutable_started()->set_backup(e.backup);
  }
  void operator()(const AttemptStopping& e) {
    *record_.mutable_stopping()->mutable_attempt() = ToWire(e.attempt);
    record_.mutable_stopping()->set_timed_out(e.timed_out);
  }
  void operator()(const AttemptAbandoned& e) {
    *record_.mutable_abandoned()->mutable_attempt() = ToWire(e.attempt);
  }
  void operator()(const TakenOver&) { record_.mutable_taken_over(); }
  void operator()(const Heartbeat&) {}
  void operator()(const AttemptProgress&) {}
  void operator()(const Tick&) {}

 private:
  template <class EventType, class Record>
  static void PutWorker(const EventType& e, Record& record) {
    record.set_worker(e.worker);
    record.set_epoch(e.epoch);
  }

  wire::JournalRecord& record_;
};

Event JoinedEvent(const wire::WorkerJoined& joined) {
  const wire::Register& details = joined.details();
  return WorkerJoined{.worker = joined.worker(),
                      .epoch = joined.epoch(),
                      .slots = details.slots(),
                      .host = details.host(),
                      .rack = details.rack(),
                      .small_jobs_only = details.small_jobs_only(),
                      .runs_plans = RunsPlans(details)};
}

Event PlannedEvent(const wire::ReducesPlanned& planned) {
  ReducesPlanned event{planned.job(), {}};
  for (const auto& split : planned.splits())
    event.plan.splits.push_back({split.partition(), split.pieces()});
  for (const auto& join : planned.joins()) event.plan.joins.push_back({join.first(), join.count()});
  return event;
}

Event FailedEvent(const wire::AttemptFailed& failed) {
  AttemptFailed event{FromWire(failed.attempt()), FromWire(failed.status()), std::nullopt};
  if (failed.has_record())
    event.record = FailedRecord{FromWire(failed.record().place()), failed.record().path()};
  return event;
}

Event ResumedEvent(const wire::WorkerResumed& resumed) {
  WorkerResumed event{resumed.worker(), resumed.epoch(), {}};
  for (const wire::AttemptId& id : resumed.attempts()) event.attempts.push_back(FromWire(id));
  return event;
}

}  // namespace

void PutEvent(const Event& event, wire::JournalRecord& record) {
  std::visit(Putter(record), event);
}

std::optional<Event> TakeEvent(const wire::JournalRecord& r) {
  using Kind = wire::JournalRecord;
  switch (r.kind_case()) {
    case Kind::kCancelled: return CancelJob{r.cancelled().job(), r.cancelled().reason()};
    case Kind::kCommitted:
      return JobCommitted{r.committed().job(), FromWire(r.committed().status())};
    case Kind::kWorkerJoined: return JoinedEvent(r.worker_joined());
    case Kind::kWorkerGone: return WorkerLost{r.worker_gone().worker(), r.worker_gone().epoch()};
    case Kind::kWorkerDraining:
      return DrainWorker{r.worker_draining().worker(), r.worker_draining().epoch()};
    case Kind::kWorkerResumed: return ResumedEvent(r.worker_resumed());
    case Kind::kStarted:
      return AttemptStarted{FromWire(r.started().attempt()), r.started().worker(),
                            r.started().backup()};
    case Kind::kStopping:
      return AttemptStopping{FromWire(r.stopping().attempt()), r.stopping().timed_out()};
    case Kind::kAbandoned: return AttemptAbandoned{FromWire(r.abandoned().attempt())};
    case Kind::kMapDone:
      return AttemptDone{
          FromWire(r.map_done().attempt()),
          r.map_done().segment_bytes(),
          {r.map_done().partition_hashes().begin(), r.map_done().partition_hashes().end()},
          {r.map_done().record_hashes().begin(), r.map_done().record_hashes().end()},
          r.map_done().partition_sizes()};
    case Kind::kFailed: return FailedEvent(r.failed());
    case Kind::kStopped: return AttemptStopped{FromWire(r.stopped().attempt())};
    case Kind::kSegmentLost:
      return SegmentLost{FromWire(r.segment_lost().reduce()), r.segment_lost().map_task(),
                         r.segment_lost().map_attempt(), r.segment_lost().ended()};
    case Kind::kCommitRequested: return CommitRequested{FromWire(r.commit_requested().attempt())};
    case Kind::kPartCommitted:
      return Committed{FromWire(r.part_committed().attempt()), r.part_committed().epoch()};
    case Kind::kReducesPlanned: return PlannedEvent(r.reduces_planned());
    case Kind::kTakenOver: return TakenOver{};
    case Kind::kSubmitted:
    case Kind::kAccepted:
    case Kind::kLoopCheckpointed:
    case Kind::KIND_NOT_SET: return std::nullopt;
  }
  return std::nullopt;
}

bool RunsPlans(const wire::Register& details) {
  return details.version_max() >= kProtocolVersionOfPlans;
}

JobId JobOf(const Event& event) {
  return std::visit(
      [](const auto& e) -> JobId {
        if constexpr (requires { e.job; }) {
          return e.job;
        } else if constexpr (requires { e.attempt.job; }) {
          return e.attempt.job;
        } else if constexpr (requires { e.reduce.job; }) {
          return e.reduce.job;
        } else {
          return 0;
        }
      },
      event);
}

}  // namespace spillway
