#include "runtime/task/user_failure.h"

#include <string>

#include "mapreduce/base/units.h"
#include "runtime/archive/archive_kind.h"

namespace spillway {

Status AtRecord(const Status& status, const spillway_task& task, const spillway_block& block,
                bool in_split, std::optional<RecordPlace>* place) {
  if (status.code() != Code::kUserCode && status.code() != Code::kBadData) return status;
  const char* const at = task.current_record;
  if (at < block.data || at >= block.data + block.bytes) return status;
  const auto in_block = static_cast<std::uint64_t>(at - block.data);
  *place = RecordPlace{block.file_index, block.file_offset + in_block};
  std::string_view record(at, block.bytes - in_block);
  record = record.substr(0, record.find('\n'));
  return Status(status.code(), status.message() + " at " +
                                   RecordPlaceText(block.path, (*place)->offset, in_split) +
                                   ", record '" + EscapeForLog(record) + "'");
}

Status AtKey(const Status& status, const spillway_task& task, const GroupBatch& batch) {
  if (status.code() != Code::kUserCode) return status;
  for (const Record& record : batch.records)
    if (record.key == task.current_record)
      return Status(status.code(),
                    status.message() + " at key '" + EscapeForLog(KeyOf(record)) + "'");
  return status;
}

}  // namespace spillway
