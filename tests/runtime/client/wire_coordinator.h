// WireCoordinator: the coordinator's end of the wire, on a real socket and a thread of its own. It
// answers requests by a function, so that tests say what a coordinator would: answer, keep silent,
// answer twice, be restarted.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/protocol/frame.h"
#include "runtime/transport/socket.h"

namespace spillway {

class WireCoordinator {
 public:
  /// The replies to a request, none to keep silent; ids are filled in. Runs on the server's thread.
  using Answer = std::function<std::vector<wire::Reply>(const wire::Request&)>;

  explicit WireCoordinator(Answer answer) : WireCoordinator(std::move(answer), {}, {}) {}
  /// With keys: only clients that `authority` knows are heard.
  WireCoordinator(Answer answer, KeyPair keys, KeyAuthority authority)
      : answer_(std::move(answer)), keys_(std::move(keys)), authority_(std::move(authority)) {
    Start();
  }
  ~WireCoordinator() { Stop(); }

  const std::string& endpoint() const { return endpoint_; }
  ClientOptions client() const { return {.endpoint = endpoint_}; }

  /// The port stays taken, so that Start finds it again.
  void Start() {
    stopping_ = false;
    auto socket = ServerSocket::Bind(
        context_,
        {.endpoint = endpoint_, .keys = keys_, .authority = authority_, .insecure = keys_.empty()});
    ASSERT_TRUE(socket.ok()) << socket.status().message();
    endpoint_ = (*socket)->endpoint();
    thread_ = std::thread([this, server = std::move(socket).value()] { Loop(*server); });
  }

  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }

  std::vector<wire::Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void Loop(ServerSocket& socket) {
    Poller poller;
    poller.Add(socket);
    while (!stopping_) {
      poller.Wait(std::chrono::milliseconds(5));
      while (auto incoming = socket.Receive()) Handle(socket, *incoming);
    }
  }

  void Handle(ServerSocket& socket, const Incoming& incoming) {
    const auto frame = ParseFrame(incoming.message.header.view());
    ASSERT_TRUE(frame.ok()) << frame.status().message();
    EXPECT_EQ(frame->version(), kProtocolVersion);
    EXPECT_EQ(frame->session(), 0u);
    EXPECT_EQ(frame->first_sequence(), 0u);
    for (const std::string& bytes : frame->messages()) {
      const auto message = ParseMessage(bytes);
      ASSERT_TRUE(message.ok() && message->has_request());
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(message->request());
      }
      for (wire::Reply& reply : answer_(message->request())) {
        reply.set_id(message->request().id());
        wire::Message answer;
        *answer.mutable_reply() = std::move(reply);
        TransportMessage out;
        out.header = MessageBuffer::Copy(LoneFrame(answer));
        const Status sent = socket.Send(incoming.peer, std::move(out));
        static_cast<void>(sent.ok());  // A client that left.
      }
    }
  }

  const Answer answer_;
  const KeyPair keys_;
  const KeyAuthority authority_;
  TransportContext context_;
  std::string endpoint_ = "tcp://127.0.0.1:0";
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<wire::Request> requests_;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace spillway
