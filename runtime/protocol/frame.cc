#include "runtime/protocol/frame.h"

#include <algorithm>

#include "runtime/protocol/field_walk.h"

namespace spillway {
namespace {

/// How many messages the frame would have once it is parsed; stops counting beyond the limit.
std::uint32_t CountMessages(std::string_view bytes) {
  FieldWalk walk(bytes);
  std::uint32_t count = 0;
  walk.ForEach([&](int field) {
    return field != wire::Frame::kMessagesFieldNumber || ++count <= kFrameMessagesMax;
  });
  return count;
}

}  // namespace

Result<wire::Frame> ParseFrame(std::string_view bytes) {
  if (bytes.size() > kFrameBytesMax)
    return InvalidArgument("a frame of " + std::to_string(bytes.size()) + " bytes; at most " +
                           std::to_string(kFrameBytesMax) + " are allowed");
  if (CountMessages(bytes) > kFrameMessagesMax)
    return InvalidArgument("a frame of more than " + std::to_string(kFrameMessagesMax) +
                           " messages");
  wire::Frame frame;
  if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return InvalidArgument("bytes that are no frame of Spillway's protocol");
  if (frame.version() < kProtocolVersionMin)
    return InvalidArgument("a frame of protocol version " + std::to_string(frame.version()) +
                           "; this side speaks " + std::to_string(kProtocolVersionMin) + " to " +
                           std::to_string(kProtocolVersion));
  return frame;
}

Result<wire::Message> ParseMessage(std::string_view bytes) {
  wire::Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      message.kind_case() == wire::Message::KIND_NOT_SET)
    return InvalidArgument("a message of no known kind");
  return message;
}

std::string LoneFrame(const wire::Message& message, std::uint32_t version) {
  wire::Frame frame;
  frame.set_version(version);
  message.SerializeToString(frame.add_messages());
  return frame.SerializeAsString();
}

Result<std::uint32_t> NegotiateVersion(std::uint32_t peer_min, std::uint32_t peer_max) {
  const std::uint32_t newest = std::min(kProtocolVersion, peer_max);
  if (peer_min > peer_max || newest < std::max(kProtocolVersionMin, peer_min))
    return InvalidArgument(
        "it speaks protocol versions " + std::to_string(peer_min) + " to " +
        std::to_string(peer_max) + ", this side " + std::to_string(kProtocolVersionMin) + " to " +
        std::to_string(kProtocolVersion) + "; upgrade the older of the two, one version at a time");
  return newest;
}

}  // namespace spillway
