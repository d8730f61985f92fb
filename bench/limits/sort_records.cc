// The limit for sorting: 100-byte records by their first 10 bytes, equal keys in input order.
//
//   sort_records [--threads N] [--memory SIZE] IN OUT
//
// The trick: what is sorted is one 128-bit number per record, {key, record number}, by Highway's
// vectorised sort; the records themselves move once, from the mapped input to a buffer of output
// that threads write at its final place. Numbers are distributed over key ranges chosen by a
// sample, so that each range is sorted within the second-level cache, and because the record
// number is part of the order a range never grows beyond its share, whatever the keys.
//
// With less memory than input the same is done to runs, as large as the memory allows, in one
// scratch file. There is no merge loop: samples of the sorted runs cut all of them into key ranges
// of a few MiB, and each range is read, sorted in the cache and written, by any thread.
// Expected, 1 GB, 2 threads, Zen 5: 0.43 s in memory, 0.64 s with 512 MiB.
#include <fcntl.h>
#include <hwy/contrib/sort/vqsort.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "bench/limits/command_line.h"
#include "bench/limits/files.h"
#include "bench/limits/parallel.h"
#include "mapreduce/base/coding.h"
#include "mapreduce/base/units.h"

namespace spillway::limits {
namespace {

constexpr std::size_t kRecordBytes = 100;
constexpr unsigned kNumberBits = 48;

/// A record's place in the order: its 10 key bytes above its 48-bit number.
__extension__ typedef unsigned __int128 Item;
static_assert(sizeof(Item) == sizeof(hwy::uint128_t));

Item MakeItem(const char* record, std::uint64_t number) {
  const std::uint64_t low = __builtin_bswap64(LoadLittle<std::uint64_t>(record + 2));
  return Item{LoadBig64(record)} << 64 | (low << kNumberBits | number);
}

std::uint64_t NumberOf(Item item) {
  return static_cast<std::uint64_t>(item) & ((std::uint64_t{1} << kNumberBits) - 1);
}

/// Sorts items and writes their records in that order. A thread has its own.
class RecordWriter {
 public:
  RecordWriter() : buffer_(kBufferRecords * kRecordBytes) {}

  /// The items' numbers count records from `records`.
  void SortAndWrite(Item* items, std::size_t count, const char* records, const OutputFile& output,
                    std::uint64_t first_record) {
    sort_(reinterpret_cast<hwy::uint128_t*>(items), count, hwy::SortAscending());
    for (std::size_t done = 0; done < count; done += kBufferRecords) {
      const std::size_t batch = std::min(kBufferRecords, count - done);
      Gather(items + done, batch, count - done, records);
      output.WriteAt((first_record + done) * kRecordBytes, {buffer_.data(), batch * kRecordBytes});
    }
  }

 private:
  static constexpr std::size_t kBufferRecords = 4096;
  static constexpr std::size_t kPrefetchAhead = 16;

  /// Copies `count` records; prefetches in the order of the `left` items from the first one on.
  void Gather(const Item* items, std::size_t count, std::size_t left, const char* records) {
    char* to = buffer_.data();
    for (std::size_t i = 0; i < count; ++i, to += kRecordBytes) {
      if (i + kPrefetchAhead < left) {
        const char* soon = records + NumberOf(items[i + kPrefetchAhead]) * kRecordBytes;
        __builtin_prefetch(soon);
        __builtin_prefetch(soon + kRecordBytes - 1);
      }
      std::memcpy(to, records + NumberOf(items[i]) * kRecordBytes, kRecordBytes);
    }
  }

  hwy::Sorter sort_;
  std::vector<char> buffer_;
};

/// Memory of one thread for items, in blocks, so that no range's count is needed beforehand.
class ItemArena {
 public:
  static constexpr std::size_t kBlockItems = 4096;

  /// Address space, not memory: what is not used costs nothing.
  ItemArena(std::size_t items, std::size_t ranges)
      : memory_((items + ranges * kBlockItems) * sizeof(Item)),
        next_(reinterpret_cast<Item*>(memory_.data())) {}

  Item* Allocate() { return std::exchange(next_, next_ + kBlockItems); }

 private:
  LargeBuffer memory_;
  Item* next_;
};

/// Items of one thread for one key range.
class ItemBlocks {
 public:
  void Append(Item item, ItemArena& arena) {
    if (at_ == end_) [[unlikely]] {
      at_ = arena.Allocate();
      end_ = at_ + ItemArena::kBlockItems;
      blocks_.push_back(at_);
    }
    *at_++ = item;
  }

