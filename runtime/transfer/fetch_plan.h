// FetchPlan: decides what to ask whom, and when, so that segments arrive whole and in order from
// workers that are slow, restart, lose messages, damage them or die (docs/formats/fetch.md). Events
// in, actions out: no clock, socket or thread; SegmentFetcher is the shell around it. One thread.
//
// An order is some partitions of one segment from one source. It comes in two parts, first the
// head, whose size the first answer tells, then the stream of blocks, whose size the shell reads in
// the head. Parts are asked for in chunks; several chunks are under way at once, and they are
// delivered in order of their positions, whatever order they arrive in. A chunk is counted in the
// windows from its first request until it is delivered, also while it waits to be asked for again.
// So what has arrived too early can never fill the windows before what it waits for.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/transfer/fetch_limits.h"
#include "shuffle/format/partition_range.h"

namespace spillway {

using FetchOrderId = std::uint64_t;
using FetchSourceId = std::uint32_t;

enum class FetchPart { kHead, kStream };

/// Received bytes, and what keeps them.
struct FetchPiece {
  std::string_view bytes;
  std::shared_ptr<const void> owner;
};

class FetchPlan {
 public:
  // --- Actions.

  struct Range {
    FetchOrderId order = 0;
    FetchPart part = FetchPart::kHead;
    std::uint64_t position = 0;
    std::uint64_t bytes = 0;
  };
  /// Send a request. Its answer, if one comes, goes to OnReply with the same id.
  struct Ask {
    std::uint64_t request = 0;
    FetchSourceId source = 0;
    PartitionRange partitions;
    std::vector<Range> ranges;
  };
  /// The next bytes of the part. `part_end`: its last ones; a head's end is answered by
  /// SetStreamBytes or Drop.
  struct Deliver {
    FetchOrderId order = 0;
    FetchPart part = FetchPart::kHead;
    FetchPiece piece;
    bool part_end = false;
    std::uint64_t segment_bytes = 0;  ///< As the source says; with a head.
  };
  /// Forget what was delivered: the head comes again from its start.
  struct Restart {
    FetchOrderId order = 0;
  };
  /// All of the stream was delivered. The order is over.
  struct Complete {
    FetchOrderId order = 0;
  };
  /// The order is over: see SegmentSource::Done for the codes.
  struct Lost {
    FetchOrderId order = 0;
    Status status;
  };
  using Action = std::variant<Ask, Deliver, Restart, Complete, Lost>;

  // --- Events. Each may add actions.

  /// CHECKs that the limits fit each other.
  explicit FetchPlan(const FetchLimits& limits);

  struct NewOrder {
    FetchOrderId id = 0;  ///< Never used again.
    FetchSourceId source = 0;
    PartitionRange partitions;  ///< Orders of the same ones may share requests.
  };
  /// Behind the others of its source.
  void Add(const NewOrder& order);
  /// How long the stream is; once after each head, may be 0.
  void SetStreamBytes(FetchOrderId order, std::uint64_t bytes);
  /// Nothing more is done for the order. Actions that were not taken yet may still name it: ignore
  /// them. Ok when it is over.
  void Drop(FetchOrderId order);
  /// The source will never answer: each of its orders is lost with `why`.
  void FailSource(FetchSourceId source, const Status& why);

  struct RangeReply {
    Status status;
    FetchPiece piece;
    std::uint64_t head_bytes = 0;     ///< With a head: of the whole head.
    std::uint64_t segment_bytes = 0;  ///< With a head.
  };
  /// Whether an answer of `source` to this request would change anything.
  bool Expects(FetchSourceId source, std::uint64_t request) const;
  /// As many replies as the request has ranges, in their order; anything else is a bad reply. An
  /// answer that comes twice or after its time-out changes nothing.
  void OnReply(std::uint64_t request, std::vector<RangeReply> ranges, std::uint64_t now_ms);
  /// The request could not be sent, or its answer arrived damaged: it failed, and is tried again.
  void OnFailure(std::uint64_t request, const Status& why, std::uint64_t now_ms);

