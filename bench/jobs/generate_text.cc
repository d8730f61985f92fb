// Writes text for benchmarks: words drawn from a Zipf distribution, in lines of 60 to 80 letters.
//
//   generate_text --bytes SIZE [--seed N] [--words N] [--threads N] OUT
//
// 500 000 distinct words with exponent 1.05 unless told otherwise; about 155 M words per GB, few
// of them above 16 bytes. The same options write the same bytes on every machine and with any
// number of threads: each block of output has its own random sequence, from the seed and its
// number. Words come from an alias table (Vose 1991): one random number and one lookup per word.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <string>
#include <unordered_set>
#include <vector>

#include "bench/jobs/generator.h"
#include "bench/limits/files.h"
#include "bench/limits/parallel.h"

namespace spillway::bench {
namespace {

constexpr double kZipfExponent = 1.05;
constexpr std::size_t kWordBytesMax = 23;
constexpr std::size_t kLineBytesMin = 60;
constexpr std::size_t kLineBytesSpread = 16;

struct Word {
  char text[kWordBytesMax];  ///< The letters and a blank.
  std::uint8_t bytes;        ///< Letters only.
};

/// Frequent words are short, as in any language; rank counts from 1.
std::size_t WordBytes(std::size_t rank, Random& random) {
  const auto number = static_cast<double>(rank);
  const double mean = 2.08 + 0.57 * std::log(number + 1);
  const double spread = 3.0 * number / (number + 20);
  const double jitter = (random.Fraction() + random.Fraction() + random.Fraction() - 1.5) * spread;
  const double rare_tail = random.Below(400) == 0 ? 8.0 : 0.0;
  const auto bytes = static_cast<long>(std::lround(mean + jitter + rare_tail));
  return static_cast<std::size_t>(std::clamp<long>(bytes, 1, kWordBytesMax - 1));
}

std::vector<Word> MakeVocabulary(std::size_t words, Random& random) {
  std::vector<Word> vocabulary(words);
  std::unordered_set<std::string> taken;
  for (std::size_t i = 0; i < words;) {
    std::string word(WordBytes(i + 1, random), ' ');
    // A taken word is tried again a little longer now and then, since short ones run out.
    if (random.Below(4) == 0 && word.size() < kWordBytesMax - 1) word += ' ';
    for (char& letter : word) letter = static_cast<char>('a' + random.Below(26));
    if (!taken.insert(word).second) continue;
    Word& entry = vocabulary[i++];
    std::memset(entry.text, ' ', sizeof entry.text);
    std::memcpy(entry.text, word.data(), word.size());
    entry.bytes = static_cast<std::uint8_t>(word.size());
  }
  return vocabulary;
}

/// Draws i with probability proportional to weights[i].
class AliasTable {
 public:
  explicit AliasTable(std::vector<double> weights) : cells_(weights.size()) {
    const double mean =
        std::accumulate(weights.begin(), weights.end(), 0.0) / static_cast<double>(weights.size());
    std::vector<std::uint32_t> small, large;
    for (std::uint32_t i = 0; i < weights.size(); ++i) {
      weights[i] /= mean;
      (weights[i] < 1.0 ? small : large).push_back(i);
    }
    while (!small.empty() && !large.empty()) {
      const std::uint32_t low = small.back(), high = large.back();
      small.pop_back();
      cells_[low] = {static_cast<std::uint32_t>(weights[low] * 0x1p32), high};
      weights[high] -= 1.0 - weights[low];
      if (weights[high] < 1.0) {
        large.pop_back();
        small.push_back(high);
      }
    }
    for (const std::uint32_t i : small) cells_[i] = {UINT32_MAX, i};
    for (const std::uint32_t i : large) cells_[i] = {UINT32_MAX, i};
  }

  std::uint32_t Draw(std::uint64_t random) const {
    const auto cell = static_cast<std::uint32_t>(
        (random >> 32) * static_cast<std::uint64_t>(cells_.size()) >> 32);
    return static_cast<std::uint32_t>(random) < cells_[cell].threshold ? cell : cells_[cell].alias;
  }

 private:
  struct Cell {
    std::uint32_t threshold;
    std::uint32_t alias;
  };
  std::vector<Cell> cells_;
};

/// Fills `block` of block_bytes, which has room for one more word, with whole lines; the last one
/// is cut to fit.
void FillBlock(const std::vector<Word>& vocabulary, const AliasTable& ranks, Random random,
               char* block, std::size_t block_bytes) {
  std::uint32_t batch[32];
  char* to = block;
  char* const end = block + block_bytes;
  char* line_end = to + kLineBytesMin + random.Below(kLineBytesSpread);
  while (to < end) {
    for (std::uint32_t& rank : batch) {
      rank = ranks.Draw(random.Next());
      __builtin_prefetch(&vocabulary[rank]);
    }
    for (const std::uint32_t rank : batch) {
      const Word& word = vocabulary[rank];
      std::memcpy(to, word.text, sizeof word.text);
      to += word.bytes + 1;
      if (to >= line_end) {
        to[-1] = '\n';
        line_end = to + kLineBytesMin + random.Below(kLineBytesSpread);
      }
      if (to >= end) break;
    }
  }
  end[-1] = '\n';
}

void Run(const GeneratorOptions& options) {
  Random random(options.seed);
  const std::vector<Word> vocabulary = MakeVocabulary(options.words, random);
  std::vector<double> weights(options.words);
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = std::pow(static_cast<double>(i + 1), -kZipfExponent);
  const AliasTable ranks(std::move(weights));

  WriteBlocks(options, [&](std::uint64_t block, char* to, std::size_t bytes) {
    FillBlock(vocabulary, ranks, Random::ForBlock(options.seed, block), to, bytes);
  });
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  using spillway::bench::GeneratorOptions;
  spillway::bench::Run(GeneratorOptions::Parse(
      argc, argv, "usage: generate_text --bytes SIZE [--seed N] [--words N] [--threads N] OUT"));
}
