#include "mapreduce/base/xxh64.h"

#include <gtest/gtest.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <random>
#include <string>

namespace spillway {
namespace {

TEST(Xxh64, AgreesWithTheLibraryForAllLengths) {
  std::mt19937 random(7);
  std::string bytes;
  for (int length = 0; length < 300; ++length) {
    EXPECT_EQ(Xxh64(bytes), XXH64(bytes.data(), bytes.size(), 0)) << length;
    bytes += static_cast<char>(random());
  }
}

}  // namespace
}  // namespace spillway
