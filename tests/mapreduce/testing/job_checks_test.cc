#include "mapreduce/testing/job_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mapreduce/mapreduce.h"

namespace spillway {
namespace {

using ::testing::HasSubstr;

class Initials : public Mapper<TextLines, std::string, std::int64_t> {
 public:
  void Map(const Line& line, Emitter& out) { out.Emit(line.text.substr(0, 1), 1); }
};

template <class Number>
class Add : public Combiner<std::string, Number> {
 public:
  using typename Combiner<std::string, Number>::Values;
  using typename Combiner<std::string, Number>::Emitter;
  void Reduce(std::string_view key, Values& values, Emitter& out) {
    Number sum = 0;
    for (const Number value : values) sum += value;
    out.Emit(key, sum);
  }
};

/// Counts its values, so that combining twice loses the first counts.
class CountValues : public Combiner<std::string, std::int64_t> {
 public:
  void Reduce(std::string_view key, Values& values, Emitter& out) {
    std::int64_t count = 0;
    for ([[maybe_unused]] const std::int64_t value : values) ++count;
    out.Emit(key, count);
  }
};

constexpr const char* kText = "apple\navocado\nbean\nale\nash\nbeet\n";

TEST(CheckCombiner, PassesASumAndFindsACount) {
  JobTest sum(NewJob().Map<Initials>().Combine<Add<std::int64_t>>().Reduce<Add<std::int64_t>>());
  EXPECT_EQ(Found(CheckCombiner(sum.Input(kText))), "");
  JobTest count(NewJob().Map<Initials>().Combine<CountValues>().Reduce<Add<std::int64_t>>());
  EXPECT_THAT(Found(CheckCombiner(count.Input(kText))), HasSubstr("combined repeatedly"));
}

TEST(CheckCombiner, FindsACombinerThatTheReducerDoesNotExpect) {
  JobTest test(NewJob().Map<Initials>().Combine<CountValues>().Reduce<CountValues>());
  EXPECT_THAT(Found(CheckCombiner(test.Input(kText))), HasSubstr("'a\t1', not 'a\t4'"));
}

/// Says that it is exact and is not.
struct Difference {
  using Value = std::int64_t;
  using State = std::int64_t;
  static constexpr bool kExact = true;
  static State Lift(std::int64_t value) { return value; }
  static void Combine(State& into, const State& other) { into = into - other; }
  static std::int64_t Finish(const State& state) { return state; }
};

TEST(CheckCombiner, TriesFoldsToo) {
  JobTest sum(NewJob().Map<Initials>().Fold<Sum<std::int64_t>>());
  EXPECT_EQ(Found(CheckCombiner(sum.Input(kText))), "");
  JobTest difference(NewJob().Map<Initials>().Fold<Difference>());
  EXPECT_THAT(Found(CheckCombiner(difference.Input(kText))), HasSubstr("differs at byte"));
}

TEST(CheckCombiner, FindsOfThreeValuesThatTheFoldIsNotAssociative) {
  JobTest difference(NewJob().Map<Initials>().Fold<Difference>());
  EXPECT_THAT(Found(CheckCombiner(difference.Input("ale\nash\napple\n"))),
              HasSubstr("combined repeatedly"));
}

TEST(CheckCombiner, SaysThatThereIsNone) {
  JobTest test(NewJob().Map<Initials>());
  EXPECT_THAT(Found(CheckCombiner(test.Input(kText))), HasSubstr("nothing that combines"));
}

/// Emits how many lines its task saw, which depends on the splits.
class PerTask : public Mapper<TextLines, std::string, std::int64_t> {
 public:
  void Map(const Line& line, Emitter& out) { out.Emit(line.text, ++seen_); }

