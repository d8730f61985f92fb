// Reads and writes directories named `key=value`.
#include <mapreduce/mapreduce.h>

#include <charconv>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

using namespace spillway;

/// The lines of each date and country, which are in the files' paths alone.
class CountByDirectory : public Mapper<TextLines, std::string, std::uint64_t> {
 public:
  Status Setup(TaskContext& context) {
    date_ = PartitionColumn(context, "date");
    country_ = PartitionColumn(context, "country");
    return OkStatus();
  }
  void Map(const Line& line, Emitter& out) {
    key_.assign(date_.Of(line.file_index));
    key_ += ' ';
    key_ += country_.Of(line.file_index);
    out.Emit(key_, 1);
  }

 private:
  PartitionColumn date_, country_;
  std::string key_;
};

/// Lines `date TAB country TAB number`. `--slow=MS`: for each line.
using DayAndCountry = std::pair<std::string, std::string>;

class Sales : public Mapper<TextLines, DayAndCountry, std::uint64_t> {
 public:
  Status Setup(TaskContext& context) {
    if (const auto slow = context.args().Option("slow"))
      std::from_chars(slow->data(), slow->data() + slow->size(), slow_ms_);
    return OkStatus();
  }
  void Map(const Line& line, Emitter& out) {
    if (slow_ms_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(slow_ms_));
    const std::size_t first = line.text.find('\t');
    const std::size_t second = line.text.find('\t', first + 1);
    if (second == std::string_view::npos) throw BadRecord("no sale");
    std::uint64_t number = 0;
    std::from_chars(line.text.data() + second + 1, line.text.data() + line.text.size(), number);
    out.Emit({line.text.substr(0, first), line.text.substr(first + 1, second - first - 1)}, number);
  }

 private:
  int slow_ms_ = 0;
};

struct ByDayAndCountry {
  void operator()(const std::pair<std::string_view, std::string_view>& key, std::uint64_t,
                  OutputPath& to) const {
    to.Add("date", key.first).Add("country", key.second);
  }
};

struct ByNumber {
  void operator()(const std::pair<std::string_view, std::string_view>&, std::uint64_t number,
                  OutputPath& to) const {
    to.Add("number", number);
  }
};

struct Nowhere {
  void operator()(const std::pair<std::string_view, std::string_view>&, std::uint64_t,
                  OutputPath&) const {}
};

SPILLWAY_PLUGIN("partitions", "reads and writes directories", "[write|scatter|nowhere]") {
  using Total = Sum<std::uint64_t>;
  const std::string_view kind = args.size() > 0 ? args[0] : "";
  if (kind == "write")
    return NewJob().Map<Sales>().Fold<Total>().Write<PartitionedBy<ByDayAndCountry>>();
  if (kind == "scatter") return NewJob().Map<Sales>().MapOnly().Write<PartitionedBy<ByNumber>>();
  if (kind == "nowhere") return NewJob().Map<Sales>().Fold<Total>().Write<PartitionedBy<Nowhere>>();
  return NewJob().Map<CountByDirectory>().Fold<Total>();
}
