#include "runtime/filter/folded_lines.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/base/units.h"

namespace spillway {
namespace {

constexpr std::size_t kBatchRecords = 256;

}  // namespace

FoldedLines::FoldedLines(const FoldOptions& fold, Buffer memory, RecordLines& out)
    : memory_(std::move(memory)), table_(fold, {memory_.data(), memory_.size()}), out_(out) {}

Result<std::unique_ptr<FoldedLines>> FoldedLines::Create(const spillway_job& job,
                                                         std::uint64_t table_bytes,
                                                         MemoryBudget& budget, RecordLines& out) {
  SPILLWAY_ASSIGN_OR_RETURN(Buffer memory, Buffer::Allocate(budget, table_bytes));
  FoldOptions fold{job.fold_kind, job.state_bytes, nullptr};
  if (fold.kind == SPILLWAY_FOLD_CUSTOM) fold.combine = job.fold_combine;
  return std::unique_ptr<FoldedLines>(new FoldedLines(fold, std::move(memory), out));
}

Status FoldedLines::Collect(std::span<const Record> records) {
  while (!records.empty()) {
    const bool foldable = table_.StatesFit() && table_.Fits(records.front());
    if (!foldable) {
      SPILLWAY_RETURN_IF_ERROR(WriteAlone(records.front()));
      records = records.subspan(1);
      continue;
    }
    records = records.subspan(table_.Fold(records));
    if (!records.empty() && table_.size() > 0 && table_.Fits(records.front()))
      SPILLWAY_RETURN_IF_ERROR(WriteTable());
  }
  return OkStatus();
}

Status FoldedLines::WriteAlone(const Record& record) {
  Record written = record;
  written.value = StateData(record, table_.state_bytes());
  written.value_bytes = table_.state_bytes();
  return out_.Write({&written, 1});
}

Status FoldedLines::WriteTable() {
  Record records[kBatchRecords];
  std::size_t count = 0;
  const std::span<FoldSlot> slots = table_.Compact();
  for (const FoldSlot& slot : slots) {
    records[count++] = {slot.key_data(), slot.state_data(table_.state_bytes()), slot.key_bytes(),
                        table_.state_bytes()};
    if (count < kBatchRecords) continue;
    SPILLWAY_RETURN_IF_ERROR(out_.Write({records, count}));
    count = 0;
  }
  SPILLWAY_RETURN_IF_ERROR(out_.Write({records, count}));
  table_.Clear();
  return OkStatus();
}

Status FoldedLines::Finish() { return WriteTable(); }

Status FoldSortedStates(const spillway_job& job, GroupStream& sorted, RecordLines& out) {
  if (job.fold_combine == nullptr)
    return InvalidArgument(
        "the plugin's fold has no function that combines two states; build it "
        "with these headers");
  // States lie aligned, as the plugin keeps them; lines do not.
  std::vector<std::uint64_t> state(job.state_bytes / 8), next(job.state_bytes / 8);
  std::string key;
  bool is_begun = false;
  const auto write = [&] {
    const Record record =
        MakeRecord(key, {reinterpret_cast<const char*>(state.data()), job.state_bytes});
    return is_begun ? out.Write({&record, 1}) : OkStatus();
  };
  while (true) {
    SPILLWAY_ASSIGN_OR_RETURN(const GroupBatch batch, sorted.Next());
    if (batch.records.empty()) return write();
    for (const Record& record : batch.records) {
      if (record.value_bytes != job.state_bytes)
        return BadData("the state of key '" + EscapeForLog(KeyOf(record)) + "' has " +
                       std::to_string(record.value_bytes) + " of " +
                       std::to_string(job.state_bytes) +
                       " bytes; was it made by another version of the plugin?");
      if (is_begun && KeyOf(record) == key) {
        std::memcpy(next.data(), record.value, job.state_bytes);
        void* const into = state.data();
        const void* const from = next.data();
        job.fold_combine(&into, &from, 1);
        continue;
      }
      SPILLWAY_RETURN_IF_ERROR(write());
      key.assign(KeyOf(record));
      std::memcpy(state.data(), record.value, job.state_bytes);
      is_begun = true;
    }
  }
}

}  // namespace spillway
