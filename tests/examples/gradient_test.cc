#include "logistic_regression/gradient.h"

#include "tests/examples/kernel_case.h"

namespace logistic_regression {
namespace {

using points::BlocksOf;
using points::kLanes;
using spillway::test::ExpectSameBits;
using spillway::test::RandomNumbers;
using spillway::test::WithEachInstructionSet;

struct Job {
  std::uint32_t points, dims;
  std::vector<float> blocks, labels, weights;
  float bias;

  Model model() const { return {weights.data(), bias, dims}; }
  const float* row(std::uint32_t block, std::uint32_t d) const {
    return blocks.data() + (std::size_t{block} * dims + d) * kLanes;
  }
  std::vector<double> NoSums() const {
    return std::vector<double>(std::size_t{NumbersOf(dims)} * kLanes);
  }
};

Job MakeJob(std::uint64_t seed, bool hostile) {
  RandomNumbers random(seed);
  Job job;
  job.points = random.Below(random.Below(2) == 0 ? 40 : 600);
  job.dims = 1 + random.Below(40);
  job.blocks = random.Blocks(job.points, job.dims, hostile);
  job.labels.resize(std::size_t{BlocksOf(job.points)} * kLanes);
  for (std::uint32_t i = 0; i < job.points; ++i)
    job.labels[i] = static_cast<float>(random.Below(2));
  job.weights = random.Many(job.dims, hostile);
  for (float& weight : job.weights) weight /= 10;
  job.bias = hostile ? random.Hostile() : random.Usual();
  return job;
}

float PlainSigmoid(float x) {
  float power = x * -1.44269504f;
  power = power > 126 ? 126.0f : power;
  power = power < -126 ? -126.0f : power;
  const float whole = std::nearbyint(power);
  const float f = power - whole;
  float e = 1.3276472e-3f;
  for (const float factor : {9.6755413e-3f, 5.5507133e-2f, 2.4022120e-1f, 6.9314697e-1f, 1.0f})
    e = std::fma(e, f, factor);
  return 1 / std::fma(e, std::exp2(whole), 1.0f);
}

/// What the kernel computes, in plain words: lane by lane, in single precision over up to
/// kBlocksTogether blocks.
std::vector<double> AddOneByOne(const Job& job) {
  std::vector<double> sums = job.NoSums();
  const std::uint32_t blocks = BlocksOf(job.points);
  for (std::uint32_t from = 0; from < blocks; from += kBlocksTogether) {
    for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
      std::vector<float> together(NumbersOf(job.dims));
      for (std::uint32_t b = from; b < std::min(blocks, from + kBlocksTogether); ++b) {
        float product = job.bias;
        for (std::uint32_t d = 0; d < job.dims; ++d)
          product = std::fma(job.row(b, d)[lane], job.weights[d], product);
        const std::uint32_t point = b * kLanes + lane;
        const float residual =
            point < job.points ? PlainSigmoid(product) - job.labels[point] : 0.0f;
        for (std::uint32_t d = 0; d < job.dims; ++d)
          together[d] = std::fma(residual, job.row(b, d)[lane], together[d]);
        together[job.dims] += residual;
        together[job.dims + 1] = std::fma(residual, residual, together[job.dims + 1]);
      }
      for (std::size_t i = 0; i < together.size(); ++i)
        sums[i * kLanes + lane] += static_cast<double>(together[i]);
    }
  }
  return sums;
}

void ExpectWhatThePlainLoopGives(bool hostile) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Job job = MakeJob(seed, hostile);
    std::vector<double> sums = job.NoSums();
    ChooseGradientKernel()(job.blocks.data(), job.labels.data(), job.points, job.model(),
                           sums.data());
    ASSERT_NO_FATAL_FAILURE(ExpectSameBits(sums, AddOneByOne(job)));
  }
}

TEST(Gradient, GivesTheSameBitsWithEachInstructionSet) {
  WithEachInstructionSet([] { ExpectWhatThePlainLoopGives(false); });
}

TEST(Gradient, GivesTheSameBitsForHostileNumbers) {
  WithEachInstructionSet([] { ExpectWhatThePlainLoopGives(true); });
}

TEST(Gradient, ProbabilitiesAreNearTheExactOnes) {
  WithEachInstructionSet([] {
    for (float x = -130; x <= 130; x += 0.0625f) {
      const std::vector<float> block(kLanes, x), labels(kLanes, 0);
      const float weight = 1;
      std::vector<double> sums(std::size_t{NumbersOf(1)} * kLanes);
      ChooseGradientKernel()(block.data(), labels.data(), 1, {&weight, 0, 1}, sums.data());
      const double probability = sums[kLanes];  // The slope of the bias: label 0, one point.
      EXPECT_NEAR(probability, 1 / (1 + std::exp(-static_cast<double>(x))), 1.5e-7) << x;
    }
  });
}

}  // namespace
}  // namespace logistic_regression
