// FetchService: a SegmentServer on a socket, with a thread of its own. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "mapreduce/base/status.h"
#include "runtime/transfer/segment_server.h"
#include "runtime/transfer/wake_event.h"
#include "runtime/transport/socket.h"

namespace spillway {

struct FetchServiceOptions {
  ServerOptions socket = {.endpoint = {}, .limits = TransportLimits::Data()};
  SegmentServerOptions server = {};
};

class FetchService {
 public:
  /// As ServerSocket::Bind. `context` outlives the service.
  static Result<std::unique_ptr<FetchService>> Start(TransportContext& context,
                                                     const FetchServiceOptions& options,
                                                     SegmentStoreFinder stores);
  /// Ends the thread; requests that wait are not answered.
  ~FetchService();

  /// As bound.
  const std::string& endpoint() const { return endpoint_; }
  /// For Forget and ForgetJob; Handle is the thread's.
  SegmentServer& server() { return server_; }

  std::uint64_t requests() const { return requests_; }
  std::uint64_t payload_bytes() const { return payload_bytes_; }
  /// Messages that were no requests, and answers that nobody took.
  std::uint64_t bad_messages() const { return bad_messages_; }
  std::uint64_t unsent_answers() const { return unsent_answers_; }

 private:
  FetchService(std::unique_ptr<ServerSocket> socket, const FetchServiceOptions& options,
               SegmentStoreFinder stores);
  void Run();
  void Answer(Incoming incoming);

  const std::unique_ptr<ServerSocket> socket_;  // The thread's.
  const std::string endpoint_;
  SegmentServer server_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> requests_{0}, payload_bytes_{0}, bad_messages_{0}, unsent_answers_{0};
  const WakeEvent wake_;
  std::thread thread_;
};

}  // namespace spillway
