// The rows of CSV files, one a line: its fields parted by the unit separator, with newlines in them
// as
// \\n and \\r. `sorted` sorts them over all parts.
#include <mapreduce/mapreduce.h>

using namespace spillway;

class ShowRows : public Mapper<CsvRows, std::string, Nothing> {
 public:
  void Map(const CsvRow& row, Emitter& out) {
    line_.clear();
    for (const std::string_view field : row.fields) {
      for (const char c : field) {
        if (c == '\n' || c == '\r') {
          line_ += c == '\n' ? "\\n" : "\\r";
        } else {
          line_ += c;
        }
      }
      line_ += '\x1f';
    }
    out.Emit(line_);
  }

 private:
  std::string line_;
};

SPILLWAY_PLUGIN("csv_rows", "the rows of CSV files", "[sorted]") {
  if (args.size() == 0) return NewJob().Map<ShowRows>().MapOnly();
  return NewJob().Map<ShowRows>().Partition<RangePartitioner>();
}
