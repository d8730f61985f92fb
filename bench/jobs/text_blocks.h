// What the generators of points and graphs share: whole numbers as options, and a text file of
// blocks that any thread may make, whatever their sizes. Used by main().
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/limits/files.h"
#include "bench/limits/parallel.h"

namespace spillway::bench {

struct TextOptions {
  std::map<std::string, std::uint64_t> numbers;  ///< Of options "--NAME N", with their defaults.
  unsigned threads = 2;
  std::string out;

  /// Ends the program with `usage` when the arguments are wrong; a number must not be 0.
  static TextOptions Parse(int argc, char** argv, std::map<std::string, std::uint64_t> defaults,
                           const char* usage);
};

/// Blocks that are in memory at once, for each thread.
inline constexpr std::uint64_t kBlocksPerThread = 4;

/// Writes `blocks` blocks one behind the other; fill(block, text) appends the text of one.
template <class Fill>
void WriteTextBlocks(const TextOptions& options, std::uint64_t blocks, Fill fill) {
  const limits::OutputFile output(options.out);
  std::uint64_t offset = 0;
  const std::uint64_t wave = kBlocksPerThread * options.threads;
  for (std::uint64_t begin = 0; begin < blocks; begin += wave) {
    std::vector<std::string> texts(std::min(wave, blocks - begin));
    std::atomic<std::size_t> next = 0;
    limits::RunThreads(options.threads, [&](unsigned) {
      for (std::size_t i; (i = next.fetch_add(1)) < texts.size();) fill(begin + i, texts[i]);
    });
    for (const std::string& text : texts) {
      output.WriteAt(offset, text);
      offset += text.size();
    }
  }
}

}  // namespace spillway::bench
