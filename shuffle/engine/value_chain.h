// ValueChain: the values of one key in a GroupTable, packed one behind the other in chunks that
// grow with the chain. A chunk is filled from its begin and described by the footer at its end:
//
//   | packed values ... | room | footer: last chunk's footer, capacity, used |
//
// The chain itself is one number, so that it fits a table's slot and an append touches the slot and
// the end of the values and nothing else:
//
//   bits 16-63  offset in the region where the next value goes; its chunk's footer is `room` behind
//   bits 0-15   room that is left in the chunk
//
// 0 is the empty chain. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "mapreduce/base/short_copy.h"
#include "shuffle/record/packed_values.h"

namespace spillway {

class ValueChain {
  static constexpr unsigned kRoomBits = 16;
  static constexpr std::uint64_t kRoomMask = (std::uint64_t{1} << kRoomBits) - 1;

  struct Footer {
    std::uint64_t last = 0;  ///< Offset of the last chunk's footer; 0: there is none.
    std::uint32_t capacity = 0;
    std::uint32_t used = 0;  ///< Set when the next chunk begins.
  };

 public:
  /// Longer chains grow by this, up to which each chunk doubles the one before; a value that is
  /// larger has a chunk of its own.
  static constexpr std::uint32_t kChunkBytesMax = 4096;
  static constexpr std::uint32_t kChunkBytesMin = 32;

  /// `state` is the chain and changes with it.
  ValueChain(char* region, std::uint64_t& state) : region_(region), state_(state) {}

  /// False when the last chunk lacks the room: AddChunk first.
  bool Append(const char* value, std::uint32_t bytes) {
    if (bytes < 0x80 && bytes < room()) [[likely]] {
      char* const to = end();
      *to = static_cast<char>(bytes);
      CopyShort(to + 1, value, bytes);
      Advance(bytes + 1);
      return true;
    }
    const std::uint64_t packed_bytes = PackedBytes(bytes);
    if (packed_bytes > room()) return false;
    PackValue({value, bytes}, end());
    Advance(static_cast<std::uint32_t>(packed_bytes));
    return true;
  }

  /// Memory of the chunk that the chain needs for a value of `bytes`; a multiple of 8.
  std::uint64_t BytesOfNextChunk(std::uint32_t bytes) const {
    const std::uint32_t doubled = state_ == 0 ? kChunkBytesMin : 2 * LastFooter()->capacity;
    const std::uint64_t usual = doubled < kChunkBytesMax ? doubled : kChunkBytesMax;
    const std::uint64_t needed = (PackedBytes(bytes) + 7) / 8 * 8;
    return (needed < usual ? usual : needed) + sizeof(Footer);
  }

  /// Memory that the first chunk of a chain takes for a value of `bytes`.
  static std::uint64_t BytesOfFirstChunk(std::uint32_t bytes) {
    std::uint64_t empty = 0;
    return ValueChain(nullptr, empty).BytesOfNextChunk(bytes);
  }

  /// Appends the value behind a new chunk: `chunk` has BytesOfNextChunk() bytes of the region.
  void AppendToChunk(char* chunk, std::uint64_t chunk_bytes, const char* value,
                     std::uint32_t bytes) {
    Footer footer;
    footer.capacity = static_cast<std::uint32_t>(chunk_bytes - sizeof footer);
    if (state_ != 0) {
      Footer* const last = LastFooter();
      last->used = last->capacity - room();
      footer.last = OffsetOf(reinterpret_cast<char*>(last));
    }
    char* const footer_at = chunk + footer.capacity;
    std::memcpy(footer_at, &footer, sizeof footer);
    char* const values_end = PackValue({value, bytes}, chunk);
    state_ = OffsetOf(values_end) << kRoomBits | static_cast<std::uint64_t>(footer_at - values_end);
  }

  void PrefetchEnd() const { __builtin_prefetch(end(), 1); }

  /// Visits the chunks of a chain from the last one back to the first. Each step asks the memory
  /// for the next one, so that steps along many chains in turns wait for none of them.
  class Walk {
   public:
    Walk() = default;
    Walk(const char* region, std::uint64_t state) : region_(region) {
      if (state == 0) return;
      room_ = static_cast<std::uint32_t>(state & kRoomMask);
      footer_ = reinterpret_cast<const Footer*>(region + (state >> kRoomBits) + room_);
      __builtin_prefetch(footer_);
    }

    bool done() const { return footer_ == nullptr; }

    /// The packed values of the next chunk back.
    std::string_view Next() {
      const std::uint32_t capacity = footer_->capacity;
      const std::uint32_t used = room_ == kClosed ? footer_->used : capacity - room_;
      const char* const values = reinterpret_cast<const char*>(footer_) - capacity;
      __builtin_prefetch(values);
      const std::uint64_t last = footer_->last;
      footer_ = last == 0 ? nullptr : reinterpret_cast<const Footer*>(region_ + last);
      __builtin_prefetch(footer_);
      room_ = kClosed;
      return {values, used};
    }

   private:
    static constexpr std::uint32_t kClosed = UINT32_MAX;  ///< Not the last chunk.
    const char* region_ = nullptr;
    const Footer* footer_ = nullptr;
    std::uint32_t room_ = 0;
  };

 private:
  std::uint32_t room() const { return static_cast<std::uint32_t>(state_ & kRoomMask); }
  char* end() const { return region_ + (state_ >> kRoomBits); }
  void Advance(std::uint32_t bytes) { state_ += (std::uint64_t{bytes} << kRoomBits) - bytes; }
  Footer* LastFooter() const { return reinterpret_cast<Footer*>(end() + room()); }
  std::uint64_t OffsetOf(const char* at) const { return static_cast<std::uint64_t>(at - region_); }

  char* region_;
  std::uint64_t& state_;
};

}  // namespace spillway
