#include "runtime/transfer/fetch_message.h"

#include <algorithm>
#include <string>
#include <utility>

#include "runtime/protocol/frame.h"

namespace spillway {
namespace {

Result<wire::Message> Parse(std::string_view header) {
  if (header.size() > kFetchHeaderBytesMax)
    return InvalidArgument("a header of " + std::to_string(header.size()) + " bytes, more than " +
                           std::to_string(kFetchHeaderBytesMax));
  SPILLWAY_ASSIGN_OR_RETURN(const wire::Frame frame, ParseFrame(header));
  if (frame.messages_size() != 1)
    return InvalidArgument("a frame of " + std::to_string(frame.messages_size()) + " messages");
  return ParseMessage(frame.messages(0));
}

}  // namespace

MessageBuffer EncodeFetchRequest(wire::FetchRequest request) {
  wire::Message message;
  *message.mutable_fetch_request() = std::move(request);
  return MessageBuffer::Copy(LoneFrame(message));
}

MessageBuffer EncodeFetchReply(wire::FetchReply reply) {
  wire::Message message;
  *message.mutable_fetch_reply() = std::move(reply);
  return MessageBuffer::Copy(LoneFrame(message));
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

void SetPartitions(wire::FetchRequest& request, const PartitionRange& partitions) {
  request.set_partition(partitions.first);
  request.set_partitions(partitions.count > 1 ? partitions.count : 0);
}

PartitionRange PartitionsOf(const wire::FetchRequest& request) {
  return {request.partition(), std::max(request.partitions(), 1u)};
}

}  // namespace spillway
