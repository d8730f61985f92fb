// The header part of fetch requests and replies: a Frame with one Message that is not numbered
// (docs/formats/fetch.md). Parsing believes nothing: sizes are bounded before bytes are looked at,
// and required fields are there afterwards. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "mapreduce/base/status.h"
#include "runtime/protocol/spillway.pb.h"
#include "runtime/transport/message.h"

namespace spillway {

inline constexpr std::uint32_t kFetchVersion = 1;
/// A longer header is not parsed: 64 KiB of empty submessages already take megabytes.
inline constexpr std::size_t kFetchHeaderBytesMax = 64 << 10;

MessageBuffer EncodeFetchRequest(wire::FetchRequest request);
MessageBuffer EncodeFetchReply(wire::FetchReply reply);

/// InvalidArgument: not a request (or reply) of this version.
Result<wire::FetchRequest> ParseFetchRequest(std::string_view header);
Result<wire::FetchReply> ParseFetchReply(std::string_view header);

/// A status on the wire and back; a code that is not known here is Internal.
void EncodeStatus(const Status& status, wire::StatusText* text);
Status DecodeStatus(const wire::StatusText& text);

}  // namespace spillway
