// TurnRows: the records of one turn of the coordinator's loop as rows of the journal, one for each
// job, and back. docs/formats/journal.md is the format. Pure; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/core/attempt_id.h"

namespace spillway {

class TurnRows {
 public:
  struct Row {
    JobId job = 0;
    std::string records;
  };

  /// `row_bytes_max`: then another row of the job is begun.
  explicit TurnRows(std::uint64_t row_bytes_max) : row_bytes_max_(row_bytes_max) {}

  void Append(JobId job, std::string_view record);
  /// Forgets the job's records.
  void Drop(JobId job);
  void Clear();

  bool empty() const { return rows_.empty(); }
  const std::vector<Row>& rows() const { return rows_; }

 private:
  const std::uint64_t row_bytes_max_;
  std::vector<Row> rows_;
  std::map<JobId, std::size_t> last_row_;  // Of each job: its index in rows_.
  std::uint32_t position_ = 0;
};

struct TurnRecord {
  std::uint32_t position = 0;
  JobId job = 0;
  std::string_view record;
};

/// Appends the row's records; views into it. DataLoss: it ends inside a record.
Status ParseTurnRow(const TurnRows::Row& row, std::vector<TurnRecord>& records);

/// What is stored beside a row.
std::uint64_t TurnRowChecksum(std::uint64_t turn, JobId job, std::string_view records);

}  // namespace spillway
