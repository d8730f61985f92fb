#include "mapreduce/base/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace spillway {
namespace {

using ::testing::HasSubstr;

TEST(ParseBytes, AcceptsEverySpellingOfASuffix) {
  for (const std::string suffix : {"K", "k", "KB", "kB", "Kb", "Ki", "KiB", "kib"})
    EXPECT_EQ(*ParseBytes("64" + suffix), 64 * kKiB) << suffix;
  EXPECT_EQ(*ParseBytes("17"), 17u);
  EXPECT_EQ(*ParseBytes("17B"), 17u);
  EXPECT_EQ(*ParseBytes("3M"), 3 * kMiB);
  EXPECT_EQ(*ParseBytes("2GiB"), 2 * kGiB);
  EXPECT_EQ(*ParseBytes("5T"), 5 * 1024 * kGiB);
}

TEST(ParseBytes, TakesFractionsExactly) {
  EXPECT_EQ(*ParseBytes("1.5G"), 3 * kGiB / 2);
  EXPECT_EQ(*ParseBytes("0.5K"), 512u);
  EXPECT_EQ(*ParseBytes("0.1M"), 104857u);  // Rounded down.
}

TEST(ParseBytes, ReachesTheLargestValueAndNotBeyond) {
  EXPECT_EQ(*ParseBytes("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(*ParseBytes("16777215T"), std::uint64_t{16777215} << 40);
  for (const char* text : {"18446744073709551616", "16777216T", "999999999999999999999999T"})
    EXPECT_THAT(ParseBytes(text).status().message(), HasSubstr("does not fit")) << text;
}

TEST(ParseBytes, RefusesEverythingElse) {
  for (const char* text :
       {"",     "K",   "-1",   "+1",    "4GBB", "4 G",   " 4G",
        "4G ",  "1.5", "1.5B", "1.G",   ".5G",  "1..5G", "1.5.5G",
        "0x10", "1e3", "4P",   "4KIBB", "iB",   "1,5G",  "1234567890123456789012345"}) {
    const auto bytes = ParseBytes(text);
    ASSERT_FALSE(bytes.ok()) << text << " became " << *bytes;
    EXPECT_EQ(bytes.status().code(), Code::kInvalidArgument);
    EXPECT_THAT(bytes.status().message(), HasSubstr("\"" + std::string(text) + "\"")) << text;
  }
  for (const char* text : {"0", "0K", "0.0001K"})
    EXPECT_THAT(ParseBytes(text).status().message(), HasSubstr("at least one byte")) << text;
}

TEST(ParseBytes, QuotesHostileTextSafely) {
  EXPECT_THAT(ParseBytes("\x1b[2J\n").status().message(), HasSubstr("\"\\x1b[2J\\x0a\""));
}

TEST(ParseDurationMs, KnowsItsUnits) {
  EXPECT_EQ(*ParseDurationMs("250ms"), 250u);
  EXPECT_EQ(*ParseDurationMs("10s"), 10'000u);
  EXPECT_EQ(*ParseDurationMs("10"), 10'000u);
  EXPECT_EQ(*ParseDurationMs("1.5s"), 1'500u);
  EXPECT_EQ(*ParseDurationMs("5m"), 300'000u);
  EXPECT_EQ(*ParseDurationMs("5min"), 300'000u);
  EXPECT_EQ(*ParseDurationMs("2h"), 7'200'000u);
  EXPECT_EQ(*ParseDurationMs("0"), 0u);
}

TEST(ParseDurationMs, RefusesEverythingElse) {
  for (const char* text : {"", "s", "-1s", "10 s", "10x", "10sec", "1.5", "99999999999999999999h"})
    EXPECT_EQ(ParseDurationMs(text).status().code(), Code::kInvalidArgument) << text;
}

TEST(FormatBytes, ShowsThreeDigitsAtMostBelowTheNextUnit) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(17), "17 B");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(kKiB), "1 KiB");
  EXPECT_EQ(FormatBytes(640 * kKiB), "640 KiB");
  EXPECT_EQ(FormatBytes(640 * kKiB + 500), "640 KiB");
  EXPECT_EQ(FormatBytes(3 * kGiB / 2), "1.5 GiB");
  EXPECT_EQ(FormatBytes(99 * kKiB + 950), "99.9 KiB");
  EXPECT_EQ(FormatBytes(UINT64_MAX), "16 EiB");
}

TEST(FormatBytes, NeverShows1024OfAUnit) {
  EXPECT_EQ(FormatBytes(kMiB - 1), "1 MiB");
  EXPECT_EQ(FormatBytes(kGiB - 1), "1 GiB");
  EXPECT_EQ(FormatBytes(1023 * kKiB), "1023 KiB");
}

TEST(FormatBytes, ReadsBackWithinItsPrecision) {
  constexpr std::uint32_t kSeed = 17;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t bytes = (random() >> (random() % 60)) % (kGiB << 13) + 1;
    std::string text = FormatBytes(bytes);
    text.erase(text.find(' '), 1);
    const auto read = ParseBytes(text);
    ASSERT_TRUE(read.ok()) << text;
    EXPECT_NEAR(static_cast<double>(*read), static_cast<double>(bytes),
                0.051 * static_cast<double>(bytes))
        << text;
  }
}

TEST(FormatCount, GroupsByThrees) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1 000");
  EXPECT_EQ(FormatCount(12345678), "12 345 678");
  EXPECT_EQ(FormatCount(UINT64_MAX), "18 446 744 073 709 551 615");
}

TEST(EscapeForLog, KeepsTextAndEscapesTheRest) {
  EXPECT_EQ(EscapeForLog("naïve 日本 😀 it's"), "naïve 日本 😀 it's");
  EXPECT_EQ(EscapeForLog("a\nb\tc\x7f"), "a\\x0ab\\x09c\\x7f");
  EXPECT_EQ(EscapeForLog("say \"hi\" \\x41"), "say \\x22hi\\x22 \\x5cx41");
  EXPECT_EQ(EscapeForLog(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(EscapeForLog("\xc2\x9b"
                         "31m"),
            "\\xc2\\x9b31m");  // The 8-bit escape sequence.
}

TEST(EscapeForLog, EscapesEveryFormOfInvalidUtf8) {
  EXPECT_EQ(EscapeForLog("\x80"), "\\x80");                             // Continuation alone.
  EXPECT_EQ(EscapeForLog("\xc0\xaf"), "\\xc0\\xaf");                    // Overlong.
  EXPECT_EQ(EscapeForLog("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");           // Overlong.
  EXPECT_EQ(EscapeForLog("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // Surrogate.
  EXPECT_EQ(EscapeForLog("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // Above U+10FFFF.
  EXPECT_EQ(EscapeForLog("x\xe6\x97"), "x\\xe6\\x97");                  // Cut at the end.
}

TEST(EscapeForLog, CutsBetweenCharactersAndSaysSo) {
  EXPECT_EQ(EscapeForLog("abcdef", 6), "abcdef");
  EXPECT_EQ(EscapeForLog("abcdefg", 6), "abcdef...");
  EXPECT_EQ(EscapeForLog("ab日本", 6), "ab日...");
  EXPECT_EQ(EscapeForLog("abcd\n", 6), "abcd...");
  EXPECT_EQ(EscapeForLog(std::string(1000, 'x')).size(), 123u);
}

TEST(EscapeForLog, OutputOfAnyBytesIsPrintableAndBounded) {
  constexpr std::uint32_t kSeed = 3;
  SCOPED_TRACE(kSeed);
  std::mt19937 random(kSeed);
  for (int i = 0; i < 10'000; ++i) {
    std::string text(random() % 40, '\0');
    for (char& c : text) c = static_cast<char>(random());
    const std::string shown = EscapeForLog(text, 64);
    EXPECT_LE(shown.size(), 67u);
    for (const char c : shown) {
      EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '"');
    }
    // What is shown is itself shown unchanged, but for the backslashes of the escapes.
    std::string unescaped = shown;
    std::erase(unescaped, '\\');
    EXPECT_EQ(EscapeForLog(unescaped), unescaped);
  }
}

}  // namespace
}  // namespace spillway
