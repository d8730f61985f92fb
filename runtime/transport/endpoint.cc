#include "runtime/transport/endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace spillway {
namespace {

constexpr std::string_view kInproc = "inproc://";
constexpr std::string_view kIpc = "ipc://";
constexpr std::string_view kTcp = "tcp://";
constexpr std::size_t kHostBytesMax = 255;
constexpr std::size_t kIpcPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

Status Bad(std::string_view text, std::string_view why) {
  return InvalidArgument("endpoint '" + std::string(text) + "': " + std::string(why));
}

bool IsIpv4(const std::string& host) {
  in_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool IsIpv6(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool IsHostName(std::string_view host) {
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

Result<Endpoint> ParseIpc(std::string_view text) {
  const std::string_view path = text.substr(kIpc.size());
  if (path.empty() || path[0] != '/')
    return Bad(text, "an ipc path is absolute: ipc:///dir/socket");
  if (path.find('\0') != path.npos) return Bad(text, "a path has no NUL");
  if (path.size() > kIpcPathBytesMax) {
    return Bad(text, "the path has " + std::to_string(path.size()) + " bytes; a socket's has " +
                         std::to_string(kIpcPathBytesMax) + " at most");
  }
  return Endpoint{Endpoint::Scheme::kIpc, std::string(path), "", 0};
}

Result<Endpoint> ParseTcp(std::string_view text) {
  const std::string_view rest = text.substr(kTcp.size());
  const std::size_t colon = rest.rfind(':');
  if (colon == rest.npos || colon == 0) return Bad(text, "expected tcp://host:port");
  Endpoint endpoint{Endpoint::Scheme::kTcp, "", std::string(rest.substr(0, colon)), 0};

  const std::string_view port = rest.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc() || end != port.data() + port.size()) {
    return Bad(text, "a port is a number up to 65535");
  }

  std::string& host = endpoint.host;
  if (host.size() > kHostBytesMax) return Bad(text, "the host's name is too long");
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (!IsIpv6(host)) return Bad(text, "no IPv6 address stands between the brackets");
  } else if (host != "*" && !IsHostName(host)) {
    return Bad(text, "no name of a host; an IPv6 address stands in brackets");
  }
  return endpoint;
}

}  // namespace

Result<Endpoint> ParseEndpoint(std::string_view text) {
  if (text.starts_with(kIpc)) return ParseIpc(text);
  if (text.starts_with(kTcp)) return ParseTcp(text);
  if (text.starts_with(kInproc) && text.size() > kInproc.size()) {
    return Endpoint{Endpoint::Scheme::kInproc, std::string(text.substr(kInproc.size())), "", 0};
  }
  return Bad(text, "expected tcp://host:port, ipc:///dir/socket or inproc://name");
}

std::string EndpointText(const Endpoint& endpoint) {
  switch (endpoint.scheme) {
    case Endpoint::Scheme::kInproc: return std::string(kInproc) + endpoint.name;
    case Endpoint::Scheme::kIpc: return std::string(kIpc) + endpoint.name;
    case Endpoint::Scheme::kTcp: break;
  }
  const std::string host = endpoint.ipv6() ? "[" + endpoint.host + "]" : endpoint.host;
  return std::string(kTcp) + host + ":" + std::to_string(endpoint.port);
}

bool IsLoopback(const Endpoint& endpoint) {
  if (endpoint.scheme != Endpoint::Scheme::kTcp) return true;
  if (endpoint.host == "localhost") return true;
  in_addr ipv4{};
  if (::inet_pton(AF_INET, endpoint.host.c_str(), &ipv4) == 1) {
    return ntohl(ipv4.s_addr) >> 24 == 127;
  }
  in6_addr ipv6{};
  return ::inet_pton(AF_INET6, endpoint.host.c_str(), &ipv6) == 1 &&
         std::memcmp(&ipv6, &in6addr_loopback, sizeof ipv6) == 0;
}

Endpoint ForBind(Endpoint endpoint) {
  const bool is_name = endpoint.scheme == Endpoint::Scheme::kTcp && endpoint.host != "*" &&
                       !IsIpv4(endpoint.host) && !IsIpv6(endpoint.host);
  if (!is_name) return endpoint;
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(endpoint.host.c_str(), nullptr, &hints, &found) != 0) return endpoint;
  std::array<char, NI_MAXHOST> address{};
  if (::getnameinfo(found->ai_addr, found->ai_addrlen, address.data(), address.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
    endpoint.host = address.data();
  }
  ::freeaddrinfo(found);
  return endpoint;
}

Status CheckHostKnown(const Endpoint& endpoint) {
  if (endpoint.scheme != Endpoint::Scheme::kTcp || endpoint.host == "*") return OkStatus();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(endpoint.host.c_str(), nullptr, &hints, &found);
  if (error != 0)
    return Unavailable("this machine knows no host '" + endpoint.host +
                       "': " + ::gai_strerror(error));
  ::freeaddrinfo(found);
  return OkStatus();
}

bool IsServed(const Endpoint& endpoint) {
  if (endpoint.scheme != Endpoint::Scheme::kIpc) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, endpoint.name.data(),
              std::min(endpoint.name.size(), kIpcPathBytesMax));
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  // EAGAIN: its backlog is full, so somebody listens.
  const bool served =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EAGAIN;
  ::close(fd);
  return served;
}

}  // namespace spillway
