// Any bytes as the beginning of a plugin: refused with a reason, or all that it names lies within
// the file.
#include <elf.h>

#include <cstring>
#include <string>
#include <string_view>

#include "mapreduce/base/check.h"
#include "runtime/task/elf_header.h"

using namespace spillway;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view head(reinterpret_cast<const char*>(data), size);
  const Status checked = CheckElfHeader(head, size, "fuzzed.so");
  if (!checked.ok()) {
    SPILLWAY_CHECK(checked.code() == Code::kBadData);
    SPILLWAY_CHECK(checked.message().starts_with("plugin 'fuzzed.so' "));
    return 0;
  }
  Elf64_Ehdr header;
  SPILLWAY_CHECK_GE(size, sizeof header);
  std::memcpy(&header, data, sizeof header);
  SPILLWAY_CHECK_LE(header.e_shoff, size);
  SPILLWAY_CHECK_LE(std::uint64_t{header.e_shentsize} * header.e_shnum, size - header.e_shoff);
  return 0;
}
