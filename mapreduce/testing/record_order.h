// RecordOrder: how a job sorts, groups, folds and partitions its records, by its description. Plain
// where the engine is fast; the results are the same. One thread.
#pragma once

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"
#include "mapreduce/testing/test_host.h"

namespace spillway::internal {

class RecordOrder {
 public:
  explicit RecordOrder(const spillway_job& job) : job_(job) {}

  int Compare(std::string_view a, std::string_view b) const {
    if (job_.compare == nullptr) return a.compare(b);
    return job_.compare(a.data(), Bytes(a), b.data(), Bytes(b));
  }

  /// Whether neighbours of the sorted order share one Reduce call.
  bool SameGroup(std::string_view a, std::string_view b) const {
    if (job_.same_group != nullptr)
      return job_.same_group(a.data(), Bytes(a), b.data(), Bytes(b)) != 0;
    if (job_.group_bytes != nullptr) return GroupName(a) == GroupName(b);
    return Compare(a, b) == 0;
  }

  /// Stably, so that records of one key stay in the order of their arrival.
  void Sort(StoredRecords* records) const {
    std::stable_sort(records->begin(), records->end(),
                     [this](const StoredRecord& a, const StoredRecord& b) {
                       return Compare(a.key(), b.key()) < 0;
                     });
  }

  /// Cuts sorted records into groups.
  GroupedRecords Group(StoredRecords sorted) const {
    GroupedRecords grouped{std::move(sorted), {}};
    for (std::size_t i = 0; i < grouped.records.size(); ++i)
      if (i == 0 || !SameGroup(grouped.records[i - 1].key(), grouped.records[i].key()))
        grouped.starts.push_back(i);
    return grouped;
  }

  /// Folds sorted records with equal keys into one each.
  StoredRecords Fold(StoredRecords sorted) const {
    StoredRecords folded;
    for (StoredRecord& record : sorted) {
      if (folded.empty() || Compare(folded.back().key(), record.key()) != 0) {
        folded.push_back(std::move(record));
        continue;
      }
      // Aligned as the engine's tables are; a record's bytes are not.
      std::vector<std::uint64_t> state(job_.state_bytes / 8), value(job_.state_bytes / 8);
      std::memcpy(state.data(), folded.back().value_data(), job_.state_bytes);
      std::memcpy(value.data(), record.value_data(), job_.state_bytes);
      void* const into = state.data();
      const void* const from = value.data();
      job_.fold_combine(&into, &from, 1);
      std::memcpy(folded.back().value_data(), state.data(), job_.state_bytes);
    }
    return folded;
  }

  /// The partition of each record. The job's own partitioner answers to `host`.
  Result<std::vector<std::uint32_t>> Partition(const StoredRecords& records,
                                               std::uint32_t partitions, TestHost& host,
                                               const StoredRecords& cuts) const {
    std::vector<std::uint32_t> places(records.size(), 0);
    if (job_.partition_kind == SPILLWAY_PARTITION_CUSTOM) {
      std::vector<spillway_record> views;
      for (const StoredRecord& record : records) views.push_back(record.view());
      if (job_.partition(host.task(), views.data(), views.size(), partitions, places.data()) != 0)
        return host.status();
      for (const std::uint32_t place : places)
        if (place >= partitions)
          return InvalidArgument("the partitioner chose " + std::to_string(place) + " of " +
                                 std::to_string(partitions) + " partitions");
      return places;
    }
    for (std::size_t i = 0; i < records.size(); ++i) {
      const std::string_view key = records[i].key();
      if (job_.partition_kind == SPILLWAY_PARTITION_RANGE) {
        for (const StoredRecord& cut : cuts) places[i] += GroupName(cut.key()) <= GroupName(key);
      } else {
        places[i] = Hash(GroupName(key)) % partitions;
      }
    }
    return places;
  }

  /// The records at which ranges of about equal size begin, one fewer than partitions.
  StoredRecords RangeCuts(StoredRecords all, std::uint32_t partitions) const {
    Sort(&all);
    StoredRecords cuts;
    for (std::size_t i = 1; i < partitions && !all.empty(); ++i)
      cuts.push_back(all[all.size() * i / partitions]);
    return cuts;
  }

 private:
  static std::uint32_t Bytes(std::string_view key) {
    return static_cast<std::uint32_t>(key.size());
  }

  std::string_view GroupName(std::string_view key) const {
    if (job_.group_bytes == nullptr) return key;
    return key.substr(0, job_.group_bytes(key.data(), Bytes(key)));
  }

  /// FNV-1a. The engine's is another one: which part a key goes to is no promise of either.
  static std::uint32_t Hash(std::string_view bytes) {
    std::uint32_t hash = 2166136261u;
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    return hash;
  }

  const spillway_job& job_;
};

}  // namespace spillway::internal
