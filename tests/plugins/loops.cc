// A loop whose rounds stand alone and whose parts are finished: numbers, one a line. Each part
// leaves a vector that grows out of the state's and the part's own sum; the sums of all parts'
// vectors are the next state. `--width=N` numbers in a vector.
#include <mapreduce/mapreduce.h>

#include <charconv>
#include <vector>

using namespace spillway;

class Growing {
 public:
  using Input = TextLines;
  static constexpr bool kRoundsStandAlone = true;

  struct Batch {
    std::vector<std::uint64_t> numbers;
    std::uint64_t bytes() const { return numbers.capacity() * sizeof numbers[0]; }
    void Save(LoopWriter& out) const { out.Put(numbers); }
    void Load(LoopReader& in) { in.Get(numbers); }
  };
  struct Start {
    std::uint64_t sum = 0;
  };
  struct Values {
    std::uint64_t finished = 0;  ///< Parts.
    std::vector<std::uint64_t> values;
    void Save(LoopWriter& out) const {
      out.Put(finished);
      out.Put(values);
    }
    void Load(LoopReader& in) {
      in.Get(finished);
      in.Get(values);
    }
  };
  struct State : Values {};
  struct Partial : Values {
    std::uint64_t sum = 0;  ///< For Finish; it does not leave the part.
  };

  explicit Growing(std::uint64_t width) : width_(width) {}

  void Parse(const Line& line, Batch& batch) const {
    std::uint64_t number = 0;
    const char* const end = line.text.data() + line.text.size();
    if (std::from_chars(line.text.data(), end, number).ptr != end) throw BadRecord("no number");
    batch.numbers.push_back(number);
  }
  void Gather(const Batch& batch, Start& start) const {
    for (const std::uint64_t number : batch.numbers) start.sum += number;
  }
  void Join(Start& into, const Start& from) const { into.sum += from.sum; }
  void First(const Start& all, State& state) const {
    state.values.resize(width_);
    for (std::uint64_t i = 0; i < width_; ++i) state.values[i] = all.sum + i;
  }
  void Map(const Batch& batch, const State& state, Partial& into) const {
    for (const std::uint64_t number : batch.numbers) into.sum += number * (state.values[0] | 1);
  }
  void Finish(const State& state, Partial& into) const {
    ++into.finished;
    into.values.resize(width_);
    for (std::uint64_t i = 0; i < width_; ++i) into.values[i] = state.values[i] * 3 + into.sum;
  }
  void Fold(Partial& into, const Partial& from) const {
    into.finished += from.finished;
    into.values.resize(width_);
    for (std::uint64_t i = 0; i < width_; ++i) into.values[i] += from.values[i];
  }
  bool Next(State& state, Partial&& total, const LoopRound&) const {
    if (!state.values.empty()) throw BadRecord("a state that is not new");
    state.finished = total.finished;
    state.values = std::move(total.values);
    return false;
  }
  void Print(const State& state, OutputBuffer& out) const {
    std::uint64_t sum = 0;
    for (const std::uint64_t value : state.values) sum += value;
    out.AppendNumber(state.finished);
    out.Append('\t');
    out.AppendNumber(sum);
    out.Append('\n');
  }

 private:
  std::uint64_t width_;
};

SPILLWAY_PLUGIN("loops", "a loop whose rounds stand alone", "[--width=N]") {
  std::uint64_t width = 3;
  if (const auto text = args.Option("width"))
    std::from_chars(text->data(), text->data() + text->size(), width);
  return NewLoop(Growing(width)).Rounds(5);
}
