#include "runtime/transport/connection_monitor.h"

#include <cstring>
#include <utility>
#include <zmq.hpp>

namespace spillway {
namespace {

constexpr int kEvents = ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_DISCONNECTED |
                        ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                        ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;

}  // namespace

struct ConnectionMonitor::State {
  State(zmq::context_t& context, zmq::socket_t& socket, std::string of)
      : followed(socket),
        events(context, zmq::socket_type::pair),
        endpoint(std::move(of)),
        with_keys(socket.get(zmq::sockopt::mechanism) == ZMQ_CURVE) {}

  zmq::socket_t& followed;
  zmq::socket_t events;
  std::string endpoint;
  const bool with_keys;
};

ConnectionMonitor::ConnectionMonitor(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<ConnectionMonitor>> ConnectionMonitor::Follow(void* context, void* socket,
                                                                     const std::string& name,
                                                                     const std::string& endpoint) {
  const std::string channel = "inproc://monitor-" + name;
  try {
    auto& followed = *static_cast<zmq::socket_t*>(socket);
    auto state =
        std::make_unique<State>(*static_cast<zmq::context_t*>(context), followed, endpoint);
    if (zmq_socket_monitor(followed.handle(), channel.c_str(), kEvents) != 0) throw zmq::error_t();
    // No limit: at one, ZeroMQ's I/O thread would wait for the reader.
    state->events.set(zmq::sockopt::rcvhwm, 0);
    state->events.set(zmq::sockopt::linger, 0);
    state->events.connect(channel);
    return std::unique_ptr<ConnectionMonitor>(new ConnectionMonitor(std::move(state)));
  } catch (const zmq::error_t& error) {
    return ResourceExhausted("cannot follow the connection to " + endpoint + ": " + error.what());
  }
}

ConnectionMonitor::~ConnectionMonitor() {
  zmq_socket_monitor(state_->followed.handle(), nullptr, 0);
}

void ConnectionMonitor::Drain() {
  // Two frames: the event's number and value, and the address.
  zmq::message_t part;
  while (zmq_msg_recv(part.handle(), state_->events.handle(), ZMQ_DONTWAIT) >= 0) {
    std::uint16_t event = 0;
    if (part.size() < sizeof event) continue;
    std::memcpy(&event, part.data(), sizeof event);
    if (part.more()) {
      if (zmq_msg_recv(part.handle(), state_->events.handle(), ZMQ_DONTWAIT) < 0) return;
    }
    Note(event);
  }
}

void ConnectionMonitor::Wait(long timeout_ms) {
  zmq_pollitem_t item{state_->events.handle(), 0, ZMQ_POLLIN, 0};
  zmq_poll(&item, 1, timeout_ms);
  Drain();
}

bool ConnectionMonitor::GaveUp(std::chrono::milliseconds patience) const {
  return idle_since_.has_value() && std::chrono::steady_clock::now() - *idle_since_ >= patience;
}

void ConnectionMonitor::Note(int event) {
  const bool trying = event == ZMQ_EVENT_CONNECT_RETRIED || event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
  if (trying) {
    idle_since_.reset();
  } else if (!idle_since_.has_value()) {
    idle_since_ = std::chrono::steady_clock::now();
  }
  switch (event) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      phase_ = Phase::kConnected;
      news_ = "connected";
      break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
      phase_ = Phase::kRefused;
      news_ = "refused: the server does not know this key";
      break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      phase_ = Phase::kFailed;
      news_ = "cannot connect to " + state_->endpoint +
              (state_->with_keys
                   ? ": what answers there has no keys, or another one than coordinator.public in "
                     "the directory of --keys; copy that file from the coordinator's own keys"
                   : ": what answers there has keys, or is not Spillway; give --keys DIR");
      break;
    case ZMQ_EVENT_DISCONNECTED:
      // The end of a connection that was refused or failed tells nothing new.
      if (phase_ != Phase::kConnected) break;
      phase_ = Phase::kLost;
      news_ = "the connection to " + state_->endpoint + " was lost";
      break;
    case ZMQ_EVENT_CONNECT_RETRIED:
      // Comes after each failure, whatever it was; only without a better reason is it the news.
      if (phase_ == Phase::kConnecting || phase_ == Phase::kLost) {
        news_ = "cannot connect to " + state_->endpoint + ": nothing answers there; trying again";
      }
      break;
    default: break;
  }
}

std::string ConnectionMonitor::TakeNews() {
  Drain();
  if (news_ == told_) return {};
  told_ = news_;
  return news_;
}

}  // namespace spillway
