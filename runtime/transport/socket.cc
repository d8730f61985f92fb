#include "runtime/transport/socket.h"

#include <cerrno>
#include <utility>
#include <zmq.hpp>

namespace spillway {
namespace {

int AsInt(std::uint64_t value) { return static_cast<int>(value); }

void SetLimits(zmq::socket_t& socket, const TransportLimits& limits) {
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(limits.message_bytes_max));
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

zmq::message_t& Zmq(void* native) { return *static_cast<zmq::message_t*>(native); }

}  // namespace

struct SocketBase::State {
  State(zmq::context_t& context, zmq::socket_type type) : socket(context, type) {}

  zmq::socket_t socket;
  std::string endpoint;
  std::uint64_t dropped = 0;

  /// Sends without waiting. False with errno: EAGAIN or EHOSTUNREACH.
  bool SendPart(zmq::message_t& part, bool more) {
    const int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
    return zmq_msg_send(part.handle(), socket.handle(), flags) >= 0;
  }

  /// Header and payload. False when the queue is full or the peer went.
  bool SendMessage(TransportMessage& message) {
    const bool more = message.payload.size() > 0;
    if (!SendPart(Zmq(Native(message.header)), more)) return false;
    return !more || SendPart(Zmq(Native(message.payload)), false);
  }

  bool ReceivePart(zmq::message_t& part) {
    return zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT) >= 0;
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
  try {
    auto state = std::make_unique<State>(*static_cast<zmq::context_t*>(context.native()),
                                         zmq::socket_type::router);
    SetLimits(state->socket, options.limits);
    state->socket.set(zmq::sockopt::router_mandatory, true);
    state->socket.bind(options.endpoint);
    state->endpoint = state->socket.get(zmq::sockopt::last_endpoint);
    return std::unique_ptr<ServerSocket>(new ServerSocket(std::move(state)));
  } catch (const zmq::error_t& error) {
    return EndpointError("bind", options.endpoint, error);
  }
}

const std::string& ServerSocket::endpoint() const { return state_->endpoint; }

std::uint64_t ServerSocket::dropped_messages() const { return state_->dropped; }

Status ServerSocket::Send(const PeerId& peer, TransportMessage message) {
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
    if (state_->ReceiveRest(incoming.message)) return incoming;
  }
  return std::nullopt;
}

ClientSocket::ClientSocket(std::unique_ptr<State> state) : SocketBase(std::move(state)) {}

Result<std::unique_ptr<ClientSocket>> ClientSocket::Connect(TransportContext& context,
                                                            const ClientOptions& options) {
  try {
    auto state = std::make_unique<State>(*static_cast<zmq::context_t*>(context.native()),
                                         zmq::socket_type::dealer);
    SetLimits(state->socket, options.limits);
    state->socket.connect(options.endpoint);
    state->endpoint = options.endpoint;
    return std::unique_ptr<ClientSocket>(new ClientSocket(std::move(state)));
  } catch (const zmq::error_t& error) {
    return EndpointError("connect", options.endpoint, error);
  }
}

Status ClientSocket::Send(TransportMessage message) {
  if (state_->SendMessage(message)) return OkStatus();
  return Unavailable("the queue to " + state_->endpoint + " is full");
}

std::optional<TransportMessage> ClientSocket::Receive() {
  TransportMessage message;
  while (state_->ReceivePart(Zmq(Native(message.header)))) {
    if (state_->ReceiveRest(message)) return message;
  }
  return std::nullopt;
}

std::string ClientSocket::TakeConnectionNews() { return {}; }

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
