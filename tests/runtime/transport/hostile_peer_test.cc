// Bytes from somebody who has no key and follows no protocol: the connection ends, the memory stays
// where it was, and the others do not notice.
#include <arpa/inet.h>
#include <sys/time.h>

#include <random>
#include <vector>

#include "tests/runtime/transport/transport_fixture.h"

namespace spillway {
namespace {

constexpr std::size_t kMoreThanAnyBuffer = 256u << 20;
constexpr std::size_t kMemorySlack = 32u << 20;

/// A plain TCP connection.
class RawPeer {
 public:
  explicit RawPeer(const std::string& endpoint) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const timeval patience{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { ::close(fd_); }

  bool Write(const std::string& bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }

  /// Reads `bytes`; false when the connection ends before.
  bool Read(std::size_t bytes) {
    std::string buffer(bytes, '\0');
    return ::recv(fd_, buffer.data(), bytes, MSG_WAITALL) == static_cast<ssize_t>(bytes);
  }

  /// Writes `chunk` over and over until the server ends the connection; how much that took.
  std::size_t Flood(const std::string& chunk) {
    std::size_t written = 0;
    while (written < kMoreThanAnyBuffer && Write(chunk)) written += chunk.size();
    return written;
  }

 private:
  const int fd_;
};

// ZMTP 3.1 (rfc.zeromq.org/spec/37): signature, version, mechanism in 20 bytes, as-server, filler.
std::string Greeting(const std::string& mechanism) {
  std::string greeting("\xff\0\0\0\0\0\0\0\1\x7f\3\1", 12);
  greeting += mechanism;
  greeting.resize(12 + 20, '\0');
  greeting.resize(64, '\0');
  return greeting;
}

constexpr std::size_t kGreetingBytes = 64;

// flags: 2 for a length of eight bytes, 4 for a command.
std::string FrameOf2GiB(char flags) { return std::string({flags, 0, 0, 0, 0, '\x7f', -1, -1, -1}); }

class HostilePeerTest : public TransportFixture, public testing::WithParamInterface<bool> {
 protected:
  HostilePeerTest() {
    book_.Put(client_keys_, Role::kWorker);
    const bool keys = GetParam();
    auto server = ServerSocket::Bind(context_, {.endpoint = "tcp://127.0.0.1:0",
                                                .keys = keys ? server_keys_ : KeyPair{},
                                                .authority = book_.Authority(),
                                                .insecure = true});
    EXPECT_TRUE(server.ok()) << server.status().message();
    server_ = std::move(server).value();
    auto polite = ClientSocket::Connect(context_, {.endpoint = server_->endpoint(),
                                                   .keys = keys ? client_keys_ : KeyPair{},
                                                   .server_key = server_keys_.public_key});
    EXPECT_TRUE(polite.ok()) << polite.status().message();
    polite_ = std::move(polite).value();
    Chat();
    memory_before_ = ResidentBytes();
  }

  // The polite client's connection is the one that it had at first.
  void Chat() {
    ASSERT_TRUE(polite_->Send(HeaderOnly("ping")).ok());
    std::optional<Incoming> incoming;
    ASSERT_TRUE(Until({server_.get()}, [&] {
      while ((incoming = server_->Receive()).has_value()) {
        if (incoming->message.header.view() == "ping") return true;
      }
      return false;
    }));
    if (peer_.empty()) peer_ = incoming->peer;
    EXPECT_EQ(incoming->peer, peer_);
    ASSERT_TRUE(server_->Send(peer_, HeaderOnly("pong")).ok());
    EXPECT_EQ(NextText(*polite_), "pong");
  }

  void ExpectFlatMemory() { EXPECT_LT(ResidentBytes(), memory_before_ + kMemorySlack); }

