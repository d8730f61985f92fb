// tera_generate RECORDS FILE [SEED]: writes 100-byte records with random 10-byte keys, the same
// ones for the same seed. Bytes 10 to 99 hold the record's number and filler.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr std::size_t kRecordBytes = 100;

/// splitmix64 (Steele, Lea, Flood 2014): a full-period generator with one word of state.
std::uint64_t NextRandom(std::uint64_t* state) {
  std::uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void FillRecord(std::uint64_t number, std::uint64_t* random, char* record) {
  const std::uint64_t high = NextRandom(random);
  const std::uint64_t low = NextRandom(random);
  std::memcpy(record, &high, 8);
  std::memcpy(record + 8, &low, 2);
  std::memset(record + 10, static_cast<int>('A' + number % 26), kRecordBytes - 10);
  char digits[24];
  std::snprintf(digits, sizeof digits, " %020llu ", static_cast<unsigned long long>(number));
  std::memcpy(record + 10, digits, 22);
}

}  // namespace

int main(int argc, char** argv) {
  char* end = nullptr;
  const std::uint64_t records = argc >= 3 ? std::strtoull(argv[1], &end, 10) : 0;
  if (argc < 3 || argc > 4 || *end != '\0') {
    std::fprintf(stderr, "usage: tera_generate RECORDS FILE [SEED]\n");
    return 64;
  }
  std::uint64_t random = argc == 4 ? std::strtoull(argv[3], nullptr, 10) : 1;
  std::FILE* const file = std::fopen(argv[2], "wbx");
  if (file == nullptr) {
    std::perror(("tera_generate: cannot create " + std::string(argv[2])).c_str());
    return 73;
  }
  std::string block;
  for (std::uint64_t number = 0; number < records;) {
    block.resize(0);
    for (; number < records && block.size() < (1u << 20); ++number) {
      char record[kRecordBytes];
      FillRecord(number, &random, record);
      block.append(record, kRecordBytes);
    }
    if (std::fwrite(block.data(), 1, block.size(), file) != block.size()) break;
  }
  if (std::ferror(file) != 0 || std::fclose(file) != 0) {
    std::perror("tera_generate: writing failed");
    return 74;
  }
  return 0;
}
