// TransportContext: what the sockets of a process share. Made by main and handed to whoever opens
// sockets. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "mapreduce/base/status.h"
#include "runtime/transport/transport_options.h"

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
  friend class ZapDomain;
  struct State;

  void* native() const;      // The zmq::context_t.
  std::string UniqueName();  // Within this context.

  std::unique_ptr<State> state_;
};

/// An authority at the context's ZAP handler, for as long as this lives.
class ZapDomain {
 public:
  /// ResourceExhausted: no more sockets or threads.
  static Result<std::unique_ptr<ZapDomain>> Open(TransportContext& context, KeyAuthority authority);
  ~ZapDomain();
  ZapDomain(const ZapDomain&) = delete;
  ZapDomain& operator=(const ZapDomain&) = delete;

  const std::string& name() const { return name_; }

 private:
  ZapDomain(TransportContext& context, std::string name);

  TransportContext& context_;
  std::string name_;
};

}  // namespace spillway
