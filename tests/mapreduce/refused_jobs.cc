// Jobs that must not compile, one for each REFUSED_...; CMakeLists.txt compiles each and looks for
// its message. Without any, the file compiles.
#include <mapreduce/mapreduce.h>

using namespace spillway;

class KeyText : public Mapper<TextLines, std::pair<std::string, std::string>, std::string> {
 public:
  void Map(const Line& line, Emitter& out) { out.Emit({line.text, ""}, line.text); }
};

class KeyNumber : public Mapper<TextLines, std::string, std::int64_t> {
 public:
  void Map(const Line& line, Emitter& out) { out.Emit(line.text, 1); }
};

using Key = std::pair<std::string, std::string>;

class First : public Combiner<Key, std::string> {
 public:
  void Reduce(const View<Key>& key, Values& values, Emitter& out) {
    std::string_view value;
    if (values.Next(&value)) out.Emit(key, value);
  }
};

template <class T>
class Add : public Combiner<std::string, T> {
 public:
  void Reduce(std::string_view key, Values<T, std::string>& values, Emitter<std::string, T>& out) {
    T sum = 0;
    for (const T value : values) sum += value;
    out.Emit(key, sum);
  }
};

class Doubles : public Mapper<TextLines, std::string, double> {
 public:
  void Map(const Line& line, Emitter& out) { out.Emit(line.text, 1); }
};

struct Backwards {
  static int Compare(const View<Key>& a, const View<Key>& b) { return b < a ? -1 : a < b; }
};

struct SameSecond {
  static bool Same(const View<Key>& a, const View<Key>& b) { return a.second == b.second; }
};

class ToFirst : public Partitioner<Key> {
 public:
  std::uint32_t Partition(const View<Key>&, std::uint32_t) { return 0; }
};

SPILLWAY_PLUGIN("refused", "does not compile", "") {
  const auto distinct = NewJob().Map<KeyText>().Fold<Distinct<std::string>>();
#if defined(REFUSED_COMBINE_FOLD)
  return NewJob().Map<KeyNumber>().Combine<Add<std::int64_t>>().Fold<Sum<std::int64_t>>();
#elif defined(REFUSED_COMBINE_DISTINCT)
  return distinct.Combine<First>();
#elif defined(REFUSED_SORT_DISTINCT)
  return distinct.SortBy<Backwards>().Partition<HashPartitioner>();
#elif defined(REFUSED_GROUP_DISTINCT)
  return distinct.GroupBy<SameSecond>();
#elif defined(REFUSED_GROUP_FIRST_DISTINCT)
  return distinct.GroupBy<GroupByFirst>();
#elif defined(REFUSED_PARTITION_DISTINCT)
  return distinct.Partition<ToFirst>();
#else
  if (args.size() == 1) return distinct.Partition<HashPartitioner>();
  if (args.size() == 2) return distinct.Partition<RangePartitioner>();
  if (args.size() == 3) return NewJob().Map<Doubles>().Combine<Add<double>>().Fold<Sum<double>>();
  return distinct;
#endif
}
