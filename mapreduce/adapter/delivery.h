// Deliveries: what happens to a mapper's or reducer's full batch of emitted records. One class per
// shape of job, chosen at compile time; each turns values from their bits into the form that the
// shape needs, in one tight loop per batch. One task, one thread.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "mapreduce/abi.h"
#include "mapreduce/adapter/guard.h"
#include "mapreduce/builtin/folds.h"
#include "mapreduce/codec_tuple.h"
#include "mapreduce/emitter.h"
#include "mapreduce/output_format.h"
#include "mapreduce/output_path.h"
#include "mapreduce/partitioned_output.h"
#include "mapreduce/values.h"

namespace spillway::internal {

/// The emitted value of a record whose value may still travel as bits.
template <class V>
void ReadEmitted(const spillway_record& record, View<V>* value, DecodeScratch& scratch) {
  if constexpr (kValueIsBits<V>) {
    *value = FromBitsOf<V>(record.value);
  } else {
    DecodeField<V>(record.value, record.value_bytes, value, scratch, "value");
  }
}

/// To the shuffle, as encoded key and value.
template <class K, class V>
class PairDelivery {
 public:
  explicit PairDelivery(spillway_task* task) : task_(task) {}

  int Deliver(spillway_record* records, std::size_t count) {
    if constexpr (kValueIsBits<V>) {
      for (std::size_t i = 0; i < count; ++i) {
        char* const to = values_ + 8 * i;
        Codec<V>::Encode(FromBitsOf<V>(records[i].value), to);
        records[i].value = to;
      }
    }
    return task_->collect(task_->host, records, count);
  }
  void Finish() {}
  spillway_task* task() const { return task_; }

 private:
  spillway_task* task_;
  char values_[kValueIsBits<V> ? 8 * Emitter<K, V>::kBatchRecords : 1];
};

/// To the shuffle, as key and lifted state of an exact fold.
template <class K, class V, class Fold>
class FoldDelivery {
 public:
  using State = typename Fold::State;
  static_assert(std::is_trivially_copyable_v<State>, "a fold's State must be trivially copyable");
  static constexpr std::uint32_t kStateBytes = (sizeof(State) + 7) / 8 * 8;

  explicit FoldDelivery(spillway_task* task)
      : task_(task), states_(kStateBytes == 8 ? nullptr : std::make_unique<char[]>(kBatchBytes)) {}

  int Deliver(spillway_record* records, std::size_t count) {
    if constexpr (!kBitsAreState) {
      for (std::size_t i = 0; i < count; ++i) Lift(records[i], i);
    }
    return task_->collect(task_->host, records, count);
  }
  void Finish() {}
  spillway_task* task() const { return task_; }

 private:
  static constexpr std::size_t kBatchBytes = kStateBytes * Emitter<K, V>::kBatchRecords;
  /// The emitted bits are the state already, and stay where they are.
  static constexpr bool kBitsAreState = [] {
    if constexpr (requires { Fold::kLiftIsIdentity; }) return Fold::kLiftIsIdentity;
    return false;
  }();

  void Lift(spillway_record& record, std::size_t i) {
    scratch_.Clear();
    View<V> value{};
    ReadEmitted<V>(record, &value, scratch_);
    const State state = Fold::Lift(value);
    if constexpr (kStateBytes == 8) {
      record.value = BitsOf(state);
    } else {
      char* const to = states_.get() + i * kStateBytes;
      std::memcpy(to, &state, sizeof state);
      record.value = to;
    }
    record.value_bytes = kStateBytes;
  }

  spillway_task* task_;
  std::unique_ptr<char[]> states_;
  DecodeScratch scratch_;
};

/// To the shuffle, with the value moved into the key: for Distinct.
template <class K, class V>
class KeyValueDelivery {
 public:
  using Pair = Codec<std::pair<K, V>>;

  explicit KeyValueDelivery(spillway_task* task) : task_(task) {}

