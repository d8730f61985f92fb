// Files of pairs (docs/formats/pairs.md): PairOutput<K, V> writes them, Pairs<K, V> reads them.
// They are what the stages of a chain leave for each other, and may be the input and output of any
// job: keys and values as the shuffle encodes them, in checked blocks that know the numbers of
// their pairs. One task, one thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "mapreduce/adapter/guard.h"
#include "mapreduce/base/coding.h"
#include "mapreduce/base/xxh64.h"
#include "mapreduce/codec.h"
#include "mapreduce/input_format.h"
#include "mapreduce/output_format.h"
#include "mapreduce/values.h"

namespace spillway {

/// The head of a block, as it stands in the file.
struct PairBlock {
  static constexpr std::size_t kHeadBytes = 40;
  static constexpr std::string_view kMagic = "SPLWPAIR";
  /// A block is closed when its payload has this size.
  static constexpr std::size_t kPayloadBytes = 64 << 10;

  std::uint32_t payload_bytes = 0;
  std::uint32_t pairs = 0;
  std::uint64_t first_pair = 0;
  std::uint64_t checksum = 0;  ///< Of the payload.

  void Encode(char* to) const {
    char* const begin = to;
    std::memcpy(to, kMagic.data(), kMagic.size());
    to = StoreLittle(to + kMagic.size(), payload_bytes);
    to = StoreLittle(to, pairs);
    to = StoreLittle(to, first_pair);
    to = StoreLittle(to, checksum);
    StoreLittle(to, Xxh64({begin, kHeadBytes - 8}));
  }

  /// False for bytes, kHeadBytes of them, that are no head.
  static bool Decode(const char* from, PairBlock* block) {
    if (std::memcmp(from, kMagic.data(), kMagic.size()) != 0) return false;
    if (LoadLittle<std::uint64_t>(from + 32) != Xxh64({from, kHeadBytes - 8})) return false;
    block->payload_bytes = LoadLittle<std::uint32_t>(from + 8);
    block->pairs = LoadLittle<std::uint32_t>(from + 12);
    block->first_pair = LoadLittle<std::uint64_t>(from + 16);
    block->checksum = LoadLittle<std::uint64_t>(from + 24);
    return true;
  }
};

template <class K, class V>
class PairOutput {
 public:
  static constexpr const char* kName = "PairOutput";

  void Write(const View<K>& key, const View<V>& value, OutputBuffer& out) {
    const std::size_t key_room = Codec<K>::BytesMax(key), value_room = Codec<V>::BytesMax(value);
    const std::size_t begin = payload_.size();
    // The lengths come first and are known last: room for the longest, then all is moved together.
    payload_.resize(begin + 2 * kVarint32BytesMax + key_room + value_room);
    char* const room = payload_.data() + begin + 2 * kVarint32BytesMax;
    char* const key_end = Codec<K>::Encode(key, room);
    char* const value_end = Codec<V>::Encode(value, key_end);
    char* to = payload_.data() + begin;
    to = PutVarint32(to, static_cast<std::uint32_t>(key_end - room));
    to = PutVarint32(to, static_cast<std::uint32_t>(value_end - key_end));
    const auto bytes = static_cast<std::size_t>(value_end - room);
    std::memmove(to, room, bytes);
    payload_.resize(static_cast<std::size_t>(to + bytes - payload_.data()));
    ++block_.pairs;
    if (payload_.size() >= PairBlock::kPayloadBytes) Close(out);
  }

  void End(OutputBuffer& out) {
    if (block_.pairs > 0) Close(out);
    Close(out);
  }

 private:
  void Close(OutputBuffer& out) {
    block_.payload_bytes = static_cast<std::uint32_t>(payload_.size());
    block_.checksum = Xxh64(payload_);
    char head[PairBlock::kHeadBytes];
    block_.Encode(head);
    out.Append(std::string_view(head, sizeof head));
    out.Append(std::string_view(payload_));
    block_ = {.first_pair = block_.first_pair + block_.pairs};
    payload_.clear();
  }

