#include "runtime/filter/sorted_lines.h"

#include <cstring>

#include "mapreduce/base/units.h"
#include "runtime/filter/ordered_text.h"

namespace spillway {
namespace {

/// Where the TAB is, or null.
char* FindTab(char* from, char* end) {
  return static_cast<char*>(std::memchr(from, '\t', static_cast<std::size_t>(end - from)));
}

}  // namespace

Status SortedLines::Bad(const std::string& what) const {
  return BadData(input_.name() + ", line " + std::to_string(lines_) + ": " + what);
}

Result<bool> SortedLines::NextLine(char** line, std::uint64_t* bytes) {
  for (std::uint64_t seen = 0;;) {
    *line = input_.data() + taken_bytes_;
    const std::uint64_t there = input_.size() - taken_bytes_;
    const void* newline = there == seen ? nullptr : std::memchr(*line + seen, '\n', there - seen);
    if (newline != nullptr) {
      *bytes = static_cast<std::uint64_t>(static_cast<const char*>(newline) - *line);
      taken_bytes_ += *bytes + 1;
      return true;
    }
    // What is here of a batch comes first: reading on would move it.
    if (!records_.empty()) return false;
    if (input_.at_end()) {
      *bytes = there;
      taken_bytes_ += there;
      return there > 0;
    }
    seen = there;
    SPILLWAY_RETURN_IF_ERROR(input_.ReadMore());
  }
}

Status SortedLines::AddRecord(char* line, std::uint64_t bytes) {
  char* const end = line + bytes;
  char* fields[3] = {line};
  std::uint32_t found = 1;
  for (char* tab = line; found <= KeyFieldsOf(lead_); ++found) {
    tab = FindTab(tab, end);
    if (tab == nullptr) break;
    fields[found] = ++tab;
  }
  if (found <= KeyFieldsOf(lead_))
    return Bad("it has " + std::to_string(found) + " fields and not " +
               std::to_string(KeyFieldsOf(lead_) + 1) +
               "; give the lines that exec-plugin --map of this job wrote");
  Place place;
  char* key = line;
  if (lead_ == LineLead::kPartition) {
    key = fields[1];
    place.partition = {line, static_cast<std::size_t>(key - line - 1)};
  }
  char* key_end = key;
  for (std::uint32_t i = lead_ == LineLead::kPartition ? 1 : 0; i + 1 < found && key_end != nullptr;
       ++i)
    key_end = GetOrderedText({fields[i], static_cast<std::size_t>(fields[i + 1] - fields[i] - 1)},
                             key_end);
  char* const value = fields[found - 1];
  char* const value_end =
      key_end == nullptr ? nullptr
                         : GetOrderedText({value, static_cast<std::size_t>(end - value)}, value);
  if (value_end == nullptr)
    return Bad("a byte of it is none that exec-plugin writes; was it changed on its way?");
  place.key = {key, static_cast<std::size_t>(key_end - key)};
  const bool first = lines_ == 1;
  const int order = first ? 1
                    : place.partition != last_.partition
                        ? CompareBytes(place.partition, last_.partition)
                        : CompareBytes(place.key, last_.key);
  if (order < 0)
    return Bad(
        "its key comes before that of the line above; sort the lines by their bytes, as "
        "LC_ALL=C sort does");
  if (first || place.partition != last_.partition || !order_.SameGroup(last_.key, place.key))
    groups_.push_back(static_cast<std::uint32_t>(records_.size()));
  last_ = place;
  records_.push_back(MakeRecord(place.key, {value, static_cast<std::size_t>(value_end - value)}));
  return OkStatus();
}

Result<GroupBatch> SortedLines::Next() {
  // The batch before is done with: its bytes may go, but for what the next one is compared with.
  last_partition_.assign(last_.partition);
  last_key_.assign(last_.key);
  last_ = {last_partition_, last_key_};
  input_.Consume(taken_bytes_);
  taken_bytes_ = 0;
  records_.clear();
  groups_.clear();
  while (records_.size() < kBatchRecords) {
    char* line = nullptr;
    std::uint64_t bytes = 0;
    SPILLWAY_ASSIGN_OR_RETURN(const bool more, NextLine(&line, &bytes));
    if (!more) break;
    ++lines_;
    SPILLWAY_RETURN_IF_ERROR(AddRecord(line, bytes));
  }
  return GroupBatch{records_, groups_};
}

}  // namespace spillway
