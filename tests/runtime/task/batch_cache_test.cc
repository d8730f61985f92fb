#include "runtime/task/batch_cache.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "mapreduce/mapreduce.h"
#include "runtime/storage/posix_file_system.h"
#include "runtime/task/plugin_library.h"
#include "shuffle/store/disk_segment_store.h"

extern "C" const spillway_plugin* spillway_plugin_v1();  // Of loop_exchange_test.cc.

namespace spillway {
namespace {

/// Only its batches count.
struct Texts {
  using Input = TextLines;
  struct Batch {
    std::string text;
    std::uint64_t bytes() const { return 1'000; }
    void Save(LoopWriter& out) const { out.Put(text); }
    void Load(LoopReader& in) { in.Get(text); }
  };
  struct Start {};
  struct State {};
  struct Partial {};
  void Parse(const Line& line, Batch& batch) const { batch.text += line.text; }
  void Gather(const Batch&, Start&) const {}
  void Join(Start&, const Start&) const {}
  void First(const Start&, State&) const {}
  void Map(const Batch&, const State&, Partial&) const {}
  void Fold(Partial&, const Partial&) const {}
  bool Next(State&, const Partial&, const LoopRound&) const { return true; }
  void Print(const State&, OutputBuffer&) const {}
};
using TextsBatch = internal::CountedBatch<Texts>;

/// Of each batch, with what the batch itself takes.
constexpr std::uint64_t kBatchBytes = 1'000 + sizeof(TextsBatch);

class BatchCacheTest : public ::testing::Test {
 protected:
  BatchCacheTest() {
    std::string name = ::testing::TempDir() + "batches-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    store_ = std::make_unique<DiskSegmentStore>(files_, DiskSegmentStoreOptions{{directory_}, 0});
    auto library = PluginLibrary::Linked(&spillway_plugin_v1);
    plugin_ = std::move(PluginJob::Configure(*library, {})).value();
    context_.plugin = plugin_.get();
    host_ = std::make_unique<TaskHost>(context_, TaskIdentity{}, control_);
  }
  ~BatchCacheTest() override { EXPECT_TRUE(files_.RemoveTree(directory_).ok()); }

  /// Two parts, of three batches and of one, with an empty one between them.
  std::unique_ptr<BatchCache> Fill(MemoryBudget& budget) {
    auto cache = std::make_unique<BatchCache>(loop_, budget, *store_, SegmentId{1, 0, 0});
    cache->BeginPart();
    for (const char* const text : {"one", "two", "three"}) Add(*cache, text);
    cache->BeginPart();
    cache->BeginPart();
    Add(*cache, "four");
    EXPECT_TRUE(cache->Finish().ok());
    return cache;
  }
  void Add(BatchCache& cache, const std::string& text) {
    LoopObject batch(loop_, SPILLWAY_LOOP_BATCH, new TextsBatch{1, {text}});
    ASSERT_TRUE(cache.Add(std::move(batch), *host_).ok());
  }
  std::vector<std::string> TextsOf(BatchCache& cache, std::size_t part) {
    std::vector<std::string> texts;
    const Status status = cache.ForEach(part, *host_, [&](const void* batch) {
      texts.push_back(static_cast<const TextsBatch*>(batch)->batch.text);
      return OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status.message();
    return texts;
  }
  void ExpectAll(BatchCache& cache) {
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(TextsOf(cache, 0), (std::vector<std::string>{"one", "two", "three"}));
      EXPECT_EQ(TextsOf(cache, 1), std::vector<std::string>());
      EXPECT_EQ(TextsOf(cache, 2), std::vector<std::string>{"four"});
    }
  }
  /// The only file that there is.
  std::string SavedFile() {
    const auto names = files_.List(directory_);
    EXPECT_EQ(names->size(), 1u);
    return directory_ + "/" + names->front();
  }

  const Texts user_{};
  const spillway_loop loop_ = internal::LoopAdapter<Texts>::Describe(&user_);
  PosixFileSystem files_;
  std::string directory_;
  std::unique_ptr<DiskSegmentStore> store_;
  std::unique_ptr<PluginJob> plugin_;
  JobContext context_;
  AttemptControl control_;
  std::unique_ptr<TaskHost> host_;
};

TEST_F(BatchCacheTest, KeepsBatchesInMemoryWhileTheBudgetHasRoom) {
  MemoryBudget budget(4 * kBatchBytes);
  const auto cache = Fill(budget);
  ExpectAll(*cache);
  EXPECT_EQ(cache->parts(), 3u);
  EXPECT_EQ(cache->batches(), 4u);
  EXPECT_EQ(cache->saved_batches(), 0u);
  EXPECT_TRUE(files_.List(directory_)->empty());
}

TEST_F(BatchCacheTest, SavesWhatTheBudgetHasNoRoomForAndLoadsTheSameBytes) {
  for (const std::uint64_t fit : {0, 1, 3}) {
    MemoryBudget budget(fit * kBatchBytes);
    auto cache = Fill(budget);
    ExpectAll(*cache);
    EXPECT_EQ(cache->batches(), 4u);
    EXPECT_EQ(cache->saved_batches(), 4 - fit);
    EXPECT_GT(cache->saved_bytes(), 0u);
    cache.reset();
    EXPECT_TRUE(budget.TryReserve(fit * kBatchBytes)) << "it gives back what it took";
    budget.Release(fit * kBatchBytes);
    EXPECT_TRUE(files_.List(directory_)->empty()) << "its file goes with it";
  }
}

TEST_F(BatchCacheTest, EndsWithTheFirstFailure) {
  MemoryBudget budget(kBatchBytes);
  const auto cache = Fill(budget);
  int seen = 0;
  const Status status = cache->ForEach(
      0, *host_, [&](const void*) { return ++seen == 2 ? Cancelled("enough") : OkStatus(); });
  EXPECT_EQ(status.code(), Code::kCancelled);
  EXPECT_EQ(seen, 2);
}

TEST_F(BatchCacheTest, NamesAFileThatHasChanged) {
  MemoryBudget budget(3 * kBatchBytes);
  const auto cache = Fill(budget);
  const std::string path = SavedFile();
  std::FILE* const file = std::fopen(path.c_str(), "r+b");
  ASSERT_NE(file, nullptr);
  std::fputc('!', file);
  std::fclose(file);
  const auto ignore = [](const void*) { return OkStatus(); };
  EXPECT_TRUE(cache->ForEach(0, *host_, ignore).ok()) << "what is in memory is whole";
  const Status status = cache->ForEach(2, *host_, ignore);
  EXPECT_EQ(status.code(), Code::kAborted) << "the task is to run again";
  EXPECT_NE(status.message().find(path), std::string::npos) << status.message();
}

}  // namespace
}  // namespace spillway
