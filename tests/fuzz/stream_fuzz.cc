// Any bytes as what a command writes, in pieces of any size: its lines are those of the whole, key
// and value together are the line; and lines of the reporter, and fields of keys, are taken apart.
#include <fuzzer/FuzzedDataProvider.h>

#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/check.h"
#include "runtime/stream/key_fields.h"
#include "runtime/stream/reporter_lines.h"
#include "runtime/stream/stream_lines.h"

using namespace spillway;

namespace {

std::vector<std::string> LinesOf(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// Calls take(bytes) for pieces of the text, each with padding behind it.
template <class Take>
void InPieces(std::string_view text, std::size_t piece_bytes, Take&& take) {
  for (; !text.empty(); text.remove_prefix(std::min(piece_bytes, text.size()))) {
    std::string piece(text.substr(0, piece_bytes));
    const std::size_t bytes = piece.size();
    piece.append(SPILLWAY_PADDING_BYTES, '\0');
    take(std::string_view(piece).substr(0, bytes));
  }
}

void CheckLines(std::string_view text, std::size_t piece_bytes, const LineKeys& keys) {
  std::vector<std::string> lines;
  StreamLines stream(keys, [&](const spillway_record* records, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string value(records[i].value, records[i].value_bytes);
      lines.push_back(keys.order.empty() ? std::string(records[i].key, records[i].key_bytes) + value
                                         : value);
      if (keys.order.empty()) SPILLWAY_CHECK_EQ(keys.KeyBytes(lines.back()), records[i].key_bytes);
    }
    return OkStatus();
  });
  InPieces(text, piece_bytes,
           [&](std::string_view piece) { SPILLWAY_CHECK(stream.Add(piece).ok()); });
  SPILLWAY_CHECK(stream.Finish().ok());
  SPILLWAY_CHECK(lines == LinesOf(text));
}

void CheckReporter(std::string_view text, std::size_t piece_bytes) {
  std::size_t lines = 0, shown_bytes = 0;
  ReporterLines reporter({.counter = [&](const auto&, const auto&, std::uint64_t) { ++lines; },
                          .status = [&](std::string_view) { ++lines; },
                          .other =
                              [&](std::string_view bytes) {
                                ++lines;
                                shown_bytes += bytes.size();
                              }});
  InPieces(text, piece_bytes, [&](std::string_view piece) { reporter.Add(piece); });
  reporter.Finish();
  SPILLWAY_CHECK_EQ(lines, LinesOf(text).size());
  SPILLWAY_CHECK_LE(shown_bytes, text.size() + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  LineKeys keys;
  keys.separator = static_cast<char>(input.ConsumeIntegral<std::uint8_t>());
  if (keys.separator == '\n') keys.separator = '\t';
  keys.fields = input.ConsumeIntegralInRange<std::uint32_t>(1, 4);
  const std::size_t piece_bytes = input.ConsumeIntegralInRange<std::size_t>(1, 100);
  const auto order = KeyFields::Parse(input.ConsumeRandomLengthString(30), keys.separator);
  const std::string text = input.ConsumeRemainingBytesAsString();
  CheckLines(text, piece_bytes, keys);
  CheckReporter(text, piece_bytes);
  if (!order.ok()) {
    SPILLWAY_CHECK(order.status().code() == Code::kInvalidArgument);
    return 0;
  }
  SPILLWAY_CHECK_LE(order->Hash(text), 0x7fff'ffffu);
  keys.order = *order;
  CheckLines(text, piece_bytes, keys);
  return 0;
}
