// Bulk data over TCP of this host: messages of 512 KiB through ServerSocket and ClientSocket, with
// and without keys, beside the same messages through bare libzmq. Each end has a context of its
// own, as two processes would. The receiver answers each message, and the sender is a window ahead.
#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <zmq.hpp>

#include "mapreduce/base/check.h"
#include "runtime/transport/socket.h"

namespace spillway {
namespace {

constexpr std::size_t kPayloadBytes = 512 << 10;
constexpr int kWindow = 8;
constexpr std::chrono::milliseconds kTick{50};

/// Sends until told to stop, kWindow messages ahead of the answers.
template <class Send, class CountAnswers>
void SendAhead(const std::atomic<bool>& stop, Send send, CountAnswers count_answers) {
  int credits = kWindow;
  while (!stop.load(std::memory_order_relaxed)) {
    for (; credits > 0; --credits) send();
    credits += count_answers();
  }
}

void Report(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kPayloadBytes));
}

void BM_Sockets(benchmark::State& state) {
  const bool keys = state.range(0) != 0;
  const KeyPair server_keys = NewKeyPair();
  const KeyPair client_keys = NewKeyPair();
  TransportContext server_context;
  TransportContext client_context;
  ServerOptions server_options{.endpoint = "tcp://127.0.0.1:0", .limits = TransportLimits::Data()};
  server_options.insecure = true;
  if (keys) server_options.keys = server_keys;
  server_options.authority = [&](std::string_view key) {
    return key == client_keys.public_key ? Role::kWorker : Role::kNone;
  };
  auto server = ServerSocket::Bind(server_context, server_options);
  SPILLWAY_CHECK(server.ok());
  ClientOptions client_options{.endpoint = (*server)->endpoint(),
                               .limits = TransportLimits::Data()};
  if (keys) client_options.keys = client_keys;
  client_options.server_key = server_keys.public_key;
  auto client = ClientSocket::Connect(client_context, client_options);
  SPILLWAY_CHECK(client.ok());

  std::atomic<bool> stop{false};
  std::thread sender([&] {
    Poller poller;
    poller.Add(**client);
    SendAhead(
        stop,
        [&] {
          TransportMessage message{MessageBuffer::Copy("header"),
                                   MessageBuffer::Allocate(kPayloadBytes)};
          std::memset(message.payload.data(), 'x', kPayloadBytes);
          SPILLWAY_CHECK((*client)->Send(std::move(message)).ok());
        },
        [&] {
          poller.Wait(kTick);
          int answers = 0;
          while ((*client)->Receive().has_value()) ++answers;
          return answers;
        });
  });

  Poller poller;
  poller.Add(**server);
  for (auto iteration : state) {
    std::optional<Incoming> incoming;
    while (!(incoming = (*server)->Receive()).has_value()) poller.Wait(kTick);
    SPILLWAY_CHECK_EQ(incoming->message.payload.size(), kPayloadBytes);
    SPILLWAY_CHECK((*server)->Send(incoming->peer, {MessageBuffer::Copy("ok"), {}}).ok());
  }
  stop = true;
  sender.join();
  Report(state);
}
BENCHMARK(BM_Sockets)->ArgName("keys")->Arg(0)->Arg(1)->UseRealTime();

void BM_BareZmq(benchmark::State& state) {
  zmq::context_t server_context(1);
  zmq::context_t client_context(1);
  zmq::socket_t server(server_context, zmq::socket_type::router);
  zmq::socket_t client(client_context, zmq::socket_type::dealer);
  for (zmq::socket_t* socket : {&server, &client}) {
    socket->set(zmq::sockopt::linger, 0);
    socket->set(zmq::sockopt::rcvtimeo, static_cast<int>(kTick.count()));
  }
  server.bind("tcp://127.0.0.1:*");
  client.connect(server.get(zmq::sockopt::last_endpoint));

  std::atomic<bool> stop{false};
  std::thread sender([&] {
    SendAhead(
        stop,
        [&] {
          client.send(zmq::message_t(std::string_view("header")), zmq::send_flags::sndmore);
          zmq::message_t payload(kPayloadBytes);
          std::memset(payload.data(), 'x', kPayloadBytes);
          client.send(payload, zmq::send_flags::none);
        },
        [&] {
          zmq::message_t answer;
          int answers = client.recv(answer).has_value() ? 1 : 0;
          while (client.recv(answer, zmq::recv_flags::dontwait).has_value()) ++answers;
          return answers;
        });
  });

  for (auto iteration : state) {
    zmq::message_t peer, header, payload;
    while (!server.recv(peer).has_value()) {
    }
    SPILLWAY_CHECK(server.recv(header).has_value() && server.recv(payload).has_value());
    SPILLWAY_CHECK_EQ(payload.size(), kPayloadBytes);
    server.send(peer, zmq::send_flags::sndmore);
    server.send(zmq::message_t(std::string_view("ok")), zmq::send_flags::none);
  }
  stop = true;
  sender.join();
  Report(state);
}
BENCHMARK(BM_BareZmq)->UseRealTime();

}  // namespace
}  // namespace spillway
