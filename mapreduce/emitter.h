// Emitter<K, V>: where a mapper, combiner or reducer puts its results. Emit is inline: it notes
// views of the encoded key and value in a batch of 512 and hands full batches on, so there is no
// virtual call and no allocation per pair. Strings that lie in the task's current input block are
// not even copied. One task, one thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "mapreduce/abi.h"
#include "mapreduce/codec.h"

namespace spillway {

namespace internal {

/// Thrown by the adapters when the host wants the task to end; never seen by the host.
struct StopTask {};

/// Arithmetic values travel as their bits in the record until the batch is handed on, where the
/// job's shape decides how they are written.
template <class V>
inline constexpr bool kValueIsBits = Number<V>;

template <class V>
const char* BitsOf(V value) {
  std::uintptr_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return reinterpret_cast<const char*>(bits);
}

template <class V>
V FromBitsOf(const char* field) {
  const auto bits = reinterpret_cast<std::uintptr_t>(field);
  V value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

[[noreturn, gnu::cold, gnu::noinline]] inline void ThrowFieldTooLarge(std::size_t bytes) {
  throw std::length_error("a key or value of " + std::to_string(bytes) +
                          " bytes was emitted, and the limit is 1 GiB: emit it in parts");
}

/// Takes a full batch; nonzero stops the task.
using FlushFunction = int (*)(void* target, spillway_record* records, std::size_t count);

}  // namespace internal

template <class K, class V>
class Emitter {
 public:
  using KeyView = View<K>;
  using ValueView = View<V>;
  static constexpr std::size_t kBatchRecords = 512;
  /// A key or value may have up to 1 GiB.
  static constexpr std::size_t kFieldBytesMax = std::size_t{1} << 30;

  /// For the adapters; users are given an emitter.
  Emitter(internal::FlushFunction flush, void* target) : flush_(flush), target_(target) {
    Grow(kArenaBytes);
  }
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;

  /// Emits one pair. Both are copied or encoded at once, unless they view the current input block.
  /// Throws std::length_error, and emits nothing, when one takes more than kFieldBytesMax.
  void Emit(const KeyView& key, const ValueView& value) {
    if (count_ == kBatchRecords) [[unlikely]]
      Flush();
    spillway_record record;
    if constexpr (internal::kValueIsBits<V>) {
      record.value = internal::BitsOf<V>(value);
      record.value_bytes = sizeof(V);
      PutField<K>(key, 0, &record.key, &record.key_bytes);
    } else {
      // The value's room is made first, so that a flush in between cannot part it from its key.
      const std::size_t value_room = RoomFor<V>(value);
      PutField<K>(key, value_room, &record.key, &record.key_bytes);
      PutField<V>(value, 0, &record.value, &record.value_bytes);
    }
    records_[count_++] = record;
  }

  /// Emits a key alone.
  void Emit(const KeyView& key) requires std::same_as<V, Nothing> { Emit(key, Nothing{}); }

  /// Hands the batch on. The adapters call it; users need not.
  void Flush() {
    if (count_ != 0 && flush_(target_, records_, count_) != 0) throw internal::StopTask{};
    count_ = 0;
    used_ = 0;
  }

  /// Views into [data, data + bytes) stay valid until the next Flush. Those of a block above the
  /// limit are copied like all others, and so checked; no view into a smaller one is too large.
  void EnterBlock(const char* data, std::size_t bytes) {
    block_ = data;
    block_bytes_ = bytes <= kFieldBytesMax ? bytes : 0;
  }

 private:
  static constexpr std::size_t kArenaBytes = 64 << 10;
  template <class T>
  static constexpr bool kIsFixed = requires {
    Codec<T>::kFixedBytes;
  };

  static void CheckFieldBytes(std::size_t bytes) {
    if (bytes > kFieldBytesMax) [[unlikely]]
      internal::ThrowFieldTooLarge(bytes);
  }

  bool InBlock(std::string_view text) const {
    return static_cast<std::size_t>(text.data() - block_) < block_bytes_;
  }

  template <class T>
  std::size_t RoomFor(const View<T>& value) const {
    if constexpr (internal::StringLike<T>) {
      if (InBlock(value)) return 0;
      CheckFieldBytes(value.size());
      return value.size();
    } else {
      return Codec<T>::BytesMax(value);
    }
  }

  template <class T>
  void PutField(const View<T>& value, std::size_t more, const char** field, std::uint32_t* bytes) {
    if constexpr (internal::StringLike<T>) {
      if (InBlock(value)) [[likely]] {
        *field = value.data();
        *bytes = static_cast<std::uint32_t>(value.size());
        return;
      }
    }
    const std::size_t room = RoomFor<T>(value);
    if (used_ + room + more > arena_bytes_) [[unlikely]]
      MakeRoom(room + more);
    char* const from = arena_.get() + used_;
    const auto encoded_bytes = static_cast<std::size_t>(Codec<T>::Encode(value, from) - from);
    if constexpr (!internal::StringLike<T> && !kIsFixed<T>) CheckFieldBytes(encoded_bytes);
    *field = from;
    *bytes = static_cast<std::uint32_t>(encoded_bytes);
    used_ += encoded_bytes;
  }

  [[gnu::noinline, gnu::cold]] void MakeRoom(std::size_t bytes) {
    Flush();
    if (bytes > arena_bytes_) Grow(bytes);
  }

  void Grow(std::size_t bytes) {
    // Escapes may double a key and a value, and no more.
    if (bytes > 5 * kFieldBytesMax) internal::ThrowFieldTooLarge(bytes);
    arena_ = std::make_unique_for_overwrite<char[]>(bytes + SPILLWAY_PADDING_BYTES);
    arena_bytes_ = bytes;
  }

  internal::FlushFunction flush_;
  void* target_;
  std::size_t count_ = 0;
  std::size_t used_ = 0;
  const char* block_ = nullptr;
  std::size_t block_bytes_ = 0;
  std::unique_ptr<char[]> arena_;
  std::size_t arena_bytes_ = 0;
  spillway_record records_[kBatchRecords];
};

}  // namespace spillway