  PairBlock block_;
  std::string payload_;
};

/// One pair of a file. Views are valid until Map returns.
template <class K, class V>
struct Pair {
  View<K> key{};
  View<V> value{};
  std::uint64_t number = 0;  ///< Of the pair in its file, from 0.
  std::uint32_t file_index = 0;
  std::string_view path;
};

namespace internal {

inline std::uint64_t PairFileStart(const char* data, std::uint64_t bytes, int at_end) noexcept {
  PairBlock block;
  for (std::uint64_t at = 0; at + PairBlock::kHeadBytes <= bytes; ++at) {
    const void* const found = std::memchr(data + at, PairBlock::kMagic[0], bytes - at);
    if (found == nullptr) break;
    at = static_cast<std::uint64_t>(static_cast<const char*>(found) - data);
    if (at + PairBlock::kHeadBytes > bytes) break;
    if (PairBlock::Decode(data + at, &block)) return at;
  }
  return at_end != 0 ? bytes : Framing::kStartNotFound;
}

inline std::uint64_t PairBlockBytes(const char* data, std::uint64_t bytes, int) noexcept {
  if (bytes < PairBlock::kHeadBytes) return Framing::kNeedMore;
  PairBlock block;
  if (!PairBlock::Decode(data, &block)) return Framing::kBadData;
  const std::uint64_t whole = PairBlock::kHeadBytes + std::uint64_t{block.payload_bytes};
  return whole <= bytes ? whole : Framing::kNeedMore;
}

}  // namespace internal

template <class K, class V>
struct Pairs {
  using Record = Pair<K, V>;
  using Key = K;
  using Value = V;
  static constexpr const char* kName = "Pairs";
  static Framing framing() {
    return Framing::Custom(&internal::PairFileStart, &internal::PairBlockBytes);
  }

  template <class Each>
  static void ForEach(const InputBlock& input, Each&& each) {
    const char* at = input.bytes.data();
    const char* const end = at + input.bytes.size();
    DecodeScratch scratch;
    Record record;
    record.file_index = input.file_index;
    record.path = input.path;
    while (at < end) {
      PairBlock block;
      const char* const head = at;
      at += PairBlock::kHeadBytes;
      if (!PairBlock::Decode(head, &block) || Xxh64({at, block.payload_bytes}) != block.checksum)
        throw BadRecord("the block of pairs at " + std::string(input.path) + ":" +
                        std::to_string(input.file_offset +
                                       static_cast<std::uint64_t>(head - input.bytes.data())) +
                        " is damaged: its checksum is another");
      const char* const block_end = at + block.payload_bytes;
      for (std::uint32_t i = 0; i < block.pairs; ++i) {
        const char* const begin = at;
        scratch.Clear();
        at = Decode(at, block_end, &record, scratch);
        record.number = block.first_pair + i;
        each(record, begin);
      }
      at = block_end;
    }
  }

 private:
  static const char* Decode(const char* at, const char* end, Record* record,
                            DecodeScratch& scratch) {
    std::uint32_t key_bytes = 0, value_bytes = 0;
    at = GetVarint32(at, end, &key_bytes);
    if (at != nullptr) at = GetVarint32(at, end, &value_bytes);
    if (at == nullptr ||
        std::uint64_t{key_bytes} + value_bytes > static_cast<std::size_t>(end - at))
      throw BadRecord("a pair is longer than its block");
    const char* const value = at + key_bytes;
    const char* const pair_end = value + value_bytes;
    if (Codec<K>::Decode(at, value, &record->key, scratch) == nullptr ||
        Codec<V>::Decode(value, pair_end, &record->value, scratch) == nullptr)
      throw BadRecord("a pair could not be decoded: its file has keys or values of other types");
    return pair_end;
  }
};

/// How many pairs a file has, by its last block. Throws std::runtime_error for a file that is not
/// whole.
inline std::uint64_t CountPairs(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(-static_cast<std::streamoff>(PairBlock::kHeadBytes), std::ios::end);
  char head[PairBlock::kHeadBytes];
  PairBlock block;
  if (!file.read(head, sizeof head) || !PairBlock::Decode(head, &block) || block.pairs != 0)
    throw std::runtime_error(path + " is no whole file of pairs");
  return block.first_pair;
}

}  // namespace spillway
