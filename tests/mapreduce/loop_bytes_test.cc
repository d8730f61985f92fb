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

TEST(LoopBytes, GoToASinkAsTheyWouldLie) {
  std::string sunk;
  const spillway_sink sink{&sunk, [](void* to, const char* data, std::size_t bytes) {
                             static_cast<std::string*>(to)->append(data, bytes);
                             return 0;
                           }};
  const std::vector<std::uint32_t> large(100'000, 7);
  LoopWriter whole, pieces(sink);
  for (LoopWriter* const out : {&whole, &pieces}) {
    out->Put('x');
    out->Put(large);  // Behind one byte: nothing is aligned any more.
    out->Put(std::string("end"));
    out->Put(large);
  }
  EXPECT_TRUE(pieces.Flush());
  EXPECT_TRUE(sunk == whole.bytes());
  LoopReader in(sunk);
  char x = 0;
  std::string end;
  std::vector<std::uint32_t> first, second{1, 2};
  in.Get(x);
  in.Get(first);
  in.Get(end);
  in.Get(second);
  EXPECT_TRUE(in.at_end());
  EXPECT_TRUE(first == large && second == large);
}

TEST(LoopBytes, EndWhenTheSinkWantsNoMore) {
  int calls = 0;
  const spillway_sink sink{&calls, [](void* calls_made, const char*, std::size_t) {
                             return ++*static_cast<int*>(calls_made);
                           }};
  LoopWriter out(sink);
  for (int i = 0; i < 3; ++i) out.Put(std::string(1 << 20, 'x'));
  EXPECT_FALSE(out.Flush());
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace spillway
