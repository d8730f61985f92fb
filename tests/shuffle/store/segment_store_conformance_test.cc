// What every SegmentStore promises, over all of them.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "mapreduce/abi.h"
#include "runtime/storage/posix_file_system.h"
#include "shuffle/store/disk_segment_store.h"
#include "shuffle/store/hybrid_segment_store.h"
#include "shuffle/store/memory_segment_store.h"
#include "tests/shuffle/store/temporary_directory.h"

namespace spillway {
namespace {

constexpr SegmentId kId = {7, 3, 1};

// A store with what it stands on.
struct Fixture {
  TemporaryDirectory directory;
  PosixFileSystem files;
  std::unique_ptr<MemoryBudget> budget;
  std::unique_ptr<SegmentStore> disk;
  std::unique_ptr<SegmentStore> hybrid;
  std::unique_ptr<SegmentStore> memory;
  SegmentStore* store = nullptr;
};

struct Kind {
  std::string name;
  bool may_be_on_disk;
  std::function<void(Fixture&)> make;
};

void MakeDisk(Fixture& f, std::uint32_t open_files_max) {
  DiskSegmentStoreOptions options;
  options.directories = {f.directory.path()};
  options.open_files_max = open_files_max;
  f.disk = std::make_unique<DiskSegmentStore>(f.files, options);
  f.store = f.disk.get();
}

void MakeHybrid(Fixture& f, std::uint64_t budget_bytes) {
  MakeDisk(f, 2);
  f.budget = std::make_unique<MemoryBudget>(budget_bytes);
  f.hybrid = std::make_unique<HybridSegmentStore>(*f.budget, *f.disk);
  f.store = f.hybrid.get();
}

void MakeMemory(Fixture& f, const MemorySegmentStoreOptions& options) {
  f.budget = std::make_unique<MemoryBudget>(64 << 20);
  f.memory = std::make_unique<MemorySegmentStore>(*f.budget, options);
  f.store = f.memory.get();
}

const Kind kKinds[] = {
    {"Disk", true, [](Fixture& f) { MakeDisk(f, 0); }},
    {"DiskWithOneOpenFile", true, [](Fixture& f) { MakeDisk(f, 1); }},
    {"Memory", false, [](Fixture& f) { MakeMemory(f, {}); }},
    {"MemoryInTinyChunks", false,
     [](Fixture& f) { MakeMemory(f, {.chunk_bytes_min = 16, .chunk_bytes_max = 100}); }},
    {"HybridWithRoom", true, [](Fixture& f) { MakeHybrid(f, 64 << 20); }},
    {"HybridWithLittleRoom", true, [](Fixture& f) { MakeHybrid(f, 200 << 10); }},
    {"HybridWithoutRoom", true, [](Fixture& f) { MakeHybrid(f, 0); }},
};

class SegmentStoreConformance : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { GetParam().make(fixture_); }
  SegmentStore& store() { return *fixture_.store; }

  // A segment of `bytes`, appended in random pieces, not committed.
  std::unique_ptr<SegmentFile> Append(const SegmentId& id, const std::string& bytes) {
    auto file = store().Create(id);
    EXPECT_TRUE(file.ok()) << file.status().message();
    std::mt19937_64 random(bytes.size());
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t piece = std::min<std::size_t>(1 + random() % 5000, bytes.size() - at);
      const Status status = (*file)->Append(std::string_view(bytes).substr(at, piece));
      EXPECT_TRUE(status.ok()) << status.message();
      at += piece;
      EXPECT_EQ((*file)->size(), at);
    }
    return std::move(*file);
  }

  void Commit(const SegmentId& id, const std::string& bytes) {
    const auto file = Append(id, bytes);
    const Status status = file->Commit();
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(file->size(), bytes.size());
  }

  std::string Read(const SegmentId& id) {
    auto segment = store().Open(id);
    EXPECT_TRUE(segment.ok()) << segment.status().message();
    if (!segment.ok()) return "";
    std::string scratch((*segment)->size(), '\0');
    auto bytes = (*segment)->ReadAt(0, scratch.size(), scratch.data());
    EXPECT_TRUE(bytes.ok()) << bytes.status().message();
    return bytes.ok() ? std::string(*bytes) : "";
  }

  Fixture fixture_;
};

