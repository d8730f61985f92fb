#include "runtime/transfer/fetch_message.h"

#include <string>
#include <utility>

#include "mapreduce/base/check.h"

namespace spillway {
namespace {

MessageBuffer Encode(const wire::Message& message) {
  wire::Frame frame;
  frame.set_version(kFetchVersion);
  message.SerializeToString(frame.add_messages());
  MessageBuffer buffer = MessageBuffer::Allocate(frame.ByteSizeLong());
  const bool fits = frame.SerializeToArray(buffer.data(), static_cast<int>(buffer.size()));
  SPILLWAY_CHECK(fits);
  return buffer;
}

Result<wire::Message> Parse(std::string_view header) {
  if (header.size() > kFetchHeaderBytesMax)
    return InvalidArgument("a header of " + std::to_string(header.size()) + " bytes, more than " +
                           std::to_string(kFetchHeaderBytesMax));
  wire::Frame frame;
  if (!frame.ParseFromArray(header.data(), static_cast<int>(header.size())))
    return InvalidArgument("the header is not a frame");
  if (frame.version() != kFetchVersion)
    return InvalidArgument("protocol version " + std::to_string(frame.version()) +
                           ", but this build speaks " + std::to_string(kFetchVersion));
  wire::Message message;
  if (frame.messages_size() != 1 || !message.ParseFromString(frame.messages(0)))
    return InvalidArgument("the frame does not hold one message");
  return message;
}

}  // namespace

MessageBuffer EncodeFetchRequest(wire::FetchRequest request) {
  wire::Message message;
  *message.mutable_fetch_request() = std::move(request);
  return Encode(message);
}

MessageBuffer EncodeFetchReply(wire::FetchReply reply) {
  wire::Message message;
  *message.mutable_fetch_reply() = std::move(reply);
  return Encode(message);
}

Result<wire::FetchRequest> ParseFetchRequest(std::string_view header) {
  SPILLWAY_ASSIGN_OR_RETURN(wire::Message message, Parse(header));
  if (!message.has_fetch_request() || message.fetch_request().ranges().empty())
    return InvalidArgument("the message is not a fetch request");
  return std::move(*message.mutable_fetch_request());
}

Result<wire::FetchReply> ParseFetchReply(std::string_view header) {
  SPILLWAY_ASSIGN_OR_RETURN(wire::Message message, Parse(header));
  if (!message.has_fetch_reply() || message.fetch_reply().ranges().empty())
    return InvalidArgument("the message is not a fetch reply");
  return std::move(*message.mutable_fetch_reply());
}

void EncodeStatus(const Status& status, wire::StatusText* text) {
  text->set_code(static_cast<std::uint32_t>(status.code()));
  text->set_message(status.message());
}

Status DecodeStatus(const wire::StatusText& text) {
  if (text.code() > static_cast<std::uint32_t>(Code::kInternal))
    return InternalError("unknown code " + std::to_string(text.code()) + ": " + text.message());
  return {static_cast<Code>(text.code()), text.message()};
}

}  // namespace spillway
