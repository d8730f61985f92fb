#include "runtime/comparison/value_scale.h"

#include <gmock/gmock.h>

#include <random>

namespace spillway {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

TEST(ValueScale, BeginsAtNothingWhereValuesAreAlike) {
  const ValueScale scale({1.1, 2.3, 4.2});
  EXPECT_FALSE(scale.logarithmic());
  EXPECT_THAT(scale.marks(), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_DOUBLE_EQ(scale.PlaceOf(0), 0);
  EXPECT_DOUBLE_EQ(scale.PlaceOf(2.5), 0.5);
}

TEST(ValueScale, IsLogarithmicFromTenTimesOn) {
  EXPECT_FALSE(ValueScale({1, 10}).logarithmic());
  const ValueScale scale({0.03, 0.9});
  EXPECT_TRUE(scale.logarithmic());
  EXPECT_THAT(scale.marks(),
              ElementsAre(DoubleNear(0.02, 1e-9), DoubleNear(0.05, 1e-9), DoubleNear(0.1, 1e-9),
                          DoubleNear(0.2, 1e-9), DoubleNear(0.5, 1e-9), DoubleNear(1, 1e-9)));
}

TEST(ValueScale, MarksOnlyDecadesWhenThereAreMany) {
  const ValueScale scale({1e-6, 1});
  EXPECT_EQ(scale.marks().size(), 7u);
}

TEST(ValueScale, HoldsWhateverItIsGiven) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> exponent(-6, 4);
  for (int run = 0; run < 2'000; ++run) {
    std::vector<double> values(1 + run % 5);
    for (double& value : values) value = std::pow(10, exponent(random));
    if (run % 7 == 0) values[0] = std::pow(10, std::round(exponent(random)));
    const ValueScale scale(values);
    EXPECT_GE(scale.marks().size(), 2u);
    EXPECT_LE(scale.marks().size(), 12u);
    for (const double value : values) {
      EXPECT_GE(scale.PlaceOf(value), -1e-6) << value;
      EXPECT_LE(scale.PlaceOf(value), 1 + 1e-6) << value;
    }
    for (const double mark : scale.marks()) {
      EXPECT_GE(scale.PlaceOf(mark), -1e-6) << mark;
      EXPECT_LE(scale.PlaceOf(mark), 1 + 1e-6) << mark;
    }
  }
}

}  // namespace
}  // namespace spillway
