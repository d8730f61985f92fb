#include "runtime/task/combine_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <random>

#include "mapreduce/base/units.h"
#include "runtime/core/reduce_plan.h"
#include "runtime/storage/posix_file_system.h"
#include "runtime/task/map_task.h"
#include "runtime/task/reduce_task.h"
#include "shuffle/store/memory_segment_store.h"
#include "tests/places.h"
#include "tests/shuffle/format/segment_fixture.h"

namespace spillway {
namespace {

using ::testing::HasSubstr;

class TextSink final : public PartSink {
 public:
  Status Append(std::string_view bytes) override {
    text += bytes;
    return OkStatus();
  }
  Status AppendTo(std::string_view, std::string_view, std::uint64_t) override {
    return InternalError("nobody writes to directories here");
  }
  std::string text;
};

using Readers = std::vector<std::shared_ptr<const SegmentReader>>;

struct Shape {
  std::uint32_t maps = 8;
  std::uint32_t partitions = 3;
  std::uint64_t memory_bytes = 8 * kMiB;  ///< Of each reduce and combine task.
};

/// The map tasks of a job over one text, and what can be made of their segments.
class MappedJob {
 public:
  MappedJob(const std::string& plugin, const std::string& arg, const std::string& text, Shape shape)
      : shape_(shape) {
    std::vector<std::string> args;
    if (!arg.empty()) args.push_back(arg);
    plugin_ = PluginJob::Configure(PluginLibrary::Load(TestPlugin(plugin)).value(), args).value();
    context_.plugin = plugin_.get();
    context_.job = 0x77;
    context_.partitions = shape.partitions;
    std::string path = testing::TempDir() + "combine-XXXXXX";
    const int fd = ::mkstemp(path.data());
    EXPECT_GE(fd, 0);
    ::close(fd);
    std::ofstream(path) << text;
    for (std::uint32_t map = 0; map < shape.maps; ++map) RunMap(map, path, text.size());
    EXPECT_EQ(::unlink(path.c_str()), 0);
  }

  Readers Maps() {
    Readers readers;
    for (std::uint32_t map = 0; map < shape_.maps; ++map) readers.push_back(Open(map));
    return readers;
  }

  /// What the reduce task of the partition writes.
  std::string Reduce(std::uint32_t partition, Readers segments) {
    TextSink sink;
    AttemptControl reduce_control;
    MemoryBudget budget(shape_.memory_bytes + 1 * kMiB);
    const ReduceTaskResult result =
        RunReduceTask({partition, 0, std::move(segments)}, {.job = context_,
                                                            .part = sink,
                                                            .scratch = store,
                                                            .budget = budget,
                                                            .memory_bytes = shape_.memory_bytes,
                                                            .writer = {},
                                                            .control = reduce_control});
    EXPECT_TRUE(result.status.ok()) << result.status.message();
    return sink.text;
  }

  CombineTaskSpec SpecOf(std::uint32_t partition, std::uint32_t pieces, std::uint32_t piece) {
    const SegmentRange range = MapsOfPiece(shape_.maps, pieces, piece);
    const Readers all = Maps();
    return {
        .index = piece,
        .attempt = 0,
        .partition = partition,
        .segment = shape_.maps + piece,
        .segments = Readers(all.begin() + range.first, all.begin() + range.first + range.count)};
  }
  CombineTaskResult Combine(const CombineTaskSpec& spec) {
    MemoryBudget budget(shape_.memory_bytes);
    const CombineTaskResult result = RunCombineTask(spec, {.job = context_,
                                                           .segments = store,
                                                           .budget = budget,
                                                           .memory_bytes = shape_.memory_bytes,
                                                           .writer = {},
                                                           .control = control});
    budget.Resize(shape_.memory_bytes, false);  // What waits for the next buffer goes.
    EXPECT_EQ(budget.used_bytes(), 0u);
    EXPECT_LE(budget.peak_bytes(), shape_.memory_bytes);
    return result;
  }

  /// Partitions that are combined in pieces are reduced to the same bytes.
  std::vector<CombineTaskResult> ExpectSameOutput(std::uint32_t partition, std::uint32_t pieces) {
    std::vector<CombineTaskResult> results;
    Readers combined;
    for (std::uint32_t piece = 0; piece < pieces; ++piece) {
      results.push_back(Combine(SpecOf(partition, pieces, piece)));
      EXPECT_TRUE(results.back().status.ok()) << results.back().status.message();
      if (!results.back().status.ok()) return results;
      const std::vector<std::uint64_t>& bytes = results.back().segment.partition_bytes;
      for (std::uint32_t other = 0; other < shape_.partitions; ++other) {
        if (other == partition) continue;
        EXPECT_EQ(bytes[other], 0u) << "only its own partition";
      }
      combined.push_back(Open(shape_.maps + piece));
    }
    const std::string expected = Reduce(partition, Maps());
    EXPECT_EQ(Reduce(partition, combined), expected) << "in " << pieces << " pieces";
    EXPECT_FALSE(expected.empty());
    for (std::uint32_t piece = 0; piece < pieces; ++piece)
      EXPECT_TRUE(store.Discard({context_.job, shape_.maps + piece, 0}).ok());
    return results;
  }

