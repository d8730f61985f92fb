#include "runtime/protocol/wire_values.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace spillway {

namespace {

wire::TaskKind ToWire(TaskKind kind) {
  switch (kind) {
    case TaskKind::kMap: return wire::MAP;
    case TaskKind::kReduce: return wire::REDUCE;
    case TaskKind::kCombine: return wire::COMBINE;
  }
  return wire::MAP;
}

/// A kind of a newer version is none that an attempt here has.
TaskKind FromWire(wire::TaskKind kind) {
  if (kind == wire::MAP) return TaskKind::kMap;
  return kind == wire::COMBINE ? TaskKind::kCombine : TaskKind::kReduce;
}

}  // namespace

wire::AttemptId ToWire(const AttemptId& id) {
  wire::AttemptId result;
  result.set_job(id.job);
  result.set_kind(ToWire(id.kind));
  result.set_task(id.task);
  result.set_attempt(id.attempt);
  return result;
}

AttemptId FromWire(const wire::AttemptId& id) {
  return {id.job(), FromWire(id.kind()), id.task(), id.attempt()};
}

wire::SegmentRef ToWire(const SegmentRef& segment) {
  wire::SegmentRef result;
  result.set_map_task(segment.map_task);
  result.set_attempt(segment.attempt);
  result.set_worker(segment.worker);
  return result;
}

SegmentRef FromWire(const wire::SegmentRef& segment) {
  return {segment.map_task(), segment.attempt(), segment.worker()};
}

RecordPlace FromWire(const wire::RecordPlace& place) {
  return {place.file_index(), place.offset()};
}

wire::RecordPlace ToWire(const RecordPlace& place) {
  wire::RecordPlace result;
  result.set_file_index(place.file_index);
  result.set_offset(place.offset);
  return result;
}

wire::StatusText ToWire(const Status& status) {
  wire::StatusText result;
  result.set_code(static_cast<std::uint32_t>(status.code()));
  result.set_message(status.message().substr(0, kStatusTextBytesMax));
  return result;
}

Status FromWire(const wire::StatusText& status) {
  const bool known = status.code() <= static_cast<std::uint32_t>(Code::kInternal);
  return Status(known ? static_cast<Code>(status.code()) : Code::kInternal,
                status.message().substr(0, kStatusTextBytesMax));
}

void Add(wire::TaskStats& sum, const wire::TaskStats& more) {
  sum.set_input_records(sum.input_records() + more.input_records());
  sum.set_input_bytes(sum.input_bytes() + more.input_bytes());
  sum.set_map_output_records(sum.map_output_records() + more.map_output_records());
  sum.set_map_output_bytes(sum.map_output_bytes() + more.map_output_bytes());
  sum.set_segment_records(sum.segment_records() + more.segment_records());
  sum.set_spills(sum.spills() + more.spills());
  sum.set_spilled_bytes(sum.spilled_bytes() + more.spilled_bytes());
  sum.set_shuffled_bytes(sum.shuffled_bytes() + more.shuffled_bytes());
  sum.set_fetched_bytes(sum.fetched_bytes() + more.fetched_bytes());
  sum.set_output_records(sum.output_records() + more.output_records());
  sum.set_cpu_us(sum.cpu_us() + more.cpu_us());
  if (more.has_loop()) *sum.mutable_loop() = more.loop();  // One seat has it.
  std::map<std::pair<std::string, std::string>, int> places;
  for (int i = 0; i < sum.counters_size(); ++i)
    places.try_emplace({sum.counters(i).group(), sum.counters(i).name()}, i);
  for (const wire::Counter& counter : more.counters()) {
    const auto known = places.find({counter.group(), counter.name()});
    if (known != places.end()) {
      wire::Counter& same = *sum.mutable_counters(known->second);
      same.set_value(same.value() + counter.value());
    } else if (sum.counters_size() < kCountersMax) {
      places.try_emplace({counter.group(), counter.name()}, sum.counters_size());
      *sum.add_counters() = counter;
    }
  }
}

void PutHeavyKeys(const HeavyKeys& keys, std::uint64_t share, wire::TaskStats& stats) {
  const std::uint64_t records_min = std::max<std::uint64_t>(1, stats.map_output_records() / share);
  for (const HeavyKey& key : keys.Heaviest({kHeavyKeysTold, records_min})) {
    wire::HeavyKey& told = *stats.add_heavy_keys();
    told.set_key(key.key.data(), key.key.size());
    told.set_key_bytes(key.key_bytes);
    told.set_hash(key.hash);
    told.set_records(key.records);
    told.set_bytes(key.bytes);
  }
}

void AddHeavyKeys(const wire::TaskStats& stats, HeavyKeys& sum) {
  for (int i = 0; i < std::min(stats.heavy_keys_size(), kHeavyKeysTold); ++i) {
    const wire::HeavyKey& told = stats.heavy_keys(i);
    const std::string_view key = std::string_view(told.key()).substr(0, kHeavyKeyBytesMax);
    const std::uint64_t records = std::min(told.records(), stats.map_output_records());
    if (records == 0) continue;
    const std::uint64_t key_bytes =
        key.size() < kHeavyKeyBytesMax ? key.size() : std::max(told.key_bytes(), key.size());
    sum.Add(
        {key, key_bytes, told.hash(), records, std::min(told.bytes(), stats.map_output_bytes())});
  }
}

}  // namespace spillway
