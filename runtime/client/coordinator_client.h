// CoordinatorClient: questions to a coordinator, and its answers. A request is repeated until it is
// answered, under one id, so whoever answers must not mind hearing it twice. One thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "mapreduce/base/status.h"
#include "runtime/protocol/spillway.pb.h"
#include "runtime/transport/socket.h"
#include "runtime/transport/transport_options.h"

namespace spillway {

struct CallOptions {
  std::uint64_t give_up_ms = 30'000;  ///< Without an answer; 0: never.
  std::uint64_t answer_ms = 0;        ///< The coordinator may think this long before it answers.
  /// Set by a signal handler or another thread: the call ends soon, Cancelled. May be null.
  const std::atomic<bool>* cancelled = nullptr;
};

/// What commands ask of a coordinator; tests answer in its place.
class CoordinatorCalls {
 public:
  virtual ~CoordinatorCalls() = default;

  /// The answer, or its status where that is not ok. Besides: Unavailable, no answer in time, and
  /// only then; PermissionDenied, the key was refused; Cancelled; InvalidArgument, the coordinator
  /// speaks another protocol. `request` is given its id here.
  virtual Result<wire::Reply> Call(wire::Request request, const CallOptions& options) = 0;
};

/// Hears of it when the coordinator is waited for, as a sentence, and with an empty text when it
/// has answered again. Called on the caller's thread.
using WaitNote = std::function<void(const std::string& text)>;

struct CoordinatorClientTimes {
  std::uint64_t repeat_ms = 2'000;  ///< Without an answer: ask again, over a new connection.
  std::uint64_t busy_ms = 500;      ///< Before a coordinator that said Unavailable is asked again.
  std::uint64_t note_ms = 3'000;    ///< Before people hear that it is waited for.
  std::uint64_t look_ms = 100;      ///< Between looks at `cancelled`.
};

class CoordinatorClient final : public CoordinatorCalls {
 public:
  /// Connects in the background. InvalidArgument: an endpoint that cannot be understood.
  static Result<std::unique_ptr<CoordinatorClient>> Connect(
      ClientOptions coordinator, WaitNote note, const CoordinatorClientTimes& times = {});
  ~CoordinatorClient() override;

  Result<wire::Reply> Call(wire::Request request, const CallOptions& options) override;

 private:
  CoordinatorClient(ClientOptions coordinator, WaitNote note, const CoordinatorClientTimes& times);

  struct Waiting;
  Status Reconnect();
  Status Send(const std::string& frame);
  /// Takes in what has arrived; true when it is the answer to `id`.
  Result<bool> Receive(std::uint64_t id, wire::Reply* reply);
  Status TakeNews();
  /// Why there is no answer, as far as is known; may be empty.
  std::string Trouble() const;
  void Tell(const Waiting& waiting, const CallOptions& options);

  const ClientOptions coordinator_;
  const WaitNote note_;
  const CoordinatorClientTimes times_;
  TransportContext context_;
  std::unique_ptr<ClientSocket> socket_;
  Poller poller_;
  std::uint64_t last_id_ = 0;
  std::string news_;  ///< The last word about the connection.
  bool noted_ = false;
};

}  // namespace spillway
