// Partitioner: which reduce task gets a key. Without one, keys are spread by a hash of the bytes
// that name their group. To choose yourself:
//
//   class ByInitial : public Partitioner<std::string> {
//    public:
//     std::uint32_t Partition(std::string_view key, std::uint32_t partitions) {
//       return key.empty() ? 0 : static_cast<unsigned char>(key[0]) % partitions;
//     }
//   };
//
// Keys of one group must get one partition, on every machine and in every attempt: use nothing but
// the key. A result that is not below `partitions` fails the job. Each task has its own object.
#pragma once

#include <cstdint>

#include "mapreduce/codec.h"

namespace spillway {

template <class K>
class Partitioner {
 public:
  using Key = K;
  // std::uint32_t Partition(const View<K>& key, std::uint32_t partitions);   to be written by you
};

/// The default, spelled out: a hash of the key's bytes (of the group's, where GroupBy names one).
struct HashPartitioner {};

/// Total order: every key of part-00000 sorts before every key of part-00001, and so on. The host
/// samples the mapper's output before the job and cuts it into ranges of about equal size.
struct RangePartitioner {};

}  // namespace spillway
