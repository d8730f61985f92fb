// Two inputs by name with formats of their own, `rows` (CSV) and `lines`: what each line of the
// output came from. With "late", the mapper of `lines` cannot be set up.
#include <mapreduce/mapreduce.h>

using namespace spillway;

class ReadRows : public Mapper<CsvRows, std::string, std::string> {
 public:
  Status Setup(TaskContext& context) {
    made_ = context.counter("mappers", "rows");
    made_.Increment();
    return OkStatus();
  }
  void Map(const CsvRow& row, Emitter& out) {
    if (row.fields.size() != 2) throw BadRecord("not two fields");
    out.Emit(row.fields[0], "row " + std::string(row.fields[1]));
  }
  void Teardown(Emitter& out) { out.Emit("~", "end of rows"); }

 private:
  Counter made_;
};

class ReadLines : public Mapper<TextLines, std::string, std::string> {
 public:
  Status Setup(TaskContext& context) {
    if (context.args().size() > 0) return InvalidArgument("it is late");
    context.counter("mappers", "lines").Increment();
    return OkStatus();
  }
  void Map(const Line& line, Emitter& out) {
    if (line.text == "BOOM") throw std::runtime_error("a line went off");
    out.Emit(line.text, "line");
  }
};

SPILLWAY_PLUGIN("named_inputs", "two inputs with formats of their own", "[late]") {
  return NewJob().MapInputs<NamedInput<"rows", ReadRows>, NamedInput<"lines", ReadLines>>();
}
