// Who gets in: keys, roles, revocation, and the endpoints that are not opened at all.
#include <thread>

#include "runtime/transport/key_directory.h"
#include "tests/runtime/transport/transport_fixture.h"

namespace spillway {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kRefused = "refused: the server does not know this key";

class CurveTest : public TransportFixture {
 protected:
  CurveTest() {
    book_.Put(worker_, Role::kWorker);
    book_.Put(viewer_, Role::kViewer);
  }

  ServerOptions Server() {
    return {.endpoint = "tcp://127.0.0.1:0", .keys = server_keys_, .authority = book_.Authority()};
  }

  std::unique_ptr<ServerSocket> Serve(const ServerOptions& options) {
    auto server = ServerSocket::Bind(context_, options);
    EXPECT_TRUE(server.ok()) << server.status().message();
    return server.ok() ? std::move(server).value() : nullptr;
  }

  std::unique_ptr<ClientSocket> Dial(const std::string& endpoint, const KeyPair& keys,
                                     const std::string& server_key) {
    auto client = ClientSocket::Connect(
        context_,
        {.endpoint = endpoint, .limits = limits_, .keys = keys, .server_key = server_key});
    EXPECT_TRUE(client.ok()) << client.status().message();
    return client.ok() ? std::move(client).value() : nullptr;
  }

  std::unique_ptr<ClientSocket> Dial(const ServerSocket& server, const KeyPair& keys) {
    return Dial(server.endpoint(), keys, server_keys_.public_key);
  }

  // Why the endpoint is not opened.
  Status BindStatus(const ServerOptions& options) {
    return ServerSocket::Bind(context_, options).status();
  }

