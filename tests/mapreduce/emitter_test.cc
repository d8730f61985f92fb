#include "mapreduce/emitter.h"

#include <gmock/gmock.h>
#include <sys/mman.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "mapreduce/codec_tuple.h"

namespace spillway {

/// Says how many bytes it takes and writes none of them, so that tests need no gigabytes.
struct Weightless {
  std::size_t bytes;
};

template <>
struct Codec<Weightless> {
  using View = Weightless;
  static std::size_t BytesMax(Weightless value) { return value.bytes; }
  static char* Encode(Weightless value, char* to) { return to + value.bytes; }
};

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr std::size_t kGiB = std::size_t{1} << 30;
constexpr std::size_t kWrapsTo5 = (std::size_t{1} << 32) + 5;  ///< As 32 bits.

/// Readable zeros that take address space only.
class Zeros {
 public:
  explicit Zeros(std::size_t bytes)
      : bytes_(bytes),
        data_(::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                     0)) {}
  ~Zeros() { ::munmap(data_, bytes_); }
  Zeros(const Zeros&) = delete;
  Zeros& operator=(const Zeros&) = delete;
  bool ok() const { return data_ != MAP_FAILED; }
  std::string_view text() const { return {static_cast<const char*>(data_), bytes_}; }

 private:
  std::size_t bytes_;
  void* data_;
};

/// What an emitter handed on.
struct Delivered {
  static int Take(void* self, spillway_record* records, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      auto& to = *static_cast<Delivered*>(self);
      to.sizes.emplace_back(records[i].key_bytes, records[i].value_bytes);
    }
    return 0;
  }
  std::vector<std::pair<std::size_t, std::size_t>> sizes;
};

template <class K, class V>
void ExpectTooLarge(Emitter<K, V>& out, const View<K>& key, const View<V>& value) {
  try {
    out.Emit(key, value);
    ADD_FAILURE() << "it was taken";
  } catch (const std::length_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("1 GiB"));
  }
}

TEST(EmitterTest, StringsAboveTheLimitAreRefusedAndLeaveNoTrace) {
  for (const std::size_t bytes : {kGiB + 1, std::size_t{1} << 32, kWrapsTo5}) {
    SCOPED_TRACE(bytes);
    const Zeros zeros(bytes);
    ASSERT_TRUE(zeros.ok());
    Delivered delivered;
    Emitter<std::string, std::string> out(&Delivered::Take, &delivered);
    out.Emit("before", "x");
    ExpectTooLarge(out, zeros.text(), "value");
    ExpectTooLarge(out, "key", zeros.text());
    out.Emit("behind", "xy");
    out.Flush();
    EXPECT_THAT(delivered.sizes, ElementsAre(Pair(6, 1), Pair(6, 2)));
  }
}

TEST(EmitterTest, StringsAboveTheLimitAreRefusedInTheInputBlockToo) {
  for (const std::size_t bytes : {kGiB + 1, kWrapsTo5}) {
    SCOPED_TRACE(bytes);
    const Zeros zeros(bytes);
    ASSERT_TRUE(zeros.ok());
    Delivered delivered;
    Emitter<std::string, std::string> texts(&Delivered::Take, &delivered);
    texts.EnterBlock(zeros.text().data(), bytes);
    ExpectTooLarge(texts, zeros.text(), "value");
    ExpectTooLarge(texts, "key", zeros.text());
    Emitter<std::string, std::uint64_t> counts(&Delivered::Take, &delivered);
    counts.EnterBlock(zeros.text().data(), bytes);
    ExpectTooLarge(counts, zeros.text(), 1);
    texts.Emit(zeros.text().substr(kGiB, 1), zeros.text().substr(0, 3));
    texts.Flush();
    EXPECT_THAT(delivered.sizes, ElementsAre(Pair(1, 3)));
  }
}

TEST(EmitterTest, ABlockOfTheLimitIsEmittedWithoutACopy) {
  const Zeros zeros(kGiB);
  ASSERT_TRUE(zeros.ok());
  Delivered delivered;
  Emitter<std::string, std::string> out(&Delivered::Take, &delivered);
  out.EnterBlock(zeros.text().data(), kGiB);
  out.Emit(zeros.text(), zeros.text().substr(1));
  out.Flush();
  EXPECT_THAT(delivered.sizes, ElementsAre(Pair(kGiB, kGiB - 1)));
}

TEST(EmitterTest, EncodedTypesAboveTheLimitAreRefused) {
  Delivered delivered;
  Emitter<Weightless, Weightless> out(&Delivered::Take, &delivered);
  out.Emit({kGiB}, {kGiB});
  for (const std::size_t bytes : {kGiB + 1, std::size_t{1} << 32, kWrapsTo5}) {
    SCOPED_TRACE(bytes);
    ExpectTooLarge<Weightless, Weightless>(out, {bytes}, {1});
    ExpectTooLarge<Weightless, Weightless>(out, {1}, {bytes});
  }
  out.Emit({2}, {3});
  out.Flush();
  EXPECT_THAT(delivered.sizes, ElementsAre(Pair(kGiB, kGiB), Pair(2, 3)));
}

TEST(EmitterTest, AllPairsArriveWhateverTheirSizes) {
  Delivered delivered;
  Emitter<std::string, std::string> out(&Delivered::Take, &delivered);
  std::vector<std::pair<std::size_t, std::size_t>> expected;
  for (std::size_t i = 0; i < 2000; ++i) {
    expected.emplace_back(i * 37 % 300'000, i * 53 % 90'000);
    out.Emit(std::string(expected.back().first, 'k'), std::string(expected.back().second, 'v'));
  }
  out.Flush();
  EXPECT_EQ(delivered.sizes, expected);
}

}  // namespace
}  // namespace spillway
