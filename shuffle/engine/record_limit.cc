#include "shuffle/engine/record_limit.h"

#include <algorithm>

#include "mapreduce/base/units.h"

namespace spillway {

Status RecordTooLarge(const Record& record) {
  constexpr std::uint32_t kShownBytes = 64;
  const std::string_view shown(record.key, std::min(record.key_bytes, kShownBytes));
  return ResourceExhausted("the record with key \"" + EscapeForLog(shown) + "\" has a key of " +
                           FormatBytes(record.key_bytes) + " and a value of " +
                           FormatBytes(record.value_bytes) + "; neither may exceed " +
                           FormatBytes(kFieldBytesMax) + ": emit it in parts");
}

}  // namespace spillway
