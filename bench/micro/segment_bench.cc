// GB/s of raw record bytes through a segment, written and read, beside what bounds it: memcpy and
// LZ4 over the same bytes in 64 KiB pieces, and write() and pread() of a file by themselves.
//
// "text" is 100-byte records of words, "random" is 100-byte records that do not shrink. The set of
// 256 MiB is larger than any cache. Files stay in the page cache: this measures the CPU's part.
#include <benchmark/benchmark.h>
#include <lz4.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "mapreduce/base/check.h"
#include "runtime/storage/posix_file_system.h"
#include "shuffle/format/segment_reader.h"
#include "shuffle/format/segment_writer.h"
#include "shuffle/store/disk_segment_store.h"
#include "shuffle/store/memory_segment_store.h"

namespace spillway {
namespace {

constexpr SegmentId kId = {1, 0, 0};
constexpr std::size_t kTotalBytes = 256 << 20;
constexpr std::size_t kPieceBytes = 64 << 10;
constexpr std::size_t kFieldBytes[] = {10, 88};  // With the two lengths 100 bytes a record.

enum Content : std::int64_t { kText, kRandom };
enum Place : std::int64_t { kMemory, kDisk };

void CheckOk(const Status& status) {
  if (!status.ok()) SPILLWAY_CHECK_EQ(status.message(), "");
}

std::string Words(std::mt19937_64& random, std::size_t bytes) {
  static const char* const kWords[] = {"the", "of",     "spill",  "merge", "record", "shuffle",
                                       "a",   "reduce", "bucket", "sort",  "key",    "partition"};
  std::string text;
  while (text.size() < bytes) text += std::string(kWords[random() % std::size(kWords)]) + " ";
  return text.substr(0, bytes);
}

// Encoded records one after the other.
const std::string& Records(Content content) {
  static std::string made[2];
  std::string& all = made[content];
  if (!all.empty()) return all;
  std::mt19937_64 random(42);
  all.reserve(kTotalBytes);
  while (all.size() < kTotalBytes) {
    std::string fields[2];
    for (int i = 0; i < 2; ++i) {
      fields[i].resize(kFieldBytes[i]);
      for (char& c : fields[i]) c = static_cast<char>(random());
      if (content == kText) fields[i] = Words(random, kFieldBytes[i]);
    }
    const Record record = MakeRecord(fields[0], fields[1]);
    char encoded[100];
    all.append(encoded, EncodeRecord(record, encoded));
  }
  return all;
}

// A store of its own for each measurement.
class Stores {
 public:
  explicit Stores(Place place) {
    const std::filesystem::path directory =
        std::filesystem::temp_directory_path() / "spillway-segment-bench";
    std::filesystem::create_directories(directory);
    directory_ = directory;
    if (place == kDisk)
      store_ = std::make_unique<DiskSegmentStore>(
          files_, DiskSegmentStoreOptions{.directories = {directory_}});
    else
      store_ = std::make_unique<MemorySegmentStore>(budget_);
  }
  ~Stores() {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  SegmentStore& store() { return *store_; }
  FileSystem& files() { return files_; }
  const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
  PosixFileSystem files_;
  MemoryBudget budget_{std::uint64_t{2} << 30};
  std::unique_ptr<SegmentStore> store_;
};

void WriteSegment(SegmentStore& store, const std::string& records, Compression compression) {
  auto file = store.Create(kId);
  CheckOk(file.status());
  SegmentWriter writer(kId, 1, **file, {.compression = compression});
  writer.BeginRun();
  for (std::size_t at = 0; at + 100 <= records.size(); at += 100)
    CheckOk(writer.Add(0, std::string_view(records.data() + at, 100)));
  CheckOk(writer.FinishRun());
  CheckOk(writer.Finish().status());
  CheckOk((*file)->Commit());
}

std::uint64_t ReadSegment(SegmentStore& store) {
  auto bytes = store.Open(kId);
  CheckOk(bytes.status());
  auto reader = SegmentReader::Open(*bytes, kId);
  CheckOk(reader.status());
  MemoryBudget budget(0);
  const auto source = (*reader)->OpenRun(0, 0, budget, {});
  std::uint64_t read_bytes = 0;
  for (Block block;;) {
    const auto more = source->Next(&block);
    CheckOk(more.status());
    if (!*more) return read_bytes;
    read_bytes += block.bytes.size();
  }
}

void SetRate(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kTotalBytes));
}

void BM_Write(benchmark::State& state) {
  const std::string& records = Records(static_cast<Content>(state.range(0)));
  Stores stores(static_cast<Place>(state.range(1)));
  const bool lz4 = state.range(2) != 0;
  for (auto _ : state) {
    WriteSegment(stores.store(), records, lz4 ? Compression::kLz4 : Compression::kNone);
    state.PauseTiming();
    CheckOk(stores.store().Discard(kId));
    state.ResumeTiming();
  }
  SetRate(state);
}

void BM_Read(benchmark::State& state) {
  Stores stores(static_cast<Place>(state.range(1)));
  const bool lz4 = state.range(2) != 0;
  WriteSegment(stores.store(), Records(static_cast<Content>(state.range(0))),
               lz4 ? Compression::kLz4 : Compression::kNone);
  for (auto _ : state) benchmark::DoNotOptimize(ReadSegment(stores.store()));
  SetRate(state);
}

void SegmentArguments(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"random", "disk", "lz4"})
      ->ArgsProduct({{kText, kRandom}, {kMemory, kDisk}, {0, 1}})
      ->Unit(benchmark::kMillisecond);
}
BENCHMARK(BM_Write)->Apply(SegmentArguments);
BENCHMARK(BM_Read)->Apply(SegmentArguments);

