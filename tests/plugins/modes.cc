// A loop that breaks its promise: its result says in which mode it ran.
#include <mapreduce/mapreduce.h>

#include <vector>

using namespace spillway;

class Modes {
 public:
  using Input = TextLines;
  struct Batch {
    std::uint64_t lines = 0;
    std::uint64_t bytes() const { return sizeof lines; }
  };
  struct Start {
    std::uint64_t lines = 0;
  };
  struct State {
    std::uint64_t lines = 0;
    std::uint64_t disk_mode = 0;
  };
  struct Partial {
    std::uint64_t lines = 0;
  };

  void Parse(const Line&, Batch& batch) const { ++batch.lines; }
  void Gather(const Batch& batch, Start& start) const { start.lines += batch.lines; }
  void Join(Start& into, const Start& from) const { into.lines += from.lines; }
  void First(const Start& all, State& state) const { state.lines = all.lines; }
  void Map(const Batch& batch, const State&, Partial& into) const { into.lines += batch.lines; }
  void Fold(Partial& into, const Partial& from) const { into.lines += from.lines; }
  bool Next(State& state, const Partial&, const LoopRound& round) const {
    // Only a job of a round is given such a file.
    state.disk_mode = round.side_file(SPILLWAY_LOOP_FILE).ok() ? 1 : 0;
    return false;
  }
  void Print(const State& state, OutputBuffer& out) const {
    out.AppendNumber(state.lines);
    out.Append(state.disk_mode != 0 ? " lines, disk\n" : " lines, memory\n");
  }
};

SPILLWAY_PLUGIN("modes", "tells its mode", "") { return NewLoop(Modes()).Rounds(3); }
