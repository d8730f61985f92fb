#include "runtime/storage/turn_rows.h"

#include <xxhash.h>

#include "mapreduce/base/coding.h"

namespace spillway {
namespace {

void PutNumber(std::string& to, std::uint32_t number) {
  char bytes[kVarint32BytesMax];
  to.append(bytes, static_cast<std::size_t>(PutVarint32(bytes, number) - bytes));
}

}  // namespace

void TurnRows::Append(JobId job, std::string_view record) {
  auto [found, is_new] = last_row_.try_emplace(job, rows_.size());
  if (!is_new) {
    const std::uint64_t bytes = rows_[found->second].records.size();
    if (bytes + record.size() > row_bytes_max_) {
      is_new = true;
      found->second = rows_.size();
    }
  }
  if (is_new) rows_.push_back({job, {}});
  std::string& records = rows_[found->second].records;
  PutNumber(records, position_++);
  PutNumber(records, static_cast<std::uint32_t>(record.size()));
  records.append(record);
}

void TurnRows::Drop(JobId job) {
  if (last_row_.erase(job) == 0) return;
  std::erase_if(rows_, [job](const Row& row) { return row.job == job; });
  for (std::size_t i = 0; i < rows_.size(); ++i) last_row_[rows_[i].job] = i;
}

void TurnRows::Clear() {
  rows_.clear();
  last_row_.clear();
  position_ = 0;
}

Status ParseTurnRow(const TurnRows::Row& row, std::vector<TurnRecord>& records) {
  const char* at = row.records.data();
  const char* const end = at + row.records.size();
  while (at < end) {
    TurnRecord record;
    record.job = row.job;
    std::uint32_t bytes = 0;
    at = GetVarint32(at, end, &record.position);
    if (at != nullptr) at = GetVarint32(at, end, &bytes);
    if (at == nullptr || bytes > static_cast<std::size_t>(end - at))
      return DataLoss("a row of job " + std::to_string(row.job) + " ends inside a record");
    record.record = {at, bytes};
    at += bytes;
    records.push_back(record);
  }
  return OkStatus();
}

std::uint64_t TurnRowChecksum(std::uint64_t turn, JobId job, std::string_view records) {
  char place[16];
  StoreLittle(StoreLittle(place, turn), job);
  return XXH3_64bits_withSeed(place, sizeof place, XXH3_64bits(records.data(), records.size()));
}

}  // namespace spillway
