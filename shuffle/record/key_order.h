// KeyOrder: how keys compare and which of them form one group. Bytes by default; a plugin's
// functions otherwise. Pure values; the functions must be thread-safe and must not throw.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "shuffle/record/record.h"

namespace spillway {

/// memcmp order, shorter first.
inline int CompareBytes(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  if (order != 0) return order;
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

struct KeyOrder {
  /// Null: CompareBytes. All fast paths of the engine are for that case.
  int (*compare)(const char* a, uint32_t a_bytes, const char* b, uint32_t b_bytes) = nullptr;
  /// Leading bytes that name the group; null: the whole key.
  uint32_t (*group_bytes)(const char* key, uint32_t key_bytes) = nullptr;
  /// Overrides group_bytes when set.
  int (*same_group)(const char* a, uint32_t a_bytes, const char* b, uint32_t b_bytes) = nullptr;

  bool is_bytes() const { return compare == nullptr; }
  bool groups_are_keys() const { return group_bytes == nullptr && same_group == nullptr; }

  int Compare(std::string_view a, std::string_view b) const {
    if (compare == nullptr) return CompareBytes(a, b);
    return compare(a.data(), static_cast<uint32_t>(a.size()), b.data(),
                   static_cast<uint32_t>(b.size()));
  }

  std::string_view GroupOf(std::string_view key) const {
    if (group_bytes == nullptr) return key;
    return key.substr(0, group_bytes(key.data(), static_cast<uint32_t>(key.size())));
  }

  /// Requires a <= b in this order, as neighbours of one sorted run.
  bool SameGroup(std::string_view a, std::string_view b) const {
    if (same_group != nullptr)
      return same_group(a.data(), static_cast<uint32_t>(a.size()), b.data(),
                        static_cast<uint32_t>(b.size())) != 0;
    if (group_bytes == nullptr && compare != nullptr) return Compare(a, b) == 0;
    return GroupOf(a) == GroupOf(b);
  }
};

}  // namespace spillway