  /// Ends what timed out and asks for what the windows allow; the only event that asks. Call it
  /// when the actions of other events were done, and when next_tick_ms() has come.
  void Tick(std::uint64_t now_ms);
  /// UINT64_MAX: nothing waits for a time.
  std::uint64_t next_tick_ms() const;

  /// The actions since the last call, in order.
  std::vector<Action> Take();

  // --- What is under way.

  std::uint64_t outstanding_bytes() const { return outstanding_bytes_; }
  std::uint64_t outstanding_bytes(FetchSourceId source) const;
  std::size_t orders() const { return orders_.size(); }
  std::uint64_t failures() const { return failures_; }  ///< Of requests, so far.

 private:
  struct Chunk {
    enum class State { kWanted, kAsked, kArrived };
    std::uint64_t position = 0;
    std::uint64_t bytes = 0;  // Reserved in the windows.
    State state = State::kWanted;
    std::uint32_t tries = 0;
    FetchPiece piece;
  };

  struct Order {
    FetchSourceId source = 0;
    PartitionRange partitions;
    FetchPart part = FetchPart::kHead;
    bool size_known = false;  // Of the part.
    std::uint64_t part_bytes = 0;
    std::uint64_t segment_bytes = 0;
    std::uint64_t next_position = 0;  // Of the first chunk that was never asked for.
    std::uint64_t delivered = 0;
    std::deque<Chunk> chunks;  // By position, without gaps from `delivered` on.
    std::uint32_t restarts = 0;
    std::uint32_t generation = 0;  // Requests of an earlier one are not ours any more.
  };

  struct Source {
    std::deque<FetchOrderId> waiting;
    std::vector<FetchOrderId> open;
    std::uint64_t outstanding_bytes = 0;
    std::uint32_t requests = 0;  // Under way.
    std::uint32_t failures = 0;  // In a row.
    // When the first request was sent that got no answer, and none came to a later one.
    std::uint64_t silent_since_ms = UINT64_MAX;
    std::uint64_t blocked_until_ms = 0;
  };

  struct Asked {
    FetchSourceId source = 0;
    PartitionRange partitions;
    std::uint64_t deadline_ms = 0;
    std::vector<Range> ranges;
    std::vector<std::uint32_t> generations;
  };

  void Pump(std::uint64_t now_ms);
  bool AskSource(FetchSourceId id, Source& source, std::uint64_t now_ms);
  void OpenOrders(Source& source);
  Asked GatherRanges(Source& source, std::uint64_t* bytes);
  Asked EndRequest(std::map<std::uint64_t, Asked>::iterator asked);
  const Chunk* NextChunk(Source& source, Order& order, std::uint64_t from,
                         std::uint64_t room_bytes);
  std::uint64_t FreshBytes(const Order& order) const;
  Chunk* FindChunk(const Range& range, std::uint32_t generation, Chunk::State state);
  Status TakeRange(const Range& range, std::uint32_t generation, RangeReply& reply);
  Status CheckHead(const Order& order, const RangeReply& reply) const;
  void LearnHead(Order& order, Chunk& first, const RangeReply& reply);
  void DeliverArrived(FetchOrderId id, Order& order);
  void FailRequest(const Asked& asked, const Status& why, std::uint64_t now_ms);
  void TimeOut(const Asked& asked, std::uint64_t now_ms);
  void FailRange(const Range& range, std::uint32_t generation, const Status& why);
  void Lose(FetchOrderId id, Status why);
  void Remove(FetchOrderId id);
  void ReleaseChunks(Order& order);
  void Unreserve(const Order& order, std::uint64_t bytes);

  const FetchLimits limits_;
  std::unordered_map<FetchOrderId, Order> orders_;
  std::map<FetchSourceId, Source> sources_;
  std::map<std::uint64_t, Asked> asked_;  // By id, and so by time.
  std::vector<Action> actions_;
  std::uint64_t next_request_ = 1;
  FetchSourceId turn_ = 0;  // Of the source that is asked first.
  std::uint64_t last_tick_ms_ = 0;
  std::uint64_t outstanding_bytes_ = 0;
  std::uint64_t failures_ = 0;
};

}  // namespace spillway
