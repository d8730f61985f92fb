// TeraSort: 100-byte records in the order of their first 10 bytes, over all parts: every key of
// part-00000 comes before those of part-00001. tera_generate makes the input, tera_validate
// checks the output.
#include <mapreduce/mapreduce.h>

using namespace spillway;

constexpr std::size_t kKeyBytes = 10;
constexpr std::size_t kRecordBytes = 100;

class SplitKey : public Mapper<FixedRecords<kRecordBytes>, std::string, std::string> {
 public:
  void Map(const FixedRecord& record, Emitter& out) {
    out.Emit(record.bytes.substr(0, kKeyBytes), record.bytes.substr(kKeyBytes));
  }
};

SPILLWAY_PLUGIN("tera_sort", "sorts 100-byte records by their first 10 bytes", "") {
  return NewJob().Map<SplitKey>().Partition<RangePartitioner>().Write<RawOutput>();
}
