// Options and names of the transport. Values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace spillway {

/// What the owner of a key may do. One key has one role.
enum class Role : std::uint8_t {
  kNone,  ///< Not authenticated: an endpoint without encryption.
  kCoordinator,
  kWorker,
  kSubmitter,  ///< Submits and kills jobs, and sees all that a viewer sees.
  kViewer,
};

/// "worker"; kNone for anything else.
Role ParseRole(std::string_view name);
std::string_view RoleName(Role role);

inline constexpr std::size_t kKeyChars = 40;  ///< Of a CURVE key in Z85, 32 bytes.

/// A CURVE key pair in Z85; both empty: none.
struct KeyPair {
  std::string public_key;
  std::string secret_key;
  bool empty() const { return public_key.empty(); }
};

/// A new pair from the system's randomness.
KeyPair NewKeyPair();

struct TransportLimits {
  std::uint64_t message_bytes_max = 1u << 20;  ///< A peer that sends a larger part is cut off.
  std::uint32_t queue_messages_max = 10'000;   ///< Per peer and direction.
  std::uint64_t heartbeat_ms = 1'000;          ///< ZeroMQ's own, below the protocol's.
  /// Also what a peer may take for a handshake, and how long it may leave a full queue unread: one
  /// that does not read does not answer heartbeats.
  std::uint64_t heartbeat_timeout_ms = 10'000;
  std::uint64_t reconnect_ms = 50;  ///< Wait before the second try; doubles from then on.
  std::uint64_t reconnect_ms_max = 2'000;
  std::uint64_t flush_ms = 200;  ///< What a closed socket holds may take to leave.

  /// Control sockets: 1 MiB a part. Data sockets: 8 MiB, and so few of them that a peer that does
  /// not read holds little memory.
  static TransportLimits Control() { return {}; }
  static TransportLimits Data() {
    return {.message_bytes_max = 8u << 20, .queue_messages_max = 64};
  }
};

/// Who may connect: the role of a public key (Z85), kNone for a stranger. Called on the
/// transport's own thread; must be thread-safe and quick.
using KeyAuthority = std::function<Role(std::string_view public_key)>;

struct ServerOptions {
  std::string endpoint;  ///< "inproc://x", "ipc:///dir/x", "tcp://host:port"; port 0 takes any.
  TransportLimits limits = {};
  KeyPair keys = {};            ///< Empty: no encryption (and for tcp only where `insecure`).
  KeyAuthority authority = {};  ///< Required with keys.
  bool insecure = false;        ///< Allows tcp without keys, on loopback only.
};

struct ClientOptions {
  std::string endpoint;
  TransportLimits limits = {};
  KeyPair keys = {};            ///< Empty: no encryption.
  std::string server_key = {};  ///< The server's public key; required with keys.
};

}  // namespace spillway
