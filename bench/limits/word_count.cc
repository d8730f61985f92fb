// The limit for word count: how fast a program can be that does nothing else.
//
//   word_count [--threads N] FILE... OUT      writes "word<TAB>count" lines, sorted by bytes
//
// The trick: text is tokenised by whole vectors (word_scanner.h), words are counted in one cache
// line each, hashed and prefetched in batches (word_table.h), and every thread has a table of its
// own; the tables are small, so sorting and merging them at the end costs a few per cent.
// Expected, 1 GB of 155 M words, 500 k distinct, 2 threads: 0.53 s on Zen 5, 0.77 s on a Xeon.
#include <atomic>
#include <charconv>
#include <string>
#include <vector>

#include "bench/limits/command_line.h"
#include "bench/limits/files.h"
#include "bench/limits/parallel.h"
#include "bench/limits/sorted_words.h"
#include "bench/limits/word_pieces.h"
#include "bench/limits/word_scanner.h"
#include "bench/limits/word_table.h"

namespace spillway::limits {
namespace {

/// Threads claim this much input at a time: small enough to end together.
constexpr std::uint64_t kClaimBytes = std::uint64_t{4} << 20;

struct Count {
  std::uint64_t value;
  std::uint64_t unused;
};

struct Claim {
  const InputFile* file;
  std::uint64_t begin;
};

void CountWords(const std::vector<Claim>& claims, std::atomic<std::size_t>& next,
                WordTable<Count>& table) {
  WordPieces pieces;
  WordScanner scanner;
  for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < claims.size();) {
    pieces.Open(*claims[i].file, claims[i].begin, claims[i].begin + kClaimBytes);
    while (pieces.Next()) {
      scanner.Open(pieces.text());
      while (scanner.Next())
        table.FindWords(pieces.text().data(), scanner.starts(), scanner.ends(), scanner.count(),
                        [](Count** counts, const std::uint32_t*, std::size_t count) {
                          for (std::size_t word = 0; word < count; ++word) ++counts[word]->value;
                        });
    }
  }
}

std::string FormatRange(const std::vector<const WordList<Count>*>& lists, unsigned range) {
  const auto ranges = static_cast<unsigned>(lists.size());
  std::string text;
  text.reserve(lists[0]->size() * 16 / ranges);
  MergeRange(lists, range, ranges, [&](std::string_view word, const auto& counts) {
    std::uint64_t total = 0;
    for (const Count* count : counts) total += count == nullptr ? 0 : count->value;
    char digits[24];
    digits[0] = '\t';
    char* end = std::to_chars(digits + 1, digits + 22, total).ptr;
    *end++ = '\n';
    text.append(word);
    text.append(digits, end);
  });
  return text;
}

void Run(const CommandLine& line) {
  const std::vector<InputFile> inputs =
      OpenInputs({line.operands.begin(), line.operands.end() - 1});
  std::vector<Claim> claims;
  for (const InputFile& input : inputs)
    for (std::uint64_t begin = 0; begin < input.bytes; begin += kClaimBytes)
      claims.push_back({&input, begin});

  std::atomic<std::size_t> next = 0;
  std::vector<WordTable<Count>> tables(line.threads);
  std::vector<WordList<Count>> words(line.threads);
  RunThreads(line.threads, [&](unsigned i) {
    CountWords(claims, next, tables[i]);
    words[i] = WordList<Count>(tables[i]);
  });

  std::vector<const WordList<Count>*> lists;
  for (const WordList<Count>& list : words) lists.push_back(&list);
  std::vector<std::string> texts(line.threads);
  RunThreads(line.threads, [&](unsigned i) { texts[i] = FormatRange(lists, i); });
  const OutputFile output(line.operands.back());
  std::uint64_t offset = 0;
  for (const std::string& text : texts) {
    output.WriteAt(offset, text);
    offset += text.size();
  }
}

}  // namespace
}  // namespace spillway::limits

int main(int argc, char** argv) {
  using spillway::limits::CommandLine;
  spillway::limits::Run(
      CommandLine::Parse(argc, argv, 2, "usage: word_count [--threads N] FILE... OUT"));
  std::_Exit(0);  // The tables go back to the system with the process, not page by page.
}
