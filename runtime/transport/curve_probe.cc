#include "runtime/transport/curve_probe.h"

#include <chrono>
#include <zmq.hpp>

#include "runtime/transport/connection_monitor.h"
#include "runtime/transport/endpoint.h"
#include "runtime/transport/transport_options.h"

namespace spillway {
namespace {

using Phase = ConnectionMonitor::Phase;

/// Where a client of this host reaches what is bound at `endpoint`.
Endpoint FromHere(Endpoint endpoint) {
  if (endpoint.host == "*" || endpoint.host == "0.0.0.0") endpoint.host = "127.0.0.1";
  if (endpoint.host == "::") endpoint.host = "::1";
  return endpoint;
}

Status WaitForVerdict(ConnectionMonitor& monitor, const CurveProbeOptions& options) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::milliseconds(options.timeout_ms);
  while (monitor.phase() != Phase::kRefused && monitor.phase() != Phase::kConnected) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) {
      return Unavailable("cannot check that " + options.endpoint +
                         " refuses unknown keys: no answer within " +
                         std::to_string(options.timeout_ms) + " ms; start again");
    }
    monitor.Wait(left);
  }
  if (monitor.phase() == Phase::kRefused) return OkStatus();
  return PermissionDenied(options.endpoint +
                          " lets in a key that was made up this moment; it is not served, because "
                          "anybody could run code here. Check who is authorized");
}

}  // namespace

Status CheckStrangerRefused(void* context, const CurveProbeOptions& options) {
  SPILLWAY_ASSIGN_OR_RETURN(const Endpoint bound, ParseEndpoint(options.endpoint));
  const Endpoint endpoint = FromHere(bound);
  const KeyPair stranger = NewKeyPair();
  try {
    zmq::socket_t socket(*static_cast<zmq::context_t*>(context), zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::ipv6, endpoint.ipv6());
    socket.set(zmq::sockopt::curve_serverkey, options.server_key);
    socket.set(zmq::sockopt::curve_publickey, stranger.public_key);
    socket.set(zmq::sockopt::curve_secretkey, stranger.secret_key);
    SPILLWAY_ASSIGN_OR_RETURN(
        const auto monitor,
        ConnectionMonitor::Follow(context, &socket, options.name, options.endpoint));
    socket.connect(EndpointText(endpoint));
    return WaitForVerdict(*monitor, options);
  } catch (const zmq::error_t& error) {
    return Unavailable("cannot check that " + options.endpoint +
                       " refuses unknown keys: " + error.what());
  }
}

}  // namespace spillway
