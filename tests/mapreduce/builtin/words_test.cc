#include "mapreduce/builtin/words.h"

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

namespace spillway {
namespace {

std::vector<std::string> Oracle(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + " ") {
    if (static_cast<unsigned char>(c) > 0x20) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(word);
      word.clear();
    }
  }
  return words;
}

/// The words by one of the implementations. The text lies at the very end of its allocation, so
/// that a sanitizer sees reads beyond it.
template <class Walk>
std::vector<std::string> Words(const std::string& text, Walk walk) {
  const std::vector<char> exact(text.begin(), text.end());
  std::vector<std::string> words;
  const auto each = [&](std::string_view word) { words.emplace_back(word); };
  walk(exact.data(), exact.size(), each);
  return words;
}

void ExpectAllAgree(const std::string& text) {
  const std::vector<std::string> expected = Oracle(text);
  EXPECT_EQ(Words(text, [](const char* data, std::size_t bytes,
                           auto& each) { internal::ForEachWordPortable(data, bytes, each); }),
            expected);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    EXPECT_EQ(Words(text, [](const char* data, std::size_t bytes,
                             auto& each) { internal::ForEachWordAvx2(data, bytes, each); }),
              expected);
  }
  if (__builtin_cpu_supports("avx512bw")) {
    EXPECT_EQ(Words(text, [](const char* data, std::size_t bytes,
                             auto& each) { internal::ForEachWordAvx512(data, bytes, each); }),
              expected);
  }
#endif
  EXPECT_EQ(Words(text,
                  [](const char* data, std::size_t bytes, auto& each) {
                    ForEachWord({data, bytes}, each);
                  }),
            expected);
}

TEST(ForEachWordTest, FindsRunsOfBytesAboveSpace) {
  ExpectAllAgree("");
  ExpectAllAgree(" ");
  ExpectAllAgree("one");
  ExpectAllAgree(std::string("a\0b\r\nc\td\x7f\xff\x80 e", 14));
}

TEST(ForEachWordTest, WordsMayCrossManyVectors) {
  for (const std::size_t bytes : {63u, 64u, 65u, 127u, 128u, 129u, 1000u}) {
    ExpectAllAgree(std::string(bytes, 'x'));
    ExpectAllAgree(" " + std::string(bytes, 'x') + " ");
    ExpectAllAgree(std::string(bytes, ' '));
  }
}

TEST(ForEachWordTest, AgreesWithTheOracleOnRandomBytes) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::string text(random() % 400, ' ');
    const unsigned spaces = 1 + random() % 9;
    for (char& c : text) c = static_cast<char>(random() % spaces == 0 ? random() % 0x21 : random());
    ExpectAllAgree(text);
  }
}

}  // namespace
}  // namespace spillway
