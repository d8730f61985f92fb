// The scheduler's events as records of the journal, and back. Pure. docs/formats/journal.md is the
// contract.
#pragma once

#include <optional>

#include "runtime/core/events.h"
#include "runtime/protocol/journal.pb.h"

namespace spillway {

/// The record of a journalled event, as far as the event itself says; what the coordinator keeps
/// beside it is in `record` already.
void PutEvent(const Event& event, wire::JournalRecord& record);

/// The event of a record; nothing for one that is not the scheduler's, and for a submitted job,
/// whose event is made of its spec.
std::optional<Event> TakeEvent(const wire::JournalRecord& record);

/// WorkerJoined::runs_plans of a worker that registered so.
bool RunsPlans(const wire::Register& details);

/// The job that the event belongs to; 0: the cluster.
JobId JobOf(const Event& event);

}  // namespace spillway
