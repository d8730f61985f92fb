// Frames: the envelope of every message between processes, checked before it is believed. Pure;
// any thread. docs/formats/protocol.md is the contract.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mapreduce/base/status.h"
#include "runtime/protocol/spillway.pb.h"

namespace spillway {

inline constexpr std::uint32_t kProtocolVersion = 3;
inline constexpr std::uint32_t kProtocolVersionMin = 1;  ///< N and N-1 work together, at least.
/// From this one on workers run combine tasks, reduces of several partitions, and maps of ranges of
/// compressed files.
inline constexpr std::uint32_t kProtocolVersionOfPlans = 3;
inline constexpr std::uint64_t kFrameBytesMax = 1u << 20;
/// More messages than a well-behaved sender puts into a frame: an empty one takes two bytes on the
/// wire and thirty in memory.
inline constexpr std::uint32_t kFrameMessagesMax = 16'384;

/// InvalidArgument when it is too large, no frame, of another protocol version, or has too many
/// messages.
Result<wire::Frame> ParseFrame(std::string_view bytes);

/// InvalidArgument when the bytes are no message, or one of no known kind. (Known kinds only grow:
/// a newer peer speaks the negotiated version.)
Result<wire::Message> ParseMessage(std::string_view bytes);

/// A frame outside of any session with one message, serialised.
std::string LoneFrame(const wire::Message& message, std::uint32_t version = kProtocolVersion);

/// The newest version that both sides speak; InvalidArgument naming both ranges when there is none.
Result<std::uint32_t> NegotiateVersion(std::uint32_t peer_min, std::uint32_t peer_max);

}  // namespace spillway
