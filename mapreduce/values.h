// Values<V>: the values of one group, streamed past the reducer once. A group may be larger than
// memory; what was seen is gone. One task, one thread.
#pragma once

#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include "mapreduce/abi.h"
#include "mapreduce/codec.h"
#include "mapreduce/emitter.h"

namespace spillway {

namespace internal {

/// Walks the groups that the host hands over in batches.
class GroupCursor {
 public:
  explicit GroupCursor(spillway_task* task) : task_(task) { batch_.struct_bytes = sizeof batch_; }

  /// Goes to the first record of the next group, over what is left of this one.
  bool NextGroup() {
    while (open_) LeavePiece();
    if (!HasRecord()) return false;
    ++next_group_;
    EnterPiece();
    return true;
  }

  /// Goes on to the group's next record; false at its end.
  bool NextInGroup() {
    if (position_ + 1 < piece_end_) [[likely]] {
      ++position_;
      return true;
    }
    if (open_) LeavePiece();
    return open_;
  }

  bool in_group() const { return open_; }
  const spillway_record& record() const { return batch_.records[position_]; }

  /// True when the group surely ends before the next batch is fetched.
  bool EndsInBatch() const { return next_group_ < batch_.group_count; }

 private:
  // A piece is what one batch holds of a group.
  void EnterPiece() {
    open_ = true;
    piece_end_ =
        next_group_ < batch_.group_count ? batch_.groups[next_group_] : batch_.record_count;
  }

  // Goes to the record behind the piece, which begins another piece of the group or another group.
  void LeavePiece() {
    position_ = piece_end_;
    open_ = false;
    piece_end_ = 0;
    if (HasRecord() && !AtGroupStart()) EnterPiece();
  }

  bool AtGroupStart() const {
    return next_group_ < batch_.group_count && batch_.groups[next_group_] == position_;
  }

  bool HasRecord() {
    if (position_ < batch_.record_count) return true;
    if (ended_) return false;
    if (task_->next_groups(task_->host, &batch_) != 0) throw StopTask{};
    position_ = 0;
    next_group_ = 0;
    ended_ = batch_.record_count == 0;
    return !ended_;
  }

  spillway_task* task_;
  spillway_groups batch_{};
  std::uint32_t position_ = 0;
  std::uint32_t next_group_ = 0;
  std::uint32_t piece_end_ = 0;  ///< 0 between groups.
  bool open_ = false;
  bool ended_ = false;
};

[[noreturn, gnu::cold, gnu::noinline]] inline void ThrowMalformed(const char* what) {
  throw std::runtime_error(std::string("a ") + what +
                           " could not be decoded: map and reduce disagree on its type");
}

[[noreturn, gnu::cold, gnu::noinline]] inline void ThrowGroupIsOver() {
  throw std::logic_error("Values::key() was called when its group was over: call it in the loop");
}

template <class T>
void DecodeField(const char* data, std::uint32_t bytes, View<T>* view, DecodeScratch& scratch,
                 const char* what) {
  if (Codec<T>::Decode(data, data + bytes, view, scratch) == nullptr) [[unlikely]]
    ThrowMalformed(what);
}

}  // namespace internal

/// An input range: `for (auto value : values)`. String values view the engine's memory until the
/// next step. `K` is needed for key() only.
template <class V, class K = Nothing>
class Values {
 public:
  explicit Values(internal::GroupCursor& cursor) : cursor_(cursor) {}

  /// Copies the next value's view out; false when the group is at its end.
  bool Next(View<V>* value) {
    if (!cursor_.in_group()) return false;
    if (started_ && !cursor_.NextInGroup()) return false;
    started_ = true;
    scratch_.Clear();
    const spillway_record& record = cursor_.record();
    internal::DecodeField<V>(record.value, record.value_bytes, value, scratch_, "value");
    return true;
  }

  /// The full key of the value that Next gave last (before the first: of the first): within a group
  /// of a secondary sort it changes from value to value. Valid until the next step. When the group
  /// is over, behind the loop, no key is left: throws std::logic_error. Keep what you need of it.
  View<K> key() {
    if (!cursor_.in_group()) [[unlikely]]
      internal::ThrowGroupIsOver();
    View<K> key{};
    const spillway_record& record = cursor_.record();
    internal::DecodeField<K>(record.key, record.key_bytes, &key, scratch_, "key");
    return key;
  }

  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = View<V>;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(Values* values) : values_(values) { ++*this; }
    const View<V>& operator*() const { return value_; }
    Iterator& operator++() {
      if (!values_->Next(&value_)) values_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return values_ == nullptr; }

   private:
    Values* values_ = nullptr;
    View<V> value_{};
  };
  Iterator begin() { return Iterator(this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  internal::GroupCursor& cursor_;
  DecodeScratch scratch_;  ///< Of this step's value and keys.
  bool started_ = false;
};

}  // namespace spillway
