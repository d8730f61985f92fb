// Finds the two groups that numbers fall into: the centre of each, and how many it has (k-means
// with two centres, in one dimension). The input has a whole number in each line. The tests include
// this; my_job.cc makes it a plugin.
#pragma once

#include <mapreduce/mapreduce.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

class TwoGroups {
 public:
  using Input = spillway::TextLines;

  /// Parsed records: what stays in memory from round to round.
  struct Batch {
    std::vector<std::int64_t> numbers;
    std::uint64_t bytes() const { return numbers.capacity() * sizeof(std::int64_t); }
    void Save(spillway::LoopWriter& out) const { out.Put(numbers); }
    void Load(spillway::LoopReader& in) { in.Get(numbers); }
  };
  /// What is gathered before the first round.
  struct Start {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    std::int64_t most = std::numeric_limits<std::int64_t>::min();
  };
  /// What a round knows.
  struct State {
    double centres[2] = {};
    std::uint64_t counts[2] = {};
  };
  /// What a part of the input leaves in a round. Sums of whole numbers are the same in any order.
  struct Partial {
    std::int64_t sums[2] = {};
    std::uint64_t counts[2] = {};
  };

  void Parse(const spillway::Line& line, Batch& batch) const {
    std::int64_t number = 0;
    const char* const line_end = line.text.data() + line.text.size();
    const auto [end, error] = std::from_chars(line.text.data(), line_end, number);
    if (error != std::errc() || end != line_end)
      throw spillway::BadRecord("the line is no whole number");
    batch.numbers.push_back(number);
  }

  void Gather(const Batch& batch, Start& start) const {
    for (const std::int64_t number : batch.numbers) {
      start.least = std::min(start.least, number);
      start.most = std::max(start.most, number);
    }
  }
  void Join(Start& into, const Start& from) const {
    into.least = std::min(into.least, from.least);
    into.most = std::max(into.most, from.most);
  }
  void First(const Start& all, State& state) const {
    if (all.least > all.most) throw spillway::BadRecord("the input has no numbers");
    state.centres[0] = static_cast<double>(all.least);
    state.centres[1] = static_cast<double>(all.most);
  }

  void Map(const Batch& batch, const State& state, Partial& into) const {
    for (const std::int64_t number : batch.numbers) {
      const auto x = static_cast<double>(number);
      const int group = std::fabs(x - state.centres[1]) < std::fabs(x - state.centres[0]) ? 1 : 0;
      into.sums[group] += number;
      ++into.counts[group];
    }
  }
  void Fold(Partial& into, const Partial& from) const {
    for (int group = 0; group < 2; ++group) {
      into.sums[group] += from.sums[group];
      into.counts[group] += from.counts[group];
    }
  }
  /// True when it has converged: no centre moves any more.
  bool Next(State& state, const Partial& total, const spillway::LoopRound&) const {
    bool moved = false;
    for (int group = 0; group < 2; ++group) {
      state.counts[group] = total.counts[group];
      if (total.counts[group] == 0) continue;
      const double centre =
          static_cast<double>(total.sums[group]) / static_cast<double>(total.counts[group]);
      moved = moved || centre != state.centres[group];
      state.centres[group] = centre;
    }
    return !moved;
  }

  void Print(const State& state, spillway::OutputBuffer& out) const {
    for (int group = 0; group < 2; ++group) {
      out.AppendNumber(state.centres[group]);
      out.Append('\t');
      out.AppendNumber(state.counts[group]);
      out.Append('\n');
    }
  }
};
