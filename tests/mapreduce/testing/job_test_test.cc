#include "mapreduce/testing/job_test.h"

#include <gtest/gtest.h>

#include "mapreduce/mapreduce.h"

namespace spillway {
namespace {

class CountWords : public Mapper<WordChunks, std::string, std::uint64_t> {
 public:
  Status Setup(TaskContext& context) {
    words_ = context.counter("words", "all");
    return OkStatus();
  }
  void Map(const Chunk& chunk, Emitter& out) {
    ForEachWord(chunk.text, [&](std::string_view word) {
      words_.Increment();
      out.Emit(word, 1);
    });
  }

 private:
  Counter words_;
};

TEST(JobTest, FoldsAndCounts) {
  JobTest test(NewJob().Map<CountWords>().Fold<Sum<std::uint64_t>>());
  test.Input("to be or not to be\n").Input("to sleep");
  for (const Combining combining : {Combining::kNever, Combining::kOnce, Combining::kRepeatedly}) {
    TestShape shape;
    shape.combining = combining;
    const JobOutcome outcome = test.Run(shape);
    EXPECT_EQ(outcome.status.message(), "");
    EXPECT_EQ(outcome.lines(), Lines({"be\t2", "not\t1", "or\t1", "sleep\t1", "to\t3"}));
    EXPECT_EQ(outcome.counter("words", "all"), 8u);
    EXPECT_EQ(outcome.counter("words", "none"), 0u);
  }
}

TEST(JobTest, FoldsStatesThatAreLargerThanANumber) {
  JobTest test(NewJob().Map<CountWords>().Fold<Mean<std::uint64_t>>());
  test.Input("a b a");
  EXPECT_EQ(test.Run().lines(), Lines({"a\t1", "b\t1"}));
}

TEST(JobTest, CountsDistinctValues) {
  JobTest test(NewJob().Map<CountWords>().Fold<Distinct<std::uint64_t>>());
  test.Input("a b a");
  EXPECT_EQ(test.Run().lines(), Lines({"a\t1", "b\t1"}));
}

class LinesByInitial : public Mapper<TextLines, std::string, std::string> {
 public:
  void Map(const Line& line, Emitter& out) { out.Emit(line.text.substr(0, 1), line.text); }
};

class Last : public Reducer<std::string, std::string> {
 public:
  void Reduce(std::string_view key, Values& values, Emitter& out) {
    std::string last;
    for (const std::string_view value : values) last = value;
    out.Emit(key, last);
  }
};

TEST(JobTest, ReducesInTheOrderOfTheInputWhateverTheShape) {
  JobTest test(NewJob().Map<LinesByInitial>().Reduce<Last>());
  test.Input("a9\nb1\na1\n").Input("b0\na5");
  for (const std::uint64_t bytes : {UINT64_MAX, std::uint64_t{1}, std::uint64_t{4}}) {
    TestShape shape;
    shape.split_bytes = shape.block_bytes = bytes;
    shape.batch_records = 1;
    EXPECT_EQ(test.Run(shape).lines(), Lines({"a\ta5", "b\tb0"}));
  }
}

class ByInitial : public Partitioner<std::string> {
 public:
  std::uint32_t Partition(std::string_view key, std::uint32_t) { return key == "a" ? 0 : 1; }
};

TEST(JobTest, PartitionsByTheJobsOwnClassAndFindsItOutOfRange) {
  JobTest test(NewJob().Map<LinesByInitial>().Partition<ByInitial>().Reduce<Last>());
  test.Input("b1\na1\n").Reducers(2);
  EXPECT_EQ(test.Run().parts, (std::vector<std::string>{"a\ta1\n", "b\tb1\n"}));
  const JobOutcome outcome = test.Reducers(1).Run();
  EXPECT_EQ(outcome.status.message(), "the partitioner chose 1 of 1 partitions");
  EXPECT_TRUE(outcome.parts.empty());
}

TEST(JobTest, RangesGiveATotalOrderOverParts) {
  JobTest test(NewJob().Map<LinesByInitial>().Partition<RangePartitioner>());
  test.Input("d\nb\na\nc\n").Reducers(2);
  EXPECT_EQ(test.Run().parts, (std::vector<std::string>{"a\ta\nb\tb\n", "c\tc\nd\td\n"}));
}

TEST(JobTest, HashedPartsHoldEachKeyOnce) {
  JobTest test(NewJob().Map<CountWords>().Fold<Sum<std::uint64_t>>());
  test.Input("a b c d e f a").Reducers(3);
  const JobOutcome outcome = test.Run();
  EXPECT_EQ(outcome.parts.size(), 3u);
  Lines lines = outcome.lines();
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(lines, Lines({"a\t2", "b\t1", "c\t1", "d\t1", "e\t1", "f\t1"}));
}

TEST(JobTest, AMapOnlyJobWritesAPartForEachSplit) {
  JobTest test(NewJob().Map<LinesByInitial>().MapOnly());
  test.Input("b1\n").Input("a1\n");
  EXPECT_EQ(test.Run().parts, (std::vector<std::string>{"b\tb1\n", "a\ta1\n"}));
}

class Wanders : public Combiner<std::string, std::string> {
 public:
  void Reduce(std::string_view key, Values& values, Emitter& out) {
    for (const std::string_view value : values) out.Emit(key == "b" ? "0" : key, value);
  }
};

TEST(JobTest, RefusesACombinerThatEmitsOtherKeys) {
  JobTest test(NewJob().Map<LinesByInitial>().Combine<Wanders>().Reduce<Last>());
  test.Input("b1\na1\n");
  EXPECT_NE(test.Run().status.message().find("keys out of order"), std::string::npos);
}

/// Halves the way to the mean of the numbers in each round.
class Approach {
 public:
  using Input = TextLines;
  struct Batch {
    std::uint64_t sum = 0, count = 0;
    std::uint64_t bytes() const { return 0; }
  };
  using Start = Batch;
  struct State {
    std::uint64_t mean = 0, at = 0;
  };
  struct Partial {
    std::uint64_t batches = 0;
  };

