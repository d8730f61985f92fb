#include "runtime/core/journalled.h"

#include <variant>

namespace spillway {
namespace {

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;  // Clang 14 finds none by itself.

}  // namespace

bool IsJournalled(const Event& event) {
  return !std::holds_alternative<Heartbeat>(event) &&
         !std::holds_alternative<AttemptProgress>(event) && !std::holds_alternative<Tick>(event);
}

std::optional<Event> DecisionOf(const Action& action) {
  using Decision = std::optional<Event>;
  return std::visit(Overloaded{[](const StartMap& a) -> Decision {
                                 return AttemptStarted{a.attempt, a.worker, a.backup};
                               },
                               [](const StartReduce& a) -> Decision {
                                 return AttemptStarted{a.attempt, a.worker, a.backup};
                               },
                               [](const StartCombine& a) -> Decision {
                                 return AttemptStarted{a.attempt, a.worker, a.backup};
                               },
                               [](const CutReduces& a) -> Decision {
                                 return ReducesPlanned{a.job, a.plan};
                               },
                               [](const StopAttempt& a) -> Decision {
                                 const bool timed_out = a.reason == StopReason::kTimeout;
                                 if (!timed_out && a.reason != StopReason::kPreempted)
                                   return std::nullopt;
                                 return AttemptStopping{a.attempt, timed_out};
                               },
                               [](const Warning& a) -> Decision {
                                 if (a.kind != WarningKind::kAttemptAbandoned) return std::nullopt;
                                 return AttemptAbandoned{a.attempt};
                               },
                               [](const WorkerExpired& a) -> Decision {
                                 return WorkerLost{a.worker, a.epoch};
                               },
                               [](const auto&) -> Decision { return std::nullopt; }},
                    action);
}

}  // namespace spillway
