// What the data generators share: a seeded random sequence, their options, and writing a file in
// blocks that any thread may compute. Pure except WriteBlocks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/limits/files.h"
#include "bench/limits/parallel.h"

namespace spillway::bench {

/// SplitMix64 (Steele, Lea, Flood 2014). The same seed gives the same sequence everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  /// The sequence of one block: far from those of its neighbours, which seed + block would not be.
  static Random ForBlock(std::uint64_t seed, std::uint64_t block) {
    return Random(Random(seed ^ Random(block).Next()).Next());
  }

  std::uint64_t Next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  /// Below `limit`, which is at most 2^32.
  std::uint64_t Below(std::uint64_t limit) { return (Next() >> 32) * limit >> 32; }
  /// In [0, 1).
  double Fraction() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

struct GeneratorOptions {
  std::uint64_t bytes = 0;
  std::uint64_t seed = 1;
  std::uint64_t words = 500'000;  ///< Distinct ones (generate_text).
  bool ascii = false;             ///< Printable records that end their line (generate_records).
  unsigned threads = 2;
  std::string out;

  /// Ends the program with `usage` when the arguments are wrong.
  static GeneratorOptions Parse(int argc, char** argv, const char* usage);
};

/// A multiple of the record size of generate_records, so that records do not cross blocks.
inline constexpr std::size_t kBlockBytes = std::size_t{1'000'000};
/// A fill function may write this much behind its block.
inline constexpr std::size_t kBlockSlackBytes = 4096;

/// Writes options.bytes to options.out; fill(block, to, bytes) gives the content of block number
/// `block`, from several threads.
template <class Fill>
void WriteBlocks(const GeneratorOptions& options, Fill fill) {
  const limits::OutputFile output(options.out);
  const std::uint64_t blocks = (options.bytes + kBlockBytes - 1) / kBlockBytes;
  std::atomic<std::uint64_t> next = 0;
  limits::RunThreads(options.threads, [&](unsigned) {
    std::string buffer(kBlockBytes + kBlockSlackBytes, '\0');
    for (std::uint64_t block; (block = next.fetch_add(1)) < blocks;) {
      const std::uint64_t offset = block * kBlockBytes;
      const std::size_t bytes = std::min<std::uint64_t>(kBlockBytes, options.bytes - offset);
      fill(block, buffer.data(), bytes);
      output.WriteAt(offset, std::string_view(buffer).substr(0, bytes));
    }
  });
}

}  // namespace spillway::bench
