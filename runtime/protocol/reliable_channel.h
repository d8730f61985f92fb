// ReliableChannel: one end of a session. What is posted here arrives at the other end once and in
// order, although frames may be lost, doubled or late: messages are numbered, kept until they are
// acknowledged, and sent again when that takes too long (go-back-N, as connections lose tails, not
// single frames). A session begins anew with every registration; what it had not delivered then is
// gone, and registration makes up for it. Pure; owned by one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/attempt_id.h"
#include "runtime/protocol/frame.h"

namespace spillway {

struct ChannelLimits {
  std::uint64_t frame_bytes_max = 256 << 10;    ///< Messages are gathered up to this.
  std::uint64_t window_bytes = 4 << 20;         ///< Sent and not acknowledged.
  std::uint64_t backlog_bytes_max = 256 << 20;  ///< Posted and not acknowledged.
  std::uint64_t resend_ms = 1'000;
  std::uint64_t acknowledge_ms = 20;  ///< An acknowledgement waits this long for a message.

  static ChannelLimits Tiny() {
    return {.frame_bytes_max = 64,
            .window_bytes = 200,
            .backlog_bytes_max = 4'096,
            .resend_ms = 10,
            .acknowledge_ms = 2};
  }
};

class ReliableChannel {
 public:
  ReliableChannel(std::uint64_t session, std::uint32_t version, const ChannelLimits& limits = {})
      : session_(session), version_(version), limits_(limits) {}

  std::uint64_t session() const { return session_; }
  std::uint32_t version() const { return version_; }

  /// A serialised wire::Message, at most frame_bytes_max unless it is alone in its frame. False:
  /// the other end has not acknowledged for so long that the backlog is full; give the session up.
  [[nodiscard]] bool Post(std::string message);

  /// The next frame to send now, serialised; nothing when there is none.
  std::optional<std::string> NextFrame(TimeMs now);

  /// Takes a frame of this session; messages that are new are appended to `delivered`, in order.
  void Accept(wire::Frame frame, TimeMs now, std::vector<std::string>& delivered);

  /// When NextFrame has something to send though nothing happens; nothing: never.
  std::optional<TimeMs> due_ms() const;

  /// What the other end may not have, in order; the channel is of no use afterwards.
  std::vector<std::string> TakeBacklog() {
    return {std::make_move_iterator(backlog_.begin()), std::make_move_iterator(backlog_.end())};
  }

  /// Messages that the other end may not have.
  std::size_t unacknowledged() const { return backlog_.size(); }
  std::uint64_t backlog_bytes() const { return backlog_bytes_; }

 private:
  std::string MakeFrame(std::uint64_t first, std::size_t count);

  const std::uint64_t session_;
  const std::uint32_t version_;
  const ChannelLimits limits_;

  std::deque<std::string> backlog_;  // backlog_[0] has number acknowledged_ + 1.
  std::uint64_t backlog_bytes_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t sent_ = 0;        // The last number that was sent.
  std::uint64_t sent_bytes_ = 0;  // Of what was sent and is not acknowledged.
  TimeMs resend_due_ms_ = 0;      // Counts while sent_ > acknowledged_.

  std::uint64_t received_ = 0;  // The last number that arrived in order.
  std::optional<TimeMs> acknowledge_due_ms_;
};

}  // namespace spillway
