// Most keys in one partition, so that it is split: those that begin with 'h' are in the second one,
// the others where their first letter says. Input lines `key TAB number`; output the sum of each
// key, by a combiner or a fold. What combine tasks do alone is slow, or fails, where asked for.
// Sums of doubles are not exact, so their combiner does not say so, and nothing is split.
#include <mapreduce/mapreduce.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

using namespace spillway;

struct Part {
  std::uint64_t sum = 0;
  std::uint32_t combined = 0;  ///< So often: by its map task, then by a combine task.
  SPILLWAY_FIELDS(sum, combined)
};

namespace {

std::uint64_t NumberOf(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Part SumOf(auto& values) {
  Part all;
  for (const Part& part : values) {
    all.sum += part.sum;
    all.combined = std::max(all.combined, part.combined);
  }
  return all;
}

}  // namespace

class ParsePart : public Mapper<TextLines, std::string, Part> {
 public:
  void Map(const Line& line, Emitter& out) {
    const std::size_t tab = line.text.find('\t');
    out.Emit(line.text.substr(0, tab), {NumberOf(line.text.substr(tab + 1)), 0});
  }
};

class ParseNumber : public Mapper<TextLines, std::string, std::uint64_t> {
 public:
  void Map(const Line& line, Emitter& out) {
    const std::size_t tab = line.text.find('\t');
    out.Emit(line.text.substr(0, tab), NumberOf(line.text.substr(tab + 1)));
  }
};

class ParseDouble : public Mapper<TextLines, std::string, double> {
 public:
  void Map(const Line& line, Emitter& out) {
    const std::size_t tab = line.text.find('\t');
    // Of many magnitudes, so that sums of other groupings are rounded otherwise.
    out.Emit(line.text.substr(0, tab), std::exp(NumberOf(line.text.substr(tab + 1)) % 37 * 0.7));
  }
};

class AddDoubles : public Combiner<std::string, double> {
 public:
  void Reduce(std::string_view key, Values& values, Emitter& out) {
    double sum = 0;
    for (const double value : values) sum += value;
    out.Emit(key, sum);
  }
};

class AddParts : public Combiner<std::string, Part> {
 public:
  static constexpr bool kExact = true;  // Of what WriteSum writes.
  Status Setup(TaskContext& context) {
    const Args args = context.args();
    if (args[0].starts_with("gate:")) gate_ = args[0].substr(5);
    task_ = context.task_index();
    fails_ = args[0] == "failing";
    again_ = context.counter("skewed", "combined again");
    return OkStatus();
  }
  void Reduce(std::string_view key, Values& values, Emitter& out) {
    Part all = SumOf(values);
    if (all.combined > 0) {
      again_.Increment();
      if (fails_) throw std::runtime_error("cannot add what was added up");
      if (!gate_.empty()) Wait();
    }
    ++all.combined;
    out.Emit(key, all);
  }

 private:
  /// Until the file GATE is there, which a test makes when GATE.TASK says that somebody waits.
  void Wait() {
    std::ofstream(gate_ + "." + std::to_string(task_)) << "at the gate";
    while (!std::filesystem::exists(gate_))
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    gate_.clear();
  }

  std::string gate_;
  std::uint32_t task_ = 0;
  bool fails_ = false;
  Counter again_;
};

class WriteSum : public Reducer<std::string, Part, std::string, std::uint64_t> {
 public:
  void Reduce(std::string_view key, Values& values, Emitter& out) {
    out.Emit(key, SumOf(values).sum);
  }
};

class ByFirstLetter : public Partitioner<std::string> {
 public:
  std::uint32_t Partition(std::string_view key, std::uint32_t partitions) {
    const auto letter = static_cast<unsigned char>(key.empty() ? 0 : key[0]);
    return (letter == 'h' ? 1u : letter) % partitions;
  }
};

SPILLWAY_PLUGIN("skewed", "sums of keys that are nearly all in one partition",
                "combiner|fold|doubles|gate:PATH|failing") {
  if (args.size() != 1) return InvalidArgument("say how");
  if (args[0] == "fold")
    return NewJob().Map<ParseNumber>().Fold<Sum<std::uint64_t>>().Partition<ByFirstLetter>();
  if (args[0] == "doubles")
    return NewJob()
        .Map<ParseDouble>()
        .Combine<AddDoubles>()
        .Partition<ByFirstLetter>()
        .Reduce<AddDoubles>();
  return NewJob()
      .Map<ParsePart>()
      .Combine<AddParts>()
      .Partition<ByFirstLetter>()
      .Reduce<WriteSum>();
}
