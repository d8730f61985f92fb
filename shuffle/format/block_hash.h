// Hashes of a block's records that do not depend on where blocks and runs were cut, nor on what the
// order between them is: the sum of the hashes of the records. Hashes of parts of a set add up to
// the hash of the set. They are compared, and stored in no segment. Pure; no thread affinity.
#pragma once

#include <cstdint>
#include <string_view>

namespace spillway {

/// What is hashed. It costs some 4 % of a sort.
enum class RecordHash : std::uint8_t {
  kNone,
  kRecords,       ///< The set of records.
  kPackedValues,  ///< The set of (key, value), where value fields are packs (packed_values.h).
};

/// `block` holds whole encoded records. `hash` is not kNone.
std::uint64_t HashOfRecords(std::string_view block, RecordHash hash);

}  // namespace spillway
