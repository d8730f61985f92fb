// What every transport does, whatever it runs over: inproc, ipc and tcp, with keys and without.
#include <cstring>
#include <ostream>
#include <random>
#include <set>
#include <thread>

#include "tests/runtime/transport/transport_fixture.h"

namespace spillway {
namespace {

using testing::HasSubstr;

struct Medium {
  const char* name;
  const char* scheme;
  bool keys;

  // GoogleTest's own way would show the addresses of the texts, other ones in each build.
  friend void PrintTo(const Medium& medium, std::ostream* out) { *out << medium.name; }
};

class SocketConformanceTest : public TransportFixture, public testing::WithParamInterface<Medium> {
 protected:
  SocketConformanceTest() { book_.Put(client_keys_, Role::kWorker); }

  bool inproc() const { return std::string(GetParam().scheme) == "inproc"; }

  std::string NewEndpoint(const std::string& name) {
    const std::string scheme = GetParam().scheme;
    if (scheme == "inproc") return "inproc://" + name;
    if (scheme == "ipc") return "ipc://" + directory_.path() + "/" + name;
    return "tcp://127.0.0.1:0";
  }

  std::unique_ptr<ServerSocket> Serve(const std::string& endpoint, TransportLimits limits = {}) {
    ServerOptions options{.endpoint = endpoint, .limits = limits, .insecure = true};
    if (GetParam().keys) {
      options.keys = server_keys_;
      options.authority = book_.Authority();
    }
    auto server = ServerSocket::Bind(context_, options);
    EXPECT_TRUE(server.ok()) << server.status().message();
    return server.ok() ? std::move(server).value() : nullptr;
  }

  ClientOptions ClientTo(const std::string& endpoint, TransportLimits limits = {}) {
    ClientOptions options{.endpoint = endpoint, .limits = limits};
    if (GetParam().keys) {
      options.keys = client_keys_;
      options.server_key = server_keys_.public_key;
    }
    return options;
  }

  std::unique_ptr<ClientSocket> Dial(const std::string& endpoint, TransportLimits limits = {}) {
    auto client = ClientSocket::Connect(context_, ClientTo(endpoint, limits));
    EXPECT_TRUE(client.ok()) << client.status().message();
    return client.ok() ? std::move(client).value() : nullptr;
  }

