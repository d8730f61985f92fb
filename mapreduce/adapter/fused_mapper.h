// FusedMapper: two mappers as one. What the first emits is mapped by the second at once, so that a
// map-only stage of a chain costs no files and no tasks of its own. One task, one thread.
#pragma once

#include <memory>
#include <optional>

#include "mapreduce/adapter/delivery.h"
#include "mapreduce/builtin/pair_file.h"
#include "mapreduce/mapper.h"

namespace spillway::internal {

/// `Second` reads Pairs of the types that `First` emits. Pairs have no number and no file then.
template <class First, class Second>
class FusedMapper
    : public Mapper<typename First::Input, typename Second::Key, typename Second::Value> {
  using Base = Mapper<typename First::Input, typename Second::Key, typename Second::Value>;

 public:
  Status Setup(TaskContext& context) {
    SPILLWAY_RETURN_IF_ERROR(second_.Setup(context));
    return first_.Setup(context);
  }

  template <class Record>
  void Map(const Record& record, typename Base::Emitter& out) {
    out_ = &out;
    first_.Map(record, *between_);
    // The record's memory is the caller's, and so is the blame for what fails.
    between_->Flush();
  }

  void Teardown(typename Base::Emitter& out) {
    out_ = &out;
    first_.Teardown(*between_);
    between_->Flush();
    second_.Teardown(out);
  }

 private:
  using BetweenKey = typename First::Key;
  using BetweenValue = typename First::Value;

  static int MapAll(void* self, spillway_record* records, std::size_t count) {
    auto& fused = *static_cast<FusedMapper*>(self);
    for (std::size_t i = 0; i < count; ++i) {
      fused.scratch_.Clear();
      Pair<BetweenKey, BetweenValue> pair;
      DecodeField<BetweenKey>(records[i].key, records[i].key_bytes, &pair.key, fused.scratch_,
                              "key");
      ReadEmitted<BetweenValue>(records[i], &pair.value, fused.scratch_);
      fused.second_.Map(pair, *fused.out_);
    }
    return 0;
  }

  First first_;
  Second second_;
  typename Base::Emitter* out_ = nullptr;
  DecodeScratch scratch_;
  /// Large, and its address is the flush's target.
  std::unique_ptr<typename First::Emitter> between_ =
      std::make_unique<typename First::Emitter>(&MapAll, this);
};

}  // namespace spillway::internal
