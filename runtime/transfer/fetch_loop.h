// FetchLoop: the part of SegmentFetcher that its thread owns: sockets, copies that arrive, and the
// FetchPlan between them. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "runtime/protocol/spillway.pb.h"
#include "runtime/transfer/fetch_plan.h"
#include "runtime/transfer/segment_copy.h"
#include "runtime/transfer/segment_source.h"
#include "runtime/transfer/wake_event.h"
#include "runtime/transport/socket.h"
#include "shuffle/store/memory_budget.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

struct SegmentFetcherOptions {
  FetchLimits limits;
  TransportLimits transport = TransportLimits::Data();
  KeyPair keys;  ///< Of those who fetch (Registered); empty: no encryption.
  /// The cluster's number of the job. SegmentId::job is another; all orders have the same.
  std::uint64_t job = 0;
  /// The attempt in the names of local copies. Processes that use the same store at the same time
  /// have different ones; those that come later replace what was left behind.
  std::uint32_t copy_attempt = 0;
};

/// Where a worker serves its segments.
struct FetchEndpoint {
  std::string endpoint;
  std::string public_key;  ///< Z85; empty: no encryption.
  bool operator==(const FetchEndpoint&) const = default;
};

class FetchLoop {
 public:
  /// See SegmentFetcher.
  FetchLoop(TransportContext& context, SegmentStore& store, MemoryBudget& budget,
            const SegmentFetcherOptions& options);

  void SetToken(std::string token, std::uint64_t expires_unix_ms);
  void SetSource(std::uint32_t worker, const FetchEndpoint& endpoint);
  void RemoveSource(std::uint32_t worker);
  void Fetch(FetchTicket ticket, const SegmentOrder& order, SegmentSource::Done done);
  FetchTotals CancelAll(FetchTicket ticket);
  void CancelEverything();

  /// Waits for messages, a time-out or `wake`, and does what is to do.
  void Turn(const WakeEvent& wake);

 private:
  struct Source {
    FetchEndpoint place;
    std::unique_ptr<ClientSocket> socket;
    std::string news;  // The last of its connection.
  };
  struct Ticket {
    FetchTotals totals;
    std::unordered_set<FetchOrderId> open;
  };
  struct Order {
    FetchTicket ticket = 0;
    SegmentOrder segment;
    SegmentSource::Done done;
    std::unique_ptr<SegmentCopy> copy;
    std::uint64_t received_bytes = 0;
  };

  void Receive();
  void HearNews();
  void OnMessage(FetchSourceId source, TransportMessage message);
  void TickAndAct();
  void Act();
  void On(const FetchPlan::Ask& ask);
  void On(const FetchPlan::Deliver& deliver);
  void On(const FetchPlan::Restart& restart);
  void On(const FetchPlan::Complete& complete);
  void On(const FetchPlan::Lost& lost);

  Status TakePiece(Order& order, const FetchPlan::Deliver& deliver);
  std::unique_ptr<SegmentCopy> NewCopy(const SegmentOrder& order);
  std::string NameOf(const SegmentOrder& order) const;
  void End(FetchOrderId id, Result<std::shared_ptr<const SegmentReader>> result);

  TransportContext& context_;
  SegmentStore& store_;
  MemoryBudget& budget_;
  const SegmentFetcherOptions options_;
  FetchPlan plan_;
  std::map<FetchSourceId, Source> sources_;
  std::unordered_map<FetchOrderId, Order> orders_;
  std::unordered_map<FetchTicket, Ticket> tickets_;
  FetchOrderId next_order_ = 1;
  std::uint32_t next_copy_ = 0;
  std::string token_;
  std::uint64_t token_expires_unix_ms_ = 0;
};

}  // namespace spillway
