// TransportFixture: endpoints of each kind, and what the transport's tests do with them. One
// thread.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>

#include "runtime/transport/socket.h"
#include "tests/shuffle/store/temporary_directory.h"

namespace spillway {

inline TransportMessage HeaderOnly(std::string_view header) {
  return {MessageBuffer::Copy(header), MessageBuffer()};
}

/// An authority whose keys come and go while it is in use.
class KeyBook {
 public:
  void Put(const KeyPair& keys, Role role) {
    const std::lock_guard lock(mutex_);
    roles_[keys.public_key] = role;
  }
  void Remove(const KeyPair& keys) {
    const std::lock_guard lock(mutex_);
    roles_.erase(keys.public_key);
  }
  KeyAuthority Authority() {
    return [this](std::string_view key) {
      const std::lock_guard lock(mutex_);
      const auto found = roles_.find(key);
      return found == roles_.end() ? Role::kNone : found->second;
    };
  }

 private:
  std::mutex mutex_;
  std::map<std::string, Role, std::less<>> roles_;  // Guarded by mutex_.
};

class TransportFixture : public testing::Test {
 protected:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kPatience{20};

  /// Waits for the sockets' messages until `done`, which is asked again and again and receives
  /// them. False when it takes too long.
  static bool Until(std::initializer_list<SocketBase*> sockets, const std::function<bool()>& done) {
    Poller poller;
    for (SocketBase* socket : sockets) poller.Add(*socket);
    const auto end = Clock::now() + kPatience;
    while (!done()) {
      if (Clock::now() > end) return false;
      poller.Wait(std::chrono::milliseconds(20));
    }
    return true;
  }

  /// The next message; nothing when none comes.
  static std::optional<Incoming> Next(ServerSocket& server) {
    std::optional<Incoming> incoming;
    Until({&server}, [&] { return (incoming = server.Receive()).has_value(); });
    return incoming;
  }

  static std::optional<TransportMessage> Next(ClientSocket& client) {
    std::optional<TransportMessage> message;
    Until({&client}, [&] { return (message = client.Receive()).has_value(); });
    return message;
  }

  /// The header of the next message; "(nothing)" when none comes.
  template <class Socket>
  static std::string NextText(Socket& socket) {
    auto next = Next(socket);
    if (!next.has_value()) return "(nothing)";
    if constexpr (std::is_same_v<Socket, ServerSocket>) {
      return std::string(next->message.header.view());
    } else {
      return std::string(next->header.view());
    }
  }

  /// tcp://127.0.0.1 with a port that nobody uses at the moment.
  static std::string FreeTcpEndpoint() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), bytes), 0);
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
    ::close(fd);
    return "tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }

  /// The next news that are `expected`; the last others when they do not come.
  static std::string NewsUntil(ClientSocket& client, const std::string& expected) {
    std::string news;
    std::string last;
    Until({&client}, [&] {
      (void)client.Receive();
      if (!(news = client.TakeConnectionNews()).empty()) last = news;
      return last == expected;
    });
    return last;
  }

  static std::string NextNews(ClientSocket& client) {
    std::string news;
    Until({&client}, [&] { return !(news = client.TakeConnectionNews()).empty(); });
    return news;
  }

  static std::size_t ResidentBytes() {
    std::ifstream in("/proc/self/status");
    std::string word;
    while (in >> word) {
      std::size_t kib = 0;
      if (word == "VmRSS:" && in >> kib) return kib << 10;
    }
    return 0;
  }
};

}  // namespace spillway
