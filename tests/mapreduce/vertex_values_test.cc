#include "mapreduce/vertex_values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "mapreduce/edge_batch.h"

namespace spillway::internal {
namespace {

using Values = VertexValues<std::uint32_t>;

std::shared_ptr<const Values::Slice> SliceOf(std::uint64_t first, std::uint32_t count) {
  auto slice = std::make_shared<Values::Slice>();
  slice->first = first;
  for (std::uint32_t i = 0; i < count; ++i)
    slice->cells.push_back({static_cast<std::uint32_t>(first) + i});
  return slice;
}

TEST(VertexValues, AreCutIntoSlicesInTheirOrder) {
  Values values, behind;
  values.Add(SliceOf(0, 3));
  values.Add(SliceOf(3, 0));
  behind.Add(SliceOf(3, 4));
  values.Append(behind);
  values.ExpectWhole(7);
  EXPECT_EQ(values.vertices(), 7U);
  std::vector<std::uint32_t> seen;
  values.ForEach(2, 6, [&](std::uint64_t v, std::uint32_t value) {
    EXPECT_EQ(v, value);
    seen.push_back(value);
  });
  EXPECT_EQ(seen, (std::vector<std::uint32_t>{2, 3, 4, 5}));
  EXPECT_EQ(values.CellsOf(4, 7)->value, 4U);
  EXPECT_THROW(values.CellsOf(2, 4), std::runtime_error);
}

TEST(VertexValues, WithGapsAreNotTaken) {
  Values values;
  values.Add(SliceOf(0, 3));
  EXPECT_THROW(values.ExpectWhole(4), std::runtime_error);
  values.Add(SliceOf(4, 1));
  EXPECT_THROW(values.ExpectWhole(5), std::runtime_error);
  EXPECT_THROW(Values().ExpectWhole(1), std::runtime_error);
}

TEST(VertexValues, ComeBackFromTheirBytes) {
  Values values;
  values.Add(SliceOf(0, 3));
  values.Add(SliceOf(3, 2));
  LoopWriter out;
  values.Save(out);
  Values back;
  LoopReader in(out.bytes());
  back.Load(in);
  EXPECT_TRUE(in.at_end());
  back.ExpectWhole(5);
  EXPECT_EQ(back.CellsOf(3, 5)->value, 3U);
  LoopReader torn(std::string_view(out.bytes()).substr(0, out.bytes().size() - 1));
  EXPECT_THROW(back.Load(torn), std::runtime_error);
}

TEST(SentMessages, AreMadeOnceByAllThreadsTogether) {
  constexpr std::uint64_t kVertices = 5 * kRangeVertices + 7;
  SentMessages<std::uint64_t, std::uint64_t> sent(kVertices);
  std::atomic<int> ranges{0};
  const auto make = [&](std::uint64_t first, std::uint64_t* messages, std::uint64_t& total) {
    ++ranges;
    for (std::uint64_t v = first; v < std::min(kVertices, first + kRangeVertices); ++v) {
      messages[v] = 2 * v;
      ++total;
    }
  };
  const auto join = [](std::uint64_t& into, std::uint64_t from) { into = 10 * into + from % 10; };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      sent.Complete(make, join);
      for (std::uint64_t v = 0; v < kVertices; ++v) ASSERT_EQ(sent.messages()[v], 2 * v);
    });
  threads.clear();
  EXPECT_EQ(ranges, 6);
  // 65 536 of five ranges, and 7 of the last, in their order.
  EXPECT_EQ(sent.total(), 666667U);
}

TEST(SentMessages, OfAFailureFailAllThreads) {
  SentMessages<std::uint64_t, std::uint64_t> sent(3 * kRangeVertices);
  const auto make = [](std::uint64_t first, std::uint64_t*, std::uint64_t&) {
    if (first == kRangeVertices) throw std::domain_error("no message");
  };
  const auto join = [](std::uint64_t&, std::uint64_t) {};
  std::atomic<int> failed{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      try {
        sent.Complete(make, join);
      } catch (const std::domain_error& thrown) {
        EXPECT_STREQ(thrown.what(), "no message");
        ++failed;
      }
    });
  threads.clear();
  EXPECT_EQ(failed, 3);
}

TEST(EdgeBatch, GroupsEdgesByTarget) {
  EdgeBatch batch;
  batch.file_index = 3;
  batch.Add(5, 1);
  batch.Add(5, 1);
  batch.Add(5, 9);
  batch.Add(7, 0);
  ASSERT_EQ(batch.runs.size(), 2U);
  EXPECT_EQ(batch.runs[0].edges, 3U);
  EXPECT_EQ(batch.runs[1].target, 7U);
  EXPECT_GE(batch.bytes(), 2 * sizeof(EdgeBatch::Run) + 4 * sizeof(std::uint32_t));

  LoopWriter out;
  batch.Save(out);
  EdgeBatch back;
  LoopReader in(out.bytes());
  back.Load(in);
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(back.file_index, 3U);
  EXPECT_EQ(back.sources, batch.sources);

  batch.sources.pop_back();
  LoopWriter fewer;
  batch.Save(fewer);
  LoopReader bad(fewer.bytes());
  EXPECT_THROW(back.Load(bad), std::runtime_error);
}

}  // namespace
}  // namespace spillway::internal
