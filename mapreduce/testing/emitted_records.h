// One class of a job alone: MapText runs a mapper over text, ReduceRecords a reducer or a combiner
// over typed pairs. Both answer with what was emitted, as values of the declared types.
//
//   EXPECT_EQ(MapText<CountWords>("to be").records, Records<CountWords>({{"to", 1}, {"be", 1}}));
//   EXPECT_EQ(ReduceRecords<Longest>({{"a", "x"}, {"a", "yy"}}).records, ...);
//
// One thread.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mapreduce/adapter/map_adapter.h"
#include "mapreduce/adapter/reduce_adapter.h"
#include "mapreduce/job.h"
#include "mapreduce/testing/owned_value.h"
#include "mapreduce/testing/record_order.h"
#include "mapreduce/testing/test_host.h"

namespace spillway {

/// What one class emitted, in its order.
template <class K, class V>
struct EmittedRecords {
  Status status;
  std::vector<std::pair<K, V>> records;
  TestCounters counters;
};

namespace internal {

template <class User>
struct EmittedTypes {
  using Key = typename User::Key;
  using Value = typename User::Value;
};
template <class User>
requires requires { typename User::OutKey; }
struct EmittedTypes<User> {
  using Key = typename User::OutKey;
  using Value = typename User::OutValue;
};

template <class User>
using EmittedBy =
    EmittedRecords<typename EmittedTypes<User>::Key, typename EmittedTypes<User>::Value>;

template <class K, class V>
EmittedRecords<K, V> TakeEmitted(TestHost& host) {
  EmittedRecords<K, V> emitted{host.status(), {}, host.counters()};
  for (const StoredRecord& record : host.collected()) {
    DecodeScratch scratch;
    View<K> key{};
    View<V> value{};
    const spillway_record view = record.view();
    DecodeField<K>(view.key, view.key_bytes, &key, scratch, "key");
    DecodeField<V>(view.value, view.value_bytes, &value, scratch, "value");
    emitted.records.emplace_back(OwnedValue<K>::Own(key), OwnedValue<V>::Own(value));
  }
  return emitted;
}

}  // namespace internal

/// A list of what a mapper, reducer or combiner emits, to compare with.
template <class User>
using Records = std::vector<std::pair<typename internal::EmittedTypes<User>::Key,
                                      typename internal::EmittedTypes<User>::Value>>;

/// Runs mapper M over `input` as one block of the file `path`.
template <class M>
internal::EmittedBy<M> MapText(std::string_view input, const std::string& path = "input",
                               const TestSetup& setup = {}) {
  using Delivery = internal::PairDelivery<typename M::Key, typename M::Value>;
  using Adapter = internal::MapAdapter<M, Delivery>;
  internal::TestHost::Options options;
  options.paths = {path};
  internal::TestHost host(setup, options);
  const std::unique_ptr<void, void (*)(void*)> mapper(Adapter::Create(host.task()),
                                                      &Adapter::Destroy);
  if (mapper != nullptr) {
    const auto bytes = std::make_unique<char[]>(input.size() + SPILLWAY_PADDING_BYTES);
    input.copy(bytes.get(), input.size());
    const spillway_block block = {
        sizeof(spillway_block), 0, bytes.get(), input.size(), 0, path.c_str(), nullptr, 0, 0, 0};
    if (input.empty() || Adapter::Map(mapper.get(), host.task(), &block) == 0)
      Adapter::Finish(mapper.get(), host.task());
  }
  return internal::TakeEmitted<typename M::Key, typename M::Value>(host);
}

/// Runs reducer or combiner R over `records`, which are sorted and grouped first. Group is
/// GroupByFirst or a grouping of your own, as in the job; by default a group is one key.
template <class R, class Group = internal::Unset>
internal::EmittedBy<R> ReduceRecords(
    const std::vector<std::pair<typename R::Key, typename R::Value>>& records,
    const TestSetup& setup = {}) {
  using K = typename R::Key;
  spillway_job job{};
  if constexpr (std::is_same_v<Group, GroupByFirst>) {
    job.group_bytes = &internal::FirstPartBytes<K>;
  } else if constexpr (!std::is_same_v<Group, internal::Unset>) {
    job.same_group = &internal::SameGroupKeys<K, Group>;
  }
  internal::StoredRecords stored;
  for (const auto& [key, value] : records)
    stored.emplace_back(internal::EncodedValue<K>(key),
                        internal::EncodedValue<typename R::Value>(value));
  const internal::RecordOrder order(job);
  order.Sort(&stored);
  const internal::GroupedRecords grouped = order.Group(std::move(stored));
  internal::TestHost host(setup, internal::TestHost::Options());
  host.Serve(grouped);
  internal::RunReducer<R, internal::PairDelivery<typename R::OutKey, typename R::OutValue>>(
      host.task());
  return internal::TakeEmitted<typename R::OutKey, typename R::OutValue>(host);
}

}  // namespace spillway
