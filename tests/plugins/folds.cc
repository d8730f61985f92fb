// Every fold, chosen by the argument. Input lines `key TAB number`.
#include <mapreduce/mapreduce.h>

#include <charconv>

using namespace spillway;

namespace {

template <class T>
T NumberOf(std::string_view line) {
  T number{};
  const std::size_t tab = line.find('\t');
  std::from_chars(line.data() + tab + 1, line.data() + line.size(), number);
  return number;
}

}  // namespace

template <class T>
class KeyNumber : public Mapper<TextLines, std::string, T> {
 public:
  void Map(const Line& line, Emitter<std::string, T>& out) {
    out.Emit(line.text.substr(0, line.text.find('\t')), NumberOf<T>(line.text));
  }
};

class KeyText : public Mapper<TextLines, std::string, std::string> {
 public:
  void Map(const Line& line, Emitter& out) {
    const std::size_t tab = line.text.find('\t');
    out.Emit(line.text.substr(0, tab), line.text.substr(tab + 1));
  }
};

class NumberKey : public Mapper<TextLines, std::int64_t, std::int64_t> {
 public:
  void Map(const Line& line, Emitter& out) { out.Emit(NumberOf<std::int64_t>(line.text), 1); }
};

/// Whether the number is above zero.
class KeyFlag : public Mapper<TextLines, std::string, bool> {
 public:
  void Map(const Line& line, Emitter& out) {
    out.Emit(line.text.substr(0, line.text.find('\t')), NumberOf<std::int64_t>(line.text) > 0);
  }
};

class InitialKey : public Mapper<TextLines, char, bool> {
 public:
  void Map(const Line& line, Emitter& out) {
    out.Emit(line.text[0], NumberOf<std::int64_t>(line.text) > 0);
  }
};

/// A fold of our own: the greatest common divisor and how many numbers it is of.
struct CommonDivisor {
  using Value = std::int64_t;
  struct State {
    std::int64_t divisor;
    std::uint32_t count;
  };
  static constexpr bool kExact = true;
  static State Lift(std::int64_t value) { return {value < 0 ? -value : value, 1}; }
  static void Combine(State& into, const State& other) {
    std::int64_t a = into.divisor, b = other.divisor;
    while (b != 0) std::swap(a %= b, b);
    into.divisor = a;
    into.count += other.count;
  }
  static std::pair<std::int64_t, std::uint32_t> Finish(const State& state) {
    return {state.divisor, state.count};
  }
};

SPILLWAY_PLUGIN("folds", "applies a fold to the numbers of each key", "FOLD") {
  if (args.size() != 1) return InvalidArgument("say which FOLD");
  const auto integers = NewJob().Map<KeyNumber<std::int64_t>>();
  const auto doubles = NewJob().Map<KeyNumber<double>>();
  if (args[0] == "sum") return integers.Fold<Sum<std::int64_t>>();
  if (args[0] == "min") return integers.Fold<Min<std::int64_t>>();
  if (args[0] == "max") return integers.Fold<Max<std::int64_t>>();
  if (args[0] == "mean") return integers.Fold<Mean<std::int64_t>>();
  if (args[0] == "top3") return integers.Fold<TopN<3, std::int64_t>>();
  if (args[0] == "gcd") return integers.Fold<CommonDivisor>();
  if (args[0] == "narrow-max")
    return NewJob().Map<KeyNumber<std::int16_t>>().Fold<Max<std::int16_t>>();
  if (args[0] == "double-sum") return doubles.Fold<Sum<double>>();
  if (args[0] == "double-min") return doubles.Fold<Min<double>>();
  if (args[0] == "double-mean") return doubles.Fold<Mean<double>>();
  if (args[0] == "count") return NewJob().Map<KeyText>().Fold<Count<std::string>>();
  if (args[0] == "distinct") return NewJob().Map<KeyText>().Fold<Distinct<std::string>>();
  if (args[0] == "distinct-range")
    return NewJob().Map<KeyText>().Fold<Distinct<std::string>>().Partition<RangePartitioner>();
  if (args[0] == "flags") return NewJob().Map<KeyFlag>().Fold<Max<bool>>();
  if (args[0] == "initials") return NewJob().Map<InitialKey>();
  if (args[0] == "by-number")
    return NewJob().Map<NumberKey>().Fold<Sum<std::int64_t>>().Partition<RangePartitioner>();
  return InvalidArgument("unknown FOLD");
}