  const KeyPair server_keys_ = NewKeyPair();
  const KeyPair client_keys_ = NewKeyPair();
  KeyBook book_;
  TransportContext context_;
  std::unique_ptr<ServerSocket> server_;
  std::unique_ptr<ClientSocket> polite_;
  PeerId peer_;
  std::size_t memory_before_ = 0;
};

TEST_P(HostilePeerTest, AFrameOf2GiBEndsTheConnection) {
  for (const char* mechanism : {"NULL", "CURVE", "PLAIN"}) {
    for (const char flags : {2, 6}) {
      RawPeer peer(server_->endpoint());
      ASSERT_TRUE(peer.Write(Greeting(mechanism)));
      // Another mechanism than its own is reason enough for the server to go.
      const bool answered = peer.Read(kGreetingBytes);
      EXPECT_TRUE(answered || mechanism != std::string(GetParam() ? "CURVE" : "NULL"));
      const bool sent = answered && peer.Write(FrameOf2GiB(flags));
      const std::size_t flooded = sent ? peer.Flood(std::string(1 << 20, 'x')) : 0;
      EXPECT_LT(flooded, kMoreThanAnyBuffer) << mechanism << ' ' << int{flags};
      ExpectFlatMemory();
      Chat();
    }
  }
}

TEST_P(HostilePeerTest, AMessageOf2GiBAfterAProperHandshakeEndsTheConnection) {
  if (GetParam()) GTEST_SKIP() << "needs an endpoint that lets in peers without a key";
  RawPeer peer(server_->endpoint());
  ASSERT_TRUE(peer.Write(Greeting("NULL")));
  ASSERT_TRUE(peer.Read(kGreetingBytes));
  // The command READY with Socket-Type DEALER.
  const std::string ready("\5READY\xbSocket-Type\0\0\0\6DEALER", 28);
  ASSERT_TRUE(peer.Write(std::string({4, static_cast<char>(ready.size())}) + ready));
  ASSERT_TRUE(peer.Write(FrameOf2GiB(2)));
  EXPECT_LT(peer.Flood(std::string(1 << 20, 'x')), kMoreThanAnyBuffer);
  ExpectFlatMemory();
  Chat();
}

TEST_P(HostilePeerTest, ThePastVersionOfTheProtocolIsNoWayAroundTheKeys) {
  if (!GetParam()) GTEST_SKIP() << "an endpoint without keys speaks every version";
  // ZMTP 1.0 has no greeting: an empty identity, then a message.
  RawPeer peer(server_->endpoint());
  ASSERT_TRUE(peer.Write(std::string("\1\0\6\0hello", 9)));
  EXPECT_LT(peer.Flood(std::string(1 << 20, 'x')), kMoreThanAnyBuffer);
  Chat();
  EXPECT_FALSE(server_->Receive().has_value());
}

TEST_P(HostilePeerTest, GarbageDisturbsNobody) {
  const std::uint64_t seed = 20261126;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 50; ++round) {
    RawPeer peer(server_->endpoint());
    std::string bytes(1 + random() % 100'000, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    // Now and then what follows looks like the protocol at first.
    if (round % 3 == 1) bytes = Greeting(GetParam() ? "CURVE" : "NULL") + bytes;
    if (round % 3 == 2) bytes[0] = '\xff';
    (void)peer.Write(bytes);
  }
  Chat();
  ExpectFlatMemory();
  EXPECT_FALSE(GetParam() && server_->Receive().has_value());
}

TEST_P(HostilePeerTest, ManySilentConnectionsDisturbNobody) {
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 100; ++i) {
    peers.push_back(std::make_unique<RawPeer>(server_->endpoint()));
    if (i % 2 == 0) (void)peers.back()->Write(Greeting("CURVE") + FrameOf2GiB(6));
  }
  Chat();
  ExpectFlatMemory();
}

INSTANTIATE_TEST_SUITE_P(All, HostilePeerTest, testing::Bool(), [](const auto& keys) {
  return std::string(keys.param ? "Keys" : "NoKeys");
});

}  // namespace
}  // namespace spillway
