// JobTypes: what a JobBuilder knows of its job, as types, and the user's partitioner behind its C
// function. Types only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <typeinfo>

#include "mapreduce/abi.h"
#include "mapreduce/adapter/guard.h"
#include "mapreduce/codec.h"
#include "mapreduce/values.h"

namespace spillway::internal {

struct Unset {};

/// Everything a builder knows, as types.
template <class M, class StageT, class C, class P, class S, class G, class W>
struct JobTypes {
  using Mapper = M;
  using Stage = StageT;
  using Combiner = C;
  using Partitioner = P;
  using Sort = S;
  using Group = G;
  using Format = W;
};

template <class P, class K>
int RunPartitioner(spillway_task* task, const spillway_record* records, std::size_t count,
                   std::uint32_t partitions, std::uint32_t* out) {
  return Guard(task, typeid(P), [&] {
    P partitioner;
    DecodeScratch scratch;
    for (std::size_t i = 0; i < count; ++i) {
      scratch.Clear();
      View<K> key{};
      DecodeField<K>(records[i].key, records[i].key_bytes, &key, scratch, "key");
      out[i] = partitioner.Partition(key, partitions);
    }
  });
}

}  // namespace spillway::internal
