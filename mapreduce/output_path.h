// The names of directories in a job's output: "errors", or "date=2024-01-01/country=de". Pure.
#pragma once

#include <string>
#include <string_view>

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
  if (level == "SPILLWAY_OWNER") return "SPILLWAY_OWNER is a file of the commit";
  for (const char c : level)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return "it holds control characters";
  return {};
}

}  // namespace internal

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
