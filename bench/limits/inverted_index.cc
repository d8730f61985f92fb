// The limit for an inverted index: for each word, where it stands.
//
//   inverted_index [--threads N] FILE... OUT
//
// writes one line per word, "word<TAB>file:offset file:offset ...", lines sorted by bytes, places
// in the order of files and offsets.
//
// The trick: the loop is word count's, but a word's slot ends a list of 4-byte places
// (posting_lists.h) instead of holding a count. Threads index stripes of the input, so lists never
// need sorting: a word's places are its lists of all stripes, one after the other. How long a list
// is as text follows from the ends of its blocks, so every thread can write its words at their
// final place.
// Expected, 1 GB of 155 M words, 2 threads, Zen 5: 1.4 s, and 2.5 s with the output.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/limits/command_line.h"
#include "bench/limits/files.h"
#include "bench/limits/parallel.h"
#include "bench/limits/posting_lists.h"
#include "bench/limits/posting_text.h"
#include "bench/limits/sorted_words.h"
#include "bench/limits/word_pieces.h"
#include "bench/limits/word_scanner.h"
#include "bench/limits/word_table.h"

namespace spillway::limits {
namespace {

/// A place is 32 bits wide and counts from the start of its stripe.
constexpr std::uint64_t kStripeBytesMax = std::uint64_t{1} << 30;
/// A thread writes about this much at a time; a longer line is a unit of its own.
constexpr std::uint64_t kUnitBytes = std::uint64_t{4} << 20;

/// What one thread indexes: a part of all inputs laid end to end.
struct Stripe {
  std::uint64_t begin = 0, end = 0;
  WordTable<PostingList> table;
  PostingArena arena;
  WordList<WordTable<PostingList>> words;
};

std::vector<Stripe> CutStripes(const std::vector<InputFile>& inputs, unsigned threads) {
  std::uint64_t bytes = 0;
  for (const InputFile& input : inputs) bytes += input.bytes;
  const std::uint64_t count =
      std::max<std::uint64_t>(threads, (bytes + kStripeBytesMax - 1) / kStripeBytesMax);
  std::vector<Stripe> stripes(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    stripes[i].begin = bytes * i / count;
    stripes[i].end = bytes * (i + 1) / count;
  }
  return stripes;
}

void IndexStripe(const std::vector<InputFile>& inputs, Stripe& stripe) {
  WordPieces pieces;
  WordScanner scanner;
  std::uint64_t input_begin = 0;
  for (const InputFile& input : inputs) {
    const std::uint64_t begin = std::max(stripe.begin, input_begin);
    const std::uint64_t end = std::min(stripe.end, input_begin + input.bytes);
    if (begin < end) {
      pieces.Open(input, begin - input_begin, end - input_begin);
      while (pieces.Next()) {
        const auto base = static_cast<std::uint32_t>(input_begin + pieces.offset() - stripe.begin);
        scanner.Open(pieces.text());
        while (scanner.Next())
          stripe.table.FindWords(
              pieces.text().data(), scanner.starts(), scanner.ends(), scanner.count(),
              [&](PostingList** lists, const std::uint32_t* starts, std::size_t count) {
                for (std::size_t i = 0; i < count; ++i) stripe.arena.PrefetchEnd(*lists[i]);
                for (std::size_t i = 0; i < count; ++i)
                  stripe.arena.Append(*lists[i], base + starts[i]);
              });
      }
    }
    input_begin += input.bytes;
  }
  stripe.words = WordList<WordTable<PostingList>>(stripe.table);
}

/// The words of one key range; the lists of words[i] are stripes lists from i * stripes on, null
/// where the word does not occur.
struct Range {
  std::vector<std::string_view> words;
  std::vector<const PostingList*> lists;
  std::vector<std::uint64_t> line_bytes;
};

/// Some words of a range that follow each other, and where their lines go.
struct Unit {
  const Range* range;
  std::size_t begin, end;
  std::uint64_t place, bytes;
};

class IndexWriter {
 public:
  IndexWriter(const std::vector<InputFile>& inputs, const std::vector<Stripe>& stripes,
              unsigned threads)
      : names_(inputs), stripes_(stripes), threads_(threads), ranges_(threads) {}

