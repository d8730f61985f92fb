// ConnectionMonitor: what becomes of a client socket's connection, in words. Owned by the socket
// and used on its thread.
#pragma once

#include <cstdint>
#include <memory>
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

  /// How often the server refused the key.
  std::uint64_t refusals() const { return refusals_; }

  /// The newest state in words when it is another than at the last call; else empty.
  std::string TakeNews();

 private:
  struct State;
  explicit ConnectionMonitor(std::unique_ptr<State> state);

  void Note(int event);

  std::unique_ptr<State> state_;
  Phase phase_ = Phase::kConnecting;
  std::uint64_t refusals_ = 0;
  std::string news_;
  std::string told_;
};

}  // namespace spillway
