// Orders of our own, chosen by the argument. Input: lines of text, seen as words parted by commas.
#include <mapreduce/mapreduce.h>

#include <algorithm>
#include <cctype>

using namespace spillway;

namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

}  // namespace

class Lines : public Mapper<TextLines, std::string, std::uint64_t> {
 public:
  void Map(const Line& line, Emitter& out) { out.Emit(line.text, line.offset); }
};

class DescendingLines : public Mapper<TextLines, Descending<std::string>, Nothing> {
 public:
  void Map(const Line& line, Emitter& out) { out.Emit({line.text}); }
};

struct CaseBlind {
  static int Compare(std::string_view a, std::string_view b) { return Lower(a).compare(Lower(b)); }
};

struct SameInitial {
  static bool Same(std::string_view a, std::string_view b) { return Lower(a)[0] == Lower(b)[0]; }
};

template <bool kInitialOnly>
class LowerHash : public Partitioner<std::string> {
 public:
  std::uint32_t Partition(std::string_view key, std::uint32_t partitions) {
    const std::string lower = Lower(kInitialOnly ? key.substr(0, 1) : key);
    return static_cast<std::uint32_t>(std::hash<std::string>{}(lower) % partitions);
  }
};

/// The first spelling of a group, and the offsets of its lines in the order of arrival.
class Spellings : public Reducer<std::string, std::uint64_t, std::string, std::string> {
 public:
  void Reduce(std::string_view key, Values& values, Emitter& out) {
    std::string offsets;
    for (const std::uint64_t offset : values)
      offsets += (offsets.empty() ? "" : ",") + std::to_string(offset);
    out.Emit(key, offsets);
  }
};

SPILLWAY_PLUGIN("orders", "sorts and groups lines in an order of its own", "ORDER") {
  if (args.size() != 1) return InvalidArgument("say which ORDER");
  const auto lines = NewJob().Map<Lines>();
  if (args[0] == "case-blind")
    return lines.SortBy<CaseBlind>().Partition<LowerHash<false>>().Reduce<Spellings>();
  if (args[0] == "initials")
    return lines.SortBy<CaseBlind>()
        .GroupBy<SameInitial>()
        .Partition<LowerHash<true>>()
        .Reduce<Spellings>();
  if (args[0] == "descending") return NewJob().Map<DescendingLines>().Partition<RangePartitioner>();
  return InvalidArgument("unknown ORDER");
}
