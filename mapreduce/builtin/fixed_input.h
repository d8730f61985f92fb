// FixedRecords<N>: a file of binary records of N bytes each. A file whose size is not a multiple
// of N is bad data and fails the job.
#pragma once

#include "mapreduce/input_format.h"

namespace spillway {

struct FixedRecord {
  std::string_view bytes;
  std::uint64_t offset;      ///< Of its first byte in the file.
  std::uint32_t file_index;  ///< See TaskContext::input_path.
};

template <std::size_t kRecordBytes>
struct FixedRecords {
  using Record = FixedRecord;
  static constexpr const char* kName = "FixedRecords";
  static Framing framing() { return Framing::Fixed(kRecordBytes); }

  template <class Each>
  static void ForEach(const InputBlock& block, Each&& each) {
    for (std::size_t at = 0; at < block.bytes.size(); at += kRecordBytes)
      each(FixedRecord{block.bytes.substr(at, kRecordBytes), block.file_offset + at,
                       block.file_index},
           block.bytes.data() + at);
  }
};

}  // namespace spillway
