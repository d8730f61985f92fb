#include "shuffle/format/segment_layout.h"

#include <cstddef>

// The library's kernels for the vector registers that this machine has: up to twice as fast as the
// ones for any machine.
#ifdef __x86_64__
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

namespace spillway {

std::uint64_t Digest(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::uint64_t BlockChecksum(const BlockHeader& header, const BlockPlace& place,
                            std::uint64_t payload_digest) {
  struct {
    std::uint32_t raw_bytes, stored_bytes, records, flags;
    std::uint64_t job;
    std::uint32_t map_task, attempt, run, partition;
    std::uint64_t sequence;
    std::uint64_t payload_digest;
  } bound = {header.raw_bytes,  header.stored_bytes,    header.records,        header.flags,
             place.segment.job, place.segment.map_task, place.segment.attempt, place.run,
             place.partition,   place.sequence,         payload_digest};
  static_assert(sizeof bound == 56);
  return XXH3_64bits(&bound, sizeof bound);
}

std::uint64_t ExtendHash(std::uint64_t hash, std::uint64_t block_digest) {
  const std::uint64_t both[] = {hash, block_digest};
  return XXH3_64bits(both, sizeof both);
}

std::uint64_t FooterChecksum(const SegmentFooter& footer) {
  return XXH3_64bits(&footer, offsetof(SegmentFooter, footer_checksum));
}

}  // namespace spillway
