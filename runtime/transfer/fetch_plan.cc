#include "runtime/transfer/fetch_plan.h"

#include <algorithm>
#include <string>
#include <utility>

#include "mapreduce/base/check.h"
#include "shuffle/format/segment_layout.h"

namespace spillway {
namespace {

constexpr std::uint64_t kHeadBytesMin = sizeof(SegmentHeader) + sizeof(SegmentFooter);

// Whether asking the same again may help.
bool IsPassing(Code code) { return code == Code::kUnavailable || code == Code::kResourceExhausted; }

std::uint64_t BackoffMs(const FetchLimits& limits, std::uint32_t failures) {
  const std::uint32_t doublings = std::min(failures - 1, 32u);
  return std::min(limits.backoff_ms_first << doublings, limits.backoff_ms_max);
}

Status WrongSize(const FetchPlan::Range& range, std::uint64_t bytes) {
  return Unavailable("the answer has " + std::to_string(bytes) + " bytes for " +
                     std::to_string(range.bytes) + " at position " +
                     std::to_string(range.position));
}

}  // namespace

FetchPlan::FetchPlan(const FetchLimits& limits) : limits_(limits) {
  SPILLWAY_CHECK_LE(limits.head_bytes_first, limits.request_bytes);
  SPILLWAY_CHECK_LE(limits.request_bytes, limits.source_window_bytes);
  SPILLWAY_CHECK_LE(limits.source_window_bytes, limits.total_window_bytes);
  SPILLWAY_CHECK_LE(kHeadBytesMin, limits.head_bytes_first);
  SPILLWAY_CHECK_LT(0u, limits.request_ranges_max);
  SPILLWAY_CHECK_LT(0u, limits.source_segments_max);
  SPILLWAY_CHECK_LT(0u, limits.tries_max);
  SPILLWAY_CHECK_LT(0u, limits.backoff_ms_first);
}

void FetchPlan::Add(const NewOrder& order) {
  const auto [added, is_new] = orders_.try_emplace(order.id);
  SPILLWAY_CHECK(is_new);
  added->second.source = order.source;
  added->second.partitions = order.partitions;
  Source& source = sources_[order.source];
  // Nobody asked it meanwhile: that it was silent before says nothing.
  if (source.open.empty() && source.waiting.empty()) source.silent_since_ms = UINT64_MAX;
  source.waiting.push_back(order.id);
}

void FetchPlan::SetStreamBytes(FetchOrderId id, std::uint64_t bytes) {
  const auto found = orders_.find(id);
  if (found == orders_.end()) return;
  Order& order = found->second;
  SPILLWAY_CHECK(order.part == FetchPart::kHead && order.size_known);
  SPILLWAY_CHECK_EQ(order.delivered, order.part_bytes);
  order.part = FetchPart::kStream;
  order.part_bytes = bytes;
  order.next_position = order.delivered = 0;
  if (bytes > 0) return;
  actions_.emplace_back(Complete{id});
  Remove(id);
}

void FetchPlan::Drop(FetchOrderId order) {
  if (orders_.count(order) > 0) Remove(order);
}

void FetchPlan::FailSource(FetchSourceId id, const Status& why) {
  const auto found = sources_.find(id);
  if (found == sources_.end()) return;
  std::vector<FetchOrderId> lost = found->second.open;
  lost.insert(lost.end(), found->second.waiting.begin(), found->second.waiting.end());
  for (const FetchOrderId order : lost) Lose(order, why);
  std::erase_if(asked_, [id](const auto& asked) { return asked.second.source == id; });
  sources_.erase(id);
}

bool FetchPlan::Expects(FetchSourceId source, std::uint64_t request) const {
  const auto found = asked_.find(request);
  return found != asked_.end() && found->second.source == source;
}

void FetchPlan::OnReply(std::uint64_t request, std::vector<RangeReply> replies,
                        std::uint64_t now_ms) {
  const auto found = asked_.find(request);
  if (found == asked_.end()) return;
  const Asked asked = EndRequest(found);
  sources_[asked.source].silent_since_ms = UINT64_MAX;
  if (replies.size() != asked.ranges.size()) {
    FailRequest(asked, Unavailable("an answer to another number of ranges"), now_ms);
    return;
  }
  Asked failed;
  failed.source = asked.source;
  Status why;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const Range& range = asked.ranges[i];
    const std::uint32_t generation = asked.generations[i];
    Status status = std::move(replies[i].status);
    if (status.ok()) status = TakeRange(range, generation, replies[i]);
    if (status.ok()) continue;
    if (IsPassing(status.code())) {
      failed.ranges.push_back(range);
      failed.generations.push_back(generation);
      why = std::move(status);
    } else if (FindChunk(range, generation, Chunk::State::kAsked) != nullptr) {
      Lose(range.order, std::move(status));
    }
  }
  if (!failed.ranges.empty())
    FailRequest(failed, why, now_ms);
  else
    sources_[asked.source].failures = 0;
}

