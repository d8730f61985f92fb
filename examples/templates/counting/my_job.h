// Counts words, whatever their case. The tests include this; my_job.cc makes it a plugin.
#pragma once

#include <mapreduce/mapreduce.h>

class CountWords : public spillway::Mapper<spillway::TextLines, std::string, std::uint64_t> {
 public:
  spillway::Status Setup(spillway::TaskContext& context) {
    empty_lines_ = context.counter("input", "empty lines");
    return spillway::OkStatus();
  }

  void Map(const spillway::Line& line, Emitter& out) {
    if (line.text.empty()) empty_lines_.Increment();
    spillway::ForEachWord(line.text, [&](std::string_view word) {
      lower_.assign(word);
      for (char& c : lower_)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      out.Emit(lower_, 1);
    });
  }

 private:
  spillway::Counter empty_lines_;
  std::string lower_;  // One task, one thread: no lock, and no allocation for each word.
};
