// LoopAdapter: a user's loop behind the C functions of spillway_loop. Stateless; any thread, as
// far as the objects that are passed are one thread's own.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>

#include "mapreduce/abi.h"
#include "mapreduce/adapter/block_records.h"
#include "mapreduce/adapter/guard.h"
#include "mapreduce/input_format.h"
#include "mapreduce/loop_bytes.h"
#include "mapreduce/loop_round.h"
#include "mapreduce/output_format.h"

namespace spillway::internal {

/// What a loop's job keeps for the host.
template <class Loop>
struct PublishedLoop {
  std::shared_ptr<const Loop> user;
  std::string class_name;
  spillway_loop abi{};
};

/// Before anything else that a task does with the loop.
template <class Loop>
void SetUpTask(const Loop& loop, spillway_task* task) {
  if constexpr (requires { loop.Setup(TaskContext(task)); }) SetUp(loop, task);
}

template <class Loop>
concept FinishesParts = requires(const Loop& loop, const typename Loop::State& state,
                                 typename Loop::Partial& into) {
  loop.Finish(state, into);
};

template <class Loop>
constexpr std::uint32_t LoopTraits() {
  static_assert(
      FinishesParts<Loop> || !requires { &Loop::Finish; },
      "a loop's Finish is: void Finish(const State& state, Partial& into) const");
  std::uint32_t traits = FinishesParts<Loop> ? SPILLWAY_LOOP_FINISHES_PARTS : 0;
  if constexpr (requires { Loop::kRoundsStandAlone; })
    traits |= Loop::kRoundsStandAlone ? SPILLWAY_LOOP_ROUNDS_STAND_ALONE : 0;
  return traits;
}

template <class T>
void SaveLoopObject(const T& object, LoopWriter& out) {
  if constexpr (requires { object.Save(out); }) {
    object.Save(out);
  } else {
    static_assert(std::is_trivially_copyable_v<T>,
                  "an object of a loop that is not trivially copyable needs "
                  "Save(LoopWriter&) const and Load(LoopReader&)");
    out.Put(object);
  }
}

template <class T>
void LoadLoopObject(T& object, std::string_view bytes) {
  LoopReader in(bytes);
  if constexpr (requires { object.Load(in); }) {
    object.Load(in);
  } else {
    in.Get(object);
  }
  if (!in.at_end()) throw std::runtime_error("saved bytes of a loop go on behind their end");
}

/// A batch and how many records it holds.
template <class Loop>
struct CountedBatch {
  std::uint64_t records = 0;
  typename Loop::Batch batch;

  void Save(LoopWriter& out) const {
    out.Put(records);
    SaveLoopObject(batch, out);
  }
  void Load(LoopReader& in) {
    in.Get(records);
    if constexpr (requires { batch.Load(in); }) {
      batch.Load(in);
    } else {
      in.Get(batch);
    }
  }
};

template <class Loop>
class LoopAdapter {
 public:
  using Batch = CountedBatch<Loop>;
  using Start = typename Loop::Start;
  using Partial = typename Loop::Partial;
  using State = typename Loop::State;

  static spillway_loop Describe(const Loop* self) {
    spillway_loop loop{};
    loop.struct_bytes = sizeof loop;
    loop.self = self;
    loop.create = &Create;
    loop.destroy = &Destroy;
    loop.save = &Save;
    loop.load = &Load;
    loop.batch_bytes = &BatchBytes;
    loop.parse = &Parse;
    loop.map = &Map;
    loop.fold = &Fold;
    loop.next = &Next;
    loop.print = &Print;
    loop.traits = LoopTraits<Loop>();
    return loop;
  }

  static void* Create(const void* self, spillway_task* task, std::uint32_t object) {
    void* made = nullptr;
    const int failed = Guard(task, typeid(Loop), [&] {
      SetUpTask(*static_cast<const Loop*>(self), task);
      switch (object) {
        case SPILLWAY_LOOP_BATCH: made = new Batch(); return;
        case SPILLWAY_LOOP_START: made = new Start(); return;
        case SPILLWAY_LOOP_PARTIAL: made = new Partial(); return;
        default: made = new State(); return;
      }
    });
    return failed == 0 ? made : nullptr;
  }

  static void Destroy(std::uint32_t object, void* it) {
    switch (object) {
      case SPILLWAY_LOOP_BATCH: delete static_cast<Batch*>(it); return;
      case SPILLWAY_LOOP_START: delete static_cast<Start*>(it); return;
      case SPILLWAY_LOOP_PARTIAL: delete static_cast<Partial*>(it); return;
      default: delete static_cast<State*>(it); return;
    }
  }

