#include "runtime/cli/skew_text.h"

#include <algorithm>
#include <cstdio>

#include "mapreduce/base/units.h"
#include "runtime/core/heavy_keys.h"

namespace spillway {
namespace {

/// A key of half a reduce task's fair share begins to shape its partition; so much of all is told
/// wherever it is.
constexpr double kShareTold = 0.05;
/// Of fewer records it does not matter where they go.
constexpr std::uint64_t kRecordsTold = 1'000;

constexpr std::size_t kShownKeyBytesMax = 40;

std::string PercentText(double share) {
  char text[32];
  std::snprintf(text, sizeof text, share < 0.0995 ? "%.1f %%" : "%.0f %%", share * 100);
  return text;
}

}  // namespace

Skew MeasureSkew(std::vector<std::uint64_t> sizes) {
  Skew skew;
  if (sizes.empty()) return skew;
  std::sort(sizes.begin(), sizes.end());
  const std::size_t middle = sizes.size() / 2;
  const bool odd = sizes.size() % 2 == 1;
  const std::uint64_t below = sizes[odd ? middle : middle - 1];
  skew.largest = sizes.back();
  skew.median = below + (sizes[middle] - below) / 2;
  if (skew.median > 0)
    skew.ratio = static_cast<double>(skew.largest) / static_cast<double>(skew.median);
  return skew;
}

std::string HeavyKeysText(const std::vector<KeyLoad>& keys, std::uint32_t reduces,
                          std::size_t keys_max) {
  const double share_min = std::min(kShareTold, 0.5 / std::max(1u, reduces));
  std::string text;
  for (const KeyLoad& key : keys) {
    if (key.share < share_min || key.records < kRecordsTold || keys_max-- == 0) break;
    text += (text.empty() ? "\"" : ", \"") + EscapeForLog(key.key, kShownKeyBytesMax) + "\" " +
            PercentText(key.share);
  }
  return text;
}

nlohmann::ordered_json HeavyKeysJson(const std::vector<KeyLoad>& keys) {
  constexpr std::size_t kEscapedBytesMax = 4 * kHeavyKeyBytesMax;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const KeyLoad& key : keys)
    json.push_back({{"key", EscapeForLog(key.key, kEscapedBytesMax)},
                    {"key_bytes", key.key_bytes},
                    {"records", key.records},
                    {"bytes", key.bytes},
                    {"share", key.share}});
  return json;
}

}  // namespace spillway
