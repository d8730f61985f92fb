#include "runtime/task/elf_header.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

namespace spillway {
namespace {

Elf64_Ehdr LibraryHeader() {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
#if defined(__x86_64__)
  header.e_machine = EM_X86_64;
#else
  header.e_machine = EM_AARCH64;
#endif
  header.e_type = ET_DYN;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 3;
  header.e_shoff = 1'000;
  return header;
}

Status Check(const Elf64_Ehdr& header, std::uint64_t file_bytes,
             std::size_t head_bytes = sizeof(Elf64_Ehdr)) {
  return CheckElfHeader({reinterpret_cast<const char*>(&header), head_bytes}, file_bytes, "p.so");
}

TEST(ElfHeader, OfAWholeLibraryIsAccepted) {
  EXPECT_TRUE(Check(LibraryHeader(), 1'192).ok());
  const Status truncated = Check(LibraryHeader(), 1'191);
  EXPECT_EQ(truncated.code(), Code::kBadData);
  EXPECT_NE(truncated.message().find("1191 of at least 1192 bytes"), std::string::npos);
}

TEST(ElfHeader, SaysWhatTheFileIsInstead) {
  Elf64_Ehdr header = LibraryHeader();
  EXPECT_NE(Check(header, 40, 40).message().find("header is not whole"), std::string::npos);
  EXPECT_NE(Check(header, 3, 3).message().find("not an ELF"), std::string::npos);
  header.e_type = ET_EXEC;
  EXPECT_NE(Check(header, 1'192).message().find("not a shared library"), std::string::npos);
  header = LibraryHeader();
  header.e_machine = EM_68K;
  EXPECT_NE(Check(header, 1'192).message().find("another architecture"), std::string::npos);
}

// Found by a fuzzer: the end wrapped around and lay within the file.
TEST(ElfHeader, SectionsBeyondEveryFileAreDamage) {
  Elf64_Ehdr header = LibraryHeader();
  header.e_shoff = UINT64_MAX - 100;
  EXPECT_EQ(Check(header, 1'192).code(), Code::kBadData);
}

}  // namespace
}  // namespace spillway