std::string RandomBytes(std::uint64_t seed, std::size_t bytes) {
  std::mt19937_64 random(seed);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

TEST_P(SegmentStoreConformance, GivesBackWhatWasCommitted) {
  for (const std::size_t bytes : {0u, 1u, 4095u, 4096u, 100'000u, 3'000'000u}) {
    const SegmentId id = {1, static_cast<std::uint32_t>(bytes), 0};
    const std::string content = RandomBytes(bytes, bytes);
    Commit(id, content);
    EXPECT_EQ(Read(id), content);
  }
}

TEST_P(SegmentStoreConformance, ReadsAndViewsAnyRange) {
  const std::string content = RandomBytes(5, 500'000);
  Commit(kId, content);
  auto segment = store().Open(kId);
  ASSERT_TRUE(segment.ok());
  std::mt19937_64 random(6);
  std::string scratch(content.size(), '\0');
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t offset = random() % content.size();
    const std::uint64_t bytes = random() % std::min<std::uint64_t>(content.size() - offset, 20'000);
    auto read = (*segment)->ReadAt(offset, bytes, scratch.data());
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(*read, std::string_view(content).substr(offset, bytes));
    const std::string_view view = (*segment)->View(offset, bytes);
    if (view.empty()) continue;
    EXPECT_EQ(view, std::string_view(content).substr(offset, bytes));
    char last = 0;
    for (unsigned p = 0; p < SPILLWAY_PADDING_BYTES; ++p) last ^= view.data()[bytes + p];
    testing::Test::RecordProperty("padding", last);  // Readable; its value is anything.
  }
}

TEST_P(SegmentStoreConformance, ReadingBeyondTheEndIsDataLoss) {
  Commit(kId, "0123456789");
  auto segment = store().Open(kId);
  ASSERT_TRUE(segment.ok());
  char scratch[32];
  EXPECT_EQ((*segment)->ReadAt(5, 6, scratch).status().code(), Code::kDataLoss);
  EXPECT_EQ((*segment)->ReadAt(11, 1, scratch).status().code(), Code::kDataLoss);
  EXPECT_EQ((*segment)->ReadAt(UINT64_MAX / 2, 4, scratch).ok(), false);
  EXPECT_TRUE((*segment)->View(5, 6).empty());
  EXPECT_EQ(*(*segment)->ReadAt(5, 5, scratch), "56789");
}

TEST_P(SegmentStoreConformance, NothingIsVisibleBeforeCommit) {
  {
    const auto file = Append(kId, RandomBytes(1, 300'000));
    EXPECT_EQ(store().Open(kId).status().code(), Code::kNotFound);
  }
  EXPECT_EQ(store().Open(kId).status().code(), Code::kNotFound);
  EXPECT_TRUE(fixture_.files.List(fixture_.directory.path())->empty()) << "left over";
  if (fixture_.budget) {
    EXPECT_EQ(fixture_.budget->used_bytes(), 0u);
  }
}

TEST_P(SegmentStoreConformance, SecondCommitOfAnIdChangesNothing) {
  const auto late = Append(kId, "the second");
  Commit(kId, "the first");
  EXPECT_TRUE(late->Commit().ok());
  EXPECT_EQ(Read(kId), "the first");
  Commit(kId, RandomBytes(1, 400'000));
  EXPECT_EQ(Read(kId), "the first");
}

TEST_P(SegmentStoreConformance, LargeFirstCommitStaysToo) {
  const std::string first = RandomBytes(1, 400'000);
  Commit(kId, first);
  Commit(kId, "small");
  EXPECT_EQ(Read(kId), first);
}

TEST_P(SegmentStoreConformance, DiscardRemovesOneSegmentAndIsRepeatable) {
  const SegmentId other = {7, 3, 2};
  Commit(kId, RandomBytes(1, 300'000));
  Commit(other, "other");
  EXPECT_TRUE(store().Discard(kId).ok());
  EXPECT_TRUE(store().Discard(kId).ok());
  EXPECT_EQ(store().Open(kId).status().code(), Code::kNotFound);
  EXPECT_EQ(Read(other), "other");
  Commit(kId, "again");
  EXPECT_EQ(Read(kId), "again");
  EXPECT_TRUE(store().Discard(kId).ok());
  EXPECT_TRUE(store().Discard(other).ok());
  EXPECT_TRUE(fixture_.files.List(fixture_.directory.path())->empty());
  if (fixture_.budget) {
    EXPECT_EQ(fixture_.budget->used_bytes(), 0u);
  }
}

TEST_P(SegmentStoreConformance, ReleaseKeepsTheRest) {
  const std::string content = RandomBytes(9, 6'000'000);
  Commit(kId, content);
  auto segment = store().Open(kId);
  ASSERT_TRUE(segment.ok());
  std::string scratch(content.size(), '\0');
  std::uint64_t at = 0;
  std::mt19937_64 random(2);
  while (at < content.size()) {
    const std::uint64_t step = std::min<std::uint64_t>(random() % 900'000, content.size() - at);
    (*segment)->Release(at, step);
    (*segment)->Release(at / 2, at / 2);  // Twice is harmless.
    at += step;
    auto rest = (*segment)->ReadAt(at, content.size() - at, scratch.data());
    ASSERT_TRUE(rest.ok()) << rest.status().message();
    ASSERT_EQ(*rest, std::string_view(content).substr(at));
  }
  (*segment)->Release(0, UINT64_MAX);
  (*segment)->Release(content.size() + 5, 7);
}

TEST_P(SegmentStoreConformance, ThreadsMayUseItAtOnce) {
  constexpr int kThreads = 4, kSegments = 20;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([this, t] {
      for (std::uint32_t i = 0; i < kSegments; ++i) {
        const SegmentId id = {1, i, static_cast<std::uint32_t>(t % 2)};
        // Threads 0 and 2, 1 and 3 race for the same ids with the same bytes.
        const std::string content = RandomBytes(i * 2 + id.attempt, 20'000);
        Commit(id, content);
        EXPECT_EQ(Read(id), content);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

INSTANTIATE_TEST_SUITE_P(All, SegmentStoreConformance, testing::ValuesIn(kKinds),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace spillway
