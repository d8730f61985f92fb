// TransportFixture: endpoints of each kind, and what the transport's tests do with them. One
// thread.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

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

  /// Receives until `done`, serving all sockets named; fails the test when it takes too long.
  /// `step` is called after each wait.
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

  static std::string NextNews(ClientSocket& client) {
    std::string news;
    Until({&client}, [&] { return !(news = client.TakeConnectionNews()).empty(); });
    return news;
  }

  /// "name: kB" lines of /proc/self/status.
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
