// A job with everything of its own: key type, partitioner, combiner, grouping, counters, side file
// and output format. Input lines `city TAB year TAB degrees`; output per (city, year), newest year
// first: the number of readings and their maximum.
#include <mapreduce/mapreduce.h>

#include <charconv>
#include <fstream>
#include <set>

using namespace spillway;

struct CityYear {
  std::string city;
  Descending<std::int32_t> year;
};

template <>
struct spillway::Codec<CityYear>
    : spillway::internal::TupleCodec<std::pair<std::string_view, View<Descending<std::int32_t>>>,
                                     std::string, Descending<std::int32_t>> {};

struct Reading {
  std::uint32_t count = 0;
  double maximum = 0;
  SPILLWAY_FIELDS(count, maximum)
};

class ParseReading : public Mapper<TextLines, CityYear, Reading> {
 public:
  Status Setup(TaskContext& context) {
    ignored_lines_ = context.counter("typed", "ignored");
    const auto path = context.side_file("ignore");
    if (!path.ok()) return OkStatus();
    std::ifstream file(*path);
    for (std::string city; std::getline(file, city);) ignore_.insert(city);
    return OkStatus();
  }

  void Map(const Line& line, Emitter& out) {
    const std::size_t first = line.text.find('\t');
    const std::size_t second = line.text.find('\t', first + 1);
    if (second == std::string_view::npos) throw BadRecord("fewer than three fields");
    const std::string_view city = line.text.substr(0, first);
    if (ignore_.contains(city)) {
      ignored_lines_.Increment();
      return;
    }
    std::int32_t year = 0;
    std::from_chars(line.text.data() + first + 1, line.text.data() + second, year);
    double degrees = 0;
    std::from_chars(line.text.data() + second + 1, line.text.data() + line.text.size(), degrees);
    out.Emit({city, {year}}, {1, degrees});
  }

 private:
  std::set<std::string, std::less<>> ignore_;
  Counter ignored_lines_;
};

class MergeReadings : public Combiner<CityYear, Reading> {
 public:
  Status Setup(TaskContext& context) {
    groups_ = context.counter("typed", "groups");
    return OkStatus();
  }
  void Reduce(const View<CityYear>& key, Values& values, Emitter& out) {
    groups_.Increment();
    Reading all{0, -1e300};
    for (const Reading& reading : values) {
      all.count += reading.count;
      all.maximum = std::max(all.maximum, reading.maximum);
    }
    out.Emit(key, all);
  }

 private:
  Counter groups_;
};

class ByCity : public Partitioner<CityYear> {
 public:
  std::uint32_t Partition(const View<CityYear>& key, std::uint32_t partitions) {
    std::uint32_t sum = 0;
    for (const char c : key.first) sum = sum * 31 + static_cast<unsigned char>(c);
    return sum % partitions;
  }
};

class CsvOutput {
 public:
  static constexpr const char* kName = "CsvOutput";
  void Begin(OutputBuffer& out) { out.Append("city,year,count,maximum\n"); }
  void Write(const View<CityYear>& key, const Reading& reading, OutputBuffer& out) {
    out.Append(key.first);
    out.Append(',');
    out.AppendNumber(key.second.value);
    out.Append(',');
    out.AppendNumber(reading.count);
    out.Append(',');
    out.AppendNumber(reading.maximum);
    out.Append('\n');
  }
  void End(OutputBuffer& out) { out.Append("end\n"); }
};

SPILLWAY_PLUGIN("typed", "maximum per city and year", "") {
  return NewJob()
      .Map<ParseReading>()
      .Combine<MergeReadings>()
      .Partition<ByCity>()
      .Reduce<MergeReadings>()
      .Write<CsvOutput>();
}
