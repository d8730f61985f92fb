#include "runtime/filter/ordered_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace spillway {
namespace {

std::string TextOf(std::string_view bytes) {
  std::string text(kOrderedTextBytesMax * bytes.size(), '\0');
  text.resize(static_cast<std::size_t>(PutOrderedText(bytes, text.data()) - text.data()));
  return text;
}

/// The bytes of `text`, decoded where it stands; "refused" where that is none.
std::string BytesOf(std::string text) {
  const char* const end = GetOrderedText(text, text.data());
  if (end == nullptr) return "refused";
  text.resize(static_cast<std::size_t>(end - text.data()));
  return text;
}

std::string RandomBytes(std::mt19937& random) {
  // Few letters, so that texts share beginnings; those at the borders of the encoding among them.
  constexpr std::string_view kLetters("\0\x01\t\n\r !\"az}~\x7f\x80\xfe\xff", 16);
  std::string bytes(random() % 6, '\0');
  for (char& c : bytes) c = kLetters[random() % kLetters.size()];
  return bytes;
}

TEST(OrderedText, IsPrintableAndComesBack) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string bytes(1, static_cast<char>(byte)), text = TextOf(bytes);
    EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; }))
        << byte;
    EXPECT_EQ(BytesOf(text), bytes) << byte;
  }
}

TEST(OrderedText, IsAsTheFormatsPageSays) {
  EXPECT_EQ(TextOf(std::string("\0\t\n !", 5)), "!@!I!J!`!a");
  EXPECT_EQ(TextOf("~\xff"), "~7e~ff");
  EXPECT_EQ(TextOf("\"plain}"), "\"plain}");
}

TEST(OrderedText, SortsAsTheBytesDoAlsoWithATabBehind) {
  std::mt19937 random(7);
  for (int i = 0; i < 100'000; ++i) {
    const std::string a = RandomBytes(random), b = RandomBytes(random);
    const std::string text_a = TextOf(a), text_b = TextOf(b);
    ASSERT_EQ(a < b, text_a < text_b) << text_a << " and " << text_b;
    ASSERT_EQ(BytesOf(text_a), a);
    if (a == b) continue;
    ASSERT_EQ(a < b, text_a + "\t~" < text_b + "\t") << text_a << " and " << text_b;
  }
}

TEST(OrderedText, RefusesWhatItNeverWrites) {
  for (const char* text : {" ", "\t", "\xc3\xa9", "!", "!b", "!?", "~", "~f", "~FF", "~7d", "~g0"})
    EXPECT_EQ(BytesOf(std::string("a") + text), "refused") << text;
}

}  // namespace
}  // namespace spillway