  void WriteTo(const OutputFile& output) {
    std::vector<const WordList<WordTable<PostingList>>*> lists;
    for (const Stripe& stripe : stripes_) lists.push_back(&stripe.words);
    RunThreads(threads_, [&](unsigned thread) {
      Range& range = ranges_[thread];
      MergeRange(lists, thread, threads_, [&](std::string_view word, const auto& references) {
        range.words.push_back(word);
        for (const auto reference : references)
          range.lists.push_back(reference == 0 ? nullptr
                                               : &WordTable<PostingList>::PayloadOf(reference));
      });
      Measure(range);
    });
    const std::vector<Unit> units = CutUnits();
    std::atomic<std::size_t> next = 0;
    RunThreads(threads_, [&](unsigned) {
      TextWriter writer(output);
      for (std::size_t i; (i = next.fetch_add(1)) < units.size();) WriteUnit(units[i], writer);
      writer.Flush();
    });
  }

 private:
  using Blocks = std::vector<std::span<const std::uint32_t>>;

  /// Words lie in no order in memory, and so do their lists: both are fetched in good time.
  void Prefetch(const Range& range, std::size_t word) const {
    constexpr std::size_t kListsAhead = 24, kBlocksAhead = 12;
    const std::size_t stripes = stripes_.size();
    for (std::size_t i = 0; i < stripes; ++i) {
      if (word + kListsAhead < range.words.size())
        __builtin_prefetch(range.lists[(word + kListsAhead) * stripes + i]);
      if (word + kBlocksAhead >= range.words.size()) continue;
      const PostingList* list = range.lists[(word + kBlocksAhead) * stripes + i];
      if (list != nullptr) stripes_[i].arena.PrefetchBlock(*list);
    }
  }

  void Measure(Range& range) const {
    Blocks blocks;
    for (std::size_t word = 0; word < range.words.size(); ++word) {
      Prefetch(range, word);
      std::uint64_t bytes = range.words[word].size() + 1;
      for (std::size_t i = 0; i < stripes_.size(); ++i) {
        const PostingList* list = range.lists[word * stripes_.size() + i];
        if (list == nullptr) continue;
        stripes_[i].arena.BlocksOf(*list, blocks);
        for (const auto& places : blocks) bytes += names_.Measure(stripes_[i].begin, places);
      }
      range.line_bytes.push_back(bytes);
    }
  }

  /// The largest first, so that no thread is left with a long line at the end.
  std::vector<Unit> CutUnits() const {
    std::vector<Unit> units;
    std::uint64_t place = 0;
    for (const Range& range : ranges_) {
      for (std::size_t i = 0; i < range.words.size();) {
        Unit unit{&range, i, i, place, 0};
        while (unit.end < range.words.size() && unit.bytes < kUnitBytes)
          unit.bytes += range.line_bytes[unit.end++];
        place += unit.bytes;
        i = unit.end;
        units.push_back(unit);
      }
    }
    std::sort(units.begin(), units.end(),
              [](const Unit& a, const Unit& b) { return a.bytes > b.bytes; });
    return units;
  }

  void WriteUnit(const Unit& unit, TextWriter& writer) const {
    Blocks blocks;
    writer.Seek(unit.place);
    for (std::size_t word = unit.begin; word < unit.end; ++word) {
      Prefetch(*unit.range, word);
      writer.Append(unit.range->words[word]);
      writer.Append("\t");
      for (std::size_t i = 0; i < stripes_.size(); ++i) {
        const PostingList* list = unit.range->lists[word * stripes_.size() + i];
        if (list == nullptr) continue;
        stripes_[i].arena.BlocksOf(*list, blocks);
        for (const auto& places : blocks) names_.Format(stripes_[i].begin, places, writer);
      }
      writer.EndLine();
    }
  }

  PlaceNames names_;
  const std::vector<Stripe>& stripes_;
  unsigned threads_;
  std::vector<Range> ranges_;
};

void Run(const CommandLine& line) {
  const std::vector<InputFile> inputs =
      OpenInputs({line.operands.begin(), line.operands.end() - 1});
  std::vector<Stripe> stripes = CutStripes(inputs, line.threads);
  std::atomic<std::size_t> next = 0;
  RunThreads(line.threads, [&](unsigned) {
    for (std::size_t i; (i = next.fetch_add(1)) < stripes.size();) IndexStripe(inputs, stripes[i]);
  });
  const OutputFile output(line.operands.back());
  IndexWriter(inputs, stripes, line.threads).WriteTo(output);
}

}  // namespace
}  // namespace spillway::limits

int main(int argc, char** argv) {
  using spillway::limits::CommandLine;
  spillway::limits::Run(
      CommandLine::Parse(argc, argv, 2, "usage: inverted_index [--threads N] FILE... OUT"));
  std::_Exit(0);  // Tables and lists go back to the system with the process, not page by page.
}
