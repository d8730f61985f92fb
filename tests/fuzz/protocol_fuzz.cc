// Any bytes as a frame, as a message, and as the head of a fetch: refused, or within the limits,
// and the same after another trip over the wire.
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/check.h"
#include "runtime/coordinator/job_entry.h"
#include "runtime/protocol/frame.h"
#include "runtime/protocol/loop_pieces.h"
#include "runtime/protocol/reliable_channel.h"
#include "runtime/protocol/wire_values.h"
#include "runtime/transfer/fetch_message.h"

using namespace spillway;

namespace {

constexpr std::uint64_t kPartBytesMax = 1 << 10;

void CheckSpec(const wire::JobSpec& spec) {
  if (!CheckJobSpec(spec).ok()) return;
  const JobEntry job = NewJobEntry(1, "fuzzed", spec);
  SPILLWAY_CHECK_EQ(job.ForScheduler().maps.size(), static_cast<std::size_t>(spec.maps_size()));
  for (std::uint32_t map = 0; map < job.inputs.maps(); ++map) {
    wire::StartMap start;
    job.inputs.Fill(map, start);
    SPILLWAY_CHECK_EQ(start.ranges_size(), spec.maps(static_cast<int>(map)).ranges_size());
  }
  (void)job.State(nullptr, 0);
}

void CheckParts(const google::protobuf::RepeatedPtrField<wire::LoopPart>& parts) {
  LoopAssembly assembly(kPartBytesMax);
  std::uint64_t given = 0;
  for (const wire::LoopPart& part : parts) {
    given += part.bytes().size();
    const auto whole = assembly.Take(1, part);
    if (whole.has_value() && part.total_bytes() != 0)
      SPILLWAY_CHECK_EQ(whole->size(), part.total_bytes());
    SPILLWAY_CHECK_LE(assembly.bytes(), given);
  }
}

void CheckMessage(std::string_view bytes) {
  const auto message = ParseMessage(bytes);
  if (!message.ok()) {
    SPILLWAY_CHECK(message.status().code() == Code::kInvalidArgument);
    return;
  }
  const std::string spelt = message->SerializeAsString();
  const auto again = ParseMessage(spelt);
  SPILLWAY_CHECK(again.ok());
  SPILLWAY_CHECK(again->SerializeAsString() == spelt);
  SPILLWAY_CHECK_LE(FromWire(message->attempt_failed().status()).message().size(),
                    kStatusTextBytesMax);
  wire::TaskStats stats;
  Add(stats, message->map_done().stats());
  Add(stats, message->commit_request().stats());
  SPILLWAY_CHECK_LE(stats.counters_size(), kCountersMax);
  CheckSpec(message->start_job().spec());
  CheckParts(message->loop_round().parts());
  CheckParts(message->loop_contribution().parts());
}

/// Twice the same: what was delivered once is not delivered again.
void CheckChannel(const wire::Frame& frame) {
  ReliableChannel channel(frame.session(), frame.version(), ChannelLimits::Tiny());
  std::vector<std::string> delivered;
  channel.Accept(frame, 1, delivered);
  SPILLWAY_CHECK_LE(delivered.size(), static_cast<std::size_t>(frame.messages_size()));
  const std::size_t once = delivered.size();
  channel.Accept(frame, 2, delivered);
  SPILLWAY_CHECK_EQ(delivered.size(), once);
  for (int i = 0; i < 3; ++i) (void)channel.NextFrame(100);
}

void CheckFrame(std::string_view bytes) {
  const auto frame = ParseFrame(bytes);
  if (!frame.ok()) {
    SPILLWAY_CHECK(frame.status().code() == Code::kInvalidArgument);
    return;
  }
  SPILLWAY_CHECK_LE(static_cast<std::uint32_t>(frame->messages_size()), kFrameMessagesMax);
  SPILLWAY_CHECK_GE(frame->version(), kProtocolVersionMin);
  for (const std::string& text : frame->messages()) CheckMessage(text);
  CheckChannel(*frame);
}

void CheckFetch(std::string_view bytes) {
  const auto request = ParseFetchRequest(bytes);
  if (request.ok()) {
    SPILLWAY_CHECK_GT(request->ranges_size(), 0);
    const PartitionRange partitions = PartitionsOf(*request);
    SPILLWAY_CHECK_LT(partitions.first, partitions.end());
    wire::FetchRequest again;
    SetPartitions(again, partitions);
    SPILLWAY_CHECK(PartitionsOf(again) == partitions);
  }
  const auto reply = ParseFetchReply(bytes);
  if (reply.ok()) SPILLWAY_CHECK_GT(reply->ranges_size(), 0);
  SPILLWAY_CHECK(!request.ok() || !reply.ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  CheckFrame(bytes);
  CheckMessage(bytes);
  CheckFetch(bytes);
  return 0;
}
