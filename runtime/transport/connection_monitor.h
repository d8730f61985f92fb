// ConnectionMonitor: what becomes of a client socket's connection, in words. Owned by the socket
// and used on its thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "mapreduce/base/status.h"

namespace spillway {

class ConnectionMonitor {
 public:
  enum class Phase : std::uint8_t { kConnecting, kConnected, kRefused, kFailed, kLost };

  /// Follows `socket`, a zmq::socket_t of `context`, a zmq::context_t; both outlive it. `name` is
  /// unique within the context, `endpoint` what the messages call the server. ResourceExhausted:
  /// no more sockets. inproc sockets report nothing.
  static Result<std::unique_ptr<ConnectionMonitor>> Follow(void* context, void* socket,
                                                           const std::string& name,
                                                           const std::string& endpoint);
  ~ConnectionMonitor();
  ConnectionMonitor(const ConnectionMonitor&) = delete;
  ConnectionMonitor& operator=(const ConnectionMonitor&) = delete;

  /// Takes in what happened. Call it now and then: events wait in memory.
  void Drain();

  /// Waits until something happened, or for `timeout_ms`; then drains.
  void Wait(long timeout_ms);

  Phase phase() const { return phase_; }

  /// Whether ZeroMQ lost the connection and has not tried again for `patience`. After a refused
  /// key or a message that breaks the protocol it never does; then connect again.
  bool GaveUp(std::chrono::milliseconds patience) const;
  void NoteConnect() { idle_since_.reset(); }

  /// The newest state in words; empty before anything happened.
  const std::string& news() const { return news_; }

  /// The same when it is another than at the last call; else empty.
  std::string TakeNews();

 private:
  struct State;
  explicit ConnectionMonitor(std::unique_ptr<State> state);

  void Note(int event);

  std::unique_ptr<State> state_;
  Phase phase_ = Phase::kConnecting;
  std::optional<std::chrono::steady_clock::time_point>
      idle_since_;  // Neither connected nor trying.
  std::string news_;
  std::string told_;
};

}  // namespace spillway
