// The worked example of docs/formats/fetch.md: the page's bytes are the golden ones.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "runtime/transfer/segment_server.h"
#include "tests/places.h"
#include "tests/runtime/transfer/transfer_fixture.h"

namespace spillway {
namespace {

constexpr SegmentId kId = {7, 3, 1};

// The dumps under the heading "Example", one for each code block.
std::vector<std::string> DumpsOnPage(const std::string& name) {
  std::ifstream page(SourcePath("docs/formats/" + name));
  std::vector<std::string> dumps;
  std::string line;
  bool in_example = false;
  while (std::getline(page, line)) {
    if (line.rfind("## ", 0) == 0) in_example = line == "## Example";
    if (!in_example || line.size() < 6 || line[4] != ':') continue;
    if (line.rfind("0000:", 0) == 0) dumps.emplace_back();
    std::istringstream hex(line.substr(5, 3 * 16));
    unsigned value;
    while (hex >> std::hex >> value) dumps.back().push_back(static_cast<char>(value));
  }
  return dumps;
}

std::string Dump(std::string_view bytes) {
  std::string dump;
  char text[32];
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % 16 == 0) {
      std::snprintf(text, sizeof text, "%s%04zx:", i == 0 ? "" : "\n", i);
      dump += text;
    }
    std::snprintf(text, sizeof text, " %02x", bytes[i] & 0xff);
    dump += text;
  }
  return dump;
}

TEST(FetchPage, ShowsTheBytesThatAreSent) {
  const auto segments = DumpsOnPage("segment.md");
  ASSERT_EQ(segments.size(), 1u);
  MemoryBudget budget(1 << 20);
  const auto store = std::make_shared<MemorySegmentStore>(budget);
  Put(*store, kId, segments[0]);
  SegmentServer server([store](std::uint64_t) { return store; }, {});
  wire::FetchRequest request;
  request.set_segment_job(7);
  wire::FetchRange* const range = request.add_ranges();
  range->set_map_task(3);
  range->set_attempt(1);
  range->set_head(true);
  range->set_bytes(16384);
  const auto head = server.Handle(request);
  EXPECT_EQ(head.reply.ranges(0).head_bytes(), 115u);
  EXPECT_EQ(head.reply.ranges(0).segment_bytes(), 184u);
  range->set_head(false);
  range->set_bytes(38);
  const auto stream = server.Handle(request);
  request.set_partitions(3);
  range->set_bytes(69);
  const auto streams = server.Handle(request);
  const auto expected = DumpsOnPage("fetch.md");
  ASSERT_EQ(expected.size(), 3u) << Dump(head.payload.view()) << "\n\n"
                                 << Dump(stream.payload.view()) << "\n\n"
                                 << Dump(streams.payload.view());
  EXPECT_EQ(head.payload.view(), expected[0]) << Dump(head.payload.view());
  EXPECT_EQ(stream.payload.view(), expected[1]) << Dump(stream.payload.view());
  EXPECT_EQ(streams.payload.view(), expected[2]) << Dump(streams.payload.view());
}

}  // namespace
}  // namespace spillway
