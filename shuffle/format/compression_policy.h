// CompressionPolicy: which blocks are worth a try with LZ4. Pure; one thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace spillway {

/// After a block that gained little, the next ones are stored as they are: 1, 2, 4 ... of them for
/// as long as tries keep failing. Data that does not shrink then costs one try in 65, and data that
/// changes its nature is noticed within 64 blocks (4 MiB).
class CompressionPolicy {
 public:
  static constexpr std::uint32_t kSkipBlocksMax = 64;
  /// A try fails unless the block shrinks by at least one part in this (12.5 %): below, reading
  /// costs more than the disk saves.
  static constexpr std::uint32_t kGainDivisor = 8;

  /// Whether to try the next block. Each call counts one block.
  bool ShouldTry() {
    if (skip_left_ == 0) return true;
    --skip_left_;
    return false;
  }

  /// What the try gave. True: keep the compressed form.
  bool Observe(std::uint64_t raw_bytes, std::uint64_t compressed_bytes) {
    const std::uint64_t gain_min = std::max<std::uint64_t>(raw_bytes / kGainDivisor, 1);
    if (compressed_bytes + gain_min <= raw_bytes) {
      skip_blocks_ = 1;
      return true;
    }
    skip_left_ = skip_blocks_;
    skip_blocks_ = std::min(skip_blocks_ * 2, kSkipBlocksMax);
    return false;
  }

 private:
  std::uint32_t skip_left_ = 0;
  std::uint32_t skip_blocks_ = 1;
};

}  // namespace spillway
