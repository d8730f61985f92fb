#include "mapreduce/base/decimal.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace spillway {
namespace {

std::string Decimal(std::uint64_t number) {
  char text[kDecimalBytesMax];
  return {text, PutDecimal(text, number)};
}

TEST(Decimal, WritesEveryNumberOfDigits) {
  EXPECT_EQ(Decimal(0), "0");
  EXPECT_EQ(Decimal(UINT64_MAX), "18446744073709551615");
  std::uint64_t power = 1;
  for (int digits = 1; digits <= 20; ++digits, power *= 10) {
    for (const std::uint64_t number : {power - 1, power, power + 1, power * 9, power / 7})
      EXPECT_EQ(Decimal(number), std::to_string(number));
  }
}

TEST(Decimal, WritesWhatTheStandardLibraryWrites) {
  std::mt19937_64 random(1);
  SCOPED_TRACE("seed 1");
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t number = random() >> random() % 64;
    ASSERT_EQ(Decimal(number), std::to_string(number));
  }
  for (std::uint64_t number = 0; number < 100'000; ++number)
    ASSERT_EQ(Decimal(number), std::to_string(number));
}

}  // namespace
}  // namespace spillway
