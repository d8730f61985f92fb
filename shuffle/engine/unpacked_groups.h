// UnpackedGroups: turns batches of packed records into batches of plain ones, with the packs' keys
// and views of their values. Groups stay what they are; a hot key's packs stretch over many
// batches. Owned by a ReduceInput; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "shuffle/record/group_stream.h"

namespace spillway {

class UnpackedGroups {
 public:
  explicit UnpackedGroups(std::uint32_t batch_records);

  /// The memory of an object.
  static std::uint64_t Bytes(std::uint32_t batch_records) {
    return batch_records * std::uint64_t{sizeof(Record) + sizeof(std::uint32_t)};
  }

  /// Begins with a batch of packed records, which stays valid until it is used up.
  void Open(const GroupBatch& packs);

  bool used_up() const { return pack_ == packs_.records.size(); }

  /// The next records of the batch, as many as there are or as one batch holds; valid until the
  /// next call. DataLoss for a pack that does not hold whole values, one at least.
  Result<GroupBatch> Next();

 private:
  const char* UnpackSome(const char* from);

  const std::uint32_t batch_records_;
  GroupBatch packs_;
  std::size_t pack_ = 0;         ///< The one being unpacked.
  std::size_t next_group_ = 0;   ///< In packs_.groups: the first that begins behind it.
  const char* value_ = nullptr;  ///< The next value of the pack; null: its first.
  std::unique_ptr<Record[]> records_;
  std::uint32_t count_ = 0;
  std::vector<std::uint32_t> groups_;
};

}  // namespace spillway