  std::size_t size() const {
    return blocks_.size() * ItemArena::kBlockItems - static_cast<std::size_t>(end_ - at_);
  }

  Item* CopyTo(Item* to) const {
    std::size_t left = size();
    for (const Item* block : blocks_) {
      const std::size_t count = std::min(left, ItemArena::kBlockItems);
      std::memcpy(to, block, count * sizeof(Item));
      to += count;
      left -= count;
    }
    return to;
  }

 private:
  std::vector<const Item*> blocks_;
  Item* at_ = nullptr;
  Item* end_ = nullptr;
};

/// Part of the input, mapped.
class MappedRecords {
 public:
  MappedRecords(const InputFile& file, std::uint64_t first, std::size_t count) {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t offset = first * kRecordBytes;
    const std::uint64_t begin = offset / page * page;
    // MakeItem reads no byte behind its record, so nothing behind the last one is needed.
    bytes_ = static_cast<std::size_t>(offset - begin) + count * kRecordBytes;
    void* mapped =
        ::mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, file.descriptor, static_cast<off_t>(begin));
    if (mapped == MAP_FAILED) Fail(kExitNoInput, "cannot map " + file.path);
    base_ = static_cast<char*>(mapped);
    records_ = base_ + (offset - begin);
  }
  ~MappedRecords() { ::munmap(base_, bytes_); }
  MappedRecords(const MappedRecords&) = delete;
  MappedRecords& operator=(const MappedRecords&) = delete;

  const char* data() const { return records_; }

 private:
  char* base_;
  std::size_t bytes_;
  const char* records_;
};

/// Sorts `count` records of `input` from number `first` on into the same place of an output.
class RunSorter {
 public:
  RunSorter(const InputFile& input, std::uint64_t first, std::size_t count, unsigned threads)
      : records_(input, first, count), first_(first), count_(count), threads_(threads) {
    ranges_ = std::clamp<std::size_t>(count / kRangeRecords, 1, kRangesMax);
    items_.assign(threads, std::vector<ItemBlocks>(ranges_));
    for (unsigned thread = 0; thread < threads; ++thread) arenas_.emplace_back(count, ranges_);
    ChooseSplitters();
  }

  void SortTo(const OutputFile& output) {
    std::atomic<std::size_t> next_claim = 0, next_range = 0;
    RunThreads(threads_,
               [&](unsigned thread) { Distribute(next_claim, items_[thread], arenas_[thread]); });
    std::vector<std::size_t> begins(ranges_ + 1);
    for (std::size_t range = 0; range < ranges_; ++range) {
      begins[range + 1] = begins[range];
      for (const auto& ranges : items_) begins[range + 1] += ranges[range].size();
    }
    RunThreads(threads_, [&](unsigned) {
      RecordWriter writer;
      LargeBuffer memory;
      for (std::size_t range; (range = next_range.fetch_add(1)) < ranges_;) {
        const std::size_t count = begins[range + 1] - begins[range];
        if (memory.bytes() < count * sizeof(Item)) memory = LargeBuffer(2 * count * sizeof(Item));
        Item* const items = reinterpret_cast<Item*>(memory.data());
        Item* end = items;
        for (const auto& ranges : items_) end = ranges[range].CopyTo(end);
        writer.SortAndWrite(items, count, records_.data(), output, first_ + begins[range]);
      }
    });
  }

 private:
  /// 16 bytes each: a range's items fit the second-level cache.
  static constexpr std::size_t kRangeRecords = 64 << 10;
  static constexpr std::size_t kRangesMax = 256;
  static constexpr std::size_t kSamplesPerRange = 32;
  static constexpr unsigned kGuideBits = 12;
  static constexpr std::size_t kClaimRecords = 40'000;

  void ChooseSplitters() {
    std::vector<Item> samples(ranges_ * kSamplesPerRange);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const std::size_t number = count_ * i / samples.size();
      samples[i] = MakeItem(records_.data() + number * kRecordBytes, number);
    }
    std::sort(samples.begin(), samples.end());
    for (std::size_t range = 1; range < ranges_; ++range)
      splitters_.push_back(samples[range * kSamplesPerRange]);
    for (std::size_t bits = 0; bits < guide_.size(); ++bits)
      guide_[bits] = static_cast<std::uint16_t>(
          std::lower_bound(splitters_.begin(), splitters_.end(), Item{bits} << (128 - kGuideBits)) -
          splitters_.begin());
    guide_.back() = static_cast<std::uint16_t>(splitters_.size());
  }

