// Endpoint: an address of the transport, taken apart and judged before ZeroMQ sees it. Values; any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mapreduce/base/status.h"

namespace spillway {

struct Endpoint {
  enum class Scheme : std::uint8_t { kInproc, kIpc, kTcp };

  Scheme scheme = Scheme::kInproc;
  std::string name;        ///< inproc: the name. ipc: the absolute path of the socket.
  std::string host;        ///< tcp: a name, an IPv4 address, an IPv6 address without brackets, "*".
  std::uint16_t port = 0;  ///< tcp.

  bool ipv6() const { return host.find(':') != std::string::npos; }
};

/// "inproc://name", "ipc:///dir/socket" or "tcp://host:port", IPv6 addresses in brackets.
/// InvalidArgument: anything else, such as a path that is too long for a socket.
Result<Endpoint> ParseEndpoint(std::string_view text);

/// As ZeroMQ writes it.
std::string EndpointText(const Endpoint& endpoint);

/// Whether only processes of this host can reach it: 127.0.0.0/8, ::1 or "localhost". Other names
/// are not looked up: what they mean can change.
bool IsLoopback(const Endpoint& endpoint);

/// `endpoint` with a host name replaced by an address of it, because ZeroMQ binds to addresses and
/// to the names of interfaces only. A name that is not known stays as it is.
Endpoint ForBind(Endpoint endpoint);

/// Unavailable, with what the system says, when the endpoint's host is a name that it does not
/// know now. May wait for a name server.
Status CheckHostKnown(const Endpoint& endpoint);

/// Whether a process accepts connections at this ipc socket. ZeroMQ itself would take the path
/// away from it.
bool IsServed(const Endpoint& endpoint);

}  // namespace spillway
