// TransportContext: what the sockets of a process share. Made by main and handed to whoever opens
// sockets. Thread-safe.
#pragma once

#include <memory>

namespace spillway {

/// ZeroMQ's threads, and the ZAP handler that answers for all endpoints of the process with keys.
/// Outlives every socket made with it.
class TransportContext {
 public:
  explicit TransportContext(int io_threads = 1);

  /// Waits for closed sockets to send what they still hold, for TransportLimits::flush_ms at most.
  ~TransportContext();
  TransportContext(const TransportContext&) = delete;
  TransportContext& operator=(const TransportContext&) = delete;

 private:
  friend class ServerSocket;
  friend class ClientSocket;
  struct State;

  void* native() const;  // The zmq::context_t.

  std::unique_ptr<State> state_;
};

}  // namespace spillway
