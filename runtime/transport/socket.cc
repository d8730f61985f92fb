#include "runtime/transport/socket.h"

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>
#include <zmq.hpp>

#include "mapreduce/base/check.h"
#include "runtime/transport/connection_monitor.h"
#include "runtime/transport/curve_key.h"
#include "runtime/transport/curve_probe.h"
#include "runtime/transport/endpoint.h"
#include "runtime/transport/hand_over.h"
#include "runtime/transport/zap_handler.h"

namespace spillway {
namespace {

using Phase = ConnectionMonitor::Phase;

// A closed socket leaves its address a moment later, so that a server that starts again waits.
constexpr int kBindTries = 25;
constexpr std::chrono::milliseconds kBindRetry{20};

// What CURVE adds to a part: name, nonce, authenticator, flags.
constexpr std::uint64_t kCurveBytes = 33;

int AsInt(std::uint64_t value) { return static_cast<int>(value); }

void SetLimits(zmq::socket_t& socket, const TransportLimits& limits) {
  socket.set(zmq::sockopt::maxmsgsize,
             static_cast<std::int64_t>(limits.message_bytes_max + kCurveBytes));
  socket.set(zmq::sockopt::sndhwm, AsInt(limits.queue_messages_max));
  socket.set(zmq::sockopt::rcvhwm, AsInt(limits.queue_messages_max));
  socket.set(zmq::sockopt::heartbeat_ivl, AsInt(limits.heartbeat_ms));
  socket.set(zmq::sockopt::heartbeat_timeout, AsInt(limits.heartbeat_timeout_ms));
  socket.set(zmq::sockopt::heartbeat_ttl, AsInt(limits.heartbeat_timeout_ms));
  socket.set(zmq::sockopt::handshake_ivl, AsInt(limits.heartbeat_timeout_ms));
  socket.set(zmq::sockopt::reconnect_ivl, AsInt(limits.reconnect_ms));
  socket.set(zmq::sockopt::reconnect_ivl_max, AsInt(limits.reconnect_ms_max));
  socket.set(zmq::sockopt::linger, AsInt(limits.flush_ms));
}

/// What libzmq says of an endpoint: `action` is "bind" or "connect".
Status EndpointError(const char* action, const std::string& endpoint, const zmq::error_t& error) {
  const std::string text = std::string("cannot ") + action + " " + endpoint + ": " + error.what();
  switch (error.num()) {
    case EINVAL:
    case EPROTONOSUPPORT:
    case ENOCOMPATPROTO: return InvalidArgument(text);
    case EACCES:
    case EPERM: return PermissionDenied(text);
    case EMFILE:
    case ENFILE: return ResourceExhausted(text + "; raise the limit of open files (ulimit -n)");
    default: return Unavailable(text);
  }
}

bool IsTcp(const Endpoint& endpoint) { return endpoint.scheme == Endpoint::Scheme::kTcp; }

Status CheckKey(const std::string& key, std::string_view whose) {
  if (IsCurveKey(key)) return OkStatus();
  return InvalidArgument(std::string(whose) + " key is no CURVE key: expected " +
                         std::to_string(kKeyChars) + " characters of Z85");
}

/// Whether a server may open `endpoint` with these options.
Status CheckServer(const Endpoint& endpoint, const ServerOptions& options) {
  if (!options.keys.empty()) {
    SPILLWAY_CHECK(options.authority != nullptr);
    if (endpoint.scheme == Endpoint::Scheme::kInproc) {
      return InvalidArgument(options.endpoint + ": inproc has no encryption, so it takes no keys");
    }
    SPILLWAY_RETURN_IF_ERROR(CheckKey(options.keys.public_key, "the server's public"));
    return CheckKey(options.keys.secret_key, "the server's secret");
  }
  if (!IsTcp(endpoint)) return OkStatus();
  if (!options.insecure) {
    return PermissionDenied(options.endpoint +
                            ": anybody who reaches a port without keys could run code here. Make "
                            "keys with 'spillway keys init DIR' and give --keys DIR; on a "
                            "loopback address, --insecure goes without");
  }
  if (IsLoopback(endpoint)) return OkStatus();
  return PermissionDenied(
      options.endpoint +
      ": --insecure is for loopback addresses only (127.0.0.0/8, [::1], "
      "localhost). Make keys with 'spillway keys init DIR' and give --keys DIR");
}

Status CheckClient(const Endpoint& endpoint, const ClientOptions& options) {
  if (IsTcp(endpoint) && (endpoint.port == 0 || endpoint.host == "*")) {
    return InvalidArgument(options.endpoint + ": a client needs the server's host and port");
  }
  if (!options.keys.empty()) {
    if (endpoint.scheme == Endpoint::Scheme::kInproc) {
      return InvalidArgument(options.endpoint + ": inproc has no encryption, so it takes no keys");
    }
    SPILLWAY_RETURN_IF_ERROR(CheckKey(options.keys.public_key, "the client's public"));
    SPILLWAY_RETURN_IF_ERROR(CheckKey(options.keys.secret_key, "the client's secret"));
    return CheckKey(options.server_key, "the server's public");
  }
  if (IsLoopback(endpoint)) return OkStatus();
  return PermissionDenied(options.endpoint +
                          ": messages to another host are sent with keys only; give --keys DIR, "
                          "a directory that 'spillway keys' made for this host");
}

zmq::message_t& Zmq(void* native) { return *static_cast<zmq::message_t*>(native); }

/// What the ZAP handler said of the sender; empty when there is none.
std::string_view Property(const zmq::message_t& message, const char* name) {
  const char* value = zmq_msg_gets(message.handle(), name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

struct SocketBase::State {
  State(zmq::context_t& context, zmq::socket_type type) : socket(context, type) {}

  std::unique_ptr<ZapDomain> zap;  // Of a server with keys.
  zmq::socket_t socket;
  std::unique_ptr<ConnectionMonitor> monitor;  // Of a client.
  std::string endpoint;
  std::chrono::milliseconds redial_wait{0};
  std::uint64_t part_bytes_max = 0;
  std::uint64_t dropped = 0;

  /// The other side would cut the connection.
  Status CheckSize(const TransportMessage& message) const {
    const std::size_t bytes = std::max(message.header.size(), message.payload.size());
    if (bytes <= part_bytes_max) return OkStatus();
    return InvalidArgument("a message part of " + std::to_string(bytes) + " bytes for " + endpoint +
                           ": the limit is " + std::to_string(part_bytes_max));
  }

  Status Bind(const Endpoint& to) {
    const std::string text = EndpointText(to);
    for (int tries = 1;; ++tries) {
      // ZeroMQ would take an ipc address away from a process that serves it.
      const bool served = IsServed(to);
      if (!served && zmq_bind(socket.handle(), text.c_str()) == 0) return OkStatus();
      const bool in_use = served || zmq_errno() == EADDRINUSE;
      if (!in_use) return EndpointError("bind", text, zmq::error_t());
      if (tries == kBindTries) {
        return Unavailable("cannot bind " + text + ": another process or socket serves it");
      }
      std::this_thread::sleep_for(kBindRetry);
    }
  }

  /// Sends without waiting. False with errno: EAGAIN or EHOSTUNREACH. A signal must not part a
  /// message.
  bool SendPart(zmq::message_t& part, bool more) {
    const int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
    hand_over::NoteSent();
    int sent = 0;
    do {
      sent = zmq_msg_send(part.handle(), socket.handle(), flags);
    } while (sent < 0 && zmq_errno() == EINTR);
    return sent >= 0;
  }

  /// Header and payload. False when the queue is full or the peer went.
  bool SendMessage(TransportMessage& message) {
    const bool more = message.payload.size() > 0;
    if (!SendPart(Zmq(Native(message.header)), more)) return false;
    return !more || SendPart(Zmq(Native(message.payload)), false);
  }

  bool ReceivePart(zmq::message_t& part) {
    int received = 0;
    do {
      received = zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT);
    } while (received < 0 && zmq_errno() == EINTR);
    if (received < 0) return false;
    hand_over::NoteReceived();
    return true;
  }

  /// The rest of a message whose first part is there: ZeroMQ delivers all parts at once. False,
  /// and counted, when it has more than two parts.
  bool ReceiveRest(TransportMessage& message) {
    if (!Zmq(Native(message.header)).more()) return true;
    if (!ReceivePart(Zmq(Native(message.payload)))) return Drop();
    if (!Zmq(Native(message.payload)).more()) return true;
    zmq::message_t part;
    do {
      if (!ReceivePart(part)) break;
    } while (part.more());
    return Drop();
  }

  /// Of a client: takes in the connection's events, and connects where ZeroMQ has given up.
  void KeepConnected() {
    monitor->Drain();
    if (!monitor->GaveUp(redial_wait)) return;
    // It may have forgotten the endpoint by itself, which is as good.
    zmq_disconnect(socket.handle(), endpoint.c_str());
    zmq_connect(socket.handle(), endpoint.c_str());
    monitor->NoteConnect();
  }

  bool Drop() {
    ++dropped;
    return false;
  }
};

SocketBase::SocketBase(std::unique_ptr<State> state) : state_(std::move(state)) {}
SocketBase::~SocketBase() = default;

ServerSocket::ServerSocket(std::unique_ptr<State> state) : SocketBase(std::move(state)) {}

Result<std::unique_ptr<ServerSocket>> ServerSocket::Bind(TransportContext& context,
                                                         const ServerOptions& options) {
  SPILLWAY_ASSIGN_OR_RETURN(const Endpoint endpoint, ParseEndpoint(options.endpoint));
  SPILLWAY_RETURN_IF_ERROR(CheckServer(endpoint, options));
  try {
    auto state = std::make_unique<State>(*static_cast<zmq::context_t*>(context.native()),
                                         zmq::socket_type::router);
    SetLimits(state->socket, options.limits);
    state->part_bytes_max = options.limits.message_bytes_max;
    state->socket.set(zmq::sockopt::router_mandatory, true);
    state->socket.set(zmq::sockopt::ipv6, endpoint.ipv6());
    if (!options.keys.empty()) {
      SPILLWAY_ASSIGN_OR_RETURN(state->zap, ZapDomain::Open(context, options.authority));
      state->socket.set(zmq::sockopt::curve_server, true);
      state->socket.set(zmq::sockopt::curve_publickey, options.keys.public_key);
      state->socket.set(zmq::sockopt::curve_secretkey, options.keys.secret_key);
      state->socket.set(zmq::sockopt::zap_domain, state->zap->name());
    }
    SPILLWAY_RETURN_IF_ERROR(state->Bind(ForBind(endpoint)));
    state->endpoint = state->socket.get(zmq::sockopt::last_endpoint);
    if (!options.keys.empty()) {
      SPILLWAY_RETURN_IF_ERROR(CheckStrangerRefused(
          context.native(), {state->endpoint, options.keys.public_key, context.UniqueName()}));
    }
    return std::unique_ptr<ServerSocket>(new ServerSocket(std::move(state)));
  } catch (const zmq::error_t& error) {
    return EndpointError("bind", options.endpoint, error);
  }
}

const std::string& ServerSocket::endpoint() const { return state_->endpoint; }

std::uint64_t ServerSocket::dropped_messages() const { return state_->dropped; }

Status ServerSocket::Send(const PeerId& peer, TransportMessage message) {
  SPILLWAY_RETURN_IF_ERROR(state_->CheckSize(message));
  zmq::message_t id(peer.data(), peer.size());
  if (state_->SendPart(id, true) && state_->SendMessage(message)) return OkStatus();
  if (errno == EHOSTUNREACH) return Unavailable("the peer is gone from " + state_->endpoint);
  return Unavailable("a peer of " + state_->endpoint + " does not read: its queue is full");
}

std::optional<Incoming> ServerSocket::Receive() {
  zmq::message_t id;
  while (state_->ReceivePart(id)) {
    Incoming incoming;
    incoming.peer = id.to_string();
    if (!id.more() || !state_->ReceivePart(Zmq(Native(incoming.message.header)))) {
      state_->Drop();
      continue;
    }
    if (!state_->ReceiveRest(incoming.message)) continue;
    if (state_->zap != nullptr) {
      // Without keys the peer could write these properties itself.
      const zmq::message_t& header = Zmq(Native(incoming.message.header));
      incoming.role = ParseRole(Property(header, ZapHandler::kRoleProperty));
      incoming.key = Property(header, ZapHandler::kKeyProperty);
    }
    return incoming;
  }
  return std::nullopt;
}

ClientSocket::ClientSocket(std::unique_ptr<State> state) : SocketBase(std::move(state)) {}

Result<std::unique_ptr<ClientSocket>> ClientSocket::Connect(TransportContext& context,
                                                            const ClientOptions& options) {
  SPILLWAY_ASSIGN_OR_RETURN(const Endpoint endpoint, ParseEndpoint(options.endpoint));
  SPILLWAY_RETURN_IF_ERROR(CheckClient(endpoint, options));
  try {
    auto state = std::make_unique<State>(*static_cast<zmq::context_t*>(context.native()),
                                         zmq::socket_type::dealer);
    state->endpoint = EndpointText(endpoint);
    state->redial_wait = std::chrono::milliseconds(options.limits.reconnect_ms_max);
    SetLimits(state->socket, options.limits);
    state->part_bytes_max = options.limits.message_bytes_max;
    state->socket.set(zmq::sockopt::ipv6, endpoint.ipv6());
    if (!options.keys.empty()) {
      state->socket.set(zmq::sockopt::curve_serverkey, options.server_key);
      state->socket.set(zmq::sockopt::curve_publickey, options.keys.public_key);
      state->socket.set(zmq::sockopt::curve_secretkey, options.keys.secret_key);
    }
    SPILLWAY_ASSIGN_OR_RETURN(state->monitor,
                              ConnectionMonitor::Follow(context.native(), &state->socket,
                                                        context.UniqueName(), state->endpoint));
    state->socket.connect(state->endpoint);
    return std::unique_ptr<ClientSocket>(new ClientSocket(std::move(state)));
  } catch (const zmq::error_t& error) {
    return EndpointError("connect", options.endpoint, error);
  }
}

Status ClientSocket::Send(TransportMessage message) {
  SPILLWAY_RETURN_IF_ERROR(state_->CheckSize(message));
  state_->KeepConnected();
  if (state_->SendMessage(message)) return OkStatus();
  const ConnectionMonitor& monitor = *state_->monitor;
  const bool connected = monitor.news().empty() || monitor.phase() == Phase::kConnected;
  return Unavailable("cannot send to " + state_->endpoint + ": " +
                     (connected ? "its queue is full" : monitor.news()));
}

std::optional<TransportMessage> ClientSocket::Receive() {
  TransportMessage message;
  while (state_->ReceivePart(Zmq(Native(message.header)))) {
    if (state_->ReceiveRest(message)) return message;
  }
  // Only when there is nothing else to do.
  state_->KeepConnected();
  return std::nullopt;
}

std::string ClientSocket::TakeConnectionNews() {
  state_->KeepConnected();
  return state_->monitor->TakeNews();
}

struct Poller::State {
  std::vector<zmq_pollitem_t> items;
  std::vector<std::size_t> ready;
};

Poller::Poller() : state_(std::make_unique<State>()) {}
Poller::~Poller() = default;

std::size_t Poller::Add(SocketBase& socket) {
  state_->items.push_back({socket.state_->socket.handle(), 0, ZMQ_POLLIN, 0});
  return state_->items.size() - 1;
}

std::size_t Poller::AddFd(int fd) {
  state_->items.push_back({nullptr, fd, ZMQ_POLLIN, 0});
  return state_->items.size() - 1;
}

void Poller::Clear() { state_->items.clear(); }

const std::vector<std::size_t>& Poller::Wait(std::chrono::milliseconds timeout) {
  state_->ready.clear();
  auto& items = state_->items;
  // A signal ends the wait, so that a loop sees at once what its handler noted.
  const int found = zmq_poll(items.data(), static_cast<int>(items.size()), timeout.count());
  if (found <= 0) return state_->ready;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].revents != 0) state_->ready.push_back(i);
  }
  return state_->ready;
}

}  // namespace spillway
