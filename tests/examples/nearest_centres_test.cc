#include "k_means/nearest_centres.h"

#include "tests/examples/kernel_case.h"

namespace k_means {
namespace {

using points::kLanes;
using spillway::test::ExpectSameBits;
using spillway::test::RandomNumbers;
using spillway::test::WithEachInstructionSet;

struct Job {
  std::uint32_t points, dims, count;
  std::vector<float> blocks, rows;

  Centres centres() const { return {rows.data(), count, dims}; }
  float at(std::uint32_t point, std::uint32_t d) const {
    return blocks[(point / kLanes * dims + d) * kLanes + point % kLanes];
  }
};

struct Sums {
  std::vector<double> rows;
  std::vector<std::uint64_t> points;

  explicit Sums(const Job& job) : rows(job.count * job.dims), points(job.count) {}
};

Job MakeJob(std::uint64_t seed, bool hostile) {
  RandomNumbers random(seed);
  Job job;
  job.points = random.Below(100);
  job.dims = 1 + random.Below(40);
  job.count = 1 + random.Below(random.Below(2) == 0 ? 8 : 70);
  job.blocks = random.Blocks(job.points, job.dims, hostile);
  job.rows = random.Many(job.count * job.dims, hostile);
  return job;
}

/// What the kernel computes, in plain words.
Sums AddOneByOne(const Job& job) {
  Sums sums(job);
  for (std::uint32_t i = 0; i < job.points; ++i) {
    float best = std::numeric_limits<float>::infinity();
    std::uint32_t nearest = 0;
    for (std::uint32_t c = 0; c < job.count; ++c) {
      float distance = 0;
      for (std::uint32_t d = 0; d < job.dims; ++d) {
        const float apart = job.at(i, d) - job.rows[c * job.dims + d];
        distance = std::fma(apart, apart, distance);
      }
      if (!(distance < best)) continue;
      best = distance;
      nearest = c;
    }
    ++sums.points[nearest];
    for (std::uint32_t d = 0; d < job.dims; ++d)
      sums.rows[nearest * job.dims + d] += static_cast<double>(job.at(i, d));
  }
  return sums;
}

void ExpectWhatThePlainLoopGives(bool hostile) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Job job = MakeJob(seed, hostile);
    const Sums expected = AddOneByOne(job);
    Sums got(job);
    ChooseNearestKernel()(job.blocks.data(), job.points, job.centres(),
                          {got.rows.data(), got.points.data()});
    ASSERT_EQ(got.points, expected.points);
    ASSERT_NO_FATAL_FAILURE(ExpectSameBits(got.rows, expected.rows));
  }
}

TEST(NearestCentres, GivesTheSameBitsWithEachInstructionSet) {
  WithEachInstructionSet([] { ExpectWhatThePlainLoopGives(false); });
}

TEST(NearestCentres, GivesTheSameBitsForHostileNumbers) {
  WithEachInstructionSet([] { ExpectWhatThePlainLoopGives(true); });
}

TEST(NearestCentres, TakesTheFirstOfSeveralThatAreEquallyNear) {
  WithEachInstructionSet([] {
    for (std::uint32_t count = 1; count < 20; ++count) {
      Job job{3, 2, count, std::vector<float>(2 * kLanes, 1), std::vector<float>(2 * count, 7)};
      Sums sums(job);
      ChooseNearestKernel()(job.blocks.data(), job.points, job.centres(),
                            {sums.rows.data(), sums.points.data()});
      EXPECT_EQ(sums.points[0], 3u) << count;
      EXPECT_EQ(sums.rows[0], 3.0) << count;
    }
  });
}

}  // namespace
}  // namespace k_means
