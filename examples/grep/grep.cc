// Grep: the lines that hold a fixed string, in the order of the input. A map-only job: part-00000
// is what the first map task found, and so on.
#include <mapreduce/mapreduce.h>

#include <optional>

using namespace spillway;

class GrepLines : public Mapper<LineChunks, std::string, Nothing> {
 public:
  Status Setup(TaskContext& context) {
    finder_.emplace(context.args()[0]);
    matches_ = context.counter("grep", "matching lines");
    return OkStatus();
  }

  void Map(const Chunk& chunk, Emitter& out) {
    const std::string_view text = chunk.text;
    for (std::size_t at = 0; at < text.size();) {
      at = finder_->Find(text, at);
      if (at == Finder::kNone) return;
      const std::string_view line = LineAt(text, at);
      out.Emit(line);
      matches_.Increment();
      at = static_cast<std::size_t>(line.data() + line.size() - text.data()) + 1;
    }
  }

 private:
  std::optional<Finder> finder_;
  Counter matches_;
};

SPILLWAY_PLUGIN("grep", "prints the lines that hold a fixed string", "PATTERN") {
  if (args.size() != 1) return InvalidArgument("give exactly one PATTERN");
  if (args[0].find('\n') != std::string_view::npos)
    return InvalidArgument("a PATTERN with a newline is in no line");
  return NewJob().Map<GrepLines>().MapOnly();
}