// The limit of a write into memory: one copy into pages that are new, in large pieces.
void BM_LimitCopy(benchmark::State& state) {
  const std::string& records = Records(kRandom);
  MemoryBudget budget(std::uint64_t{1} << 30);
  for (auto _ : state) {
    auto to = Buffer::Allocate(budget, records.size());
    CheckOk(to.status());
    for (std::size_t at = 0; at < kTotalBytes; at += kPieceBytes)
      std::memcpy(to->data() + at, records.data() + at, kPieceBytes);
    benchmark::DoNotOptimize(to->data()[12345]);
  }
  SetRate(state);
}
BENCHMARK(BM_LimitCopy)->Unit(benchmark::kMillisecond);

void BM_LimitCompress(benchmark::State& state) {
  const std::string& records = Records(static_cast<Content>(state.range(0)));
  std::vector<char> to(static_cast<std::size_t>(LZ4_compressBound(kPieceBytes)));
  for (auto _ : state)
    for (std::size_t at = 0; at < kTotalBytes; at += kPieceBytes)
      benchmark::DoNotOptimize(LZ4_compress_default(records.data() + at, to.data(), kPieceBytes,
                                                    static_cast<int>(to.size())));
  SetRate(state);
}
BENCHMARK(BM_LimitCompress)
    ->ArgName("random")
    ->Arg(kText)
    ->Arg(kRandom)
    ->Unit(benchmark::kMillisecond);

void BM_LimitDecompress(benchmark::State& state) {
  const std::string& records = Records(static_cast<Content>(state.range(0)));
  std::vector<std::string> packed;
  for (std::size_t at = 0; at < kTotalBytes; at += kPieceBytes) {
    std::string piece(static_cast<std::size_t>(LZ4_compressBound(kPieceBytes)), '\0');
    piece.resize(static_cast<std::size_t>(LZ4_compress_default(
        records.data() + at, piece.data(), kPieceBytes, static_cast<int>(piece.size()))));
    packed.push_back(piece);
  }
  std::vector<char> to(kPieceBytes);
  for (auto _ : state)
    for (const std::string& piece : packed)
      benchmark::DoNotOptimize(LZ4_decompress_safe(piece.data(), to.data(),
                                                   static_cast<int>(piece.size()), kPieceBytes));
  SetRate(state);
}
BENCHMARK(BM_LimitDecompress)
    ->ArgName("random")
    ->Arg(kText)
    ->Arg(kRandom)
    ->Unit(benchmark::kMillisecond);

void WriteFile(FileSystem& files, const std::string& path, const std::string& bytes) {
  auto file = files.Create(path);
  CheckOk(file.status());
  constexpr std::size_t kAppendBytes = 256 << 10;
  for (std::size_t at = 0; at < kTotalBytes; at += kAppendBytes)
    CheckOk((*file)->Append({bytes.data() + at, kAppendBytes}));
  CheckOk((*file)->Close());
}

void BM_LimitFileWrite(benchmark::State& state) {
  Stores stores(kDisk);
  const std::string path = stores.directory() + "/file";
  for (auto _ : state) {
    WriteFile(stores.files(), path, Records(kRandom));
    state.PauseTiming();
    CheckOk(stores.files().Remove(path));
    state.ResumeTiming();
  }
  SetRate(state);
}
BENCHMARK(BM_LimitFileWrite)->Unit(benchmark::kMillisecond);

void BM_LimitFileRead(benchmark::State& state) {
  Stores stores(kDisk);
  const std::string path = stores.directory() + "/file";
  WriteFile(stores.files(), path, Records(kRandom));
  auto file = stores.files().Open(path);
  CheckOk(file.status());
  std::vector<char> to(128 << 10);
  for (auto _ : state)
    for (std::size_t at = 0; at < kTotalBytes; at += to.size())
      CheckOk((*file)->ReadAt(at, to.size(), to.data()).status());
  SetRate(state);
}
BENCHMARK(BM_LimitFileRead)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace spillway