void FetchPlan::OnFailure(std::uint64_t request, const Status& why, std::uint64_t now_ms) {
  const auto found = asked_.find(request);
  if (found == asked_.end()) return;
  const Asked asked = EndRequest(found);
  FailRequest(asked, why, now_ms);
}

void FetchPlan::Tick(std::uint64_t now_ms) {
  last_tick_ms_ = now_ms;
  while (!asked_.empty() && asked_.begin()->second.deadline_ms <= now_ms)
    TimeOut(EndRequest(asked_.begin()), now_ms);
  Pump(now_ms);
}

std::uint64_t FetchPlan::next_tick_ms() const {
  std::uint64_t next = asked_.empty() ? UINT64_MAX : asked_.begin()->second.deadline_ms;
  for (const auto& [id, source] : sources_)
    if (source.blocked_until_ms > last_tick_ms_ && !(source.open.empty() && source.waiting.empty()))
      next = std::min(next, source.blocked_until_ms);
  return next;
}

std::vector<FetchPlan::Action> FetchPlan::Take() { return std::exchange(actions_, {}); }

std::uint64_t FetchPlan::outstanding_bytes(FetchSourceId source) const {
  const auto found = sources_.find(source);
  return found == sources_.end() ? 0 : found->second.outstanding_bytes;
}

// One request to each source at a time, so that a total window which is too small for all is shared
// evenly; a different source begins each time.
void FetchPlan::Pump(std::uint64_t now_ms) {
  if (sources_.empty()) return;
  auto first = sources_.upper_bound(turn_);
  if (first == sources_.end()) first = sources_.begin();
  turn_ = first->first;
  for (bool asked = true; asked;) {
    asked = false;
    for (auto at = first; at != sources_.end(); ++at)
      asked |= AskSource(at->first, at->second, now_ms);
    for (auto at = sources_.begin(); at != first; ++at)
      asked |= AskSource(at->first, at->second, now_ms);
  }
}

bool FetchPlan::AskSource(FetchSourceId id, Source& source, std::uint64_t now_ms) {
  if (now_ms < source.blocked_until_ms) return false;
  OpenOrders(source);
  std::uint64_t bytes = 0;
  Asked asked = GatherRanges(source, &bytes);
  // Small segments would otherwise end up with a request for each range, however many wait.
  const bool small =
      bytes < limits_.request_bytes / 2 && asked.ranges.size() < limits_.request_ranges_max;
  if (asked.ranges.empty() || (small && source.requests >= limits_.source_small_requests_max))
    return false;
  for (std::size_t i = 0; i < asked.ranges.size(); ++i)
    FindChunk(asked.ranges[i], asked.generations[i], Chunk::State::kWanted)->state =
        Chunk::State::kAsked;
  asked.source = id;
  asked.deadline_ms = now_ms + limits_.request_timeout_ms;
  ++source.requests;
  actions_.emplace_back(Ask{next_request_, id, asked.partitions, asked.ranges});
  asked_.emplace(next_request_++, std::move(asked));
  return true;
}

// The next request's ranges, all of the same partitions.
FetchPlan::Asked FetchPlan::GatherRanges(Source& source, std::uint64_t* bytes) {
  Asked asked;
  for (const FetchOrderId id : source.open) {
    Order& order = orders_.at(id);
    if (!asked.ranges.empty() && order.partitions != asked.partitions) continue;
    asked.partitions = order.partitions;
    std::uint64_t from = 0;
    while (asked.ranges.size() < limits_.request_ranges_max) {
      const Chunk* const chunk = NextChunk(source, order, from, limits_.request_bytes - *bytes);
      if (chunk == nullptr) break;
      from = chunk->position + chunk->bytes;
      *bytes += chunk->bytes;
      asked.ranges.push_back({id, order.part, chunk->position, chunk->bytes});
      asked.generations.push_back(order.generation);
    }
  }
  return asked;
}

