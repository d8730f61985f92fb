// LoopRoundJob: one round of a loop as an ordinary job, for disk mode. A map task maps its split
// and emits one pair (its number, what it made); the only reduce task folds these in their order,
// steps, and writes the file of the next round, or the result after the last one.
#pragma once

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <typeinfo>

#include "mapreduce/adapter/loop_adapter.h"
#include "mapreduce/base/coding.h"
#include "mapreduce/loop_file.h"
#include "mapreduce/values.h"

namespace spillway::internal {

/// The round's file, read. Throws std::runtime_error, or StopTask when it is damaged.
class LoopRoundInput {
 public:
  explicit LoopRoundInput(spillway_task* task) {
    const char* const path = task->side_file(task->host, SPILLWAY_LOOP_FILE);
    if (path == nullptr)
      throw std::runtime_error("an iterative job is run by 'spillway run', round after round");
    std::ifstream in(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
    if (!in.good() && !in.eof()) throw std::runtime_error("cannot read " + std::string(path));
    Result<LoopFile> file = LoopFile::Parse(bytes_);
    if (!file.ok()) {
      Fail(task, file.status().code(), std::string(path) + ": " + file.status().message());
      throw StopTask{};
    }
    file_ = *file;
  }

  const LoopFile& file() const { return file_; }

 private:
  std::string bytes_;
  LoopFile file_;
};

template <class Loop>
class LoopRoundMapper {
 public:
  static void* Create(spillway_task* task) {
    LoopRoundMapper* self = nullptr;
    const int failed = Guard(task, typeid(Loop), [&] {
      auto made = std::make_unique<LoopRoundMapper>(task);
      self = made.release();
    });
    return failed == 0 ? self : nullptr;
  }
  static int Map(void* self, spillway_task* task, const spillway_block* block) {
    auto& mapper = *static_cast<LoopRoundMapper*>(self);
    mapper.task_ = task;
    const spillway_batch_sink full{self, &MapFull};
    return Adapter::Parse(&mapper.loop_, task, block, &mapper.filling_, &full);
  }
  static int Finish(void* self, spillway_task* task) {
    return static_cast<LoopRoundMapper*>(self)->Emit(task);
  }
  static void Destroy(void* self) { delete static_cast<LoopRoundMapper*>(self); }

  explicit LoopRoundMapper(spillway_task* task)
      : loop_(*static_cast<const Loop*>(task->job->loop->self)), task_(task) {
    SetUpTask(loop_, task);
    const LoopRoundInput input(task);
    gathers_ = input.file().round == 0;
    if (!gathers_) LoadLoopObject(state_, input.file().state);
  }
  ~LoopRoundMapper() {
    if (filling_ != nullptr) Adapter::Destroy(SPILLWAY_LOOP_BATCH, filling_);
  }

 private:
  using Adapter = LoopAdapter<Loop>;

  static int MapFull(void* self, void* batch) {
    return static_cast<LoopRoundMapper*>(self)->MapBatch(batch);
  }

  int MapBatch(void* batch) {
    // What fails now is not the fault of the record that is being read.
    task_->current_record = nullptr;
    const int failed =
        gathers_ ? Adapter::Map(&loop_, task_, SPILLWAY_LOOP_START, batch, nullptr, &start_)
                 : Adapter::Map(&loop_, task_, SPILLWAY_LOOP_PARTIAL, batch, &state_, &partial_);
    Adapter::Destroy(SPILLWAY_LOOP_BATCH, batch);
    return failed;
  }

  int Emit(spillway_task* task) {
    task_ = task;
    if (filling_ != nullptr && MapBatch(std::exchange(filling_, nullptr)) != 0) return 1;
    task_->current_record = nullptr;
    if (FinishesParts<Loop> && !gathers_ &&
        Adapter::Map(&loop_, task_, SPILLWAY_LOOP_PARTIAL, nullptr, &state_, &partial_) != 0)
      return 1;
    return Guard(task, typeid(Loop), [&] {
      LoopWriter out;
      if (gathers_)
        SaveLoopObject(start_, out);
      else
        SaveLoopObject(partial_, out);
      char key[4];
      StoreBig32(key, task->task_index);
      if (out.bytes().size() > kPartialBytesMax)
        throw std::length_error("what a part leaves for the fold takes " +
                                std::to_string(out.bytes().size()) + " bytes, and the limit is " +
                                std::to_string(kPartialBytesMax));
      std::string padded = out.bytes();
      padded.append(SPILLWAY_PADDING_BYTES, '\0');
      const spillway_record record{key, padded.data(), sizeof key,
                                   static_cast<std::uint32_t>(out.bytes().size())};
      if (task->collect(task->host, &record, 1) != 0) throw StopTask{};
    });
  }