 private:
  std::int64_t seen_ = 0;
};

std::int64_t calls = 0;

class Remembers : public Mapper<TextLines, std::string, std::int64_t> {
 public:
  void Map(const Line& line, Emitter& out) { out.Emit(line.text, ++calls); }
};

/// Emits how large the blocks are.
class PerBlock : public Mapper<LineChunks, std::string, std::int64_t> {
 public:
  void Map(const Chunk& chunk, Emitter& out) {
    out.Emit("", static_cast<std::int64_t>(chunk.text.size()));
  }
};

TEST(CheckDeterminism, PassesAPureJob) {
  JobTest test(NewJob().Map<Initials>().Combine<Add<std::int64_t>>().Reduce<Add<std::int64_t>>());
  EXPECT_EQ(Found(CheckDeterminism(test.Input(kText))), "");
}

TEST(CheckDeterminism, FindsWhatDependsOnSplitsBlocksAndFormerRuns) {
  JobTest splits(NewJob().Map<PerTask>());
  EXPECT_THAT(Found(CheckDeterminism(splits.Input(kText))), HasSubstr("with splits of 1 bytes"));
  JobTest blocks(NewJob().Map<PerBlock>());
  EXPECT_THAT(Found(CheckDeterminism(blocks.Input(kText))), HasSubstr("in small blocks"));
  JobTest runs(NewJob().Map<Remembers>());
  EXPECT_THAT(Found(CheckDeterminism(runs.Input(kText))), HasSubstr("run a second time"));
}

TEST(CheckDeterminism, LetsAMapOnlyJobHaveAPartForEachSplit) {
  JobTest test(NewJob().Map<Initials>().MapOnly());
  EXPECT_EQ(Found(CheckDeterminism(test.Input(kText))), "");
}

class ByLength : public Partitioner<std::string> {
 public:
  std::uint32_t Partition(std::string_view key, std::uint32_t partitions) {
    return static_cast<std::uint32_t>(key.size()) % partitions;
  }
};
class TooFar : public Partitioner<std::string> {
 public:
  std::uint32_t Partition(std::string_view key, std::uint32_t partitions) {
    return static_cast<std::uint32_t>(key.size()) % (partitions + 1);
  }
};
class RoundRobin : public Partitioner<std::string> {
 public:
  std::uint32_t Partition(std::string_view, std::uint32_t partitions) {
    return next_++ % partitions;
  }

 private:
  std::uint32_t next_ = 0;
};

TEST(CheckPartitioner, FindsWhatIsOutOfRangeOrRemembers) {
  const std::vector<std::string> keys = {"", "a", "bb", "ccc", "dddddddd"};
  EXPECT_EQ(Found(CheckPartitioner<ByLength>(keys)), "");
  EXPECT_EQ(Found(CheckPartitioner<TooFar>(keys)), "key number 1 goes to partition 1 of 1");
  EXPECT_THAT(Found(CheckPartitioner<RoundRobin>(keys)), HasSubstr("when it is asked again"));
}

struct ByNumber {
  static int Compare(std::int32_t a, std::int32_t b) { return a < b ? -1 : a > b; }
};
struct NeverEqual {
  static int Compare(std::int32_t a, std::int32_t b) { return a < b ? -1 : 1; }
};
struct OneWay {
  static int Compare(std::int32_t a, std::int32_t b) { return a == b ? 0 : -1; }
};
struct RockPaperScissors {
  static int Compare(std::int32_t a, std::int32_t b) {
    return a == b ? 0 : (a + 1) % 3 == b ? -1 : 1;
  }
};
struct NearlyEqual {
  static int Compare(std::int32_t a, std::int32_t b) {
    return std::abs(a - b) < 2 ? 0 : a < b ? -1 : 1;
  }
};

TEST(CheckOrder, FindsWhatIsNoStrictWeakOrder) {
  const std::vector<std::int32_t> keys = {0, 1, 2};
  EXPECT_EQ(Found((CheckOrder<ByNumber, std::int32_t>(keys))), "");
  EXPECT_THAT(Found((CheckOrder<NeverEqual, std::int32_t>(keys))), HasSubstr("equal itself"));
  EXPECT_THAT(Found((CheckOrder<OneWay, std::int32_t>(keys))), HasSubstr("turned around"));
  EXPECT_THAT(Found((CheckOrder<RockPaperScissors, std::int32_t>(keys))), HasSubstr("as three"));
  EXPECT_THAT(Found((CheckOrder<NearlyEqual, std::int32_t>(keys))), HasSubstr("as three"));
}

}  // namespace
}  // namespace spillway
