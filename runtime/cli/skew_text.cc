#include "runtime/cli/skew_text.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>

#include "mapreduce/base/units.h"
#include "runtime/cli/quantity_text.h"
#include "runtime/cli/text_table.h"
#include "runtime/core/heavy_keys.h"

namespace spillway {
namespace {

/// A key of half a reduce task's fair share begins to shape its partition; so much of all is told
/// wherever it is.
constexpr double kShareTold = 0.05;
/// Of fewer records it does not matter where they go.
constexpr std::uint64_t kRecordsTold = 1'000;

constexpr std::size_t kShownKeyBytesMax = 40;
constexpr std::size_t kEscapedKeyBytesMax = 4 * kHeavyKeyBytesMax;

/// A partition that is so many times the median, and has so much, is worth a hint.
constexpr std::uint64_t kHintRatio = 2;
/// A hash puts no more keys into a partition than so many times what the others have.
constexpr double kChanceRatioMax = 10;
constexpr std::uint64_t kHintBytesMin = 8 << 20;

constexpr std::size_t kTableRows = 5;
constexpr std::size_t kSplitsTold = 4;

std::string PercentText(double share) {
  char text[32];
  std::snprintf(text, sizeof text, share < 0.0995 ? "%.1f %%" : "%.0f %%", share * 100);
  return text;
}

/// 0 when the median is.
double RatioOf(std::uint64_t size, std::uint64_t median) {
  return median == 0 ? 0 : static_cast<double>(size) / static_cast<double>(median);
}

std::string TimesText(double ratio) {
  if (ratio == 0) return "-";
  char text[32];
  std::snprintf(text, sizeof text, ratio < 99.5 ? "%.2f" : "%.0f", ratio);
  return text;
}

bool Reduced(const PartitionLoad& load) { return load.run_us != 0; }

/// Of the partitions that are reduced.
struct PartitionSkews {
  std::size_t partitions = 0;
  Skew shuffled_bytes, records, run_us;
};

PartitionSkews MeasurePartitions(const std::vector<PartitionLoad>& loads) {
  std::vector<std::uint64_t> bytes, records, run_us;
  for (const PartitionLoad& load : loads) {
    if (!Reduced(load)) continue;
    bytes.push_back(load.shuffled_bytes);
    records.push_back(load.records);
    run_us.push_back(load.run_us);
  }
  return {bytes.size(), MeasureSkew(bytes), MeasureSkew(records), MeasureSkew(run_us)};
}

/// Whether something is known of partitions that are not.
bool SomeWait(const std::vector<PartitionLoad>& loads) {
  return loads.size() > 1 && std::any_of(loads.begin(), loads.end(), [](const PartitionLoad& load) {
           return !Reduced(load) && load.shuffled_bytes > 0;
         });
}

std::vector<std::uint64_t> BytesOf(const std::vector<PartitionLoad>& loads) {
  std::vector<std::uint64_t> bytes;
  for (const PartitionLoad& load : loads) bytes.push_back(load.shuffled_bytes);
  return bytes;
}

const char* CauseWord(SkewCause cause) {
  switch (cause) {
    case SkewCause::kOneKey: return "one key";
    case SkewCause::kManyKeys: return "many keys";
    case SkewCause::kLargeRecords: return "large records";
    case SkewCause::kNone: break;
  }
  return "";
}

nlohmann::ordered_json SkewJson(const Skew& skew) {
  return {{"largest", skew.largest}, {"median", skew.median}, {"ratio", skew.ratio}};
}

}  // namespace

Skew MeasureSkew(std::vector<std::uint64_t> sizes) {
  Skew skew;
  if (sizes.empty()) return skew;
  std::sort(sizes.begin(), sizes.end());
  skew.largest = sizes.back();
  // The lower one of an even number: between two partitions the mean would never be far from the
  // larger one.
  skew.median = sizes[(sizes.size() - 1) / 2];
  skew.ratio = RatioOf(skew.largest, skew.median);
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
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const KeyLoad& key : keys)
    json.push_back({{"key", EscapeForLog(key.key, kEscapedKeyBytesMax)},
                    {"key_bytes", key.key_bytes},
                    {"records", key.records},
                    {"bytes", key.bytes},
                    {"share", key.share}});
  return json;
}

