// SortedLines: lines of records (docs/formats/lines.md), sorted by their bytes, as the groups that
// a reducer or a combiner reads. They are decoded where they were read. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"
#include "runtime/filter/input_pipe.h"
#include "runtime/filter/record_lines.h"
#include "shuffle/record/group_stream.h"
#include "shuffle/record/key_order.h"

namespace spillway {

class SortedLines : public GroupStream {
 public:
  /// `input` outlives the stream.
  SortedLines(LineLead lead, const KeyOrder& order, InputPipe& input)
      : lead_(lead), order_(order), input_(input) {}

  /// BadData, with the number of the line, for one that is no record of the job, and for one whose
  /// key comes before the one above.
  Result<GroupBatch> Next() override;

 private:
  static constexpr std::size_t kBatchRecords = 512;

  /// What tells records apart: the partition, where lines have one, and the key.
  struct Place {
    std::string_view partition, key;
  };

  /// The next line without its newline; false at the end.
  Result<bool> NextLine(char** line, std::uint64_t* bytes);
  Status AddRecord(char* line, std::uint64_t bytes);
  Status Bad(const std::string& what) const;

  const LineLead lead_;
  const KeyOrder order_;
  InputPipe& input_;
  std::vector<Record> records_;
  std::vector<std::uint32_t> groups_;
  std::uint64_t taken_bytes_ = 0;  ///< Of the input, by the last batch.
  std::uint64_t lines_ = 0;
  Place last_;
  std::string last_partition_, last_key_;  ///< last_ beyond its batch.
};

}  // namespace spillway
