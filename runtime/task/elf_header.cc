#include "runtime/task/elf_header.h"

#include <elf.h>

#include <cstring>

namespace spillway {

namespace {
constexpr std::string_view kBuildHint =
    "; a plugin is built with spillway_add_plugin(), or with g++ -shared -fvisibility=hidden "
    "$(pkg-config --cflags spillway)";
}  // namespace

Status CheckElfHeader(std::string_view head, std::uint64_t file_bytes, const std::string& path) {
  const std::string plugin = "plugin '" + path + "'";
  if (!head.starts_with(std::string_view(ELFMAG, SELFMAG)))
    return BadData(plugin + " is not an ELF shared library" + std::string(kBuildHint));
  Elf64_Ehdr header{};
  if (head.size() < sizeof header)
    return BadData(plugin + " is truncated: its ELF header is not whole");
  std::memcpy(&header, head.data(), sizeof header);
#if defined(__x86_64__)
  constexpr auto kMachine = EM_X86_64;
#elif defined(__aarch64__)
  constexpr auto kMachine = EM_AARCH64;
#endif
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != kMachine)
    return BadData(plugin + " was built for another architecture (ELF machine " +
                   std::to_string(header.e_machine) + "); build it on this one");
  if (header.e_type != ET_DYN)
    return BadData(plugin + " is not a shared library" + std::string(kBuildHint));
  const std::uint64_t table_bytes = std::uint64_t{header.e_shentsize} * header.e_shnum;
  std::uint64_t sections_end = 0;
  if (__builtin_add_overflow(header.e_shoff, table_bytes, &sections_end))
    return BadData(plugin + " is damaged: its table of sections lies in no file" +
                   std::string(kBuildHint));
  if (sections_end > file_bytes)
    return BadData(plugin + " is truncated: it has " + std::to_string(file_bytes) +
                   " of at least " + std::to_string(sections_end) + " bytes; build it again");
  return OkStatus();
}

}  // namespace spillway
