// HeavyKeys: which keys have most of the records. A bounded summary of a stream of keys, and the
// sum of such summaries. What it says of a key is never too much. Pure; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace spillway {

struct HeavyKey {
  std::string_view key;         ///< Its first bytes, at most kHeavyKeyBytesMax.
  std::uint64_t key_bytes = 0;  ///< Of the whole key.
  std::uint64_t hash = 0;       ///< Of the whole key: what keys are told apart by.
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  ///< Of these records, keys and values.
};

inline constexpr std::size_t kHeavyKeyBytesMax = 64;

class HeavyKeys {
 public:
  /// When so many are known, the lighter half is forgotten, with what was counted of it. A key
  /// with more than 1 / kKeysKept of all records is not among them.
  static constexpr std::size_t kKeysMax = 512;
  static constexpr std::size_t kKeysKept = kKeysMax / 2;

  /// Adds the records and bytes to those of the key. Longer keys are cut; the first sight of a key
  /// counts.
  void Add(const HeavyKey& seen);

  struct Choice {
    std::size_t keys_max = 0;
    std::uint64_t records_min = 1;
  };
  /// Heaviest first, equal ones by hash; views that are valid until the next Add.
  std::vector<HeavyKey> Heaviest(const Choice& choice) const;

 private:
  struct Entry {
    std::uint64_t hash = 0;
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    std::uint64_t key_bytes = 0;
    std::array<char, kHeavyKeyBytesMax> key{};
  };
  // Open addressing at a quarter to a half full: a sampled key costs one or two looks.
  static constexpr std::size_t kPlaces = 2 * kKeysMax;

  std::uint16_t* PlaceOf(std::uint64_t hash);
  void ForgetLighterHalf();

  std::vector<Entry> entries_;
  std::vector<std::uint16_t> places_;  ///< Index of an entry + 1; 0: free. Empty until the first.
};

}  // namespace spillway
