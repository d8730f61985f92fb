// The header part of fetch requests and replies: a lone frame (docs/formats/fetch.md). What was
// parsed has at least one range. Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "mapreduce/base/status.h"
#include "runtime/protocol/spillway.pb.h"
#include "runtime/transport/message.h"
#include "shuffle/format/partition_range.h"

namespace spillway {

/// A longer header is not parsed: 64 KiB of empty submessages already take megabytes.
inline constexpr std::size_t kFetchHeaderBytesMax = 64 << 10;

MessageBuffer EncodeFetchRequest(wire::FetchRequest request);
MessageBuffer EncodeFetchReply(wire::FetchReply reply);

/// InvalidArgument: not a request (or reply) of this version.
Result<wire::FetchRequest> ParseFetchRequest(std::string_view header);
Result<wire::FetchReply> ParseFetchReply(std::string_view header);

/// What partitions a request is for: at least one, and maybe more than there are. One alone is told
/// as it was before there were ranges.
void SetPartitions(wire::FetchRequest& request, const PartitionRange& partitions);
PartitionRange PartitionsOf(const wire::FetchRequest& request);

}  // namespace spillway