  std::shared_ptr<const SegmentReader> Open(std::uint32_t segment) {
    const SegmentId id{context_.job, segment, 0};
    return SegmentReader::Open(store.Open(id).value(), id).value();
  }
  /// With one byte of its blocks changed.
  std::shared_ptr<const SegmentReader> OpenDamaged(std::uint32_t segment) {
    const SegmentId id{context_.job, segment, 0};
    const auto whole = store.Open(id).value();
    std::string bytes(whole->size(), '\0');
    bytes = std::string(whole->ReadAt(0, bytes.size(), bytes.data()).value());
    bytes[bytes.size() / 3] ^= 1;
    return SegmentReader::Open(std::make_shared<StringBytes>(bytes, true), id).value();
  }

  MemoryBudget store_budget{256 * kMiB};
  MemorySegmentStore store{store_budget};
  AttemptControl control;  ///< Of all combine tasks.

 private:
  void RunMap(std::uint32_t map, const std::string& path, std::uint64_t bytes) {
    const std::uint64_t begin = bytes * map / shape_.maps;
    const std::uint64_t end = bytes * (map + 1) / shape_.maps;
    TextSink sink;
    AttemptControl map_control;
    MemoryBudget budget(64 * kMiB), spare(4 * kMiB);
    const MapTaskResult result =
        RunMapTask({map, 0, {{path, 0, bytes, begin, end - begin}}, {}}, {.job = context_,
                                                                          .files = files_,
                                                                          .segments = &store,
                                                                          .part = sink,
                                                                          .budget = budget,
                                                                          .memory_bytes = 16 * kMiB,
                                                                          .spare = spare,
                                                                          .writer = {},
                                                                          .reader = {},
                                                                          .control = map_control});
    ASSERT_TRUE(result.status.ok()) << result.status.message();
  }

