// What is said of a record that no run can hold. Any thread.
#pragma once

#include "mapreduce/base/status.h"
#include "shuffle/record/record.h"

namespace spillway {

/// ResourceExhausted: names the key, both lengths and the limit (kFieldBytesMax).
Status RecordTooLarge(const Record& record);

}  // namespace spillway
