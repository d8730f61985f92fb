#include "mapreduce/loop_bytes.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace spillway {
namespace {

TEST(LoopBytes, ComeBackInTheirOrder) {
  LoopWriter out;
  out.Put(std::uint32_t{5});
  out.Put(std::vector<double>{1.5, -2});
  out.Put(std::string("text"));
  out.Put(std::vector<float>{});
  LoopReader in(out.bytes());
  std::uint32_t number = 0;
  std::vector<double> values;
  std::string text;
  std::vector<float> none{1};
  in.Get(number);
  in.Get(values);
  in.Get(text);
  EXPECT_FALSE(in.at_end());
  in.Get(none);
  EXPECT_EQ(number, 5u);
  EXPECT_EQ(values, (std::vector<double>{1.5, -2}));
  EXPECT_EQ(text, "text");
  EXPECT_TRUE(none.empty());
  EXPECT_TRUE(in.at_end());
}

TEST(LoopBytes, ThatEndTooEarlyAreRefusedBeforeMemoryIsTaken) {
  LoopWriter out;
  out.Put(std::uint64_t{1} << 60);  // The length of a vector that is not there.
  LoopReader in(out.bytes());
  std::vector<double> values;
  EXPECT_THROW(in.Get(values), std::runtime_error);
  LoopReader empty("");
  std::uint64_t number = 0;
  EXPECT_THROW(empty.Get(number), std::runtime_error);
}

}  // namespace
}  // namespace spillway