  const Shape shape_;
  PosixFileSystem files_;
  std::unique_ptr<PluginJob> plugin_;
  JobContext context_;
};

/// Lines `key TAB number`: keys of all lengths, so that states lie at any address.
std::string KeyNumbers(std::uint32_t seed, std::uint32_t lines, std::uint32_t keys) {
  std::mt19937 random(seed);
  std::string text;
  for (std::uint32_t i = 0; i < lines; ++i) {
    const std::uint32_t key = static_cast<std::uint32_t>(random()) % keys;
    text += "k" + std::to_string(key) + std::string(key % 23, 'x') + "\t" +
            std::to_string(static_cast<int>(random() % 20'000) - 10'000) + "\n";
  }
  return text;
}

// States of 8 bytes, which travel in the value's place, and of 16, 24 and 32.
TEST(CombineTask, OfAFoldChangesNoByteOfTheOutput) {
  const std::string text = KeyNumbers(1, 6'000, 400);
  for (const char* fold :
       {"sum", "min", "max", "mean", "gcd", "top3", "count", "flags", "narrow-max"}) {
    SCOPED_TRACE(fold);
    MappedJob job("folds", fold, text, {});
    for (const std::uint32_t pieces : {2, 3, 8}) {
      for (std::uint32_t partition = 0; partition < 3; ++partition) {
        const auto results = job.ExpectSameOutput(partition, pieces);
        ASSERT_EQ(results.size(), pieces);
        if (pieces == 2) {
          EXPECT_LT(results[0].segment.records, results[0].input.records) << "four maps' in one";
        }
      }
    }
  }
}

TEST(CombineTask, OfACombinerChangesNoByteOfTheOutput) {
  std::mt19937 random(2);
  std::string text;
  for (int i = 0; i < 6'000; ++i)
    text += "city" + std::to_string(random() % 60) + "\t" + std::to_string(1990 + random() % 9) +
            "\t" + std::to_string(random() % 400) + ".5\n";
  MappedJob job("typed", "", text, {});
  for (const std::uint32_t pieces : {2, 3, 8})
    for (std::uint32_t partition = 0; partition < 3; ++partition)
      job.ExpectSameOutput(partition, pieces);
  const CombineTaskResult result = job.Combine(job.SpecOf(1, 2, 0));
  EXPECT_LT(result.segment.records, result.input.records);
  EXPECT_EQ(result.counters.at("typed").at("groups"), result.segment.records)
      << "the combiner's counters";
}

TEST(CombineTask, OfAPartitionWithOneKeyLeavesOneRecord) {
  std::string text;
  for (int i = 0; i < 1'000; ++i) text += "hot\t" + std::to_string(i) + "\n";
  MappedJob job("skewed", "combiner", text, {});
  const auto results = job.ExpectSameOutput(1, 2);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].input.records, 4u);
  EXPECT_EQ(results[0].segment.records, 1u);
  EXPECT_EQ(job.Reduce(1, job.Maps()), "hot\t499500\n");
}

TEST(CombineTask, LeavesAnEmptySegmentOfAPartitionThatHasNothing) {
  MappedJob job("skewed", "combiner", "hot\t1\nhat\t2\n", {.maps = 4});
  const CombineTaskResult result = job.Combine(job.SpecOf(0, 2, 0));
  ASSERT_TRUE(result.status.ok()) << result.status.message();
  EXPECT_EQ(result.segment.records, 0u);
  EXPECT_EQ(job.Reduce(0, {job.Open(4)}), "");
}

TEST(CombineTask, IsRightWithLittleMemory) {
  const std::string text = KeyNumbers(3, 160'000, 30'000);
  for (const char* fold : {"sum", "top3"}) {
    SCOPED_TRACE(fold);
    MappedJob job("folds", fold, text, {.partitions = 2, .memory_bytes = 512 * kKiB});
    const auto results = job.ExpectSameOutput(1, 2);
    ASSERT_EQ(results.size(), 2u);
    EXPECT_GT(results[0].segment.runs, 1u) << "it had no room for all";
  }
  std::string parts;
  std::mt19937 random(4);
  for (int i = 0; i < 160'000; ++i)
    parts += "h" + std::to_string(random() % 30'000) + "\t" + std::to_string(i) + "\n";
  MappedJob job("skewed", "combiner", parts, {.partitions = 2, .memory_bytes = 512 * kKiB});
  const auto results = job.ExpectSameOutput(1, 2);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_GT(results[0].collected.spills, 1u);
}

TEST(CombineTask, NamesTheMapOutputThatIsDamaged) {
  for (const char* plugin : {"folds", "skewed"}) {
    MappedJob job(plugin, plugin == std::string("folds") ? "gcd" : "combiner",
                  KeyNumbers(5, 4'000, 900), {.maps = 4, .partitions = 1});
    CombineTaskSpec spec = job.SpecOf(0, 2, 1);
    spec.segments[1] = job.OpenDamaged(3);
    const CombineTaskResult result = job.Combine(spec);
    EXPECT_EQ(result.status.code(), Code::kDataLoss) << result.status.message();
    ASSERT_TRUE(result.damaged.has_value());
    EXPECT_EQ(*result.damaged, (SegmentId{0x77, 3, 0}));
    EXPECT_EQ(job.store.Open({0x77, 5, 0}).status().code(), Code::kNotFound) << "nothing is left";
  }
}

TEST(CombineTask, RefusesStatesOfAnotherSize) {
  // Segments of another fold, with right checksums: as a worker with another plugin would serve.
  const std::string text = KeyNumbers(5, 2'000, 50);
  MappedJob small("folds", "sum", text, {.maps = 4});
  MappedJob large("folds", "top3", text, {.maps = 4});
  CombineTaskSpec spec = large.SpecOf(0, 1, 0);
  spec.segments = small.Maps();
  const CombineTaskResult result = large.Combine(spec);
  EXPECT_EQ(result.status.code(), Code::kDataLoss);
  EXPECT_THAT(result.status.message(), HasSubstr("bytes of state instead of"));
}

TEST(CombineTask, StopsAtItsNextStepAndLeavesNothing) {
  MappedJob job("folds", "sum", KeyNumbers(6, 2'000, 300), {});
  job.control.Cancel();
  const CombineTaskResult result = job.Combine(job.SpecOf(1, 2, 0));
  EXPECT_EQ(result.status.code(), Code::kCancelled) << result.status.message();
  EXPECT_FALSE(result.damaged.has_value());
  EXPECT_EQ(job.store.Open({0x77, 8, 0}).status().code(), Code::kNotFound);
}

TEST(CombineTask, NamesItselfWhenItsCombinerFails) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "hot\t1\n";
  MappedJob job("skewed", "failing", text, {});
  const CombineTaskResult result = job.Combine(job.SpecOf(1, 2, 1));
  EXPECT_EQ(result.status.code(), Code::kUserCode);
  EXPECT_THAT(result.status.message(), HasSubstr("cannot add what was added up"));
  EXPECT_FALSE(result.damaged.has_value());
  EXPECT_EQ(job.store.Open({0x77, 9, 0}).status().code(), Code::kNotFound);
}

TEST(CombineTask, ShowsThatItMoves) {
  MappedJob job("folds", "sum", KeyNumbers(7, 2'000, 300), {});
  ASSERT_TRUE(job.Combine(job.SpecOf(1, 2, 0)).status.ok());
  EXPECT_GT(job.control.progress(), 0u);
}

}  // namespace
}  // namespace spillway
