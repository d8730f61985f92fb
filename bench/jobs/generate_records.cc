// Writes records for sorting, like TeraGen: 100 bytes each, a random key of 10 bytes first.
//
//   generate_records --bytes SIZE [--seed N] [--ascii] [--threads N] OUT
//
// SIZE is rounded down to whole records. A record is key[10], the record's number in 16 hex
// digits, and filler that depends on the number. With --ascii keys are printable and the last byte
// is a newline, for programs that sort lines. The same options write the same bytes everywhere.
#include <cstdint>
#include <cstring>

#include "bench/jobs/generator.h"

namespace spillway::bench {
namespace {

constexpr std::size_t kRecordBytes = 100;
constexpr std::size_t kKeyBytes = 10;
static_assert(kBlockBytes % kRecordBytes == 0);

void FillRecord(std::uint64_t number, bool ascii, Random& random, char* to) {
  const std::uint64_t first = random.Next(), second = random.Next();
  std::memcpy(to, &first, 8);
  std::memcpy(to + 8, &second, kKeyBytes - 8);
  if (ascii)  // 64 characters in byte order keep six bits of each byte; none is a blank.
    for (std::size_t i = 0; i < kKeyBytes; ++i) to[i] = static_cast<char>('!' + (to[i] & 63));
  for (unsigned i = 0; i < 16; ++i)
    to[kKeyBytes + i] = "0123456789ABCDEF"[number >> (60 - 4 * i) & 15];
  for (std::size_t at = kKeyBytes + 16; at < kRecordBytes; at += 2) {
    const char letter = static_cast<char>('A' + (number + at) % 26);
    std::memset(to + at, letter, 2);
  }
  if (ascii) to[kRecordBytes - 1] = '\n';
}

void Run(GeneratorOptions options) {
  options.bytes -= options.bytes % kRecordBytes;
  WriteBlocks(options, [&](std::uint64_t block, char* to, std::size_t bytes) {
    Random random = Random::ForBlock(options.seed, block);
    const std::uint64_t first = block * (kBlockBytes / kRecordBytes);
    for (std::size_t i = 0; i < bytes / kRecordBytes; ++i)
      FillRecord(first + i, options.ascii, random, to + i * kRecordBytes);
  });
}

}  // namespace
}  // namespace spillway::bench

int main(int argc, char** argv) {
  using spillway::bench::GeneratorOptions;
  spillway::bench::Run(GeneratorOptions::Parse(
      argc, argv, "usage: generate_records --bytes SIZE [--seed N] [--ascii] [--threads N] OUT"));
}
