// The fixed parts of a segment: header, block header, footer, and the checksum that binds a block
// to its place (docs/formats/segment.md). Structs are the bytes: hosts are little-endian. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "mapreduce/base/coding.h"
#include "shuffle/record/record.h"
#include "shuffle/store/segment_store.h"

namespace spillway {

inline constexpr std::uint32_t kSegmentVersion = 1;
inline constexpr std::array<char, 8> kSegmentMagic = {'S', 'P', 'W', 'Y', 'S', 'E', 'G', '\n'};
inline constexpr std::array<char, 8> kSegmentEndMagic = {'S', 'P', 'W', 'Y', 'E', 'N', 'D', '\n'};

/// One record of the largest key and value, with the value packed.
inline constexpr std::uint64_t kBlockRawBytesMax =
    2 * std::uint64_t{kFieldBytesMax} + 3 * kVarint32BytesMax;
/// Larger blocks, which hold one huge record, are stored as they are.
inline constexpr std::uint64_t kCompressedBlockRawBytesMax = 4 << 20;
/// What one byte of LZ4 can expand to.
inline constexpr std::uint64_t kExpansionMax = 255;

struct SegmentHeader {
  std::array<char, 8> magic = kSegmentMagic;
  std::uint32_t version = kSegmentVersion;
  std::uint32_t partitions = 0;
  std::uint64_t job = 0;
  std::uint32_t map_task = 0;
  std::uint32_t attempt = 0;
};
static_assert(sizeof(SegmentHeader) == 32);

inline constexpr std::uint32_t kBlockIsLz4 = 1;

struct BlockHeader {
  std::uint32_t raw_bytes = 0;
  std::uint32_t stored_bytes = 0;
  std::uint32_t records = 0;
  std::uint32_t flags = 0;
  std::uint64_t checksum = 0;
};
static_assert(sizeof(BlockHeader) == 24);

struct SegmentFooter {
  std::uint64_t index_offset = 0;
  std::uint64_t index_bytes = 0;
  std::uint64_t index_checksum = 0;
  std::uint64_t job = 0;
  std::uint32_t map_task = 0;
  std::uint32_t attempt = 0;
  std::uint32_t partitions = 0;
  std::uint32_t runs = 0;
  std::uint32_t blocks = 0;
  std::uint32_t version = kSegmentVersion;
  std::uint64_t footer_checksum = 0;
  std::array<char, 8> magic = kSegmentEndMagic;
};
static_assert(sizeof(SegmentFooter) == 72);

/// Where a block belongs; part of its checksum, not of its bytes.
struct BlockPlace {
  SegmentId segment;
  std::uint32_t run = 0;
  std::uint32_t partition = 0;
  std::uint32_t sequence = 0;  ///< Of the block in its segment.
};

/// XXH3-64: of a payload, of the index.
std::uint64_t Digest(std::string_view bytes);

/// The checksum that `header` must carry at `place` with a payload of that digest; its own checksum
/// field is not looked at.
std::uint64_t BlockChecksum(const BlockHeader& header, const BlockPlace& place,
                            std::uint64_t payload_digest);

/// The hash of a partition with one more block of encoded records; it starts from 0.
std::uint64_t ExtendHash(std::uint64_t hash, std::uint64_t block_digest);

/// Of the fields before `footer_checksum`.
std::uint64_t FooterChecksum(const SegmentFooter& footer);

/// The bytes of a layout struct.
template <class T>
std::string_view BytesOf(const T& layout) {
  return {reinterpret_cast<const char*>(&layout), sizeof layout};
}

}  // namespace spillway
