// Reads and writes directories named `key=value`.
#include <mapreduce/mapreduce.h>

#include <string>

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

SPILLWAY_PLUGIN("partitions", "counts lines by date and country of their directories", "") {
  return NewJob().Map<CountByDirectory>().Fold<Sum<std::uint64_t>>();
}
