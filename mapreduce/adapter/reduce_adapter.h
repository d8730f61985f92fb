// Reduce adapters: a user's Reducer, Combiner or fold behind the C functions of spillway_job. Each
// call runs one whole attempt on one thread.
#pragma once

#include <string>
#include <typeinfo>

#include "mapreduce/abi.h"
#include "mapreduce/adapter/delivery.h"
#include "mapreduce/adapter/guard.h"
#include "mapreduce/named_output.h"
#include "mapreduce/values.h"

namespace spillway::internal {

/// The current group's key. It stays valid while the group's values are walked, over batches too.
template <class K>
class GroupKey {
 public:
  const View<K>& Enter(const GroupCursor& cursor, spillway_task* task) {
    const spillway_record& record = cursor.record();
    task->current_record = record.key;
    ++task->records_in;
    const char* key = record.key;
    if (!cursor.EndsInBatch()) {
      copy_.assign(key, record.key_bytes);
      key = copy_.data();
    }
    scratch_.Clear();
    DecodeField<K>(key, record.key_bytes, &view_, scratch_, "key");
    return view_;
  }

 private:
  std::string copy_;
  DecodeScratch scratch_;
  View<K> view_{};
};

/// A Reducer or Combiner class. `Delivery` takes what it emits.
template <class User, class Delivery>
int RunReducer(spillway_task* task) {
  return Guard(task, typeid(User), [&] {
    TaskOutputsScope outputs(task);
    User user;
    SetUp(user, task);
    auto delivery = std::make_unique<Delivery>(task);
    auto out = std::make_unique<typename User::Emitter>(&Flush<Delivery>, delivery.get());
    GroupCursor cursor(task);
    GroupKey<typename User::Key> key;
    while (cursor.NextGroup()) {
      const auto& view = key.Enter(cursor, task);
      typename User::Values values(cursor);
      user.Reduce(view, values, *out);
    }
    user.Teardown(*out);
    out->Flush();
    delivery->Finish();
    outputs.Finish();
  });
}

/// No reducer: the sorted pairs as they are.
template <class K, class V, class Format>
int RunIdentity(spillway_task* task) {
  return Guard(task, typeid(Format), [&] {
    TaskOutputsScope outputs(task);
    FormatDelivery<K, V, Format> delivery(task);
    GroupCursor cursor(task);
    DecodeScratch scratch;
    View<K> key{};
    View<V> value{};
    const auto read = [&](const spillway_record& record) {
      scratch.Clear();
      DecodeField<K>(record.key, record.key_bytes, &key, scratch, "key");
      DecodeField<V>(record.value, record.value_bytes, &value, scratch, "value");
    };
    while (cursor.NextGroup()) {
      ++task->records_in;
      read(cursor.record());
      delivery.BeginGroup(key);
      delivery.Write(key, value);
      while (cursor.NextInGroup()) {
        read(cursor.record());
        delivery.Write(key, value);
      }
    }
    delivery.Finish();
    outputs.Finish();
  });
}

/// A fold: combines what the map side's tables left, and writes the finished state.
template <class K, class V, class Fold, class Format>
int RunFold(spillway_task* task) {
  return Guard(task, typeid(Fold), [&] {
    TaskOutputsScope outputs(task);
    using State = typename Fold::State;
    FormatDelivery<K, V, Format> delivery(task);
    GroupCursor cursor(task);
    GroupKey<K> key;
    DecodeScratch scratch;
    const auto state_of = [&](const spillway_record& record) -> State {
      if constexpr (Fold::kExact) {
        State state;
        if (record.value_bytes < sizeof state) ThrowMalformed("fold state");
        std::memcpy(&state, record.value, sizeof state);
        return state;
      } else {
        scratch.Clear();
        View<V> value{};
        DecodeField<V>(record.value, record.value_bytes, &value, scratch, "value");
        return Fold::Lift(value);
      }
    };
    while (cursor.NextGroup()) {
      const auto& view = key.Enter(cursor, task);
      State state = state_of(cursor.record());
      while (cursor.NextInGroup()) Fold::Combine(state, state_of(cursor.record()));
      delivery.Write(view, Fold::Finish(state));
    }
    delivery.Finish();
    outputs.Finish();
  });
}

/// Distinct: the records of a group are (key, value) pairs in order; equal ones are neighbours.
template <class K, class V, class Format>
int RunDistinct(spillway_task* task) {
  return Guard(task, typeid(Distinct<V>), [&] {
    TaskOutputsScope outputs(task);
    FormatDelivery<K, V, Format> delivery(task);
    GroupCursor cursor(task);
    std::string last;
    std::string first;
    DecodeScratch scratch;
    while (cursor.NextGroup()) {
      ++task->records_in;
      std::uint64_t distinct = 0;
      first.assign(cursor.record().key, cursor.record().key_bytes);
      do {
        const spillway_record& record = cursor.record();
        const std::string_view pair(record.key, record.key_bytes);
        if (distinct != 0 && pair == last) continue;
        last = pair;
        ++distinct;
      } while (cursor.NextInGroup());
      scratch.Clear();
      View<K> key{};
      if (Codec<K>::DecodeInner(first.data(), first.data() + first.size(), &key, scratch) ==
          nullptr)
        ThrowMalformed("key");
      delivery.Write(key, distinct);
    }
    delivery.Finish();
    outputs.Finish();
  });
}

}  // namespace spillway::internal
