// What parts of loops leave, in messages below a frame's limit: small parts share one, a large one
// is cut into pieces. LoopPacker makes the messages; LoopAssembly makes whole parts of them again.
// Pure; one thread each. docs/formats/protocol.md is the contract.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/protocol/spillway.pb.h"

namespace spillway {

/// What one part of a loop may leave for the fold of a round.
inline constexpr std::uint64_t kLoopPartBytesMax = 512 << 10;
/// The same, where rounds stand alone and do not pile up.
inline constexpr std::uint64_t kLoneRoundPartBytesMax = 64 << 20;
/// What all parts may leave in one round: a channel's backlog has to hold it.
inline constexpr std::uint64_t kLoopRoundBytesMax = 128 << 20;
/// Of parts in one message.
inline constexpr std::size_t kLoopMessageBytes = 512 << 10;

inline constexpr std::uint64_t LoopPartBytesMax(bool rounds_stand_alone) {
  return rounds_stand_alone ? kLoneRoundPartBytesMax : kLoopPartBytesMax;
}

class LoopPacker {
 public:
  using Parts = google::protobuf::RepeatedPtrField<wire::LoopPart>;
  /// `begin` fills in a message but for its parts, and answers where these go; `post` takes it.
  LoopPacker(std::function<Parts*(wire::Message&)> begin, std::function<void(wire::Message)> post)
      : begin_(std::move(begin)), post_(std::move(post)) {}

  void Add(std::uint32_t part, std::string_view bytes);
  /// Posts what is left.
  void Flush();

 private:
  const std::function<Parts*(wire::Message&)> begin_;
  const std::function<void(wire::Message)> post_;
  wire::Message message_;
  Parts* parts_ = nullptr;  ///< Of message_; null: it is empty.
  std::size_t bytes_ = 0;
};

class LoopAssembly {
 public:
  explicit LoopAssembly(std::uint64_t part_bytes_max) : part_bytes_max_(part_bytes_max) {}

  /// What the part leaves, once all of it is there. `from` tells senders apart that might say the
  /// same part at once. What follows on nothing is dropped: its sender begins again.
  std::optional<std::string> Take(std::uint64_t from, const wire::LoopPart& piece);
  /// Of parts that are not whole.
  std::uint64_t bytes() const { return bytes_; }
  void Clear();

 private:
  const std::uint64_t part_bytes_max_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::string> begun_;
  std::uint64_t bytes_ = 0;
};

}  // namespace spillway
