#include "shuffle/format/segment_layout.h"

#include <cstddef>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace spillway {

std::uint64_t BlockChecksum(const BlockHeader& header, const BlockPlace& place,
                            std::string_view payload) {
  // The payload's digest is taken first and then hashed with the place, so that the long hash
  // needs no seed and can be shared by whoever checks bytes without knowing their place.
  struct {
    std::uint32_t raw_bytes, stored_bytes, records, flags;
    std::uint64_t job;
    std::uint32_t map_task, attempt, run, partition;
    std::uint64_t sequence;
    std::uint64_t payload_digest;
  } bound = {header.raw_bytes,
             header.stored_bytes,
             header.records,
             header.flags,
             place.segment.job,
             place.segment.map_task,
             place.segment.attempt,
             place.run,
             place.partition,
             place.sequence,
             XXH3_64bits(payload.data(), payload.size())};
  static_assert(sizeof bound == 56);
  return XXH3_64bits(&bound, sizeof bound);
}

std::uint64_t FooterChecksum(const SegmentFooter& footer) {
  return XXH3_64bits(&footer, offsetof(SegmentFooter, footer_checksum));
}

std::uint64_t IndexChecksum(std::string_view index) {
  return XXH3_64bits(index.data(), index.size());
}

}  // namespace spillway