  static constexpr std::size_t kPartialBytesMax = std::size_t{1} << 30;

  const Loop& loop_;
  spillway_task* task_;
  bool gathers_ = true;
  typename Loop::State state_{};
  typename Loop::Start start_{};
  typename Loop::Partial partial_{};
  void* filling_ = nullptr;
};

template <class Loop>
class LoopRoundReducer {
 public:
  static int Run(spillway_task* task) {
    return Guard(task, typeid(Loop), [&] {
      if (task->partition_count != 1)
        throw std::runtime_error("a round of a loop has one reduce task: leave out --reducers");
      SetUpTask(*static_cast<const Loop*>(task->job->loop->self), task);
      LoopRoundReducer(task).Reduce();
    });
  }

 private:
  using Adapter = LoopAdapter<Loop>;

  explicit LoopRoundReducer(spillway_task* task)
      : loop_(task->job->loop->self), task_(task), input_(task) {}

  void Reduce() {
    const LoopFile& file = input_.file();
    int converged = 0;
    if (file.round == 0) {
      typename Loop::Start total{};
      FoldAll(SPILLWAY_LOOP_START, total);
      Step(total, &converged);
    } else {
      // As in memory mode, where a state is new to Next as well.
      if ((LoopTraits<Loop>() & SPILLWAY_LOOP_ROUNDS_STAND_ALONE) == 0)
        LoadLoopObject(state_, file.state);
      typename Loop::Partial total{};
      FoldAll(SPILLWAY_LOOP_PARTIAL, total);
      Step(total, &converged);
    }
    const bool ends = converged != 0 || file.round >= file.rounds_max;
    *task_->counter(task_->host, "loop", "rounds") += file.round;
    *task_->counter(task_->host, "loop", "converged") += converged != 0 ? 1 : 0;
    *task_->counter(task_->host, "loop", "ended") += ends ? 1 : 0;
    if (ends) {
      if (Adapter::Print(loop_, task_, &state_) != 0) throw StopTask{};
      return;
    }
    LoopWriter out;
    SaveLoopObject(state_, out);
    const std::string next = LoopFile{file.round + 1, file.rounds_max, out.bytes()}.Encode();
    if (task_->write(task_->host, next.data(), next.size()) != 0) throw StopTask{};
  }

  template <class Total>
  void FoldAll(std::uint32_t object, Total& total) {
    GroupCursor cursor(task_);
    while (cursor.NextGroup()) {
      ++task_->records_in;
      Total from{};
      LoadLoopObject(from, {cursor.record().value, cursor.record().value_bytes});
      if (Adapter::Fold(loop_, task_, object, &total, &from) != 0) throw StopTask{};
    }
  }

  template <class Total>
  void Step(Total& total, int* converged) {
    if (Adapter::Next(loop_, task_, input_.file().round, &state_, &total, converged) != 0)
      throw StopTask{};
  }

  const void* const loop_;
  spillway_task* const task_;
  const LoopRoundInput input_;
  typename Loop::State state_{};
};

template <class Loop>
struct LoopRoundJob {
  static void Describe(spillway_job& job) {
    job.framing = Loop::Input::framing().abi;
    job.mapper_create = &LoopRoundMapper<Loop>::Create;
    job.mapper_map = &LoopRoundMapper<Loop>::Map;
    job.mapper_finish = &LoopRoundMapper<Loop>::Finish;
    job.mapper_destroy = &LoopRoundMapper<Loop>::Destroy;
    job.reducer_run = &LoopRoundReducer<Loop>::Run;
    job.reducers_default = 1;
  }
};

}  // namespace spillway::internal
