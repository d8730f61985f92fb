// Writes to named outputs. Text in: lines `key TAB number`; all else is rejected. The sums of the
// keys are the result, and those of at least 10 are in the output "large" as well.
#include <mapreduce/mapreduce.h>

#include <charconv>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

using namespace spillway;

/// `--fail-once`: the first attempt of each task fails at its end. `--slow=MS`: for each line.
class Moods {
 public:
  void Read(TaskContext& context) {
    fails_ = context.args().Option("fail-once").has_value() && context.attempt() == 0;
    if (const auto slow = context.args().Option("slow"))
      std::from_chars(slow->data(), slow->data() + slow->size(), slow_ms_);
  }
  void Wait() const {
    if (slow_ms_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(slow_ms_));
  }
  void End() const {
    if (fails_) throw std::runtime_error("the first attempt fails");
  }

 private:
  bool fails_ = false;
  int slow_ms_ = 0;
};

class Parse : public Mapper<TextLines, std::string, std::uint64_t> {
 public:
  Status Setup(TaskContext& context) {
    moods_.Read(context);
    const auto name = context.args().Option("name");
    rejected_ = NamedOutput<>(context, name.value_or("rejected"));
    if (const auto many = context.args().Option("many")) {
      int count = 0;
      std::from_chars(many->data(), many->data() + many->size(), count);
      for (int i = 0; i < count; ++i) NamedOutput<>(context, "many/" + std::to_string(i));
    }
    return OkStatus();
  }

  void Map(const Line& line, Emitter& out) {
    moods_.Wait();
    const std::size_t tab = line.text.find('\t');
    std::uint64_t number = 0;
    const char* const end = line.text.data() + line.text.size();
    if (tab == std::string_view::npos ||
        std::from_chars(line.text.data() + tab + 1, end, number).ptr != end)
      return rejected_.Write(line.text, line.offset);
    out.Emit(line.text.substr(0, tab), number);
  }

  void Teardown(Emitter&) { moods_.End(); }

 private:
  Moods moods_;
  NamedOutput<> rejected_;
};

class Total : public Reducer<std::string, std::uint64_t> {
 public:
  Status Setup(TaskContext& context) {
    moods_.Read(context);
    large_ = NamedOutput<>(context, "large");
    return OkStatus();
  }
  void Reduce(std::string_view key, Values& values, Emitter& out) {
    std::uint64_t sum = 0;
    for (const std::uint64_t value : values) sum += value;
    out.Emit(key, sum);
    if (sum >= 10) large_.Write(key, sum);
  }
  void Teardown(Emitter&) { moods_.End(); }

 private:
  Moods moods_;
  NamedOutput<> large_;
};

class AddUp : public Combiner<std::string, std::uint64_t> {
 public:
  Status Setup(TaskContext& context) {
    large_ = NamedOutput<>(context, "large");
    return OkStatus();
  }
  void Reduce(std::string_view key, Values& values, Emitter& out) {
    std::uint64_t sum = 0;
    for (const std::uint64_t value : values) sum += value;
    out.Emit(key, sum);
    large_.Write(key, sum);
  }

 private:
  NamedOutput<> large_;
};

class Again : public Mapper<Pairs<std::string, std::uint64_t>, std::string, std::uint64_t> {
 public:
  void Map(const Pair<std::string, std::uint64_t>& pair, Emitter& out) {
    out.Emit(pair.key, pair.value);
  }
};

SPILLWAY_PLUGIN("outputs", "writes to named outputs", "[map-only|combiner|chain] [--fail-once]") {
  const std::string_view kind = args.size() > 0 ? args[0] : "";
  if (kind == "map-only") return NewJob().Map<Parse>().MapOnly();
  if (kind == "combiner") return NewJob().Map<Parse>().Combine<AddUp>().Reduce<Total>();
  if (kind == "chain")
    return NewChain()
        .Then(NewJob().Map<Parse>().Reduce<Total>())
        .Then(NewJob().Map<Again>().Fold<Sum<std::uint64_t>>());
  return NewJob().Map<Parse>().Reduce<Total>();
}
