#include "runtime/transfer/fetch_service.h"

#include <chrono>
#include <utility>

#include "runtime/transfer/fetch_message.h"

namespace spillway {

Result<std::unique_ptr<FetchService>> FetchService::Start(TransportContext& context,
                                                          const FetchServiceOptions& options,
                                                          SegmentStoreFinder stores) {
  SPILLWAY_ASSIGN_OR_RETURN(auto socket, ServerSocket::Bind(context, options.socket));
  return std::unique_ptr<FetchService>(
      new FetchService(std::move(socket), options, std::move(stores)));
}

FetchService::FetchService(std::unique_ptr<ServerSocket> socket, const FetchServiceOptions& options,
                           SegmentStoreFinder stores)
    : socket_(std::move(socket)),
      endpoint_(socket_->endpoint()),
      server_(std::move(stores), options.server),
      thread_([this] { Run(); }) {}

FetchService::~FetchService() {
  stopping_ = true;
  wake_.Set();
  thread_.join();
}

void FetchService::Run() {
  Poller poller;
  poller.Add(*socket_);
  poller.AddFd(wake_.fd());
  while (!stopping_) {
    poller.Wait(std::chrono::seconds(1));
    while (!stopping_) {
      auto incoming = socket_->Receive();
      if (!incoming) break;
      Answer(std::move(*incoming));
    }
  }
}

void FetchService::Answer(Incoming incoming) {
  const auto request = ParseFetchRequest(incoming.message.header.view());
  if (!request.ok() || incoming.message.payload.size() > 0) {
    ++bad_messages_;
    return;
  }
  ++requests_;
  SegmentServer::Answer answer = server_.Handle(*request);
  payload_bytes_ += answer.payload.size();
  // Who does not take its answer asks again.
  const Status sent = socket_->Send(
      incoming.peer, {EncodeFetchReply(std::move(answer.reply)), std::move(answer.payload)});
  if (!sent.ok()) ++unsent_answers_;
}

}  // namespace spillway
