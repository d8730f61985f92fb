// HadoopLog: what `hadoop jar` says on stderr, in the form in which mrjob and scripts read it:
//   2026-11-27 04:00:00,123 INFO mapreduce.Job: Counters: 3
//           GROUP
//                   NAME=3
// One thread.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>

namespace spillway {

class HadoopLog {
 public:
  using Counters = std::map<std::string, std::map<std::string, std::uint64_t>>;

  explicit HadoopLog(std::ostream& err) : err_(err) {}

  void Info(std::string_view logger, std::string_view message) { Write("INFO", logger, message); }
  void Warn(std::string_view logger, std::string_view message) { Write("WARN", logger, message); }
  void Error(std::string_view logger, std::string_view message) { Write("ERROR", logger, message); }
  /// Hadoop writes some words without time and level.
  void Plain(std::string_view line);
  void ShowCounters(const Counters& counters);

 private:
  void Write(std::string_view level, std::string_view logger, std::string_view message);

  std::ostream& err_;
};

}  // namespace spillway
