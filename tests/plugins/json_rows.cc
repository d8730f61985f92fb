// Shows fields of JSON lines as they were understood, or sums them up: json_rows show|sum|bare.
#include <mapreduce/builtin/json_input.h>
#include <mapreduce/mapreduce.h>

using namespace spillway;

/// `offset TAB name TAB count TAB share TAB open`, with - for what is not there.
class Show : public Mapper<JsonLines, std::uint64_t, std::string> {
 public:
  void Map(const JsonLine& line, Emitter& out) {
    std::string text(line.String("name"));
    text += '\t' + (line.Has("count") ? std::to_string(line.Integer("count")) : "-");
    text += '\t' + (line.Has("share") ? std::to_string(line.Number("share")) : "-");
    text += line.Has("open") ? (line.Truth("open") ? "\tyes" : "\tno") : "\t-";
    out.Emit(line.offset(), text);
  }
};

class SumUp : public Mapper<JsonLines, std::string, std::int64_t> {
 public:
  void Map(const JsonLine& line, Emitter& out) {
    out.Emit(line.String("name"), line.Integer("count"));
  }
};

/// Any value.
class Bare : public Mapper<JsonLines, std::string, std::uint64_t> {
 public:
  void Map(const JsonLine& line, Emitter& out) { out.Emit(line.text(), 1); }
};

SPILLWAY_PLUGIN("json_rows", "fields of JSON lines", "show|sum|bare") {
  if (args.size() != 1) return InvalidArgument("say show, sum or bare");
  if (args[0] == "show") return NewJob().Map<Show>().MapOnly();
  if (args[0] == "sum") return NewJob().Map<SumUp>().Fold<Sum<std::int64_t>>();
  return NewJob().Map<Bare>().Fold<Sum<std::uint64_t>>();
}