  const KeyPair server_keys_ = NewKeyPair();
  const KeyPair client_keys_ = NewKeyPair();
  KeyBook book_;
  TemporaryDirectory directory_;
  TransportContext context_;
};

TEST_P(SocketConformanceTest, DeliversInOrderAndAnswersTheSender) {
  auto server = Serve(NewEndpoint("server"));
  auto first = Dial(server->endpoint());
  auto second = Dial(server->endpoint());
  constexpr int kMessages = 500;
  for (int i = 0; i < kMessages; ++i) {
    ASSERT_TRUE(first->Send(HeaderOnly("a" + std::to_string(i))).ok());
    ASSERT_TRUE(second->Send(HeaderOnly("b" + std::to_string(i))).ok());
  }
  std::map<char, int> next{{'a', 0}, {'b', 0}};
  std::map<char, PeerId> peers;
  for (int i = 0; i < 2 * kMessages; ++i) {
    auto incoming = Next(*server);
    ASSERT_TRUE(incoming.has_value());
    const std::string text(incoming->message.header.view());
    ASSERT_EQ(text.substr(1), std::to_string(next[text[0]]++));
    EXPECT_EQ(incoming->role, GetParam().keys ? Role::kWorker : Role::kNone);
    EXPECT_EQ(incoming->key, GetParam().keys ? client_keys_.public_key : "");
    peers[text[0]] = incoming->peer;
  }
  ASSERT_NE(peers['a'], peers['b']);
  ASSERT_TRUE(server->Send(peers['a'], HeaderOnly("to a")).ok());
  ASSERT_TRUE(server->Send(peers['b'], HeaderOnly("to b")).ok());
  EXPECT_EQ(NextText(*first), "to a");
  EXPECT_EQ(NextText(*second), "to b");
}

TEST_P(SocketConformanceTest, PayloadsReturnAsTheyWereSent) {
  const TransportLimits limits = TransportLimits::Data();
  auto server = Serve(NewEndpoint("server"), limits);
  auto client = Dial(server->endpoint(), limits);
  std::mt19937_64 random(4711);
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{33}, std::size_t{65'536},
                                  std::size_t{524'288}, std::size_t{8} << 20}) {
    std::string expected(bytes, '\0');
    for (char& c : expected) c = static_cast<char>(random());
    TransportMessage message{MessageBuffer::Copy("head"), MessageBuffer::Allocate(bytes)};
    std::memcpy(message.payload.data(), expected.data(), bytes);
    ASSERT_TRUE(client->Send(std::move(message)).ok());

    auto incoming = Next(*server);
    ASSERT_TRUE(incoming.has_value()) << bytes;
    EXPECT_EQ(incoming->message.header.view(), "head");
    ASSERT_TRUE(incoming->message.payload.view() == expected) << bytes;
    // What arrived is sent on without a copy.
    ASSERT_TRUE(server->Send(incoming->peer, std::move(incoming->message)).ok());
    auto back = Next(*client);
    ASSERT_TRUE(back.has_value()) << bytes;
    ASSERT_TRUE(back->payload.view() == expected) << bytes;
  }
}

TEST_P(SocketConformanceTest, AClientFindsTheServerThatStartsAgain) {
  auto server = Serve(NewEndpoint("server"));
  const std::string endpoint = server->endpoint();
  auto client = Dial(endpoint);
  ASSERT_TRUE(client->Send(HeaderOnly("first")).ok());
  const PeerId before = Next(*server)->peer;
  server.reset();
  if (inproc()) client = nullptr;  // inproc does not reconnect; nothing there starts again.

  server = Serve(endpoint);
  ASSERT_NE(server, nullptr);
  if (inproc()) client = Dial(endpoint);
  std::optional<Incoming> incoming;
  // What was under way when the connection broke may be lost, so it is sent again.
  ASSERT_TRUE(Until({server.get(), client.get()}, [&] {
    (void)client->Send(HeaderOnly("again"));
    return (incoming = server->Receive()).has_value();
  }));
  EXPECT_EQ(incoming->message.header.view(), "again");
  EXPECT_NE(incoming->peer, before);
  EXPECT_EQ(server->Send(before, HeaderOnly("x")).code(), Code::kUnavailable);
}

TEST_P(SocketConformanceTest, MessagesWaitForAServerThatComesLater) {
  const bool tcp = GetParam().scheme == std::string("tcp");
  const std::string endpoint = tcp ? FreeTcpEndpoint() : NewEndpoint("late");
  auto client = Dial(endpoint);
  ASSERT_TRUE(client->Send(HeaderOnly("early")).ok());
  auto server = Serve(endpoint);
  ASSERT_NE(server, nullptr);
  EXPECT_EQ(NextText(*server), "early");
}

TEST_P(SocketConformanceTest, SendingToAPeerThatIsGoneIsUnavailable) {
  auto server = Serve(NewEndpoint("server"));
  EXPECT_EQ(server->Send("nobody", HeaderOnly("x")).code(), Code::kUnavailable);
  auto client = Dial(server->endpoint());
  ASSERT_TRUE(client->Send(HeaderOnly("hello")).ok());
  const PeerId peer = Next(*server)->peer;
  ASSERT_TRUE(server->Send(peer, HeaderOnly("hello")).ok());
  client.reset();
  Status status;
  ASSERT_TRUE(Until({server.get()}, [&] {
    status = server->Send(peer, HeaderOnly("x"));
    return !status.ok();
  }));
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("gone"));
}

TEST_P(SocketConformanceTest, AQueueThatNobodyReadsEnds) {
  // Whoever does not read does not answer heartbeats either.
  const TransportLimits limits{.queue_messages_max = 8, .heartbeat_timeout_ms = 600'000};
  auto server = Serve(NewEndpoint("server"), limits);
  auto client = Dial(server->endpoint(), limits);
  ASSERT_TRUE(client->Send(HeaderOnly("hello")).ok());
  const PeerId peer = Next(*server)->peer;

  // Beside the two queues, the kernel holds some bytes.
  const std::string text(64 << 10, 'x');
  constexpr int kFar = 1'000;
  const auto fill = [&](const std::function<Status()>& send, Status* last) {
    int sent = 0;
    while (sent < kFar && (*last = send()).ok()) ++sent;
    return sent;
  };
  Status client_full, server_full;
  const int to_server = fill([&] { return client->Send(HeaderOnly(text)); }, &client_full);
  const int to_client = fill([&] { return server->Send(peer, HeaderOnly(text)); }, &server_full);
  for (const Status& full : {client_full, server_full}) {
    EXPECT_EQ(full.code(), Code::kUnavailable);
    EXPECT_THAT(full.message(), HasSubstr("full"));
  }

  // All that was accepted arrives, and then there is room again.
  for (int i = 0; i < to_server; ++i) ASSERT_TRUE(Next(*server).has_value()) << i;
  for (int i = 0; i < to_client; ++i) ASSERT_TRUE(Next(*client).has_value()) << i;
  EXPECT_TRUE(Until({server.get()}, [&] { return client->Send(HeaderOnly("room")).ok(); }));
}

TEST_P(SocketConformanceTest, APeerThatSendsTooMuchIsCutOffAndOthersAreNot) {
  if (inproc()) GTEST_SKIP() << "inproc has no wire; both ends are our own process";
  const TransportLimits limits{.message_bytes_max = 64 << 10};
  auto server = Serve(NewEndpoint("server"), limits);
  auto polite = Dial(server->endpoint(), limits);
  auto greedy = Dial(server->endpoint(), TransportLimits::Data());
  ASSERT_TRUE(polite->Send(HeaderOnly("polite")).ok());
  ASSERT_TRUE(greedy->Send(HeaderOnly("greedy")).ok());
  std::map<std::string, PeerId> peers;
  for (int i = 0; i < 2; ++i) {
    auto incoming = Next(*server);
    peers[std::string(incoming->message.header.view())] = incoming->peer;
  }

  ASSERT_TRUE(greedy->Send({MessageBuffer::Copy("h"), MessageBuffer::Allocate(1 << 20)}).ok());
  ASSERT_TRUE(Until({server.get()}, [&] {
    EXPECT_FALSE(server->Receive().has_value());
    return !server->Send(peers["greedy"], HeaderOnly("there?")).ok();
  }));
  EXPECT_TRUE(server->Send(peers["polite"], HeaderOnly("there?")).ok());
  EXPECT_EQ(NextText(*polite), "there?");
  ASSERT_TRUE(polite->Send(HeaderOnly("still")).ok());
  EXPECT_EQ(NextText(*server), "still");
}

TEST_P(SocketConformanceTest, AClientThatWasSentTooMuchComesBack) {
  if (inproc()) GTEST_SKIP() << "inproc has no wire; both ends are our own process";
  auto server = Serve(NewEndpoint("server"), TransportLimits::Data());
  auto client = Dial(server->endpoint(), {.message_bytes_max = 64 << 10, .reconnect_ms_max = 100});
  ASSERT_TRUE(client->Send(HeaderOnly("hello")).ok());
  const PeerId before = Next(*server)->peer;
  ASSERT_TRUE(
      server->Send(before, {MessageBuffer::Copy("h"), MessageBuffer::Allocate(1 << 20)}).ok());
  std::optional<Incoming> incoming;
  ASSERT_TRUE(Until({server.get(), client.get()}, [&] {
    (void)client->Send(HeaderOnly("back"));
    EXPECT_FALSE(client->Receive().has_value());
    while ((incoming = server->Receive()).has_value() && incoming->peer == before) {
    }
    return incoming.has_value();
  }));
  EXPECT_EQ(incoming->message.header.view(), "back");
}

TEST_P(SocketConformanceTest, APartBeyondTheOwnLimitIsNotSent) {
  auto server = Serve(NewEndpoint("server"), {.message_bytes_max = 1000});
  auto client = Dial(server->endpoint(), {.message_bytes_max = 1000});
  EXPECT_EQ(client->Send(HeaderOnly(std::string(1001, 'x'))).code(), Code::kInvalidArgument);
  ASSERT_TRUE(client->Send(HeaderOnly(std::string(1000, 'x'))).ok());
  EXPECT_EQ(NextText(*server).size(), 1000u);
}

TEST_P(SocketConformanceTest, ASecondServerAtTheSameAddressIsRefused) {
  auto server = Serve(NewEndpoint("server"));
  ServerOptions options{.endpoint = server->endpoint(), .insecure = true};
  if (GetParam().keys) {
    options.keys = server_keys_;
    options.authority = book_.Authority();
  }
  const auto second = ServerSocket::Bind(context_, options);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), Code::kUnavailable);
  EXPECT_THAT(second.status().message(), HasSubstr(server->endpoint()));
  // The first one still serves.
  auto client = Dial(server->endpoint());
  ASSERT_TRUE(client->Send(HeaderOnly("hello")).ok());
  EXPECT_TRUE(Next(*server).has_value());
}

TEST_P(SocketConformanceTest, WhatAClosedSocketHoldsStillLeaves) {
  if (inproc()) GTEST_SKIP() << "inproc ends with its context";
  auto server = Serve(NewEndpoint("server"));
  {
    TransportContext other;
    auto client = ClientSocket::Connect(other, ClientTo(server->endpoint(), {.flush_ms = 10'000}));
    ASSERT_TRUE(client.ok());
    for (int i = 0; i < 50; ++i) ASSERT_TRUE((*client)->Send(HeaderOnly("last words")).ok());
  }
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(Next(*server).has_value()) << i;
}

TEST_P(SocketConformanceTest, ASocketWorksOnTheThreadItIsHandedTo) {
  auto server = Serve(NewEndpoint("server"));
  auto client = Dial(server->endpoint());
  std::thread echo([&] {
    auto incoming = Next(*server);
    ASSERT_TRUE(incoming.has_value());
    ASSERT_TRUE(server->Send(incoming->peer, std::move(incoming->message)).ok());
  });
  ASSERT_TRUE(client->Send(HeaderOnly("ping")).ok());
  EXPECT_EQ(NextText(*client), "ping");
  echo.join();
}

INSTANTIATE_TEST_SUITE_P(All, SocketConformanceTest,
                         testing::Values(Medium{"Inproc", "inproc", false},
                                         Medium{"Ipc", "ipc", false}, Medium{"Tcp", "tcp", false},
                                         Medium{"IpcKeys", "ipc", true},
                                         Medium{"TcpKeys", "tcp", true}),
                         [](const auto& medium) { return std::string(medium.param.name); });

}  // namespace
}  // namespace spillway
