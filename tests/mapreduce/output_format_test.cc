#include "mapreduce/output_format.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace spillway {
namespace {

/// A task that keeps what is written.
struct WrittenTask {
  WrittenTask() {
    task.host = this;
    task.write = [](void* host, const char* data, std::size_t bytes) {
      static_cast<WrittenTask*>(host)->text.append(data, bytes);
      return 0;
    };
  }
  spillway_task task{};
  std::string text;
};

TEST(OutputBuffer, AppendsPartsOfAllKindsOneBehindTheOther) {
  WrittenTask written;
  OutputBuffer out(&written.task);
  const std::string path = "a/path";
  out.Append(path, ':', std::uint64_t{123'456'789'012}, ' ', -5, " half ", 0.5, '\n');
  out.Append("one", std::string_view(" two"));
  out.Flush();
  EXPECT_EQ(written.text, "a/path:123456789012 -5 half 0.5\none two");
}

TEST(OutputBuffer, LosesNothingAtItsBordersWhateverTheParts) {
  std::mt19937_64 random(1);
  SCOPED_TRACE("seed 1");
  WrittenTask written;
  OutputBuffer out(&written.task);
  std::string expected;
  for (int i = 0; i < 60'000; ++i) {
    const std::string text(random() % 2000 == 0 ? random() % 600'000 : random() % 40,
                           static_cast<char>('a' + random() % 26));
    const std::uint64_t number = random() >> random() % 64;
    switch (random() % 4) {
      case 0:
        out.Append(text);
        expected += text;
        break;
      case 1:
        out.AppendNumber(number);
        expected += std::to_string(number);
        break;
      case 2:
        out.Append('c');
        expected += 'c';
        break;
      default:
        out.Append(text, ':', number, text);
        expected += text + ':' + std::to_string(number) + text;
    }
  }
  out.Flush();
  EXPECT_TRUE(written.text == expected);
}

}  // namespace
}  // namespace spillway