  const KeyPair server_keys_ = NewKeyPair();
  const KeyPair worker_ = NewKeyPair();
  const KeyPair viewer_ = NewKeyPair();
  const TransportLimits limits_{.reconnect_ms_max = 100};
  KeyBook book_;
  TransportContext context_;
};

TEST_F(CurveTest, EveryMessageCarriesTheRoleAndKeyOfItsSender) {
  auto server = Serve(Server());
  auto worker = Dial(*server, worker_);
  auto viewer = Dial(*server, viewer_);
  ASSERT_TRUE(worker->Send(HeaderOnly("worker")).ok());
  ASSERT_TRUE(viewer->Send(HeaderOnly("viewer")).ok());
  for (int i = 0; i < 2; ++i) {
    auto incoming = Next(*server);
    ASSERT_TRUE(incoming.has_value());
    const std::string text(incoming->message.header.view());
    EXPECT_EQ(RoleName(incoming->role), text);
    EXPECT_EQ(incoming->key, (text == "worker" ? worker_ : viewer_).public_key);
  }
  EXPECT_EQ(NewsUntil(*worker, "connected"), "connected");
  EXPECT_EQ(worker->TakeConnectionNews(), "");
}

TEST_F(CurveTest, AKeyThatNobodyKnowsIsRefusedAndIsTold) {
  auto server = Serve(Server());
  auto stranger = Dial(*server, NewKeyPair());
  ASSERT_TRUE(stranger->Send(HeaderOnly("let me in")).ok());
  EXPECT_EQ(NewsUntil(*stranger, kRefused), kRefused);
  auto worker = Dial(*server, worker_);
  ASSERT_TRUE(worker->Send(HeaderOnly("mine")).ok());
  EXPECT_EQ(NextText(*server), "mine");
  EXPECT_FALSE(server->Receive().has_value());
}

TEST_F(CurveTest, ARevokedKeyIsRefusedAtItsNextConnectionAndEntersWhenItIsBack) {
  auto server = Serve(Server());
  const std::string endpoint = server->endpoint();
  auto worker = Dial(*server, worker_);
  ASSERT_TRUE(worker->Send(HeaderOnly("first")).ok());
  EXPECT_EQ(NextText(*server), "first");

  book_.Remove(worker_);
  auto again = Dial(*server, worker_);
  EXPECT_EQ(NewsUntil(*again, kRefused), kRefused);

  book_.Put(worker_, Role::kWorker);
  EXPECT_EQ(NewsUntil(*again, "connected"), "connected");
  ASSERT_TRUE(again->Send(HeaderOnly("back")).ok());
  EXPECT_EQ(NextText(*server), "back");
}

TEST_F(CurveTest, ARunningServerFollowsItsKeyDirectory) {
  TemporaryDirectory directory;
  const KeyDirectory keys(directory.path() + "/keys");
  ASSERT_TRUE(keys.Init().ok());
  AuthorizedKeys authorized(keys.authorized_path());
  const KeyPair coordinator = *keys.Load("coordinator");
  auto server = Serve({.endpoint = "tcp://127.0.0.1:0",
                       .keys = coordinator,
                       .authority = [&](std::string_view key) { return authorized.Find(key); }});
  const KeyPair worker = *keys.Load("worker");
  auto first = Dial(server->endpoint(), worker, coordinator.public_key);
  ASSERT_TRUE(first->Send(HeaderOnly("first")).ok());
  EXPECT_EQ(NextText(*server), "first");

  ASSERT_TRUE(keys.Revoke("worker").ok());
  auto second = Dial(server->endpoint(), worker, coordinator.public_key);
  EXPECT_EQ(NewsUntil(*second, kRefused), kRefused);
  ASSERT_TRUE(keys.Add({.name = "next", .role = Role::kSubmitter}).ok());
  auto third = Dial(server->endpoint(), *keys.Load("next"), coordinator.public_key);
  ASSERT_TRUE(third->Send(HeaderOnly("third")).ok());
  auto incoming = Next(*server);
  ASSERT_TRUE(incoming.has_value());
  EXPECT_EQ(incoming->role, Role::kSubmitter);
}

TEST_F(CurveTest, AClientWithoutKeysIsNotHeard) {
  auto server = Serve(Server());
  auto plain = ClientSocket::Connect(context_, {.endpoint = server->endpoint()});
  ASSERT_TRUE(plain.ok());
  ASSERT_TRUE((*plain)->Send(HeaderOnly("plain")).ok());
  EXPECT_THAT(NextNews(**plain), StartsWith("cannot connect to " + server->endpoint()));
  auto worker = Dial(*server, worker_);
  ASSERT_TRUE(worker->Send(HeaderOnly("mine")).ok());
  EXPECT_EQ(NextText(*server), "mine");
  EXPECT_FALSE(server->Receive().has_value());
}

TEST_F(CurveTest, AClientDoesNotTalkToAServerOfAnotherKey) {
  auto server = Serve(Server());
  auto client = Dial(server->endpoint(), worker_, NewKeyPair().public_key);
  ASSERT_TRUE(client->Send(HeaderOnly("secret")).ok());
  const std::string news = NextNews(*client);
  EXPECT_THAT(news, StartsWith("cannot connect to " + server->endpoint()));
  EXPECT_THAT(news, HasSubstr("coordinator.public"));
  EXPECT_FALSE(server->Receive().has_value());
}

TEST_F(CurveTest, AClientIsToldThatNothingAnswers) {
  const std::string endpoint = FreeTcpEndpoint();
  auto client = Dial(endpoint, worker_, server_keys_.public_key);
  EXPECT_THAT(NextNews(*client), HasSubstr("cannot connect to " + endpoint));
}

TEST_F(CurveTest, TwoEndpointsOfAProcessHaveTheirOwnAuthorities) {
  KeyBook other_book;
  other_book.Put(viewer_, Role::kSubmitter);
  auto server = Serve(Server());
  auto other = Serve(
      {.endpoint = "tcp://127.0.0.1:0", .keys = server_keys_, .authority = other_book.Authority()});
  auto refused = Dial(*other, worker_);
  EXPECT_EQ(NewsUntil(*refused, kRefused), kRefused);
  auto viewer = Dial(*other, viewer_);
  ASSERT_TRUE(viewer->Send(HeaderOnly("x")).ok());
  auto incoming = Next(*other);
  ASSERT_TRUE(incoming.has_value());
  EXPECT_EQ(incoming->role, Role::kSubmitter);
}

TEST_F(CurveTest, AnAuthorityThatLetsEverybodyInIsNotServed) {
  ServerOptions options = Server();
  options.authority = [](std::string_view) { return Role::kWorker; };
  const Status status = BindStatus(options);
  EXPECT_EQ(status.code(), Code::kPermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr("made up"));
}

TEST_F(CurveTest, TcpWithoutKeysIsRefusedUnlessInsecureAndLoopback) {
  const Status plain = BindStatus({.endpoint = "tcp://127.0.0.1:0"});
  EXPECT_EQ(plain.code(), Code::kPermissionDenied);
  EXPECT_THAT(plain.message(), HasSubstr("spillway keys init"));
  for (const char* endpoint : {"tcp://0.0.0.0:0", "tcp://*:0", "tcp://128.0.0.1:0", "tcp://[::]:0",
                               "tcp://localhost.example.org:0", "tcp://127.1:0"}) {
    const Status status = BindStatus({.endpoint = endpoint, .insecure = true});
    EXPECT_EQ(status.code(), Code::kPermissionDenied) << endpoint;
    EXPECT_THAT(status.message(), HasSubstr("loopback")) << endpoint;
  }
  for (const char* endpoint : {"tcp://127.0.0.1:0", "tcp://127.4.5.6:0", "tcp://localhost:0"}) {
    const Status status = BindStatus({.endpoint = endpoint, .insecure = true});
    EXPECT_TRUE(status.ok()) << endpoint << ": " << status.message();
  }
}

TEST_F(CurveTest, AClientWithoutKeysDoesNotTalkToOtherHosts) {
  const auto client = ClientSocket::Connect(context_, {.endpoint = "tcp://192.0.2.1:7"});
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.status().code(), Code::kPermissionDenied);
  EXPECT_THAT(client.status().message(), HasSubstr("--keys"));
}

TEST_F(CurveTest, WhatIsNoKeyIsNamed) {
  ServerOptions options = Server();
  options.keys.secret_key = "short";
  EXPECT_EQ(BindStatus(options).code(), Code::kInvalidArgument);
  const auto client = ClientSocket::Connect(
      context_, {.endpoint = "tcp://127.0.0.1:7", .keys = worker_, .server_key = ""});
  ASSERT_FALSE(client.ok());
  EXPECT_EQ(client.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(client.status().message(), HasSubstr("server's public key"));
}

}  // namespace
}  // namespace spillway
