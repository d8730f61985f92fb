// Sockets: ServerSocket talks with many peers, ClientSocket with one server; Poller waits for
// several. inproc, ipc and tcp behave alike. A socket belongs to the thread that uses it; it may be
// made on one thread and handed to another before its first use. Nothing here blocks but
// Poller::Wait.
//
// A message that was sent is not a message that was received: connections break and come back by
// themselves, and what was under way is lost. runtime/protocol makes up for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/transport/message.h"
#include "runtime/transport/transport_context.h"
#include "runtime/transport/transport_options.h"

namespace spillway {

/// Common to both ends, for Poller.
class SocketBase {
 public:
  virtual ~SocketBase();
  SocketBase(const SocketBase&) = delete;
  SocketBase& operator=(const SocketBase&) = delete;

 protected:
  friend class Poller;
  struct State;
  explicit SocketBase(std::unique_ptr<State> state);
  /// The libzmq message inside.
  static void* Native(MessageBuffer& buffer) { return buffer.native(); }
  std::unique_ptr<State> state_;
};

/// A connection of a ServerSocket, by ZeroMQ's routing id. A peer that reconnects is a new one.
using PeerId = std::string;

struct Incoming {
  PeerId peer;
  Role role = Role::kNone;  ///< By the key; kNone on an endpoint without keys.
  std::string key;          ///< The peer's public key, Z85; empty without keys.
  TransportMessage message;
};

class ServerSocket final : public SocketBase {
 public:
  /// Binds. PermissionDenied: tcp without keys where it is not allowed, with the remedy.
  /// Unavailable: the address is in use or not this host's, named; this waits half a second for
  /// it. With keys, this also checks that a client with a key of its own making is refused, and is
  /// PermissionDenied if it is not. Whoever reaches an ipc socket may use it: its directory is
  /// 0700.
  static Result<std::unique_ptr<ServerSocket>> Bind(TransportContext& context,
                                                    const ServerOptions& options);

  /// As bound, with the port that was taken.
  const std::string& endpoint() const;

  /// Unavailable: the peer is gone, or its queue is full. InvalidArgument: a part is larger than
  /// this socket's own limit.
  Status Send(const PeerId& peer, TransportMessage message);

  /// The next message that is there; nothing when there is none. Messages with other than one or
  /// two parts are dropped and counted.
  std::optional<Incoming> Receive();

  std::uint64_t dropped_messages() const;

 private:
  explicit ServerSocket(std::unique_ptr<State> state);
};

class ClientSocket final : public SocketBase {
 public:
  /// Connects in the background, and again whenever the connection is lost. InvalidArgument: the
  /// endpoint cannot be understood.
  static Result<std::unique_ptr<ClientSocket>> Connect(TransportContext& context,
                                                       const ClientOptions& options);

  /// Unavailable: the queue is full. InvalidArgument: a part is larger than this socket's own
  /// limit. Queued messages wait for the server to come.
  Status Send(TransportMessage message);
  std::optional<TransportMessage> Receive();

  /// What became of the connection since the last call; for messages to people. "connected",
  /// "refused: the server does not know this key", "cannot connect to ENDPOINT: ...", "the
  /// connection to ENDPOINT was lost"; empty when nothing changed, and always for inproc.
  std::string TakeConnectionNews();

 private:
  explicit ClientSocket(std::unique_ptr<State> state);
};

/// Waits for sockets and file descriptors. One thread.
class Poller {
 public:
  Poller();
  ~Poller();

  /// Returns the item's index, by which Wait reports it.
  std::size_t Add(SocketBase& socket);
  std::size_t AddFd(int fd);  ///< Readable.
  void Clear();

  /// The items that have something to read; empty after `timeout` and when a signal came.
  const std::vector<std::size_t>& Wait(std::chrono::milliseconds timeout);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spillway
