#include "runtime/protocol/reliable_channel.h"

#include <algorithm>
#include <utility>

namespace spillway {

namespace {
constexpr std::uint64_t kLargeFramesPerWindow = 16;
}  // namespace

bool ReliableChannel::Post(std::string message) {
  backlog_bytes_ += message.size();
  backlog_.push_back(std::move(message));
  return backlog_bytes_ <= limits_.backlog_bytes_max;
}

std::optional<std::string> ReliableChannel::NextFrame(TimeMs now) {
  if (sent_ > acknowledged_ && now >= resend_due_ms_) {
    sent_ = acknowledged_;
    sent_bytes_ = 0;
  }
  const std::uint64_t first = sent_ + 1;
  std::uint64_t bytes = 0;
  std::size_t count = 0;
  const std::size_t count_max = version_ >= 2 ? kFrameMessagesMax : 1;
  for (std::size_t i = sent_ - acknowledged_; i < backlog_.size() && count < count_max; ++i) {
    const std::uint64_t next = backlog_[i].size();
    if (count > 0 && bytes + next > limits_.frame_bytes_max) break;
    if (sent_bytes_ > 0 && sent_bytes_ + bytes + next > limits_.window_bytes) break;
    bytes += next;
    ++count;
  }
  if (count > 0) {
    // The time to an answer counts from the oldest message that waits for one.
    if (sent_ == acknowledged_) resend_due_ms_ = now + limits_.resend_ms;
    sent_ += count;
    sent_bytes_ += bytes;
    return MakeFrame(first, count);
  }
  if (!acknowledge_due_ms_.has_value() || now < *acknowledge_due_ms_) return std::nullopt;
  return MakeFrame(0, 0);
}

std::string ReliableChannel::MakeFrame(std::uint64_t first, std::size_t count) {
  wire::Frame frame;
  frame.set_version(version_);
  frame.set_session(session_);
  frame.set_first_sequence(first);
  frame.set_acknowledged(received_);
  for (std::size_t i = 0; i < count; ++i)
    frame.add_messages(backlog_[first - 1 - acknowledged_ + i]);
  acknowledge_due_ms_.reset();
  return frame.SerializeAsString();
}

void ReliableChannel::Accept(wire::Frame frame, TimeMs now, std::vector<std::string>& delivered) {
  if (frame.acknowledged() > acknowledged_ &&
      frame.acknowledged() <= acknowledged_ + backlog_.size()) {
    while (acknowledged_ < frame.acknowledged()) {
      ++acknowledged_;
      const std::uint64_t bytes = backlog_.front().size();
      backlog_bytes_ -= bytes;
      if (acknowledged_ <= sent_) sent_bytes_ -= bytes;
      backlog_.pop_front();
    }
    sent_ = std::max(sent_, acknowledged_);
    resend_due_ms_ = now + limits_.resend_ms;
  }
  if (frame.first_sequence() == 0 || frame.messages_size() == 0) return;
  // Whatever came, even twice, is acknowledged: the sender may have missed the last one. A large
  // part of a window at once: the sender would soon wait for it.
  std::uint64_t bytes = 0;
  for (const std::string& message : frame.messages()) bytes += message.size();
  const bool large = bytes >= limits_.window_bytes / kLargeFramesPerWindow;
  const TimeMs due = large ? now : now + limits_.acknowledge_ms;
  acknowledge_due_ms_ = std::min(acknowledge_due_ms_.value_or(due), due);
  if (frame.first_sequence() > received_ + 1) return;  // Something before it was lost.
  const std::uint64_t skip = received_ + 1 - frame.first_sequence();
  for (std::uint64_t i = skip; i < static_cast<std::uint64_t>(frame.messages_size()); ++i) {
    delivered.push_back(std::move(*frame.mutable_messages(static_cast<int>(i))));
    ++received_;
  }
}

std::optional<TimeMs> ReliableChannel::due_ms() const {
  std::optional<TimeMs> due = acknowledge_due_ms_;
  if (sent_ > acknowledged_)
    due = due.has_value() ? std::min(*due, resend_due_ms_) : resend_due_ms_;
  return due;
}

}  // namespace spillway
