#include "runtime/cli/endpoint_text.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "mapreduce/base/units.h"
#include "runtime/transport/endpoint.h"

namespace spillway {
namespace {

constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kIpc = "ipc://";
constexpr std::uint64_t kPortMax = 65'535;
constexpr std::size_t kHostBytesMax = 253;
constexpr std::size_t kIpcPathBytesMax = 107;  // Of sockaddr_un.

Status BadEndpoint(std::string_view text, const std::string& why) {
  return InvalidArgument("'" + EscapeForLog(text) + "' " + why);
}

bool IsHostCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
}

bool IsHost(std::string_view host) {
  if (host == "*") return true;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    return std::all_of(host.begin() + 1, host.end() - 1, [](char c) {
      return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '.' || c == '%';
    });
  return !host.empty() && host.size() <= kHostBytesMax &&
         std::all_of(host.begin(), host.end(), IsHostCharacter);
}

}  // namespace

Result<std::string> ReadEndpoint(std::string_view text, std::uint64_t port_min) {
  std::string_view address = text;
  if (address.starts_with(kIpc)) {
    const std::string_view path = address.substr(kIpc.size());
    if (!path.starts_with("/")) return BadEndpoint(text, "needs an absolute path behind ipc://.");
    if (path.size() > kIpcPathBytesMax)
      return BadEndpoint(text, "is longer than the " + std::to_string(kIpcPathBytesMax) +
                                   " bytes that a socket's path may have.");
    return std::string(text);
  }
  if (address.starts_with(kTcp)) address.remove_prefix(kTcp.size());
  if (address.find("://") != std::string_view::npos)
    return BadEndpoint(text, "is neither tcp:// nor ipc://. Write HOST:PORT.");
  const std::size_t colon = address.rfind(':');
  const bool bare_ipv6 =
      !address.starts_with("[") && std::count(address.begin(), address.end(), ':') > 1;
  if (bare_ipv6) return BadEndpoint(text, "is an IPv6 address without brackets: [::1]:7077.");
  if (colon == std::string_view::npos || address.ends_with("]"))
    return BadEndpoint(text, "has no port. Write HOST:PORT, such as head.example:7077.");
  const std::string_view host = address.substr(0, colon);
  const std::string_view port_text = address.substr(colon + 1);
  if (!IsHost(host)) return BadEndpoint(text, "names no host. Write HOST:PORT.");
  std::uint64_t port = 0;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc{} || end != port_text.data() + port_text.size() || port < port_min ||
      port > kPortMax)
    return BadEndpoint(text, "has no port from " + std::to_string(port_min) + " to " +
                                 std::to_string(kPortMax) + " behind the colon.");
  if (host == "*" && port_min > 0)
    return BadEndpoint(text, "names every interface; to connect, name one host.");
  return std::string(kTcp) + std::string(host) + ":" + std::to_string(port);
}

bool IsLoopbackEndpoint(std::string_view endpoint) {
  const auto parsed = ParseEndpoint(endpoint);
  if (!parsed.ok()) return false;
  return parsed->scheme == Endpoint::Scheme::kIpc || IsLoopback(*parsed);
}

}  // namespace spillway
