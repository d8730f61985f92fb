// WorkerLink: the worker's end of its conversation with the coordinator: registration, the session,
// and what has to be said again after the coordinator or the connection was away. Pure; owned by
// the worker's loop.
//
// It registers at the start and whenever the coordinator does not know its session. From the moment
// a Register is made until it is answered, what the coordinator says under the old session is
// ignored: the Register names the attempts that are there, and both sides go on from that. For the
// same reason only the newest Register's answer counts: under an older one it could be given
// attempts that the newest, already on its way, does not name, and whose slots are then given away
// a second time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/core/attempt_id.h"
#include "runtime/protocol/reliable_channel.h"
#include "runtime/protocol/spillway.pb.h"

namespace spillway {

struct WorkerLinkOptions {
  std::uint64_t register_retry_ms = 1'000;  ///< Doubled while there is no answer, up to four times.
  std::uint32_t version_max = kProtocolVersion;  ///< Less: to be an older worker.
  ChannelLimits channel;
};

class WorkerLink {
 public:
  /// `details` without epoch, id and attempts. `attempts` lists, when it is called, the attempts
  /// that run.
  WorkerLink(const wire::Register& details, std::function<std::vector<AttemptId>()> attempts,
             const WorkerLinkOptions& options = {});

  struct News {
    /// The answer to a registration. `fresh`: whatever the worker had of jobs counts no more.
    std::optional<wire::Registered> registered;
    bool fresh = false;
    std::vector<wire::Message> messages;
  };

  News OnFrame(std::string_view bytes, TimeMs now);

  /// Says something to the coordinator: now, or once there is a session. Only ends of attempts
  /// survive the end of a session; everything else is said anew then.
  void Post(const wire::Message& message);

  /// The next frame to send now.
  std::optional<std::string> NextFrame(TimeMs now);
  std::optional<TimeMs> due_ms() const;

  /// Asks to be registered anew, as when the coordinator was not heard of for long.
  void RegisterAgain();

  bool registered() const { return channel_ != nullptr; }
  std::uint64_t epoch() const { return details_.epoch(); }
  WorkerId id() const { return details_.worker(); }
  std::uint64_t heartbeat_ms() const { return heartbeat_ms_; }
  /// Messages that the coordinator may not have.
  std::size_t unacknowledged() const;
  /// When a frame of this session came last; for a note that the coordinator is away.
  TimeMs heard_ms() const { return heard_ms_; }

 private:
  /// Whether it answers the newest Register, and has not been taken before.
  bool Answers(const wire::Registered& registered) const;
  News OnRegistered(const wire::Registered& registered, TimeMs now);
  std::string RegisterFrame();
  /// Keeps what has to be said again.
  void KeepEnds();
  void SayKeptAgain();

  wire::Register details_;
  const std::function<std::vector<AttemptId>()> attempts_;
  const WorkerLinkOptions options_;
  std::unique_ptr<ReliableChannel> channel_;  ///< Null while it is not registered.
  std::vector<std::string> kept_;   ///< Serialised ends of attempts, for the next session.
  std::uint64_t registration_ = 0;  ///< The one that the session answers.
  TimeMs register_due_ms_ = 0;
  std::uint64_t register_wait_ms_;  ///< From the next Register to the one after it.
  TimeMs heard_ms_ = 0;
  std::uint64_t heartbeat_ms_ = 1'000;
};

/// The attempt whose end the message tells, if it does.
std::optional<AttemptId> EndedAttempt(const wire::Message& message);

}  // namespace spillway
