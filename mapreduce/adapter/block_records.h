// The records of a block, as a mapper and a loop walk them: the host is told which one it is at,
// and those that it wants skipped are passed over. Inlined into the user's loop.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mapreduce/abi.h"
#include "mapreduce/input_format.h"

namespace spillway::internal {

/// Calls use(record) and counts task->records_in. task->current_record stays at the last record, so
/// that what fails right after it is blamed on it; the caller clears it.
template <class Input, class Use>
void ForEachRecord(spillway_task* task, const spillway_block& block, Use&& use) {
  const InputBlock input{
      {block.data, block.bytes}, block.file_offset, block.file_index, block.path};
  std::size_t skips = 0;
  std::uint64_t records = 0;
  Input::ForEach(input, [&](const typename Input::Record& record, const char* at) {
    task->current_record = at;
    ++records;
    if (skips < block.skip_count && at == block.skips[skips]) [[unlikely]] {
      ++skips;
      return;
    }
    if constexpr (requires { Input::Check(record); }) Input::Check(record);
    use(record);
  });
  task->records_in += records;
}

}  // namespace spillway::internal