  void Parse(const Line& line, Batch& batch) const {
    if (line.text == "x") throw BadRecord("no number");
    batch.sum += std::stoull(std::string(line.text));
    ++batch.count;
  }
  void Gather(const Batch& batch, Start& start) const { Join(start, batch); }
  void Join(Start& into, const Start& from) const {
    into.sum += from.sum;
    into.count += from.count;
  }
  void First(const Start& all, State& state) const { state.mean = all.sum / all.count; }
  void Map(const Batch&, const State&, Partial& into) const { ++into.batches; }
  void Fold(Partial& into, const Partial& from) const { into.batches += from.batches; }
  bool Next(State& state, const Partial&, const LoopRound&) const {
    state.at += (state.mean - state.at + 1) / 2;
    return state.at == state.mean;
  }
  void Print(const State& state, OutputBuffer& out) const { out.AppendNumber(state.at); }
};

TEST(JobTest, RunsALoopUntilItConverges) {
  JobTest test(NewLoop(Approach()).Rounds(9));
  test.Input("3\n4\n").Input("14\n");
  const JobOutcome outcome = test.Run();
  EXPECT_EQ(outcome.status.message(), "");
  EXPECT_EQ(outcome.lines(), Lines({"7"}));
  EXPECT_EQ(outcome.counter("loop", "rounds"), 3u);
  EXPECT_EQ(outcome.counter("loop", "converged"), 1u);
}

TEST(JobTest, EndsALoopWithItsLastRound) {
  JobTest test(NewLoop(Approach()).Rounds(2));
  test.Input("7\n");
  EXPECT_EQ(test.Run().lines(), Lines({"6"}));
  EXPECT_EQ(test.Run().counter("loop", "converged"), 0u);
}

TEST(JobTest, TellsOfABadRecordOfALoop) {
  JobTest test(NewLoop(Approach()));
  test.Input("7\nx\n");
  EXPECT_EQ(test.Run().status.code(), Code::kBadData);
}

TEST(JobTest, TellsWhatIsWrongWithTheDescription) {
  const JobOutcome outcome = JobTest(NewJob().Map<CountWords>().Reducers(100'001)).Run();
  EXPECT_NE(outcome.status.message().find("100000"), std::string::npos);
}

class CsvKeys : public Mapper<CsvRows, std::string, std::string> {
 public:
  void Map(const CsvRow& row, Emitter& out) { out.Emit(row.fields[0], "row"); }
};

TEST(JobTest, TakesInputsByName) {
  JobTest test(
      NewJob().MapInputs<NamedInput<"lines", LinesByInitial>, NamedInput<"rows", CsvKeys>>());
  test.InputOf("rows", "a,1\n\"b\",\"2\n3\"\n").InputOf("lines", "ab\nb\n");
  for (const std::uint64_t block_bytes : {UINT64_MAX, std::uint64_t{1}}) {
    TestShape shape;
    shape.block_bytes = block_bytes;
    const JobOutcome outcome = test.Run(shape);
    EXPECT_EQ(outcome.status.message(), "");
    EXPECT_EQ(outcome.lines(), Lines({"a\trow", "a\tab", "b\trow", "b\tb"}));
  }
  EXPECT_EQ(test.InputOf("row", "").Run().status.message(), "the job has no input 'row'");
}

TEST(JobTest, RefusesAnInputWithoutANameWhereNamesAre) {
  JobTest test(
      NewJob().MapInputs<NamedInput<"lines", LinesByInitial>, NamedInput<"rows", CsvKeys>>());
  EXPECT_NE(test.Input("a\n").Run().status.message().find("use InputOf"), std::string::npos);
  JobTest plain(NewJob().Map<LinesByInitial>());
  EXPECT_EQ(plain.InputOf("lines", "").Run().status.message(), "the job has no input 'lines'");
}

}  // namespace
}  // namespace spillway
