// Sorts lines `number TAB text` by their numbers, from large to small, over all parts. The tests
// include this; my_job.cc makes it a plugin.
#pragma once

#include <mapreduce/mapreduce.h>

#include <charconv>

using LargeFirst = spillway::Descending<std::int64_t>;

class ParseNumber : public spillway::Mapper<spillway::TextLines, LargeFirst, std::string> {
 public:
  void Map(const spillway::Line& line, Emitter& out) {
    const std::size_t tab = line.text.find('\t');
    if (tab == std::string_view::npos) throw spillway::BadRecord("no TAB in the line");
    std::int64_t number = 0;
    const char* const digits_end = line.text.data() + tab;
    const auto [end, error] = std::from_chars(line.text.data(), digits_end, number);
    if (error != std::errc() || end != digits_end)
      throw spillway::BadRecord("no 64-bit number before the TAB");
    out.Emit({number}, line.text.substr(tab + 1));
  }
};
