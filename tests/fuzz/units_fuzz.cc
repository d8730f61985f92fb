// Any text as a size, a duration and a log line: what is accepted prints and reads back, what is
// shown is safe to show.
#include <string>
#include <string_view>

#include "mapreduce/base/check.h"
#include "mapreduce/base/units.h"

using namespace spillway;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  if (const auto bytes = ParseBytes(text); bytes.ok()) {
    SPILLWAY_CHECK_NE(*bytes, 0u);
    SPILLWAY_CHECK_EQ(*ParseBytes(std::to_string(*bytes)), *bytes);
    std::string shown = FormatBytes(*bytes);
    SPILLWAY_CHECK_LE(shown.size(), 8u);
  }
  if (const auto ms = ParseDurationMs(text); ms.ok()) {
    SPILLWAY_CHECK_EQ(*ParseDurationMs(std::to_string(*ms) + "ms"), *ms);
  }

  const std::string line = EscapeForLog(text, 64);
  SPILLWAY_CHECK_LE(line.size(), 67u);
  for (const char c : line) {
    SPILLWAY_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f && c != '"');
  }
  return 0;
}
