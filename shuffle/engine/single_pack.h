// A record on its way to a run as a pack of its one value. One thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "shuffle/format/segment_writer.h"
#include "shuffle/record/packed_values.h"

namespace spillway {

inline Status WriteSinglePack(std::uint32_t partition, const Record& record,
                              SegmentWriter& writer) {
  char length[kVarint32BytesMax];
  const char* const length_end = PutVarint32(length, record.value_bytes);
  const std::string_view pieces[] = {{length, static_cast<std::size_t>(length_end - length)},
                                     ValueOf(record)};
  return writer.Add(partition, KeyOf(record), pieces);
}

}  // namespace spillway
