#include "runtime/comparison/sample_data.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <set>
#include <sstream>

#include "runtime/comparison/output_match.h"
#include "runtime/storage/posix_file_system.h"

namespace spillway {
namespace {

class SampleData : public testing::Test {
 protected:
  SampleData() {
    char path[] = "/tmp/spillway_sample_XXXXXX";
    directory_ = mkdtemp(path);
  }
  ~SampleData() override { EXPECT_TRUE(files_.RemoveTree(directory_).ok()); }

  std::string Sample(SampleKind kind, std::uint64_t bytes, std::uint64_t seed) {
    const std::string path = directory_ + "/sample";
    const std::atomic<bool> stop{false};
    EXPECT_TRUE(WriteSample(files_, path, {kind, bytes, seed}, stop).ok());
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    EXPECT_TRUE(files_.Remove(path).ok());
    return text.str();
  }

  void Write(const std::string& name, const std::string& bytes) {
    std::ofstream(directory_ + "/" + name, std::ios::binary) << bytes;
  }

  std::string Difference() {
    const auto found = DifferenceOf(files_, directory_ + "/a", directory_ + "/b");
    EXPECT_TRUE(found.ok()) << found.status().message();
    return found.ok() ? *found : "";
  }

  PosixFileSystem files_;
  std::string directory_;
};

TEST_F(SampleData, PointsAreALabelAndSixteenNumbers) {
  const std::string text = Sample(SampleKind::kPoints, 200'000, 1);
  EXPECT_GE(text.size(), 200'000u);
  EXPECT_LT(text.size(), 200'400u);
  EXPECT_EQ(text.back(), '\n');
  std::istringstream lines(text);
  std::set<double> labels;
  double least = 0, most = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream numbers(line);
    double label = -1, x = 0;
    int count = 0;
    numbers >> label;
    labels.insert(label);
    for (; numbers >> x; ++count) {
      least = std::min(least, x);
      most = std::max(most, x);
    }
    EXPECT_TRUE(numbers.eof()) << line;
    EXPECT_EQ(count, 16) << line;
  }
  EXPECT_EQ(labels, (std::set<double>{0, 1}));
  EXPECT_LT(least, -5);
  EXPECT_GT(most, 5);
}

TEST_F(SampleData, GraphsHaveAboutTenEdgesForEachVertex) {
  std::istringstream lines(Sample(SampleKind::kGraph, 1 << 20, 1));
  std::set<std::uint64_t> vertices;
  std::uint64_t edges = 0, from = 0, to = 0;
  for (; lines >> from >> to; ++edges) vertices.insert({from, to});
  EXPECT_TRUE(lines.eof());
  EXPECT_GT(edges, vertices.size() * 8);
  EXPECT_LT(edges, vertices.size() * 20);
  EXPECT_LT(*vertices.rbegin(), (std::uint64_t{1} << 20) / 130);
}

TEST_F(SampleData, TheSameSeedGivesTheSameBytes) {
  for (const SampleKind kind : {SampleKind::kPoints, SampleKind::kGraph}) {
    const std::string text = Sample(kind, 3 << 20, 7);
    EXPECT_EQ(Sample(kind, 3 << 20, 7), text);
    EXPECT_NE(Sample(kind, 3 << 20, 8), text);
  }
}

TEST_F(SampleData, StopsWhenAsked) {
  const std::atomic<bool> stop{true};
  const Status status =
      WriteSample(files_, directory_ + "/never", {SampleKind::kPoints, 1 << 30, 1}, stop);
  EXPECT_EQ(status.code(), Code::kCancelled);
}

TEST_F(SampleData, OutputsAreComparedByteByByteWhateverTheirParts) {
  for (const char* name : {"a", "b"})
    ASSERT_TRUE(files_.MakeDirectory(directory_ + "/" + name, 0755).ok());
  EXPECT_EQ(Difference(), "");
  const std::string big(3'000'000, 'x');
  Write("a/part-00000", big + "12");
  Write("a/part-00001", "345");
  Write("a/_SUCCESS", "");
  Write("b/part-00000", big);
  Write("b/part-00001", "");
  Write("b/part-00002", "12345");
  EXPECT_EQ(Difference(), "");
  Write("b/part-00002", "12395");
  EXPECT_EQ(Difference(), "from byte 3000003 on");
  Write("b/part-00002", "1234");
  EXPECT_EQ(Difference(), "one ends after 3000004 bytes, the other goes on");
  EXPECT_FALSE(DifferenceOf(files_, directory_ + "/a", directory_ + "/none").ok());
}

}  // namespace
}  // namespace spillway