  /// Where the key's first bits alone do not decide, the splitters between their neighbours do.
  std::size_t RangeOf(Item item) const {
    const std::size_t bits = static_cast<std::size_t>(item >> (128 - kGuideBits));
    std::size_t begin = guide_[bits], end = guide_[bits + 1];
    while (begin < end) {
      const std::size_t middle = (begin + end) / 2;
      if (item >= splitters_[middle])
        begin = middle + 1;
      else
        end = middle;
    }
    return begin;
  }

  void Distribute(std::atomic<std::size_t>& next_claim, std::vector<ItemBlocks>& ranges,
                  ItemArena& arena) const {
    for (std::size_t claim; (claim = next_claim.fetch_add(1) * kClaimRecords) < count_;) {
      const std::size_t end = std::min(claim + kClaimRecords, count_);
      for (std::size_t number = claim; number < end; ++number) {
        const Item item = MakeItem(records_.data() + number * kRecordBytes, number);
        ranges[RangeOf(item)].Append(item, arena);
      }
    }
  }

  MappedRecords records_;
  std::uint64_t first_;
  std::size_t count_;
  unsigned threads_;
  std::size_t ranges_;
  std::vector<Item> splitters_;  ///< The first item of each range but the first.
  /// By the first bits of a key: how many splitters are below all keys that begin so.
  std::array<std::uint16_t, (std::size_t{1} << kGuideBits) + 1> guide_;
  std::vector<ItemArena> arenas_;               ///< Per thread.
  std::vector<std::vector<ItemBlocks>> items_;  ///< Per thread and range.
};

/// Sorted runs, one behind the other in a file without a name.
class RunMerger {
 public:
  RunMerger(InputFile runs, std::vector<std::uint64_t> run_begins, std::size_t range_records,
            unsigned threads)
      : runs_(std::move(runs)),
        begins_(std::move(run_begins)),
        range_records_(range_records),
        threads_(threads) {}

  void MergeTo(const OutputFile& output) {
    const std::uint64_t records = begins_.back();
    const std::size_t ranges = static_cast<std::size_t>(records / range_records_ + 1);
    const std::vector<Item> splitters = ChooseSplitters(ranges);
    std::vector<std::vector<std::uint64_t>> cuts(ranges + 1);
    RunThreads(threads_, [&](unsigned thread) {
      for (std::size_t i = thread; i <= ranges; i += threads_)
        for (std::size_t run = 0; run + 1 < begins_.size(); ++run)
          cuts[i].push_back(i == 0        ? begins_[run]
                            : i == ranges ? begins_[run + 1]
                                          : LowerBound(run, splitters[i - 1]));
    });
    std::atomic<std::size_t> next = 0;
    RunThreads(threads_, [&](unsigned) {
      RecordWriter writer;
      RangeBuffer buffer;
      for (std::size_t i; (i = next.fetch_add(1)) < ranges;)
        MergeRange(cuts[i], cuts[i + 1], writer, buffer, output);
    });
  }

 private:
  static constexpr std::size_t kSamplesPerRange = 16;

  struct RangeBuffer {
    std::vector<char> records;
    LargeBuffer items;
  };

  Item ItemAt(std::uint64_t number) const {
    char record[kRecordBytes];
    runs_.ReadAt(number * kRecordBytes, record, kRecordBytes);
    return MakeItem(record, number);
  }

  std::vector<Item> ChooseSplitters(std::size_t ranges) const {
    std::vector<Item> samples(ranges * kSamplesPerRange);
    RunThreads(threads_, [&](unsigned thread) {
      for (std::size_t i = thread; i < samples.size(); i += threads_)
        samples[i] = ItemAt(begins_.back() * i / samples.size());
    });
    std::sort(samples.begin(), samples.end());
    std::vector<Item> splitters;
    for (std::size_t i = 1; i < ranges; ++i) splitters.push_back(samples[i * kSamplesPerRange]);
    return splitters;
  }

  std::uint64_t LowerBound(std::size_t run, Item splitter) const {
    std::uint64_t begin = begins_[run], end = begins_[run + 1];
    while (begin < end) {
      const std::uint64_t middle = (begin + end) / 2;
      if (ItemAt(middle) < splitter)
        begin = middle + 1;
      else
        end = middle;
    }
    return begin;
  }

