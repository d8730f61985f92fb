// MapAdapter: a user's Mapper behind the C functions of spillway_job. One object per attempt of a
// map task, one thread.
#pragma once

#include <typeinfo>

#include "mapreduce/abi.h"
#include "mapreduce/adapter/block_records.h"
#include "mapreduce/adapter/delivery.h"
#include "mapreduce/adapter/guard.h"
#include "mapreduce/named_output.h"

namespace spillway::internal {

template <class UserMapper, class Delivery>
class MapAdapter {
 public:
  static void* Create(spillway_task* task) {
    MapAdapter* self = nullptr;
    const int failed = Guard(task, typeid(UserMapper), [&] {
      auto made = std::make_unique<MapAdapter>(task);
      SetUp(made->mapper_, task);
      self = made.release();
    });
    return failed == 0 ? self : nullptr;
  }

  static int Map(void* self, spillway_task* task, const spillway_block* block) {
    return Guard(task, typeid(UserMapper),
                 [&] { static_cast<MapAdapter*>(self)->MapBlock(task, *block); });
  }

  static int Finish(void* self, spillway_task* task) {
    auto& adapter = *static_cast<MapAdapter*>(self);
    return Guard(task, typeid(UserMapper), [&] {
      adapter.mapper_.Teardown(adapter.emitter_);
      adapter.emitter_.Flush();
      adapter.delivery_.Finish();
      adapter.outputs_.Finish();
    });
  }

  static void Destroy(void* self) { delete static_cast<MapAdapter*>(self); }

  explicit MapAdapter(spillway_task* task)
      : outputs_(task), delivery_(task), emitter_(&Flush<Delivery>, &delivery_) {}

 private:
  void MapBlock(spillway_task* task, const spillway_block& block) {
    emitter_.EnterBlock(block.data, block.bytes);
    if constexpr (requires { mapper_.MapBlock(task, block, emitter_); }) {
      mapper_.MapBlock(task, block, emitter_);
    } else {
      using Input = typename UserMapper::Input;
      ForEachRecord<Input>(task, block, [&](const typename Input::Record& record) {
        mapper_.Map(record, emitter_);
      });
    }
    emitter_.Flush();  // The block's memory is reused when this returns.
    emitter_.EnterBlock(nullptr, 0);
    task->current_record = nullptr;
  }

  TaskOutputsScope outputs_;
  UserMapper mapper_;
  Delivery delivery_;
  typename UserMapper::Emitter emitter_;
};

}  // namespace spillway::internal
