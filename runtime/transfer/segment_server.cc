#include "runtime/transfer/segment_server.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string_view>
#include <utility>

#include "runtime/protocol/wire_values.h"
#include "runtime/storage/system_clock.h"
#include "runtime/transfer/fetch_message.h"
#include "runtime/transport/fetch_token.h"
#include "shuffle/format/segment_layout.h"

namespace spillway {
namespace {

SegmentId IdOf(const wire::FetchRequest& request, const wire::FetchRange& range) {
  return {request.segment_job(), range.map_task(), range.attempt()};
}

SegmentServer::Answer Refusal(const wire::FetchRequest& request, const Status& why, int ranges) {
  SegmentServer::Answer answer;
  answer.reply.set_id(request.id());
  answer.reply.set_xxh3(Digest({}));
  for (int i = 0; i < ranges; ++i) *answer.reply.add_ranges()->mutable_status() = ToWire(why);
  return answer;
}

// The blocks that lie whole in `sent`, which begins at `position` of the stream, where the walk
// knows where they begin: it does when a stream is asked for from its start on and in order.
Status CheckBlocks(const OpenSegment& segment, ServedStream& served, std::uint64_t position,
                   std::string_view sent) {
  if (position == 0) served.RestartWalk();
  BlockWalk& walk = served.walk();
  if (walk.position() < position) return OkStatus();
  while (!walk.at_end() && walk.position() - position < sent.size()) {
    const std::string_view rest = sent.substr(walk.position() - position);
    BlockHeader header;
    if (rest.size() >= sizeof header) {
      std::memcpy(&header, rest.data(), sizeof header);
    } else {
      SPILLWAY_RETURN_IF_ERROR(segment.ReadStream(served.stream(), walk.position(), sizeof header,
                                                  reinterpret_cast<char*>(&header)));
    }
    SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t bytes, walk.BlockBytes(header));
    if (bytes > rest.size())
      walk.Skip(bytes);
    else
      SPILLWAY_RETURN_IF_ERROR(walk.Check(rest.substr(0, bytes)));
  }
  return OkStatus();
}

SegmentServerOptions WithClock(SegmentServerOptions options) {
  if (!options.now_unix_ms) options.now_unix_ms = SystemUnixMs;
  return options;
}

}  // namespace

SegmentServer::SegmentServer(SegmentStoreFinder stores, SegmentServerOptions options)
    : stores_(std::move(stores)),
      options_(WithClock(std::move(options))),
      token_key_(options_.token_key),
      segments_(options_.index_bytes_max) {}

void SegmentServer::SetTokenKey(std::string key) {
  const std::lock_guard lock(token_mutex_);
  token_key_ = std::move(key);
}

SegmentServer::Answer SegmentServer::Handle(const wire::FetchRequest& request) {
  const Status allowed = CheckRequest(request);
  const bool too_many =
      request.ranges_size() > static_cast<std::int64_t>(options_.request_ranges_max);
  if (!allowed.ok()) return Refusal(request, allowed, too_many ? 1 : request.ranges_size());
  const std::shared_ptr<SegmentStore> store = stores_(request.job());
  std::vector<Slice> slices;
  std::uint64_t bytes_max = 0;
  for (const wire::FetchRange& range : request.ranges()) {
    slices.push_back(Resolve(request, range, store.get()));
    bytes_max += slices.back().bytes;
  }
  Answer answer;
  answer.reply.set_id(request.id());
  answer.payload = MessageBuffer::Allocate(bytes_max);
  std::uint64_t sent = 0;
  for (int i = 0; i < request.ranges_size(); ++i) {
    Slice& slice = slices[static_cast<std::size_t>(i)];
    wire::FetchedRange* const fetched = answer.reply.add_ranges();
    if (slice.status.ok())
      slice.status = Read(request, request.ranges(i), slice, answer.payload.data() + sent);
    if (!slice.status.ok()) {
      *fetched->mutable_status() = ToWire(slice.status);
      continue;
    }
    fetched->set_bytes(slice.bytes);
    sent += slice.bytes;
    if (!request.ranges(i).head()) continue;
    fetched->set_head_bytes(slice.segment->head_bytes());
    fetched->set_segment_bytes(slice.segment->bytes().size());
  }
  // A range failed after its room was made.
  if (sent < bytes_max) answer.payload = MessageBuffer::Copy(answer.payload.view().substr(0, sent));
  answer.reply.set_xxh3(Digest(answer.payload.view()));
  return answer;
}

