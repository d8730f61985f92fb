// The names of directories in a job's output: "errors", or "date=2024-01-01/country=de". Pure.
#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

#include "mapreduce/partition_path.h"

namespace spillway {

inline constexpr std::size_t kOutputPathBytesMax = 1024;
inline constexpr std::size_t kOutputLevelBytesMax = 255;
inline constexpr int kOutputLevelsMax = 16;

namespace internal {

inline std::string WhyNoOutputLevel(std::string_view level) {
  if (level.empty()) return "it has a level without a name";
  if (level.size() > kOutputLevelBytesMax) return "a level is longer than 255 bytes";
  if (level[0] == '.' || level[0] == '_')
    return "a level begins with '.' or '_', and such names are passed over as input";
  if (level.starts_with("part-") || level.starts_with("map-"))
    return "a level begins with 'part-' or 'map-', as the names of parts do";
  for (const char c : level)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return "it holds control characters";
  return {};
}

}  // namespace internal

/// A path of `key=value` levels, level by level. What a name cannot hold is escaped, so that any
/// value is one level and reads back the same (ParsePartitionPath).
class OutputPath {
 public:
  OutputPath& Add(std::string_view key, std::string_view value) {
    if (!text_.empty()) text_ += '/';
    Escape(key);
    text_ += '=';
    if (value.empty()) {
      text_ += kNoPartitionValue;
    } else {
      Escape(value);
    }
    return *this;
  }
  OutputPath& Add(std::string_view key, std::integral auto number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    return Add(key, std::string_view(digits, static_cast<std::size_t>(end - digits)));
  }

  void Clear() { text_.clear(); }
  std::string_view text() const { return text_; }

 private:
  static constexpr bool IsPlain(char c) {
    constexpr std::string_view kEscaped = "\"#%'*/:=?\\{}[]^";  // Hive's.
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f && kEscaped.find(c) == std::string_view::npos;
  }

  void Escape(std::string_view part) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (const char c : part) {
      if (IsPlain(c)) [[likely]] {
        text_ += c;
        continue;
      }
      const auto byte = static_cast<unsigned char>(c);
      text_ += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }

  std::string text_;
};

/// Why this cannot be a directory of an output; empty for one that can. What passes leads nowhere
/// but into the output: it has no ".", no ".." and no '/' before it.
inline std::string WhyNoOutputPath(std::string_view path) {
  if (path.size() > kOutputPathBytesMax) return "it is longer than 1024 bytes";
  if (path.substr(0, path.find('/')) == "attempts") return "attempts are written there";
  for (int levels = 1;; ++levels) {
    if (levels > kOutputLevelsMax) return "it has more than 16 levels";
    const std::size_t slash = path.find('/');
    if (std::string why = internal::WhyNoOutputLevel(path.substr(0, slash)); !why.empty())
      return why;
    if (slash == std::string_view::npos) return {};
    path.remove_prefix(slash + 1);
  }
}

}  // namespace spillway
