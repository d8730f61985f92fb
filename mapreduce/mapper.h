// Mapper<Input, K, V>: the base of a user's map class. Derive from it, name the input format and
// the key and value types that you emit, and write Map:
//
//   class CountLines : public Mapper<TextLines, std::string, std::uint64_t> {
//    public:
//     void Map(const Line& line, Emitter& out) { out.Emit(FirstField(line.text), 1); }
//   };
//
// Nothing is virtual: the job's template calls Map directly, so it is inlined into the read loop.
// Each attempt of each map task has its own object, used by one thread. Exceptions fail the
// attempt with the record's file and offset in the message.
#pragma once

#include "mapreduce/base/status.h"
#include "mapreduce/emitter.h"
#include "mapreduce/task_context.h"

namespace spillway {

template <class InputFormatClass, class K, class V>
class Mapper {
 public:
  using Input = InputFormatClass;
  using Key = K;
  using Value = V;
  using Emitter = spillway::Emitter<K, V>;

  // void Map(const Input::Record& record, Emitter& out);     to be written by you

  /// Before the first record. A failure fails the attempt.
  Status Setup(TaskContext&) { return OkStatus(); }

  /// After the last record; may still emit.
  void Teardown(Emitter&) {}
};

}  // namespace spillway
