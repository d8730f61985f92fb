#include "mapreduce/value_table.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace spillway {
namespace {

struct Sum {
  double sum = 0;
};

class ValueTableTest : public ::testing::Test {
 protected:
  using Table = ValueTable<std::uint32_t, Sum>;

  ValueTableTest() { std::filesystem::create_directories(directory_); }
  ~ValueTableTest() override { std::filesystem::remove_all(directory_); }

  std::string PathOf(std::uint32_t part) const {
    return directory_ + "/part-0000" + std::to_string(part);
  }

  /// Vertex v has v % 7 out-edges and the value 3 v.
  void Write(const VertexParts& parts) {
    for (std::uint32_t part = 0; part < parts.parts; ++part) {
      std::ofstream file(PathOf(part), std::ios::binary);
      const auto put = [&file](std::string_view bytes) { file << bytes; };
      ValueWriter<std::uint32_t, Sum> writer;
      writer.Begin(parts, part, put);
      Sum total;
      while (!writer.at_end()) {
        const std::uint64_t v = writer.next();
        total.sum += 1.0 / static_cast<double>(v + 1);
        writer.Add({v % 7, static_cast<std::uint32_t>(3 * v)}, total, put);
        if (writer.RangeEnds()) total = {};
      }
      writer.End(put);
    }
  }

  static double SumOf(Table& table) {
    return table.Sum([](Sum& into, const Sum& from) { into.sum += from.sum; }).sum;
  }

  const std::string directory_ = ::testing::TempDir() + "/values." + std::to_string(::getpid());
};

TEST_F(ValueTableTest, EveryVertexIsFoundWhateverTheNumberOfParts) {
  constexpr std::uint64_t kVertices = 3 * kRangeVertices + 17;
  double sum = 0;
  for (const std::uint32_t parts : {1u, 2u, 4u, 7u}) {
    Write({kVertices, parts});
    Table table;
    table.Open(directory_);
    EXPECT_EQ(table.vertices(), kVertices);
    for (std::uint64_t v = 0; v < kVertices; v += 4999) {
      EXPECT_EQ(table.Of(v).out_edges, v % 7);
      EXPECT_EQ(table.Of(v).value, 3 * v);
    }
    EXPECT_EQ(table.Of(kVertices - 1).value, 3 * (kVertices - 1));
    EXPECT_THROW(table.Of(kVertices), std::runtime_error);
    // One association: equal to the last bit.
    if (parts > 1) {
      EXPECT_EQ(SumOf(table), sum);
    }
    sum = SumOf(table);
  }
}

TEST_F(ValueTableTest, PartsAgreeWithWhereTheyBegin) {
  for (const std::uint64_t vertices : {std::uint64_t{1}, kRangeVertices, 5 * kRangeVertices + 1})
    for (const std::uint32_t count : {1u, 3u, 6u, 50u}) {
      const VertexParts parts{vertices, count};
      EXPECT_EQ(parts.Begin(0), 0u);
      EXPECT_EQ(parts.Begin(count), vertices);
      for (std::uint64_t v = 0; v < vertices; v += 1 + vertices / 999) {
        const std::uint32_t part = parts.PartOf(v);
        ASSERT_LT(part, count);
        EXPECT_LE(parts.Begin(part), v);
        EXPECT_GT(parts.Begin(part + 1), v);
      }
    }
}

TEST_F(ValueTableTest, ADamagedOrMissingPartIsFound) {
  Write({1000, 1});
  std::string bytes;
  {
    std::ifstream file(PathOf(0), std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  for (std::size_t i = 0; i < bytes.size(); i += i < 60 ? 1 : 501) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    std::ofstream(PathOf(0), std::ios::binary) << bad;
    EXPECT_THROW(
        {
          Table table;
          table.Open(directory_);
          table.Of(1);
          SumOf(table);
        },
        std::runtime_error)
        << i;
  }
  std::ofstream(PathOf(0), std::ios::binary) << bytes.substr(0, bytes.size() - 1);
  Table table;
  table.Open(directory_);
  EXPECT_THROW(SumOf(table), std::runtime_error);
  std::filesystem::remove(PathOf(0));
  EXPECT_THROW(table.Open(directory_), std::runtime_error);
}

TEST_F(ValueTableTest, AnotherTypeIsRefused) {
  Write({1000, 1});
  ValueTable<double, Sum> other;
  EXPECT_THROW(other.Open(directory_), std::runtime_error);
}

}  // namespace
}  // namespace spillway
