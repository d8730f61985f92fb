// ZapHandler: answers ZeroMQ's question who may connect (ZAP, rfc.zeromq.org/spec/27), for all
// endpoints with keys of a context. Without it CURVE lets every key in. Owned by TransportContext;
// thread-safe. It has a thread of its own, on which the authorities are asked.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "mapreduce/base/status.h"
#include "runtime/transport/transport_options.h"

namespace spillway {

class ZapHandler {
 public:
  /// Metadata of received messages: "User-Id" is the role's name, kKeyProperty the key in Z85.
  static constexpr const char* kRoleProperty = "User-Id";
  static constexpr const char* kKeyProperty = "Spillway-Key";

  ZapHandler() = default;

  /// Call it after the context was shut down: that is what ends the thread.
  ~ZapHandler();
  ZapHandler(const ZapHandler&) = delete;
  ZapHandler& operator=(const ZapHandler&) = delete;

  /// Starts the thread, once. Must come before any endpoint with keys is bound.
  /// ResourceExhausted: no more sockets or threads. `context` is the zmq::context_t.
  Status Start(void* context);

  /// Lets `authority` decide about endpoints whose ZAP domain is `domain`. Nobody enters a domain
  /// that has no authority; peers are not told, so that they try again.
  void Put(const std::string& domain, KeyAuthority authority);

  /// The authority is not called any more when this returns.
  void Remove(const std::string& domain);

 private:
  struct Socket;

  void Serve();
  /// Nothing: the domain's endpoint is closing.
  std::optional<Role> Ask(const std::string& domain, std::string_view public_key);

  std::mutex mutex_;
  std::map<std::string, KeyAuthority, std::less<>> authorities_;  // Guarded by mutex_.
  std::shared_ptr<Socket> socket_;  // Set by Start, guarded by mutex_; then the thread's.
  std::thread thread_;
};

}  // namespace spillway
