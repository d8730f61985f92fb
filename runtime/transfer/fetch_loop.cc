#include "runtime/transfer/fetch_loop.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>
#include <vector>

#include "mapreduce/base/check.h"
#include "runtime/protocol/wire_values.h"
#include "runtime/transfer/fetch_message.h"
#include "shuffle/format/segment_layout.h"

namespace spillway {
namespace {

// Nothing has to happen by itself so rarely; the wait is only bounded for the sake of its type.
constexpr std::uint64_t kWaitMsMax = 60'000;

std::uint64_t NowMs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

// The ranges of an answer, as views into its payload. Unavailable: damaged on the way.
Result<std::vector<FetchPlan::RangeReply>> SplitReply(const wire::FetchReply& reply,
                                                      MessageBuffer payload) {
  const auto owner = std::make_shared<const MessageBuffer>(std::move(payload));
  std::string_view rest = owner->view();
  if (Digest(rest) != reply.xxh3())
    return Unavailable("the answer's payload was damaged on its way");
  std::vector<FetchPlan::RangeReply> ranges;
  for (const wire::FetchedRange& range : reply.ranges()) {
    FetchPlan::RangeReply part;
    if (range.has_status()) part.status = FromWire(range.status());
    if (range.bytes() > rest.size())
      return Unavailable("the answer's payload is shorter than its ranges");
    part.piece = {rest.substr(0, range.bytes()), owner};
    part.head_bytes = range.head_bytes();
    part.segment_bytes = range.segment_bytes();
    rest.remove_prefix(range.bytes());
    ranges.push_back(std::move(part));
  }
  if (!rest.empty()) return Unavailable("the answer's payload is longer than its ranges");
  return ranges;
}

}  // namespace

FetchLoop::FetchLoop(TransportContext& context, SegmentStore& store, MemoryBudget& budget,
                     const SegmentFetcherOptions& options)
    : context_(context), store_(store), budget_(budget), options_(options), plan_(options.limits) {}

void FetchLoop::SetToken(std::string token, std::uint64_t expires_unix_ms) {
  token_ = std::move(token);
  token_expires_unix_ms_ = expires_unix_ms;
}

void FetchLoop::SetSource(std::uint32_t worker, const FetchEndpoint& endpoint) {
  Source& source = sources_[worker];
  if (source.socket != nullptr && source.place == endpoint) return;
  source.place = endpoint;
  auto socket = ClientSocket::Connect(context_, {.endpoint = endpoint.endpoint,
                                                 .limits = options_.transport,
                                                 .keys = options_.keys,
                                                 .server_key = endpoint.public_key});
  if (socket.ok()) {
    source.socket = std::move(*socket);
    return;
  }
  plan_.FailSource(worker, Unavailable(socket.status().message()));
  Act();
  sources_.erase(worker);
}

void FetchLoop::RemoveSource(std::uint32_t worker) {
  plan_.FailSource(worker, Unavailable("the worker is gone"));
  Act();
  sources_.erase(worker);
}

void FetchLoop::Fetch(FetchTicket ticket, const SegmentOrder& order, SegmentSource::Done done) {
  if (sources_.count(order.worker) == 0) {
    done(Unavailable(NameOf(order) + ": nobody knows where it can be fetched; the map task must "
                                     "run again"));
    return;
  }
  SPILLWAY_CHECK_LT(0u, order.partitions.count);
  const FetchOrderId id = next_order_++;
  orders_[id] = {ticket, order, std::move(done), NewCopy(order), 0};
  tickets_[ticket].open.insert(id);
  plan_.Add({id, order.worker, order.partitions});
}

FetchTotals FetchLoop::CancelAll(FetchTicket ticket) {
  const auto found = tickets_.find(ticket);
  if (found == tickets_.end()) return {};
  const std::vector<FetchOrderId> open(found->second.open.begin(), found->second.open.end());
  for (const FetchOrderId id : open) {
    plan_.Drop(id);
    End(id, Cancelled("the fetch was cancelled"));
  }
  const FetchTotals totals = found->second.totals;
  tickets_.erase(found);
  return totals;
}

void FetchLoop::CancelEverything() {
  while (!tickets_.empty()) CancelAll(tickets_.begin()->first);
}

void FetchLoop::Turn(const WakeEvent& wake) {
  TickAndAct();
  Poller poller;
  poller.AddFd(wake.fd());
  for (auto& [id, source] : sources_) poller.Add(*source.socket);
  const std::uint64_t now_ms = NowMs();
  const std::uint64_t next_ms = plan_.next_tick_ms();
  const std::uint64_t wait_ms = next_ms < now_ms ? 0 : std::min(next_ms - now_ms, kWaitMsMax);
  poller.Wait(std::chrono::milliseconds(wait_ms));
  wake.Clear();
  Receive();
}

// Every message is followed by the requests that it makes room for: a worker that waits for its
// next request until all others were read would stand still.
void FetchLoop::Receive() {
  for (auto& [id, source] : sources_) {
    while (auto message = source.socket->Receive()) {
      OnMessage(id, std::move(*message));
      TickAndAct();
    }
  }
}

void FetchLoop::HearNews() {
  for (auto& [id, source] : sources_) {
    std::string news = source.socket->TakeConnectionNews();
    if (!news.empty()) source.news = std::move(news);
  }
}

void FetchLoop::OnMessage(FetchSourceId source, TransportMessage message) {
  const auto reply = ParseFetchReply(message.header.view());
  // What is no answer to us, or comes too late, is as good as lost.
  if (!reply.ok() || !plan_.Expects(source, reply->id())) return;
  auto ranges = SplitReply(*reply, std::move(message.payload));
  if (ranges.ok())
    plan_.OnReply(reply->id(), std::move(*ranges), NowMs());
  else
    plan_.OnFailure(reply->id(), ranges.status(), NowMs());
}

void FetchLoop::TickAndAct() {
  // Before it asks, so that what these actions drop is not asked for.
  Act();
  plan_.Tick(NowMs());
  Act();
}

void FetchLoop::Act() {
  for (auto actions = plan_.Take(); !actions.empty(); actions = plan_.Take())
    for (const FetchPlan::Action& action : actions)
      std::visit([this](const auto& what) { On(what); }, action);
}

void FetchLoop::On(const FetchPlan::Ask& ask) {
  wire::FetchRequest request;
  request.set_id(ask.request);
  request.set_job(options_.job);
  request.set_segment_job(orders_.at(ask.ranges.front().order).segment.id.job);
  SetPartitions(request, ask.partitions);
  request.set_expires_unix_ms(token_expires_unix_ms_);
  request.set_token(token_);
  for (const FetchPlan::Range& range : ask.ranges) {
    const SegmentId& id = orders_.at(range.order).segment.id;
    SPILLWAY_CHECK_EQ(id.job, request.segment_job());
    wire::FetchRange* const asked = request.add_ranges();
    asked->set_map_task(id.map_task);
    asked->set_attempt(id.attempt);
    asked->set_head(range.part == FetchPart::kHead);
    asked->set_position(range.position);
    asked->set_bytes(range.bytes);
  }
  Source& source = sources_.at(ask.source);
  const Status sent = source.socket->Send({EncodeFetchRequest(std::move(request)), {}});
  if (!sent.ok()) plan_.OnFailure(ask.request, sent, NowMs());
}

void FetchLoop::On(const FetchPlan::Deliver& deliver) {
  const auto found = orders_.find(deliver.order);
  if (found == orders_.end()) return;
  found->second.received_bytes += deliver.piece.bytes.size();
  Status status = TakePiece(found->second, deliver);
  if (status.ok()) return;
  plan_.Drop(deliver.order);
  End(deliver.order, std::move(status));
}

Status FetchLoop::TakePiece(Order& order, const FetchPlan::Deliver& deliver) {
  if (deliver.part == FetchPart::kStream) return order.copy->AddStream(deliver.piece.bytes);
  order.copy->AddHead(deliver.piece.bytes);
  if (!deliver.part_end) return OkStatus();
  SPILLWAY_ASSIGN_OR_RETURN(const std::uint64_t stream_bytes,
                            order.copy->FinishHead(deliver.segment_bytes));
  plan_.SetStreamBytes(deliver.order, stream_bytes);
  return OkStatus();
}

void FetchLoop::On(const FetchPlan::Restart& restart) {
  Order& order = orders_.at(restart.order);
  order.copy = NewCopy(order.segment);
  ++tickets_[order.ticket].totals.restarts;
}

void FetchLoop::On(const FetchPlan::Complete& complete) {
  const auto found = orders_.find(complete.order);
  if (found != orders_.end()) End(complete.order, found->second.copy->Finish());
}

void FetchLoop::On(const FetchPlan::Lost& lost) {
  const auto found = orders_.find(lost.order);
  if (found == orders_.end()) return;
  HearNews();
  Status status = lost.status.Annotate(NameOf(found->second.segment));
  const auto source = sources_.find(found->second.segment.worker);
  if (status.code() == Code::kUnavailable && source != sources_.end() &&
      !source->second.news.empty())
    status = Unavailable(status.message() + " (" + source->second.news + ")");
  End(lost.order, std::move(status));
}

std::unique_ptr<SegmentCopy> FetchLoop::NewCopy(const SegmentOrder& order) {
  const SegmentId copy = {order.id.job, kFetchTaskBase + next_copy_, options_.copy_attempt};
  // Names come again after 2^30 segments, and their first owners are long gone.
  next_copy_ = (next_copy_ + 1) % (UINT32_MAX - kFetchTaskBase);
  return std::make_unique<SegmentCopy>(
      SegmentCopy::Options{NameOf(order), order.id, order.partitions, copy, &store_, &budget_});
}

std::string FetchLoop::NameOf(const SegmentOrder& order) const {
  const auto source = sources_.find(order.worker);
  return "segment of map task " + std::to_string(order.id.map_task) + ", attempt " +
         std::to_string(order.id.attempt) + " from worker " + std::to_string(order.worker) +
         (source == sources_.end() ? "" : " at " + source->second.place.endpoint);
}

void FetchLoop::End(FetchOrderId id, Result<std::shared_ptr<const SegmentReader>> result) {
  const auto found = orders_.find(id);
  Order order = std::move(found->second);
  orders_.erase(found);
  Ticket& ticket = tickets_[order.ticket];
  ticket.open.erase(id);
  ticket.totals.network_bytes += order.received_bytes;
  if (result.ok()) ++ticket.totals.segments;
  // Before it is known, so that a store which is looked at then has no trace of it.
  order.copy.reset();
  order.done(std::move(result));
}

}  // namespace spillway
