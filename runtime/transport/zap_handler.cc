#include "runtime/transport/zap_handler.h"

#include <pthread.h>
#include <signal.h>

#include <array>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>
#include <zmq.hpp>

namespace spillway {
namespace {

constexpr const char* kZapEndpoint = "inproc://zeromq.zap.01";
constexpr std::string_view kZapVersion = "1.0";
constexpr std::size_t kKeyBytes = 32;

// The frames of a request; credentials may be more than one, for CURVE it is the key.
enum RequestFrame : std::size_t { kVersion, kId, kDomain, kAddress, kIdentity, kMechanism, kKey };
constexpr std::size_t kRequestFrames = kKey + 1;

// Version, id, status code, status text, user id, metadata.
using Reply = std::array<std::string_view, 6>;
constexpr std::size_t kUserId = 4;
constexpr std::size_t kMetadata = 5;

/// All frames of the next request. False when the context ends.
bool ReceiveRequest(zmq::socket_t& socket, std::vector<std::string>& frames) {
  frames.clear();
  zmq::message_t part;
  do {
    while (zmq_msg_recv(part.handle(), socket.handle(), 0) < 0) {
      if (errno != EINTR) return false;
    }
    frames.push_back(part.to_string());
  } while (part.more());
  return true;
}

/// One entry of ZMTP metadata: name and value, each behind its length.
std::string MetadataEntry(std::string_view name, std::string_view value) {
  std::string entry(1, static_cast<char>(name.size()));
  entry += name;
  const auto bytes = static_cast<std::uint32_t>(value.size());
  for (const int shift : {24, 16, 8, 0}) entry += static_cast<char>(bytes >> shift & 0xff);
  entry += value;
  return entry;
}

bool SendReply(zmq::socket_t& socket, const Reply& frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const int flags = i + 1 < frames.size() ? ZMQ_SNDMORE : 0;
    while (zmq_send(socket.handle(), frames[i].data(), frames[i].size(), flags) < 0) {
      if (errno != EINTR) return false;
    }
  }
  return true;
}

void BlockSignals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

struct ZapHandler::Socket {
  explicit Socket(zmq::context_t& context) : rep(context, zmq::socket_type::rep) {}
  zmq::socket_t rep;
};

ZapHandler::~ZapHandler() {
  if (thread_.joinable()) thread_.join();
}

Status ZapHandler::Start(void* context) {
  const std::lock_guard lock(mutex_);
  if (thread_.joinable()) return OkStatus();
  try {
    socket_ = std::make_shared<Socket>(*static_cast<zmq::context_t*>(context));
    socket_->rep.set(zmq::sockopt::linger, 0);
    socket_->rep.bind(kZapEndpoint);
    thread_ = std::thread([this] { Serve(); });
  } catch (const zmq::error_t& error) {
    return ResourceExhausted(std::string("cannot check keys of peers: ") + error.what());
  } catch (const std::system_error& error) {
    socket_.reset();
    return ResourceExhausted(std::string("cannot start the thread that checks keys: ") +
                             error.what());
  }
  return OkStatus();
}

void ZapHandler::Put(const std::string& domain, KeyAuthority authority) {
  const std::lock_guard lock(mutex_);
  authorities_[domain] = std::move(authority);
}

void ZapHandler::Remove(const std::string& domain) {
  const std::lock_guard lock(mutex_);
  authorities_.erase(domain);
}

std::optional<Role> ZapHandler::Ask(const std::string& domain, std::string_view public_key) {
  const std::lock_guard lock(mutex_);
  const auto found = authorities_.find(domain);
  if (found == authorities_.end()) return std::nullopt;
  return found->second(public_key);
}

void ZapHandler::Serve() {
  BlockSignals();
  std::shared_ptr<Socket> socket;
  {
    const std::lock_guard lock(mutex_);
    socket = std::move(socket_);
  }
  std::vector<std::string> request;
  while (ReceiveRequest(socket->rep, request)) {
    std::optional<Role> role = Role::kNone;
    std::array<char, kKeyBytes * 5 / 4 + 1> key{};
    if (request.size() == kRequestFrames && request[kVersion] == kZapVersion &&
        request[kMechanism] == "CURVE" && request[kKey].size() == kKeyBytes) {
      zmq_z85_encode(key.data(), reinterpret_cast<const std::uint8_t*>(request[kKey].data()),
                     kKeyBytes);
      role = Ask(request[kDomain], key.data());
    }
    const std::string id = request.size() > kId ? request[kId] : "";
    const std::string metadata = MetadataEntry(kKeyProperty, key.data());
    Reply reply{kZapVersion, id, "200", "OK", "", ""};
    if (!role.has_value()) {
      reply = {kZapVersion, id, "300", "the endpoint is closing", "", ""};
    } else if (*role == Role::kNone) {
      reply = {kZapVersion, id, "400", "the key is not known", "", ""};
    } else {
      reply[kUserId] = RoleName(*role);
      reply[kMetadata] = metadata;
    }
    if (!SendReply(socket->rep, reply)) return;
  }
}

}  // namespace spillway