void FetchPlan::OpenOrders(Source& source) {
  while (!source.waiting.empty() && source.open.size() < limits_.source_segments_max) {
    source.open.push_back(source.waiting.front());
    source.waiting.pop_front();
  }
}

// The next one from position `from` on that waits to be asked for, else a fresh one; null when it
// does not fit the request or the windows.
const FetchPlan::Chunk* FetchPlan::NextChunk(Source& source, Order& order, std::uint64_t from,
                                             std::uint64_t room_bytes) {
  for (const Chunk& chunk : order.chunks)
    if (chunk.state == Chunk::State::kWanted && chunk.position >= from)
      return chunk.bytes <= room_bytes ? &chunk : nullptr;
  const std::uint64_t bytes = FreshBytes(order);
  if (bytes == 0 || bytes > room_bytes ||
      source.outstanding_bytes + bytes > limits_.source_window_bytes ||
      outstanding_bytes_ + bytes > limits_.total_window_bytes)
    return nullptr;
  source.outstanding_bytes += bytes;
  outstanding_bytes_ += bytes;
  order.chunks.emplace_back();
  order.chunks.back().position = order.next_position;
  order.chunks.back().bytes = bytes;
  order.next_position += bytes;
  return &order.chunks.back();
}

std::uint64_t FetchPlan::FreshBytes(const Order& order) const {
  if (order.size_known)
    return std::min(order.part_bytes - order.next_position, limits_.request_bytes);
  return order.chunks.empty() ? limits_.head_bytes_first : 0;
}

// Null when the order is over, has started again, or has no such chunk in this state.
FetchPlan::Chunk* FetchPlan::FindChunk(const Range& range, std::uint32_t generation,
                                       Chunk::State state) {
  const auto found = orders_.find(range.order);
  if (found == orders_.end() || found->second.generation != generation) return nullptr;
  for (Chunk& chunk : found->second.chunks)
    if (chunk.position == range.position && chunk.state == state) return &chunk;
  return nullptr;
}

Status FetchPlan::TakeRange(const Range& range, std::uint32_t generation, RangeReply& reply) {
  Chunk* const chunk = FindChunk(range, generation, Chunk::State::kAsked);
  if (chunk == nullptr) return OkStatus();
  Order& order = orders_.at(range.order);
  const std::uint64_t bytes = reply.piece.bytes.size();
  if (order.part == FetchPart::kHead) {
    SPILLWAY_RETURN_IF_ERROR(CheckHead(order, reply));
    if (bytes !=
        std::min(range.bytes, reply.head_bytes - std::min(reply.head_bytes, range.position)))
      return WrongSize(range, bytes);
    if (!order.size_known) LearnHead(order, *chunk, reply);
  } else if (bytes != range.bytes) {
    return WrongSize(range, bytes);
  }
  chunk->state = Chunk::State::kArrived;
  chunk->piece = std::move(reply.piece);
  DeliverArrived(range.order, order);
  return OkStatus();
}

FetchPlan::Asked FetchPlan::EndRequest(std::map<std::uint64_t, Asked>::iterator asked) {
  Asked ended = std::move(asked->second);
  asked_.erase(asked);
  --sources_[ended.source].requests;
  return ended;
}

// The first answer tells the head's size; later ones must agree.
Status FetchPlan::CheckHead(const Order& order, const RangeReply& reply) const {
  if (order.size_known) {
    if (order.part_bytes == reply.head_bytes && order.segment_bytes == reply.segment_bytes)
      return OkStatus();
    return Unavailable("two answers tell different sizes of the segment");
  }
  if (reply.head_bytes >= kHeadBytesMin && reply.head_bytes <= limits_.head_bytes_max &&
      reply.head_bytes <= reply.segment_bytes)
    return OkStatus();
  return DataLoss("a head of " + std::to_string(reply.head_bytes) + " bytes in a segment of " +
                  std::to_string(reply.segment_bytes) + ", where " + std::to_string(kHeadBytesMin) +
                  " to " + std::to_string(limits_.head_bytes_max) + " are possible");
}