  static int Save(const void*, spillway_task* task, std::uint32_t object, const void* it,
                  const spillway_sink* to) {
    return Guard(task, typeid(Loop), [&] {
      LoopWriter out(*to);
      switch (object) {
        case SPILLWAY_LOOP_BATCH: SaveLoopObject(*static_cast<const Batch*>(it), out); break;
        case SPILLWAY_LOOP_START: SaveLoopObject(*static_cast<const Start*>(it), out); break;
        case SPILLWAY_LOOP_PARTIAL: SaveLoopObject(*static_cast<const Partial*>(it), out); break;
        default: SaveLoopObject(*static_cast<const State*>(it), out); break;
      }
      if (!out.Flush()) throw StopTask{};
    });
  }

  static int Load(const void*, spillway_task* task, std::uint32_t object, void* it,
                  const char* data, std::size_t bytes) {
    return Guard(task, typeid(Loop), [&] {
      const std::string_view from(data, bytes);
      switch (object) {
        case SPILLWAY_LOOP_BATCH: return LoadLoopObject(*static_cast<Batch*>(it), from);
        case SPILLWAY_LOOP_START: return LoadLoopObject(*static_cast<Start*>(it), from);
        case SPILLWAY_LOOP_PARTIAL: return LoadLoopObject(*static_cast<Partial*>(it), from);
        default: return LoadLoopObject(*static_cast<State*>(it), from);
      }
    });
  }

  static std::uint64_t BatchBytes(const void* batch) {
    return static_cast<const Batch*>(batch)->batch.bytes() + sizeof(Batch);
  }

  static int Parse(const void* self, spillway_task* task, const spillway_block* block, void** batch,
                   const spillway_batch_sink* full) {
    return Guard(task, typeid(Loop),
                 [&] { ParseBlock(*static_cast<const Loop*>(self), task, *block, batch, *full); });
  }

  static int Map(const void* self, spillway_task* task, std::uint32_t object, const void* batch,
                 const void* state, void* into) {
    return Guard(task, typeid(Loop), [&] {
      const auto& loop = *static_cast<const Loop*>(self);
      if (batch == nullptr) {
        if constexpr (FinishesParts<Loop>)
          loop.Finish(*static_cast<const State*>(state), *static_cast<Partial*>(into));
        return;
      }
      const auto& records = static_cast<const Batch*>(batch)->batch;
      if (object == SPILLWAY_LOOP_START)
        loop.Gather(records, *static_cast<Start*>(into));
      else
        loop.Map(records, *static_cast<const State*>(state), *static_cast<Partial*>(into));
    });
  }

  static int Fold(const void* self, spillway_task* task, std::uint32_t object, void* into,
                  const void* from) {
    return Guard(task, typeid(Loop), [&] {
      const auto& loop = *static_cast<const Loop*>(self);
      if (object == SPILLWAY_LOOP_START)
        loop.Join(*static_cast<Start*>(into), *static_cast<const Start*>(from));
      else
        loop.Fold(*static_cast<Partial*>(into), *static_cast<const Partial*>(from));
    });
  }

  static int Next(const void* self, spillway_task* task, std::uint32_t round, void* state,
                  void* total, int* converged) {
    return Guard(task, typeid(Loop), [&] {
      const auto& loop = *static_cast<const Loop*>(self);
      auto& to = *static_cast<State*>(state);
      *converged = 0;
      if (round == 0)
        loop.First(std::move(*static_cast<Start*>(total)), to);
      else if (loop.Next(to, std::move(*static_cast<Partial*>(total)), LoopRound(task, round)))
        *converged = 1;
    });
  }

  static int Print(const void* self, spillway_task* task, const void* state) {
    return Guard(task, typeid(Loop), [&] {
      OutputBuffer out(task);
      out.CountLines();
      static_cast<const Loop*>(self)->Print(*static_cast<const State*>(state), out);
      out.Flush();
    });
  }

 private:
  using Input = typename Loop::Input;

  static void ParseBlock(const Loop& loop, spillway_task* task, const spillway_block& block,
                         void** batch, const spillway_batch_sink& full) {
    SetUpTask(loop, task);
    auto* filling = static_cast<Batch*>(*batch);
    ForEachRecord<Input>(task, block, [&](const typename Input::Record& record) {
      if (filling == nullptr) *batch = filling = new Batch();
      loop.Parse(record, filling->batch);
      if (++filling->records < SPILLWAY_LOOP_BATCH_RECORDS) return;
      *batch = nullptr;
      if (full.take(full.host, std::exchange(filling, nullptr)) != 0) throw StopTask{};
    });
    task->current_record = nullptr;
  }
};

}  // namespace spillway::internal