SkewCause CauseOf(const SkewReport& skew) {
  const PartitionSkews all = MeasurePartitions(skew.partitions);
  if (all.partitions < 2 || all.shuffled_bytes.largest < kHintBytesMin ||
      all.shuffled_bytes.largest / kHintRatio <= all.shuffled_bytes.median)
    return SkewCause::kNone;
  const std::uint64_t records = skew.partitions[skew.hottest].records;
  if (records / kHintRatio <= all.records.median) return SkewCause::kLargeRecords;
  const std::uint64_t beyond = records - all.records.median;
  return skew.hottest_key.records >= beyond / 2 ? SkewCause::kOneKey : SkewCause::kManyKeys;
}

std::string PartitionsText(const SkewReport& skew) {
  const PartitionSkews all = MeasurePartitions(skew.partitions);
  if (all.partitions < 2) return {};
  return FormatNoun(all.partitions, "partition") + ", the largest " +
         FormatBytes(all.shuffled_bytes.largest) + " (" + TimesText(all.shuffled_bytes.ratio) +
         " x the median) and " + FormatNoun(all.records.largest, "record") + " (" +
         TimesText(all.records.ratio) + " x), the slowest " +
         FormatDuration(all.run_us.largest / 1'000) + " (" + TimesText(all.run_us.ratio) + " x)";
}

std::string WaitingPartitionsText(const SkewReport& skew) {
  if (!SomeWait(skew.partitions)) return {};
  std::vector<PartitionLoad> waiting;
  std::remove_copy_if(skew.partitions.begin(), skew.partitions.end(), std::back_inserter(waiting),
                      Reduced);
  const std::uint64_t largest = MeasureSkew(BytesOf(waiting)).largest;
  const std::uint64_t median = MeasureSkew(BytesOf(skew.partitions)).median;
  return FormatNoun(waiting.size(), "partition") + ", the largest about " + FormatBytes(largest) +
         " (" + TimesText(RatioOf(largest, median)) + " x the median of all)";
}

std::string SplitText(const SkewReport& skew, std::uint32_t combines) {
  if (combines == 0) return {};
  std::string text;
  std::size_t splits = 0;
  for (std::size_t i = 0; i < skew.partitions.size(); ++i) {
    const std::uint32_t pieces = skew.partitions[i].pieces;
    if (pieces == 0 || ++splits > kSplitsTold) continue;
    text += (text.empty() ? "partition " : ", partition ") + std::to_string(i) + " among " +
            std::to_string(pieces) + (text.empty() ? " combine tasks" : "");
  }
  // Which ones is not told of too many partitions.
  if (splits == 0) return "large partitions among " + std::to_string(combines) + " combine tasks";
  if (splits > kSplitsTold) text += " and " + std::to_string(splits - kSplitsTold) + " more";
  return text;
}

std::string JoinedText(std::uint32_t joined, std::uint32_t partitions) {
  if (joined == 0) return {};
  return FormatCount(joined) + " of " + FormatNoun(partitions, "partition") +
         ", by the tasks of their neighbours";
}

std::string SkewHint(const SkewReport& skew) {
  const SkewCause cause = CauseOf(skew);
  // A split one has a fold or a combiner, and what can be done was.
  if (cause == SkewCause::kNone || skew.partitions[skew.hottest].pieces > 0) return {};
  const PartitionSkews all = MeasurePartitions(skew.partitions);
  const std::string key = "\"" + EscapeForLog(skew.hottest_key.key, kShownKeyBytesMax) + "\"";
  const std::string share = PercentText(skew.hottest_key.share);
  const std::string head =
      "partition " + std::to_string(skew.hottest) +
      (all.shuffled_bytes.ratio == 0
           ? " has " + FormatBytes(all.shuffled_bytes.largest) + ", and the median nothing"
           : " has " + TimesText(all.shuffled_bytes.ratio) + " times the bytes of the median");
  switch (cause) {
    case SkewCause::kOneKey:
      return head + ": " + share + " of its records have the key " + key +
             ", which is reduced in one place, so more reducers do not help. A fold or a combiner "
             "would, where the job can have one";
    case SkewCause::kManyKeys: {
      const std::uint64_t reducers =
          skew.reduces * static_cast<std::uint64_t>(std::ceil(
                             std::max(static_cast<double>(kHintRatio), all.shuffled_bytes.ratio)));
      // So far off is no chance: a rule puts them there, and does so among more partitions, too.
      const bool by_rule =
          all.shuffled_bytes.ratio == 0 || all.shuffled_bytes.ratio > kChanceRatioMax;
      const std::string many = head + ", and no key more than " + share + " of its records: ";
      if (by_rule)
        return many + "its partitioner, or the cuts of its ranges, send too many keys there";
      return many + "more partitions spread its keys. Try --reducers " + std::to_string(reducers) +
             ", or another partitioner";
    }
    default:
      return head +
             " with about as many records: some of its values are large. Emit less under "
             "one key, or parts of it";
  }
}

std::string PartitionTable(const SkewReport& skew) {
  const PartitionSkews reduced = MeasurePartitions(skew.partitions);
  const bool some_wait = SomeWait(skew.partitions);
  if (reduced.partitions < 2 && !some_wait) return {};
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < skew.partitions.size(); ++i)
    if (some_wait || Reduced(skew.partitions[i])) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return skew.partitions[a].shuffled_bytes > skew.partitions[b].shuffled_bytes;
  });
  order.resize(std::min(order.size(), kTableRows));
  const bool any_split = std::any_of(order.begin(), order.end(),
                                     [&](std::size_t i) { return skew.partitions[i].pieces > 0; });
  const std::string indent = "  ";
  std::vector<std::vector<std::string>> rows = {{indent, "PARTITION", "BYTES", "RECORDS", "TIME"}};
  if (any_split) rows[0].push_back("PIECES");
  const auto add = [&](const std::string& name, const PartitionLoad& load) {
    rows.push_back({indent, name, FormatBytes(load.shuffled_bytes),
                    Reduced(load) ? FormatCount(load.records) : "-",
                    Reduced(load) ? FormatDuration(load.run_us / 1'000) : "-"});
    if (any_split) rows.back().push_back(load.pieces == 0 ? "-" : std::to_string(load.pieces));
  };
  for (const std::size_t i : order) add(std::to_string(i), skew.partitions[i]);
  const std::uint64_t median =
      some_wait ? MeasureSkew(BytesOf(skew.partitions)).median : reduced.shuffled_bytes.median;
  add("median", {median, reduced.records.median, reduced.run_us.median});
  return TextTable(rows);
}

void AddSkewJson(const SkewReport& skew, nlohmann::ordered_json* json) {
  nlohmann::ordered_json& j = *json;
  j["heavy_keys"] = HeavyKeysJson(skew.heavy_keys);
  nlohmann::ordered_json bytes = nlohmann::ordered_json::array();
  nlohmann::ordered_json records = bytes, run_us = bytes, pieces = bytes;
  for (const PartitionLoad& load : skew.partitions) {
    bytes.push_back(load.shuffled_bytes);
    records.push_back(load.records);
    run_us.push_back(load.run_us);
    pieces.push_back(load.pieces);
  }
  j["partitions"] = {
      {"shuffled_bytes", bytes}, {"records", records}, {"run_us", run_us}, {"pieces", pieces}};
  const PartitionSkews all = MeasurePartitions(skew.partitions);
  j["reduce_skew"] = {{"shuffled_bytes", SkewJson(all.shuffled_bytes)},
                      {"records", SkewJson(all.records)},
                      {"run_us", SkewJson(all.run_us)}};
  j["hottest_partition"] = nullptr;
  if (all.partitions > 0)
    j["hottest_partition"] = {{"partition", skew.hottest},
                              {"key", EscapeForLog(skew.hottest_key.key, kEscapedKeyBytesMax)},
                              {"key_bytes", skew.hottest_key.key_bytes},
                              {"key_records", skew.hottest_key.records},
                              {"cause", CauseWord(CauseOf(skew))}};
  j["skew_hint"] = SkewHint(skew);
}

}  // namespace spillway
