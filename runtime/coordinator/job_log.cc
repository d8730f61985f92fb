#include "runtime/coordinator/job_log.h"

#include <cstdio>
#include <ctime>

namespace spillway {

namespace {

constexpr std::uint64_t kFirstLines = JobLog::kLinesMax / 2;

std::string UtcText(TimeMs unix_ms) {
  const std::time_t seconds = static_cast<std::time_t>(unix_ms / 1'000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[48];
  const std::size_t bytes = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text + bytes, sizeof text - bytes, ".%03uZ",
                static_cast<unsigned>(unix_ms % 1'000));
  return text;
}

template <class Lines>
void AnswerFrom(const Lines& lines, std::uint64_t dropped, std::uint64_t after,
                wire::LogLines& answer) {
  const std::uint64_t end = static_cast<std::uint64_t>(lines.size()) + dropped;
  std::uint64_t number = after > end ? 0 : after;
  std::uint64_t bytes = 0;
  while (number < end) {
    if (number >= kFirstLines && number < kFirstLines + dropped) {
      answer.add_lines("(" + std::to_string(kFirstLines + dropped - number) +
                       " lines are left out here)");
      number = kFirstLines + dropped;
      continue;
    }
    const std::uint64_t index = number < kFirstLines ? number : number - dropped;
    const std::string& line = lines[static_cast<int>(index)];
    bytes += line.size();
    if (bytes > JobLog::kAnswerBytesMax) break;
    answer.add_lines(line);
    ++number;
  }
  answer.set_next(number);
}

}  // namespace

void JobLog::Add(TimeMs unix_ms, const std::string& text) {
  if (lines_.size() == kLinesMax) {
    lines_.erase(lines_.begin() + kFirstLines);
    ++dropped_;
  }
  lines_.push_back(UtcText(unix_ms) + " " + text);
}

void JobLog::Put(wire::JobState& state) const {
  for (const std::string& line : lines_) state.add_log(line);
  state.set_log_lines_dropped(dropped_);
}

void JobLog::Answer(std::uint64_t after, wire::LogLines& answer) const {
  AnswerFrom(lines_, dropped_, after, answer);
}

void JobLog::Answer(const wire::JobState& state, std::uint64_t after, wire::LogLines& answer) {
  AnswerFrom(state.log(), state.log_lines_dropped(), after, answer);
}

}  // namespace spillway