  /// Merges records [from[run], to[run]) of every run.
  void MergeRange(const std::vector<std::uint64_t>& from, const std::vector<std::uint64_t>& to,
                  RecordWriter& writer, RangeBuffer& buffer, const OutputFile& output) const {
    std::uint64_t place = 0;
    std::size_t count = 0;
    for (std::size_t run = 0; run < from.size(); ++run) {
      place += from[run] - begins_[run];
      count += static_cast<std::size_t>(to[run] - from[run]);
    }
    if (buffer.records.size() < count * kRecordBytes) buffer.records.resize(count * kRecordBytes);
    if (buffer.items.bytes() < count * sizeof(Item))
      buffer.items = LargeBuffer(2 * count * sizeof(Item));
    Item* const items = reinterpret_cast<Item*>(buffer.items.data());

    // In the order of runs, so that numbers in the buffer keep equal keys in input order.
    std::size_t filled = 0;
    for (std::size_t run = 0; run < from.size(); ++run) {
      const std::size_t slice = static_cast<std::size_t>(to[run] - from[run]);
      if (slice == 0) continue;
      char* const at = buffer.records.data() + filled * kRecordBytes;
      runs_.ReadAt(from[run] * kRecordBytes, at, slice * kRecordBytes);
      // The file system may use these pages for the output instead of asking for new ones.
      ::fallocate(runs_.descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  static_cast<off_t>(from[run] * kRecordBytes),
                  static_cast<off_t>(slice * kRecordBytes));
      for (std::size_t i = 0; i < slice; ++i)
        items[filled + i] = MakeItem(at + i * kRecordBytes, filled + i);
      filled += slice;
    }
    writer.SortAndWrite(items, count, buffer.records.data(), output, place);
  }

  InputFile runs_;
  std::vector<std::uint64_t> begins_;  ///< Of each run, and the end of the last.
  std::size_t range_records_;
  unsigned threads_;
};

/// What one record in a run takes: itself, its item, and the slack of blocks and buffers.
constexpr std::uint64_t kRunBytesPerRecord = kRecordBytes + 18;
/// What does not depend on the size of a run: code, buffers, partly filled blocks of items.
constexpr std::uint64_t kFixedBytes = 24 * kMiB;
constexpr std::uint64_t kMergeRangeBytesMax = 4 * kMiB;

void Run(const CommandLine& line) {
  const InputFile input = InputFile::Open(line.operands[0]);
  errno = 0;
  if (input.bytes % kRecordBytes != 0) Fail(65, input.path + " is not whole 100-byte records");
  const std::uint64_t records = input.bytes / kRecordBytes;
  std::uint64_t run_records = records;
  if (line.memory_bytes != 0) {
    if (line.memory_bytes < 2 * kFixedBytes) Fail(kExitUsage, "--memory must be at least 48M");
    run_records = std::min(records, (line.memory_bytes - kFixedBytes) / kRunBytesPerRecord);
  }
  const OutputFile output(line.operands[1]);
  if (records == 0) return;
  if (run_records == records) {
    RunSorter(input, 0, static_cast<std::size_t>(records), line.threads).SortTo(output);
    return;
  }

  const std::string scratch_path = line.operands[1] + ".runs";
  const OutputFile scratch(scratch_path);
  ::unlink(scratch_path.c_str());
  // Runs of equal size, rather than full ones and a small last one.
  const std::uint64_t runs = (records + run_records - 1) / run_records;
  std::vector<std::uint64_t> begins;
  for (std::uint64_t run = 0; run <= runs; ++run) begins.push_back(records * run / runs);
  for (std::uint64_t run = 0; run < runs; ++run)
    RunSorter(input, begins[run], static_cast<std::size_t>(begins[run + 1] - begins[run]),
              line.threads)
        .SortTo(scratch);
  const std::uint64_t range_bytes =
      std::min(kMergeRangeBytesMax, line.memory_bytes / (4 * line.threads));
  RunMerger({scratch_path, scratch.descriptor(), input.bytes}, std::move(begins),
            static_cast<std::size_t>(range_bytes / kRecordBytes), line.threads)
      .MergeTo(output);
}

}  // namespace
}  // namespace spillway::limits

int main(int argc, char** argv) {
  using spillway::limits::CommandLine;
  spillway::limits::Run(CommandLine::Parse(
      argc, argv, 2, "usage: sort_records [--threads N] [--memory SIZE] IN OUT"));
  return 0;
}