  int Deliver(spillway_record* records, std::size_t count) {
    std::size_t bytes = SPILLWAY_PADDING_BYTES;
    for (std::size_t i = 0; i < count; ++i) bytes += RoomFor(records[i]);
    if (bytes > bytes_) {
      keys_ = std::make_unique_for_overwrite<char[]>(bytes);
      bytes_ = bytes;
    }
    char* to = keys_.get();
    for (std::size_t i = 0; i < count; ++i) {
      scratch_.Clear();
      std::pair<View<K>, View<V>> pair{};
      DecodeField<K>(records[i].key, records[i].key_bytes, &pair.first, scratch_, "key");
      ReadEmitted<V>(records[i], &pair.second, scratch_);
      char* const end = Pair::Encode(pair, to);
      records[i] = {to, nullptr, static_cast<std::uint32_t>(end - to), 8};
      to = end;
    }
    return task_->collect(task_->host, records, count);
  }
  void Finish() {}
  spillway_task* task() const { return task_; }

 private:
  static std::size_t RoomFor(const spillway_record& record) {
    return 2 * (std::size_t{record.key_bytes} + record.value_bytes) + 32;
  }

  spillway_task* task_;
  std::unique_ptr<char[]> keys_;
  std::size_t bytes_ = 0;
  DecodeScratch scratch_;
};

/// To the task's part file, formatted.
template <class K, class V, class Format>
class FormatDelivery {
 public:
  explicit FormatDelivery(spillway_task* task) : task_(task), buffer_(task) {
    if constexpr (requires(TaskContext & context) { format_.Setup(context); }) SetUp(format_, task);
    if constexpr (requires { format_.Begin(buffer_); }) format_.Begin(buffer_);
  }

  int Deliver(spillway_record* records, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      scratch_.Clear();
      View<K> key{};
      View<V> value{};
      DecodeField<K>(records[i].key, records[i].key_bytes, &key, scratch_, "key");
      ReadEmitted<V>(records[i], &value, scratch_);
      Put(key, value);
    }
    task_->records_out += count;
    return 0;
  }

  template <class Key>
  void BeginGroup(const Key& key) {
    if constexpr (requires { format_.BeginGroup(key, buffer_); }) {
      static_assert(!kWritesDirectories<Format>,
                    "a format with BeginGroup cannot be PartitionedBy");
      format_.BeginGroup(key, buffer_);
    }
  }

  /// One result that did not go through an emitter.
  template <class Key, class Value>
  void Write(const Key& key, const Value& value) {
    Put(key, value);
    ++task_->records_out;
  }

  spillway_task* task() const { return task_; }

  void Finish() {
    if constexpr (requires { format_.End(buffer_); }) format_.End(buffer_);
    buffer_.Flush();
  }

 private:
  template <class Key, class Value>
  void Put(const Key& key, const Value& value) {
    if constexpr (kWritesDirectories<Format>) {
      path_.Clear();
      format_.Partition(key, value, path_);
      if (path_.text() != buffer_.directory() || path_.text().empty()) [[unlikely]]
        Enter();
    }
    format_.Write(key, value, buffer_);
    if constexpr (kWritesDirectories<Format>) buffer_.EndRecord();
  }

  void Enter() {
    if (path_.text().empty())
      throw std::logic_error("a result was given no directory: Add at least one key");
    buffer_.Enter(path_.text());
  }

  spillway_task* task_;
  Format format_;
  OutputBuffer buffer_;
  OutputPath path_;  ///< Of the result at hand.
  DecodeScratch scratch_;
};

/// Binds an emitter's flush to a delivery. A batch holds results of many records, so what fails
/// while it is delivered is not the fault of the record that is being read.
template <class Delivery>
int Flush(void* target, spillway_record* records, std::size_t count) {
  auto& delivery = *static_cast<Delivery*>(target);
  const char* const current = std::exchange(delivery.task()->current_record, nullptr);
  const int answer = delivery.Deliver(records, count);
  if (answer == 0) delivery.task()->current_record = current;
  return answer;
}

}  // namespace spillway::internal
