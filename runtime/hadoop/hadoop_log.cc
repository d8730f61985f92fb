#include "runtime/hadoop/hadoop_log.h"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <ostream>

namespace spillway {
namespace {

std::string TimeText() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm parts = {};
  ::localtime_r(&seconds, &parts);
  char date[32], text[48];
  std::strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &parts);
  std::snprintf(text, sizeof text, "%s,%03d", date, static_cast<int>(ms));
  return text;
}

/// A newline in a name would be another line.
std::string OneLine(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return text;
}

}  // namespace

void HadoopLog::Write(std::string_view level, std::string_view logger, std::string_view message) {
  err_ << TimeText() << " " << level << " " << logger << ": " << message << "\n" << std::flush;
}

void HadoopLog::Plain(std::string_view line) { err_ << line << "\n" << std::flush; }

void HadoopLog::ShowCounters(const Counters& counters) {
  std::size_t count = 0;
  std::string text;
  for (const auto& [group, names] : counters) {
    text += "\n\t" + OneLine(group);
    for (const auto& [name, amount] : names) {
      text += "\n\t\t" + OneLine(name) + "=" + std::to_string(amount);
      ++count;
    }
  }
  Info("mapreduce.Job", "Counters: " + std::to_string(count) + text);
}

}  // namespace spillway
