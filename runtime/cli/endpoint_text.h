// Endpoints as people write them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mapreduce/base/status.h"

namespace spillway {

/// "HOST:PORT", "tcp://HOST:PORT" or "ipc:///PATH" as the transport wants it, with the scheme. HOST
/// is a name, an IPv4 address, [IPv6] or *. InvalidArgument says what is wrong, as the end of a
/// sentence about the text.
Result<std::string> ReadEndpoint(std::string_view text, std::uint64_t port_min);

/// True for ipc and for tcp on this host's loopback interface, by name or address.
bool IsLoopbackEndpoint(std::string_view endpoint);

}  // namespace spillway
