#include "runtime/worker/worker_link.h"

#include <algorithm>
#include <set>
#include <utility>

#include "runtime/protocol/frame.h"
#include "runtime/protocol/wire_values.h"

namespace spillway {

namespace {
/// Only the newest Register's answer counts, so that one which takes longer than the first wait
/// must not be overtaken by the next Register each time.
constexpr std::uint64_t kRegisterWaitsMax = 4;
}  // namespace

std::optional<AttemptId> EndedAttempt(const wire::Message& message) {
  switch (message.kind_case()) {
    case wire::Message::kMapDone: return FromWire(message.map_done().attempt());
    case wire::Message::kAttemptFailed: return FromWire(message.attempt_failed().attempt());
    case wire::Message::kAttemptStopped: return FromWire(message.attempt_stopped().attempt());
    case wire::Message::kCommitRequest: return FromWire(message.commit_request().attempt());
    case wire::Message::kSegmentLost:
      if (message.segment_lost().ended()) return FromWire(message.segment_lost().reduce());
      return std::nullopt;
    default: return std::nullopt;
  }
}

WorkerLink::WorkerLink(const wire::Register& details,
                       std::function<std::vector<AttemptId>()> attempts,
                       const WorkerLinkOptions& options)
    : details_(details),
      attempts_(std::move(attempts)),
      options_(options),
      register_wait_ms_(options.register_retry_ms) {
  details_.set_version_min(kProtocolVersionMin);
  details_.set_version_max(options_.version_max);
}

void WorkerLink::KeepEnds() {
  if (channel_ == nullptr) return;
  for (std::string& text : channel_->TakeBacklog()) {
    const auto message = ParseMessage(text);
    const bool wanted = message.ok() && (EndedAttempt(*message).has_value() ||
                                         message->kind_case() == wire::Message::kSegmentLost);
    if (wanted) kept_.push_back(std::move(text));
  }
  channel_.reset();
}

void WorkerLink::RegisterAgain() {
  KeepEnds();
  register_due_ms_ = 0;
}

std::string WorkerLink::RegisterFrame() {
  wire::Message message;
  wire::Register& details = *message.mutable_register_();
  details_.set_registration(details_.registration() + 1);
  details = details_;
  const auto add = [&](const AttemptId& id) {
    const bool known = std::any_of(details.attempts().begin(), details.attempts().end(),
                                   [&](const wire::AttemptId& a) { return FromWire(a) == id; });
    if (!known) *details.add_attempts() = ToWire(id);
  };
  for (const AttemptId& id : attempts_()) add(id);
  for (const std::string& text : kept_) {
    const auto kept = ParseMessage(text);
    if (const auto id = EndedAttempt(*kept)) add(*id);
  }
  return LoneFrame(message, options_.version_max);
}

std::optional<std::string> WorkerLink::NextFrame(TimeMs now) {
  if (channel_ != nullptr) return channel_->NextFrame(now);
  if (now < register_due_ms_) return std::nullopt;
  register_due_ms_ = now + register_wait_ms_;
  register_wait_ms_ =
      std::min(2 * register_wait_ms_, kRegisterWaitsMax * options_.register_retry_ms);
  return RegisterFrame();
}

std::optional<TimeMs> WorkerLink::due_ms() const {
  return channel_ != nullptr ? channel_->due_ms() : std::optional<TimeMs>(register_due_ms_);
}

std::size_t WorkerLink::unacknowledged() const {
  return kept_.size() + (channel_ == nullptr ? 0 : channel_->unacknowledged());
}

void WorkerLink::Post(const wire::Message& message) {
  std::string text = message.SerializeAsString();
  if (channel_ == nullptr) {
    if (EndedAttempt(message).has_value() || message.kind_case() == wire::Message::kSegmentLost)
      kept_.push_back(std::move(text));
    return;
  }
  // The coordinator takes nothing for so long that it has given this worker up already.
  if (!channel_->Post(std::move(text))) RegisterAgain();
}

WorkerLink::News WorkerLink::OnFrame(std::string_view bytes, TimeMs now) {
  News news;
  Result<wire::Frame> frame = ParseFrame(bytes);
  if (!frame.ok()) return news;
  if (frame->session() == 0) {
    for (const std::string& text : frame->messages()) {
      const auto message = ParseMessage(text);
      if (!message.ok()) continue;
      if (message->has_register_again() && channel_ != nullptr) {
        // What was said of an earlier session comes late.
        const std::uint64_t session = message->register_again().session();
        if (session == 0 || session == channel_->session()) RegisterAgain();
      }
      if (message->has_registered() && Answers(message->registered()))
        return OnRegistered(message->registered(), now);
    }
    return news;
  }
  if (channel_ == nullptr || frame->session() != channel_->session()) return news;
  heard_ms_ = now;
  std::vector<std::string> delivered;
  channel_->Accept(*std::move(frame), now, delivered);
  for (const std::string& text : delivered) {
    auto message = ParseMessage(text);
    if (message.ok()) news.messages.push_back(std::move(message).value());
  }
  return news;
}

bool WorkerLink::Answers(const wire::Registered& registered) const {
  const bool speaks =
      registered.version() >= kProtocolVersionMin && registered.version() <= options_.version_max;
  if (!speaks && !registered.has_refused()) return false;
  // A refusal, or a coordinator that does not number them.
  if (registered.registration() == 0) return channel_ == nullptr;
  return registered.registration() == details_.registration() &&
         registered.registration() > registration_;
}

/// Whoever was told to stop, or refused, after it had asked for a grant must not ask again: the
/// coordinator may have lost with the power that it said so, and the part is gone.
void WorkerLink::SayKeptAgain() {
  std::set<AttemptId> stopped;
  for (const std::string& text : kept_) {
    const auto message = ParseMessage(text);
    if (message->has_attempt_stopped()) stopped.insert(*EndedAttempt(*message));
  }
  for (std::string& text : kept_) {
    const auto message = ParseMessage(text);
    if (message->has_commit_request() && stopped.contains(*EndedAttempt(*message))) continue;
    (void)channel_->Post(std::move(text));
  }
}

WorkerLink::News WorkerLink::OnRegistered(const wire::Registered& registered, TimeMs now) {
  News news;
  news.registered = registered;
  heard_ms_ = now;
  if (registered.has_refused()) {
    register_due_ms_ = now + options_.register_retry_ms;
    return news;
  }
  KeepEnds();  // Of the session that an earlier registration began.
  registration_ = registered.registration();
  register_wait_ms_ = options_.register_retry_ms;
  news.fresh = registered.epoch() != details_.epoch();
  details_.set_epoch(registered.epoch());
  details_.set_worker(registered.worker());
  heartbeat_ms_ = std::max<std::uint64_t>(registered.heartbeat_ms(), 1);
  channel_ = std::make_unique<ReliableChannel>(registered.session(), registered.version(),
                                               options_.channel);
  if (!news.fresh) SayKeptAgain();
  kept_.clear();
  return news;
}

}  // namespace spillway
