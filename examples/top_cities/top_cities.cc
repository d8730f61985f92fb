// Where the money comes from: a chain of three jobs. The inputs are customers, lines
// `customer TAB city`, and orders, lines `customer TAB amount`; the output has the cities with the
// largest sums, largest first: `city TAB sum`.
//
//   spillway run top_cities -i customers=FILE -i orders=FILE -o out -- --top=10
//
// 1. a join of both by customer      (city, amount)
// 2. a fold                          (city, sum)
// 3. a sort by sum, cut at the top
#include <mapreduce/mapreduce.h>

#include <charconv>

using namespace spillway;

class Sales : public Join<std::string, std::string, std::int64_t, std::string, std::int64_t> {
 public:
  void OnMatch(std::string_view, const std::string_view* city, const std::int64_t* amount,
               Emitter& out) {
    out.Emit(*city, *amount);
  }
};

class ReadCustomers : public JoinMapper<TextLines, Sales> {
 public:
  void Map(const Line& line, Emitter& out) {
    EmitLeft(KeyOfLine(line.text), RestOfLine(line.text), out);
  }
};

class ReadOrders : public JoinMapper<TextLines, Sales> {
 public:
  void Map(const Line& line, Emitter& out) {
    const std::string_view rest = RestOfLine(line.text);
    std::int64_t amount = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), amount);
    if (error != std::errc() || end != rest.data() + rest.size())
      throw BadRecord("no whole amount behind the TAB");
    EmitRight(KeyOfLine(line.text), amount, out);
  }
};

class AsTheyAre : public Mapper<Pairs<std::string, std::int64_t>, std::string, std::int64_t> {
 public:
  void Map(const Pair<std::string, std::int64_t>& sale, Emitter& out) {
    out.Emit(sale.key, sale.value);
  }
};

class BySum
    : public Mapper<Pairs<std::string, std::int64_t>, Descending<std::int64_t>, std::string> {
 public:
  void Map(const Pair<std::string, std::int64_t>& city, Emitter& out) {
    out.Emit({city.value}, city.key);
  }
};

std::optional<std::uint64_t> TopOf(const Args& args) {
  const std::string_view text = args.Option("top").value_or("10");
  std::uint64_t top = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), top);
  if (error != std::errc() || end != text.data() + text.size() || top == 0) return std::nullopt;
  return top;
}

class Top : public Reducer<Descending<std::int64_t>, std::string, std::string, std::int64_t> {
 public:
  Status Setup(TaskContext& context) {
    left_ = TopOf(context.args()).value_or(0);
    return OkStatus();
  }

  void Reduce(const View<Descending<std::int64_t>>& sum, Values& cities, Emitter& out) {
    for (std::string_view city; left_ > 0 && cities.Next(&city); --left_) out.Emit(city, sum.value);
  }

 private:
  std::uint64_t left_ = 0;
};

SPILLWAY_PLUGIN("top_cities", "joins customers and orders; the cities with the largest sums",
                "[--top=N]") {
  if (!TopOf(args)) return InvalidArgument("--top takes a whole number above 0");
  return NewChain()
      .Then(
          NewJob()
              .MapInputs<NamedInput<"customers", ReadCustomers>, NamedInput<"orders", ReadOrders>>()
              .GroupBy<GroupByFirst>()
              .Reduce<JoinReducer<Sales>>())
      .Then(NewJob().Map<AsTheyAre>().Fold<Sum<std::int64_t>>())
      .Then(NewJob().Map<BySum>().Reduce<Top>().Reducers(1));
}
