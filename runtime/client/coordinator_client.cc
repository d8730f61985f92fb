#include "runtime/client/coordinator_client.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/protocol/frame.h"
#include "runtime/protocol/wire_values.h"
#include "runtime/transport/endpoint.h"

namespace spillway {

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

std::uint64_t MsBetween(Clock::time_point from, Clock::time_point to) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::duration_cast<Milliseconds>(to - from).count()));
}

/// Ids of two processes that share a peer's name must not meet.
std::uint64_t FirstId() {
  std::random_device random;
  return (std::uint64_t{random()} << 32 | random()) >> 1;
}

/// News of a connection, when nobody tries any more.
std::string WithoutTrying(std::string news) {
  constexpr std::string_view kTrying = "; trying again";
  if (news.ends_with(kTrying)) news.resize(news.size() - kTrying.size());
  return news;
}

std::string WholeSeconds(std::uint64_t ms) { return std::to_string((ms + 999) / 1'000) + " s"; }

}  // namespace

/// The times of one call.
struct CoordinatorClient::Waiting {
  Clock::time_point start = Clock::now();
  Clock::time_point repeat_at = start;
  std::uint64_t waited_ms = 0;  ///< Beyond what the coordinator may take.
};

CoordinatorClient::CoordinatorClient(ClientOptions coordinator, WaitNote note,
                                     const CoordinatorClientTimes& times)
    : coordinator_(std::move(coordinator)),
      note_(std::move(note)),
      times_(times),
      last_id_(FirstId()) {}

CoordinatorClient::~CoordinatorClient() = default;

Result<std::unique_ptr<CoordinatorClient>> CoordinatorClient::Connect(
    ClientOptions coordinator, WaitNote note, const CoordinatorClientTimes& times) {
  std::unique_ptr<CoordinatorClient> client(
      new CoordinatorClient(std::move(coordinator), std::move(note), times));
  SPILLWAY_RETURN_IF_ERROR(client->Reconnect());
  return client;
}

Status CoordinatorClient::Reconnect() {
  poller_.Clear();
  socket_.reset();  // With what it had not sent: that would arrive beside the repetition.
  SPILLWAY_ASSIGN_OR_RETURN(socket_, ClientSocket::Connect(context_, coordinator_));
  poller_.Add(*socket_);
  return OkStatus();
}

Status CoordinatorClient::Send(const std::string& frame) {
  TransportMessage message;
  message.header = MessageBuffer::Copy(frame);
  return socket_->Send(std::move(message));
}

Result<bool> CoordinatorClient::Receive(std::uint64_t id, wire::Reply* reply) {
  while (auto message = socket_->Receive()) {
    SPILLWAY_ASSIGN_OR_RETURN(const wire::Frame frame, ParseFrame(message->header.view()));
    for (const std::string& bytes : frame.messages()) {
      SPILLWAY_ASSIGN_OR_RETURN(wire::Message answer, ParseMessage(bytes));
      // Answers to repetitions of what was answered already, and to calls that were given up.
      if (!answer.has_reply() || answer.reply().id() != id) continue;
      *reply = std::move(*answer.mutable_reply());
      return true;
    }
  }
  return false;
}

Status CoordinatorClient::TakeNews() {
  const std::string news = socket_->TakeConnectionNews();
  if (news.empty()) return OkStatus();
  news_ = news;
  if (!news.starts_with("refused")) return OkStatus();
  return PermissionDenied("the coordinator at " + coordinator_.endpoint +
                          " refused the connection: " + news.substr(news.find(':') + 2) +
                          ". Have the key added there with 'spillway keys add', or name another "
                          "one by --key.");
}

std::string CoordinatorClient::Trouble() const {
  if (news_ == "connected") return "";
  // The transport tries a name again and again, and says nothing of why.
  const auto endpoint = ParseEndpoint(coordinator_.endpoint);
  const Status known = endpoint.ok() ? CheckHostKnown(*endpoint) : OkStatus();
  return known.ok() ? news_ : known.message();
}

void CoordinatorClient::Tell(const Waiting& waiting, const CallOptions& options) {
  if (noted_ || waiting.waited_ms < times_.note_ms || !note_) return;
  noted_ = true;
  std::string text = "the coordinator at " + coordinator_.endpoint + " does not answer";
  if (const std::string trouble = Trouble(); !trouble.empty()) text += " (" + trouble + ")";
  if (options.give_up_ms == 0) {
    text += "; trying on. Jobs that it has accepted go on when it is back.";
  } else {
    text += "; trying for " +
            WholeSeconds(options.give_up_ms - std::min(options.give_up_ms, waiting.waited_ms)) +
            " more.";
  }
  note_(text);
}

Result<wire::Reply> CoordinatorClient::Call(wire::Request request, const CallOptions& options) {
  request.set_id(++last_id_);
  wire::Message message;
  *message.mutable_request() = std::move(request);
  const std::string frame = LoneFrame(message);
  Waiting waiting;
  wire::Reply reply;
  for (bool first = true;;) {
    const Clock::time_point now = Clock::now();
    if (options.cancelled != nullptr && options.cancelled->load(std::memory_order_relaxed))
      return Cancelled("interrupted");
    const std::uint64_t passed_ms = MsBetween(waiting.start, now);
    waiting.waited_ms = passed_ms - std::min(passed_ms, options.answer_ms);
    if (options.give_up_ms != 0 && waiting.waited_ms >= options.give_up_ms) break;
    if (now >= waiting.repeat_at) {
      if (!first) SPILLWAY_RETURN_IF_ERROR(Reconnect());
      first = false;
      const Status sent = Send(frame);
      static_cast<void>(sent.ok());  // A full queue is tried again like a lost message.
      waiting.repeat_at = now + Milliseconds(options.answer_ms + times_.repeat_ms);
    }
    poller_.Wait(Milliseconds(times_.look_ms));
    SPILLWAY_ASSIGN_OR_RETURN(const bool answered, Receive(last_id_, &reply));
    if (!answered) {
      SPILLWAY_RETURN_IF_ERROR(TakeNews());
      Tell(waiting, options);
      continue;
    }
    if (noted_ && note_) note_("");
    noted_ = false;
    const Status status = FromWire(reply.status());
    if (status.ok()) return reply;
    if (status.code() != Code::kUnavailable) return status;
    // It starts or ends just now: the same question again, a little later.
    news_ = status.message();
    waiting.repeat_at = Clock::now() + Milliseconds(times_.busy_ms);
  }
  std::string text = "the coordinator at " + coordinator_.endpoint + " did not answer within " +
                     WholeSeconds(options.give_up_ms);
  if (const std::string trouble = Trouble(); !trouble.empty())
    text += ": " + WithoutTrying(trouble);
  return Unavailable(text +
                     ". Check that it runs and that the address is right, or wait longer with "
                     "--connect-timeout.");
}

}  // namespace spillway
