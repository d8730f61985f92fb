// Joins two sets of lines `key TAB rest`: lines `key TAB left rest TAB right rest` for each pair of
// lines with one key. Three ways to the same lines, for three kinds of input:
//
//   -i left=PATH -i right=PATH [--kind=inner|left|right|full]
//                                             both sides through the shuffle, whatever they are
//   --how=broadcast, with --file right=PATH   a right side that fits into memory; no shuffle
//   --how=merge --right=DIR                   two outputs of jobs, sorted and cut alike
//
// With `left`, `right` and `full`, lines without a partner are kept, with nothing on the other
// side.
#include <mapreduce/mapreduce.h>

#include <optional>

using namespace spillway;

using Both = std::pair<std::string, std::string>;

std::optional<JoinKind> KindOf(const Args& args) {
  const std::string_view kind = args.Option("kind").value_or("inner");
  if (kind == "inner") return JoinKind::kInner;
  if (kind == "left") return JoinKind::kLeftOuter;
  if (kind == "right") return JoinKind::kRightOuter;
  if (kind == "full") return JoinKind::kFullOuter;
  return std::nullopt;
}

class JoinLines : public Join<std::string, std::string, std::string, std::string, Both> {
 public:
  Status Setup(TaskContext& context) {
    kind_ = KindOf(context.args()).value_or(JoinKind::kInner);
    return OkStatus();
  }
  JoinKind kind() const { return kind_; }

  void OnMatch(std::string_view key, const std::string_view* left, const std::string_view* right,
               Emitter& out) {
    out.Emit(key, {left == nullptr ? "" : *left, right == nullptr ? "" : *right});
  }

 private:
  JoinKind kind_ = JoinKind::kInner;
};

class ReadLeft : public JoinMapper<TextLines, JoinLines> {
 public:
  void Map(const Line& line, Emitter& out) {
    EmitLeft(KeyOfLine(line.text), RestOfLine(line.text), out);
  }
};

class ReadRight : public JoinMapper<TextLines, JoinLines> {
 public:
  void Map(const Line& line, Emitter& out) {
    EmitRight(KeyOfLine(line.text), RestOfLine(line.text), out);
  }
};

class LookUp : public Mapper<TextLines, std::string, Both> {
 public:
  Status Setup(TaskContext& context) {
    return right_.Load(context, "right", [](std::string_view line) {
      return std::pair(std::string(KeyOfLine(line)), std::string(RestOfLine(line)));
    });
  }

  void Map(const Line& line, Emitter& out) {
    const std::string_view key = KeyOfLine(line.text);
    for (const std::string& row : right_.Rows(key)) out.Emit(key, {RestOfLine(line.text), row});
  }

 private:
  BroadcastTable<std::string, std::string> right_;
};

class ReadAlong : public Mapper<TextLines, std::string, Both> {
 public:
  Status Setup(TaskContext& context) { return right_.Setup(context); }

  void Map(const Line& line, Emitter& out) {
    for (const std::string& row : right_.RowsOf(line))
      out.Emit(KeyOfLine(line.text), {RestOfLine(line.text), row});
  }

 private:
  MergeSide right_;
};

SPILLWAY_PLUGIN("join", "joins two sets of lines `key TAB rest`",
                "[--kind=inner|left|right|full] | --how=broadcast | --how=merge --right=DIR") {
  const std::string_view how = args.Option("how").value_or("shuffle");
  if (!KindOf(args)) return InvalidArgument("--kind is one of inner, left, right, full");
  if (how == "shuffle")
    return NewJob()
        .MapInputs<NamedInput<"left", ReadLeft>, NamedInput<"right", ReadRight>>()
        .GroupBy<GroupByFirst>()
        .Reduce<JoinReducer<JoinLines>>();
  if (args.Option("kind")) return InvalidArgument("--kind is for joins through the shuffle");
  if (how == "broadcast") return NewJob().Map<LookUp>().MapOnly();
  if (how == "merge" && args.Option("right")) return NewJob().Map<ReadAlong>().MapOnly();
  return InvalidArgument("--how is one of shuffle, broadcast and merge (with --right=DIR)");
}
