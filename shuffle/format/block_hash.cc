#include "shuffle/format/block_hash.h"

// Most records are short: calls of the library would cost more than the hashes.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "mapreduce/base/check.h"
#include "shuffle/record/record.h"

namespace spillway {
namespace {

std::uint64_t HashOfEncoded(std::string_view block) {
  const char* const end = block.data() + block.size();
  std::uint64_t sum = 0;
  Record record;
  for (const char* at = block.data(); at != end;) {
    const char* const next = DecodeRecord(at, end, &record);
    SPILLWAY_CHECK(next != nullptr);
    // The lengths are hashed too: they tell where the key ends.
    sum += XXH3_64bits(at, static_cast<std::size_t>(next - at));
    at = next;
  }
  return sum;
}

std::uint64_t HashOfPacked(std::string_view block) {
  const char* const end = block.data() + block.size();
  std::uint64_t sum = 0;
  Record record;
  for (const char* at = block.data(); at != end;) {
    at = DecodeRecord(at, end, &record);
    SPILLWAY_CHECK(at != nullptr);
    const std::uint64_t key = XXH3_64bits(record.key, record.key_bytes);
    const char* value = record.value;
    const char* const values_end = record.value + record.value_bytes;
    while (value != values_end) {
      std::uint32_t bytes = 0;
      value = GetVarint32(value, values_end, &bytes);
      SPILLWAY_CHECK(value != nullptr);
      SPILLWAY_CHECK_LE(bytes, static_cast<std::uint64_t>(values_end - value));
      sum += XXH3_64bits_withSeed(value, bytes, key);
      value += bytes;
    }
  }
  return sum;
}

}  // namespace

std::uint64_t HashOfRecords(std::string_view block, RecordHash hash) {
  SPILLWAY_CHECK(hash != RecordHash::kNone);
  return hash == RecordHash::kPackedValues ? HashOfPacked(block) : HashOfEncoded(block);
}

}  // namespace spillway
