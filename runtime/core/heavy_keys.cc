#include "runtime/core/heavy_keys.h"

#include <algorithm>

namespace spillway {

namespace {

constexpr auto kHeavierFirst = [](const auto& a, const auto& b) {
  return a.records != b.records ? a.records > b.records : a.hash < b.hash;
};

}  // namespace

std::uint16_t* HeavyKeys::PlaceOf(std::uint64_t hash) {
  std::size_t at = hash % kPlaces;
  while (places_[at] != 0 && entries_[places_[at] - 1u].hash != hash) at = (at + 1) % kPlaces;
  return &places_[at];
}

void HeavyKeys::Add(const HeavyKey& seen) {
  if (places_.empty()) {
    places_.resize(kPlaces);
    entries_.reserve(kKeysMax);
  }
  std::uint16_t* place = PlaceOf(seen.hash);
  if (*place == 0) {
    if (entries_.size() == kKeysMax) {
      ForgetLighterHalf();
      place = PlaceOf(seen.hash);
    }
    Entry& entry = entries_.emplace_back();
    entry.hash = seen.hash;
    entry.key_bytes = seen.key_bytes;
    seen.key.copy(entry.key.data(), entry.key.size());
    *place = static_cast<std::uint16_t>(entries_.size());
  }
  Entry& entry = entries_[*place - 1u];
  entry.records += seen.records;
  entry.bytes += seen.bytes;
}

void HeavyKeys::ForgetLighterHalf() {
  std::nth_element(entries_.begin(), entries_.begin() + kKeysKept, entries_.end(), kHeavierFirst);
  entries_.resize(kKeysKept);
  std::fill(places_.begin(), places_.end(), std::uint16_t{0});
  for (std::size_t i = 0; i < entries_.size(); ++i)
    *PlaceOf(entries_[i].hash) = static_cast<std::uint16_t>(i + 1);
}

std::vector<HeavyKey> HeavyKeys::Heaviest(const Choice& choice) const {
  std::vector<HeavyKey> keys;
  for (const Entry& entry : entries_) {
    if (entry.records < choice.records_min) continue;
    const std::size_t shown = std::min<std::uint64_t>(entry.key_bytes, kHeavyKeyBytesMax);
    keys.push_back({std::string_view(entry.key.data(), shown), entry.key_bytes, entry.hash,
                    entry.records, entry.bytes});
  }
  std::sort(keys.begin(), keys.end(), kHeavierFirst);
  if (keys.size() > choice.keys_max) keys.resize(choice.keys_max);
  return keys;
}

}  // namespace spillway
