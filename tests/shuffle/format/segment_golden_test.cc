// The worked example of docs/formats/segment.md: the page's bytes are the golden ones.
#include <gtest/gtest.h>

#include <cctype>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "tests/places.h"
#include "tests/shuffle/format/segment_fixture.h"

namespace spillway {
namespace {

constexpr SegmentId kId = {7, 3, 1};

const std::vector<PlacedRecord>& ExampleRecords() {
  static const std::vector<PlacedRecord> records = {
      {0, 0, "apple", "1"}, {0, 0, "fig", "2"}, {0, 2, "pear", "3"}};
  return records;
}

// Lines of "offset: 16 hex bytes  text" under the heading "Example".
std::string BytesOnPage() {
  std::ifstream page(SourcePath("docs/formats/segment.md"));
  std::string line, bytes;
  bool in_example = false;
  while (std::getline(page, line)) {
    if (line.rfind("## ", 0) == 0) in_example = line == "## Example";
    if (!in_example || line.size() < 6 || line[4] != ':') continue;
    std::istringstream hex(line.substr(5, 3 * 16));
    unsigned value;
    while (hex >> std::hex >> value) bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

std::string Dump(const std::string& bytes) {
  std::string dump;
  for (std::size_t at = 0; at < bytes.size(); at += 16) {
    char text[32];
    std::snprintf(text, sizeof text, "%04zx:", at);
    dump += text;
    std::string letters;
    for (std::size_t i = at; i < at + 16; ++i) {
      std::snprintf(text, sizeof text, " %02x", i < bytes.size() ? bytes[i] & 0xff : 0);
      dump += i < bytes.size() ? text : "   ";
      if (i < bytes.size())
        letters += std::isprint(static_cast<unsigned char>(bytes[i])) ? bytes[i] : '.';
    }
    dump += "  " + letters + "\n";
  }
  return dump;
}

TEST(SegmentGolden, PageShowsTheBytesThatAreWritten) {
  auto written = WriteSegment(kId, 1, 4, ExampleRecords(), {}, false);
  ASSERT_TRUE(written.ok()) << written.status().message();
  EXPECT_EQ(BytesOnPage(), written->bytes) << "the page should show\n" << Dump(written->bytes);
}

TEST(SegmentGolden, BytesOfThePageAreRead) {
  auto read = ReadSegment(std::make_shared<StringBytes>(BytesOnPage(), false), kId);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(*read, ExampleRecords());
}

}  // namespace
}  // namespace spillway