// `first` was asked for without knowing how much there is.
void FetchPlan::LearnHead(Order& order, Chunk& first, const RangeReply& reply) {
  order.size_known = true;
  order.part_bytes = reply.head_bytes;
  order.segment_bytes = reply.segment_bytes;
  order.next_position = reply.piece.bytes.size();
  Unreserve(order, first.bytes - reply.piece.bytes.size());
  first.bytes = reply.piece.bytes.size();
}

void FetchPlan::DeliverArrived(FetchOrderId id, Order& order) {
  while (!order.chunks.empty() && order.chunks.front().state == Chunk::State::kArrived) {
    Chunk& chunk = order.chunks.front();
    order.delivered += chunk.bytes;
    Unreserve(order, chunk.bytes);
    const bool part_end = order.delivered == order.part_bytes;
    actions_.emplace_back(
        Deliver{id, order.part, std::move(chunk.piece), part_end, order.segment_bytes});
    order.chunks.pop_front();
  }
  if (order.part != FetchPart::kStream || order.delivered < order.part_bytes) return;
  actions_.emplace_back(Complete{id});
  Remove(id);
}

// Everything that fails at the same time is one failure of the source.
void FetchPlan::FailRequest(const Asked& asked, const Status& why, std::uint64_t now_ms) {
  ++failures_;
  Source& source = sources_[asked.source];
  if (now_ms >= source.blocked_until_ms) {
    ++source.failures;
    source.blocked_until_ms = now_ms + BackoffMs(limits_, source.failures);
  }
  for (std::size_t i = 0; i < asked.ranges.size(); ++i)
    FailRange(asked.ranges[i], asked.generations[i], why);
}

void FetchPlan::TimeOut(const Asked& asked, std::uint64_t now_ms) {
  Source& source = sources_[asked.source];
  source.silent_since_ms =
      std::min(source.silent_since_ms, asked.deadline_ms - limits_.request_timeout_ms);
  const std::uint64_t silence_ms = now_ms - source.silent_since_ms;
  if (silence_ms >= limits_.source_silence_ms_max) {
    FailSource(asked.source,
               Unavailable("no answer to any request in " + std::to_string(silence_ms) + " ms"));
    return;
  }
  FailRequest(asked,
              Unavailable("no answer within " + std::to_string(limits_.request_timeout_ms) + " ms"),
              now_ms);
}

void FetchPlan::FailRange(const Range& range, std::uint32_t generation, const Status& why) {
  Chunk* const chunk = FindChunk(range, generation, Chunk::State::kAsked);
  if (chunk == nullptr) return;
  Order& order = orders_.at(range.order);
  chunk->state = Chunk::State::kWanted;
  if (++chunk->tries < limits_.tries_max) return;
  if (order.restarts == limits_.restarts_max) {
    const std::uint64_t tries = std::uint64_t{limits_.tries_max} * (1 + limits_.restarts_max);
    Lose(range.order, Unavailable("no good answer in " + std::to_string(tries) +
                                  " tries, the last one: " + why.message()));
    return;
  }
  ReleaseChunks(order);
  order.part = FetchPart::kHead;
  order.size_known = false;
  order.part_bytes = order.segment_bytes = order.next_position = order.delivered = 0;
  ++order.restarts;
  ++order.generation;
  actions_.emplace_back(Restart{range.order});
}

void FetchPlan::Lose(FetchOrderId id, Status why) {
  Remove(id);
  actions_.emplace_back(Lost{id, std::move(why)});
}

void FetchPlan::Remove(FetchOrderId id) {
  const auto found = orders_.find(id);
  ReleaseChunks(found->second);
  Source& source = sources_[found->second.source];
  std::erase(source.open, id);
  std::erase(source.waiting, id);
  orders_.erase(found);
}

void FetchPlan::ReleaseChunks(Order& order) {
  for (const Chunk& chunk : order.chunks) Unreserve(order, chunk.bytes);
  order.chunks.clear();
}

void FetchPlan::Unreserve(const Order& order, std::uint64_t bytes) {
  sources_[order.source].outstanding_bytes -= bytes;
  outstanding_bytes_ -= bytes;
}

}  // namespace spillway
