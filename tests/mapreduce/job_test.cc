#include "mapreduce/job.h"

#include <gtest/gtest.h>

#include "mapreduce/builtin/text_input.h"

namespace spillway {
namespace {

class LineLengths : public Mapper<TextLines, std::string, std::uint64_t> {
 public:
  void Map(const Line& line, Emitter& out) { out.Emit(line.text, line.text.size()); }
};

class Add : public Combiner<std::string, std::uint64_t> {
 public:
  void Reduce(std::string_view key, Values& values, Emitter& out) {
    std::uint64_t sum = 0;
    for (const std::uint64_t value : values) sum += value;
    out.Emit(key, sum);
  }
};

class AddExactly : public Add {
 public:
  static constexpr bool kExact = true;
};

class AddAbout : public Add {
 public:
  static constexpr bool kExact = false;
};

template <class C>
std::uint32_t SaidToBeExact() {
  const Job job = NewJob().Map<LineLengths>().Combine<C>().template Reduce<Add>();
  EXPECT_TRUE(job.Validate().ok());
  EXPECT_NE(job.abi().combiner_run, nullptr);
  return job.abi().combiner_exact;
}

TEST(Job, TellsOfACombinerThatItIsExactOnlyIfItSaysSo) {
  EXPECT_EQ(SaidToBeExact<AddExactly>(), 1u);
  EXPECT_EQ(SaidToBeExact<Add>(), 0u);
  EXPECT_EQ(SaidToBeExact<AddAbout>(), 0u);
}

TEST(Job, TellsNothingOfAReducerThatIsNoCombiner) {
  const Job job = NewJob().Map<LineLengths>().Reduce<AddExactly>();
  EXPECT_EQ(job.abi().combiner_run, nullptr);
  EXPECT_EQ(job.abi().combiner_exact, 0u);
}

}  // namespace
}  // namespace spillway
