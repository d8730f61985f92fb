// tera_validate FILE...: reads parts in the order given, checks that their records are in order
// within and over the files, and prints `records N checksum X`. The checksum does not depend on
// the order, so the input's and the output's are equal when nothing was lost, doubled or changed.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

namespace {

constexpr std::size_t kRecordBytes = 100;
constexpr std::size_t kKeyBytes = 10;

/// FNV-1a over the record, finished so that sums of hashes tell multisets apart.
std::uint64_t HashRecord(const char* record) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (std::size_t i = 0; i < kRecordBytes; ++i) {
    hash ^= static_cast<unsigned char>(record[i]);
    hash *= 0x100000001b3u;
  }
  hash ^= hash >> 29;
  hash *= 0xbf58476d1ce4e5b9u;
  return hash ^ (hash >> 32);
}

class Validator {
 public:
  /// False, with a message, at the first record out of order or a torn file.
  bool Read(const char* path) {
    std::FILE* const file = std::fopen(path, "rb");
    if (file == nullptr) {
      std::perror(path);
      return false;
    }
    char record[kRecordBytes];
    std::size_t got = 0;
    bool good = true;
    for (std::uint64_t number = 0;
         good && (got = std::fread(record, 1, kRecordBytes, file)) == kRecordBytes; ++number) {
      good = check_order_ ? InOrder(path, number, record) : true;
      checksum_ += HashRecord(record);
      ++records_;
    }
    std::fclose(file);
    if (good && got != 0) {
      std::fprintf(stderr, "%s: ends within a record\n", path);
      return false;
    }
    return good;
  }

  void ForgetOrder() { check_order_ = false; }
  std::uint64_t records() const { return records_; }
  std::uint64_t checksum() const { return checksum_; }

 private:
  bool InOrder(const char* path, std::uint64_t number, const char* record) {
    if (records_ != 0 && std::memcmp(last_key_, record, kKeyBytes) > 0) {
      std::fprintf(stderr, "%s:%llu: record %llu is smaller than the one before it\n", path,
                   static_cast<unsigned long long>(number * kRecordBytes),
                   static_cast<unsigned long long>(number));
      return false;
    }
    std::memcpy(last_key_, record, kKeyBytes);
    return true;
  }

  bool check_order_ = true;
  std::uint64_t records_ = 0;
  std::uint64_t checksum_ = 0;
  char last_key_[kKeyBytes] = {};
};

}  // namespace

int main(int argc, char** argv) {
  Validator validator;
  int first = 1;
  if (argc > 1 && std::strcmp(argv[1], "--unsorted") == 0) {
    validator.ForgetOrder();
    first = 2;
  }
  if (argc <= first) {
    std::fprintf(stderr, "usage: tera_validate [--unsorted] FILE...\n");
    return 64;
  }
  for (int i = first; i < argc; ++i)
    if (!validator.Read(argv[i])) return 65;
  std::printf("records %llu checksum %016llx\n",
              static_cast<unsigned long long>(validator.records()),
              static_cast<unsigned long long>(validator.checksum()));
  return 0;
}
