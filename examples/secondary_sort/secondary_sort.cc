// Secondary sort: the numbers of each key, from small to large, without holding them in memory.
// The input has lines `key TAB number`. The shuffle sorts by (key, number); GroupByFirst makes one
// group of all pairs with the same key, and partitions them by it. `--top=N` stops after the first
// N of each key.
#include <mapreduce/mapreduce.h>

#include <charconv>

using namespace spillway;

using KeyNumber = std::pair<std::string, std::int64_t>;

class ParseLine : public Mapper<TextLines, KeyNumber, Nothing> {
 public:
  void Map(const Line& line, Emitter& out) {
    const std::size_t tab = line.text.rfind('\t');
    if (tab == std::string_view::npos) throw BadRecord("no TAB in the line");
    const std::string_view digits = line.text.substr(tab + 1);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size())
      throw BadRecord("no 64-bit number behind the last TAB");
    out.Emit({line.text.substr(0, tab), number});
  }
};

class NumbersInOrder : public Reducer<KeyNumber, Nothing, std::string, std::int64_t> {
 public:
  Status Setup(TaskContext& context) {
    if (const auto top = context.args().Option("top"))
      std::from_chars(top->data(), top->data() + top->size(), top_);
    return OkStatus();
  }

  void Reduce(const View<KeyNumber>& key, Values& values, Emitter& out) {
    std::uint64_t seen = 0;
    for ([[maybe_unused]] Nothing value : values) {
      if (seen++ == top_) return;
      out.Emit(key.first, values.key().second);
    }
  }

 private:
  std::uint64_t top_ = UINT64_MAX;
};

SPILLWAY_PLUGIN("secondary_sort", "sorts the numbers of each key: lines `key TAB number`",
                "[--top=N]") {
  if (args.size() > 1 || (args.size() == 1 && !args.Option("top")))
    return InvalidArgument("only --top=N is known");
  return NewJob().Map<ParseLine>().GroupBy<GroupByFirst>().Reduce<NumbersInOrder>();
}
