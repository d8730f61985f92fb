#include "runtime/stream/reporter_lines.h"

#include <algorithm>
#include <charconv>

namespace spillway {
namespace {

constexpr std::string_view kCounter = "reporter:counter:";
constexpr std::string_view kStatus = "reporter:status:";
constexpr std::size_t kLineBytesMax = 64 << 10;
constexpr std::size_t kShownBytesMax = 64 << 10;  // Of one attempt: a flood must not fill a log.
constexpr std::size_t kTailBytesMax = 2 << 10;

/// GROUP,NAME,AMOUNT. The amount stands behind the last comma, so that a name may have one.
bool ParseCounter(std::string_view text, std::string* group, std::string* name,
                  std::uint64_t* amount) {
  const std::size_t first = text.find(','), last = text.rfind(',');
  if (first == std::string_view::npos || first == last) return false;
  std::string_view digits = text.substr(last + 1);
  while (!digits.empty() && (digits.back() == '\r' || digits.back() == ' '))
    digits.remove_suffix(1);
  while (!digits.empty() && digits.front() == ' ') digits.remove_prefix(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), *amount);
  if (error != std::errc() || end != digits.data() + digits.size()) return false;
  *group = text.substr(0, first);
  *name = text.substr(first + 1, last - first - 1);
  return true;
}

}  // namespace

void ReporterLines::Add(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    const std::size_t length = std::min({newline, bytes.size(), kLineBytesMax - line_.size()});
    line_.append(bytes.substr(0, length));
    bytes.remove_prefix(length);
    const bool ended = !bytes.empty() && bytes[0] == '\n';
    if (!ended && line_.size() < kLineBytesMax) return;
    if (ended) bytes.remove_prefix(1);
    AddLine(line_);
    line_.clear();
  }
}

void ReporterLines::Finish() {
  if (!line_.empty()) AddLine(line_);
  line_.clear();
}

void ReporterLines::AddLine(std::string_view line) {
  std::string group, name;
  std::uint64_t amount = 0;
  if (line.starts_with(kStatus)) {
    sinks_.status(line.substr(kStatus.size()));
  } else if (line.starts_with(kCounter) &&
             ParseCounter(line.substr(kCounter.size()), &group, &name, &amount)) {
    sinks_.counter(group, name, amount);
  } else {
    Show(line);
  }
}

void ReporterLines::Show(std::string_view line) {
  tail_.append(line.substr(line.size() - std::min(line.size(), kTailBytesMax))).append("\n");
  if (tail_.size() > kTailBytesMax) tail_.erase(0, tail_.size() - kTailBytesMax);
  if (shown_bytes_ > kShownBytesMax) return;
  shown_bytes_ += line.size() + 1;
  sinks_.other(std::string(line) + "\n");
  if (shown_bytes_ > kShownBytesMax)
    sinks_.other("spillway: the command writes much to stderr; the rest is left out\n");
}

}  // namespace spillway
