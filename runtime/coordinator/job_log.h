// JobLog: what happened to a job, for people: lines with their time, numbered from 0. When there
// are too many the middle goes: the beginning says how it came about and the end how it ended.
// Pure; owned by a JobEntry.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/core/events.h"
#include "runtime/protocol/spillway.pb.h"

namespace spillway {

class JobLog {
 public:
  static constexpr std::size_t kLinesMax = 1'000;
  static constexpr std::uint64_t kAnswerBytesMax = 512 << 10;

  /// "2026-11-26T18:30:00.250Z TEXT".
  void Add(TimeMs unix_ms, const std::string& text);

  void Put(wire::JobState& state) const;

  /// The lines from number `after` on, as many as an answer holds, with a word in the place of
  /// those that are left out. `after` behind the last line: the log is another than the asker
  /// knows, which a new coordinator began; it comes from its beginning.
  void Answer(std::uint64_t after, wire::LogLines& answer) const;
  /// The same of a log that Put kept.
  static void Answer(const wire::JobState& state, std::uint64_t after, wire::LogLines& answer);

 private:
  std::vector<std::string> lines_;
  std::uint64_t dropped_ = 0;  ///< Behind the first kLinesMax / 2.
};

}  // namespace spillway