Status SegmentServer::CheckRequest(const wire::FetchRequest& request) const {
  std::string token_key;
  {
    const std::lock_guard lock(token_mutex_);
    token_key = token_key_;
  }
  if (options_.requires_token || !token_key.empty()) {
    const FetchGrant grant = {request.job(), request.expires_unix_ms()};
    if (token_key.empty()) return PermissionDenied("this worker serves nothing yet");
    SPILLWAY_RETURN_IF_ERROR(
        CheckFetchToken(token_key, grant, request.token(), options_.now_unix_ms()));
  }
  if (request.ranges_size() > static_cast<std::int64_t>(options_.request_ranges_max))
    return InvalidArgument(std::to_string(request.ranges_size()) + " ranges, more than " +
                           std::to_string(options_.request_ranges_max));
  std::uint64_t bytes = 0;
  for (const wire::FetchRange& range : request.ranges()) {
    // Each by itself first, so that the sum cannot overflow.
    bytes += std::min(range.bytes(), options_.reply_bytes_max + 1);
    if (bytes > options_.reply_bytes_max)
      return InvalidArgument("more bytes are asked for than the " +
                             std::to_string(options_.reply_bytes_max) + " of an answer");
  }
  return OkStatus();
}

SegmentServer::Slice SegmentServer::Resolve(const wire::FetchRequest& request,
                                            const wire::FetchRange& range, SegmentStore* store) {
  Slice slice;
  if (store == nullptr) {
    slice.status = NotFound("no segments of job " + std::to_string(request.job()) +
                            " are here; the map task must run again");
    return slice;
  }
  auto opened = segments_.Get(request.job(), IdOf(request, range), *store);
  if (!opened.ok()) {
    slice.status = opened.status();
    return slice;
  }
  slice.segment = std::move(*opened);
  const PartitionRange partitions = PartitionsOf(request);
  if (!partitions.IsWithin(slice.segment->partitions())) {
    slice.status = InvalidArgument("a segment of " + std::to_string(slice.segment->partitions()) +
                                   " partitions does not have " + NameOf(partitions));
    return slice;
  }
  const std::uint64_t all = range.head() ? slice.segment->head_bytes()
                                         : slice.segment->Stream(partitions).stream().bytes();
  const std::uint64_t rest = all - std::min(all, range.position());
  // Nobody knows a head's size before it is here; of a stream only what is there is asked for.
  if (range.position() > all || (!range.head() && range.bytes() > rest))
    slice.status = InvalidArgument(std::to_string(range.bytes()) + " bytes at position " +
                                   std::to_string(range.position()) + " of " + std::to_string(all));
  else
    slice.bytes = std::min(range.bytes(), rest);
  return slice;
}

Status SegmentServer::Read(const wire::FetchRequest& request, const wire::FetchRange& range,
                           const Slice& slice, char* to) {
  if (range.head()) return slice.segment->ReadHead(range.position(), slice.bytes, to);
  ServedStream& served = slice.segment->Stream(PartitionsOf(request));
  SPILLWAY_RETURN_IF_ERROR(
      slice.segment->ReadStream(served.stream(), range.position(), slice.bytes, to));
  const Status checked = CheckBlocks(*slice.segment, served, range.position(), {to, slice.bytes});
  // What was opened goes too: whoever asks again shall read the disk again.
  if (!checked.ok()) segments_.Forget(request.job(), IdOf(request, range));
  return checked.Annotate(slice.segment->bytes().name());
}

}  // namespace spillway
