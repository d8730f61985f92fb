// Journalled: what of a scheduler's step a journal keeps, so that Scheduler::Replay finds the same
// tables again. Pure functions.
//
// The events of a job can go when it has ended. What is lost with them speaks of workers only: how
// often each failed in a row, who is set aside, and slots that abandoned attempts of that job hold.
#pragma once

#include <optional>

#include "runtime/core/actions.h"
#include "runtime/core/events.h"

namespace spillway {

/// Whether the event itself changes tables. Heartbeats, progress and ticks do not: what follows
/// from them is kept as decisions.
bool IsJournalled(const Event& event);

/// The event that stands for the action in a journal, if the action was a decision that does not
/// follow from other journalled events: a start, a time-out, a preemption, an attempt abandoned, a
/// lease that ran out. To be kept behind the step's event, in the order of the actions.
std::optional<Event> DecisionOf(const Action& action);

}  // namespace spillway
