#include "mapreduce/builtin/pair_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/mapreduce/fake_task.h"

namespace spillway {
namespace {

using Written = std::vector<std::pair<std::string, std::uint32_t>>;

std::string FileOf(const Written& pairs) {
  FakeTask task;
  OutputBuffer out(&task.task);
  PairOutput<std::string, std::uint32_t> format;
  for (const auto& [key, value] : pairs) format.Write(key, value, out);
  format.End(out);
  out.Flush();
  return task.text;
}

/// What the splits of `bytes` read, as the host would cut them at `cut`.
std::pair<Written, Written> ReadInTwo(const std::string& file, std::size_t cut) {
  const spillway_framing framing = Pairs<std::string, std::uint32_t>::framing().abi;
  const std::string padded = file + std::string(SPILLWAY_PADDING_BYTES, '\0');
  const std::uint64_t start = cut + framing.find_start(padded.data() + cut, file.size() - cut, 1);
  std::pair<Written, Written> read;
  std::uint64_t number = 0;
  for (std::uint64_t at = 0; at < file.size();) {
    const std::uint64_t bytes = framing.record_bytes(padded.data() + at, file.size() - at, 1);
    EXPECT_LE(bytes, file.size() - at);
    if (bytes > file.size() - at) break;
    const InputBlock block{{padded.data() + at, bytes}, at, 0, "file"};
    Pairs<std::string, std::uint32_t>::ForEach(block, [&](const auto& pair, const char*) {
      (at < start ? read.first : read.second).emplace_back(pair.key, pair.value);
      EXPECT_EQ(pair.number, number++);
    });
    at += bytes;
    EXPECT_TRUE(start >= at || start <= at - bytes || start == file.size()) << cut;
  }
  return read;
}

Written SomePairs() {
  Written pairs;
  for (std::uint32_t i = 0; i < 9000; ++i)
    pairs.emplace_back(std::string(i % 40, static_cast<char>(i)), i);
  pairs[17].first.assign(200'000, 'x');
  return pairs;
}

TEST(PairFile, EveryCutGivesEachPairToOneSplit) {
  const Written pairs = SomePairs();
  const std::string file = FileOf(pairs);
  for (std::size_t cut = 1; cut < file.size(); cut += 4999) {
    auto [first, second] = ReadInTwo(file, cut);
    first.insert(first.end(), second.begin(), second.end());
    EXPECT_EQ(first, pairs) << cut;
  }
}

TEST(PairFile, ADamagedByteIsFound) {
  const std::string good = FileOf({{"key", 1}});
  const spillway_framing framing = Pairs<std::string, std::uint32_t>::framing().abi;
  for (std::size_t i = 0; i + PairBlock::kHeadBytes < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    const std::uint64_t bytes = framing.record_bytes(bad.data(), bad.size(), 1);
    if (bytes == Framing::kBadData) continue;
    const InputBlock block{{bad.data(), bytes}, 0, 0, "file"};
    EXPECT_THROW((Pairs<std::string, std::uint32_t>::ForEach(block, [](const auto&, auto*) {})),
                 BadRecord)
        << i;
  }
}

// Found by a fuzzer: it was said to be an error of the code.
TEST(PairFile, PairsOfOtherTypesAreBadData) {
  const std::string file = FileOf({{"key", 1}});
  const InputBlock block{std::string_view(file).substr(0, file.size() - PairBlock::kHeadBytes), 0,
                         0, "file"};
  const auto nothing = [](const auto&, auto*) {};
  EXPECT_THROW((Pairs<std::uint64_t, std::uint32_t>::ForEach(block, nothing)), BadRecord);
  EXPECT_THROW((Pairs<std::string, double>::ForEach(block, nothing)), BadRecord);
}

TEST(PairFile, TheLastBlockCountsThePairs) {
  const std::string path = ::testing::TempDir() + "/pairs." + std::to_string(::getpid());
  const std::string file = FileOf(SomePairs());
  std::ofstream(path, std::ios::binary) << file;
  EXPECT_EQ(CountPairs(path), SomePairs().size());
  std::ofstream(path, std::ios::binary) << FileOf({});
  EXPECT_EQ(CountPairs(path), 0u);
  std::ofstream(path, std::ios::binary) << file.substr(0, file.size() - PairBlock::kHeadBytes);
  EXPECT_THROW(CountPairs(path), std::runtime_error);
  std::filesystem::remove(path);
}

/// The example of docs/formats/pairs.md.
TEST(PairFile, TheFormatIsWhatThePageSays) {
  FakeTask task;
  OutputBuffer out(&task.task);
  PairOutput<std::string, std::string> format;
  format.Write("a", "bc", out);
  format.End(out);
  out.Flush();
  std::string hex;
  for (const char c : task.text) {
    char text[4];
    std::snprintf(text, sizeof text, "%02x", static_cast<unsigned char>(c));
    hex += text;
  }
  EXPECT_EQ(hex,
            "53504c575041495205000000010000000000000000000000ad21c823bbe2759ecfdf7e6d7b17e94b"
            "010261626353504c57504149520000000000000000010000000000000099e9d85137db46efc4b8cf"
            "3ad7d1ae53");
}

}  // namespace
}  // namespace spillway
