#include "runtime/cli/quantity_text.h"

#include <algorithm>
#include <cstdio>

#include "mapreduce/base/units.h"

namespace spillway {
namespace {

template <class... Args>
std::string Print(const char* format, Args... args) {
  char text[64];
  std::snprintf(text, sizeof text, format, args...);
  return text;
}

}  // namespace

std::string FormatDuration(std::uint64_t ms) {
  if (ms < 1'000) return Print("%llu ms", static_cast<unsigned long long>(ms));
  if (ms < 10'000) return Print("%.2f s", static_cast<double>(ms) / 1e3);
  if (ms < 60'000) return Print("%.1f s", static_cast<double>(ms) / 1e3);
  const unsigned long long seconds = ms / 1'000;
  if (seconds < 3'600) return Print("%llu min %02llu s", seconds / 60, seconds % 60);
  return Print("%llu h %02llu min", seconds / 3'600, seconds / 60 % 60);
}

std::string FormatWholeDuration(std::uint64_t ms) {
  const unsigned long long seconds = ms / 1'000;
  if (seconds < 60) return Print("%llu s", seconds);
  if (seconds < 3'600 && seconds % 60 == 0) return Print("%llu min", seconds / 60);
  if (seconds >= 3'600 && seconds % 3'600 == 0) return Print("%llu h", seconds / 3'600);
  return FormatDuration(ms);
}

std::string FormatRate(std::uint64_t bytes, std::uint64_t ms) {
  if (ms == 0) return "-";
  const double per_second = static_cast<double>(bytes) * 1e3 / static_cast<double>(ms);
  return FormatBytes(static_cast<std::uint64_t>(per_second)) + "/s";
}

unsigned Percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0 || part >= whole) return 100;
  // In floating point, because part * 100 may overflow; below 100 whatever the rounding does.
  const double share = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  return std::min(99u, static_cast<unsigned>(share));
}

std::string FormatNoun(std::uint64_t count, std::string_view singular) {
  return FormatCount(count) + " " + std::string(singular) + (count == 1 ? "" : "s");
}

}  // namespace spillway
