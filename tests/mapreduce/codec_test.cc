#include "mapreduce/codec.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "mapreduce/codec_tuple.h"

namespace spillway {
namespace {

template <class T>
std::string Encode(const View<T>& value) {
  std::string bytes(Codec<T>::BytesMax(value), '?');
  bytes.resize(static_cast<std::size_t>(Codec<T>::Encode(value, bytes.data()) - bytes.data()));
  return bytes;
}

template <class T>
std::string EncodeInner(const View<T>& value) {
  std::string bytes(Codec<T>::BytesMax(value), '?');
  bytes.resize(static_cast<std::size_t>(Codec<T>::EncodeInner(value, bytes.data()) - bytes.data()));
  return bytes;
}

/// Every pair of values: bytes compare as the values do, and every value reads back.
template <class T, class Less = std::less<View<T>>>
void ExpectOrderAndRoundTrip(const std::vector<View<T>>& values, Less less = {}) {
  for (const auto& a : values) {
    const std::string a_bytes = Encode<T>(a);
    DecodeScratch scratch;
    View<T> back{};
    ASSERT_EQ(Codec<T>::Decode(a_bytes.data(), a_bytes.data() + a_bytes.size(), &back, scratch),
              a_bytes.data() + a_bytes.size());
    EXPECT_FALSE(less(a, back) || less(back, a));
    for (const auto& b : values) {
      EXPECT_EQ(less(a, b), a_bytes < Encode<T>(b));
      EXPECT_EQ(less(a, b), EncodeInner<T>(a) < EncodeInner<T>(b));
    }
  }
}

template <class T>
std::vector<T> Extremes() {
  using Limits = std::numeric_limits<T>;
  return {Limits::min(), T(Limits::min() + 1), T(0),         T(1),
          T(42),         T(Limits::max() / 2), Limits::max()};
}

TEST(CodecTest, IntegersSortAsNumbers) {
  ExpectOrderAndRoundTrip<std::int8_t>(Extremes<std::int8_t>());
  ExpectOrderAndRoundTrip<std::uint16_t>(Extremes<std::uint16_t>());
  ExpectOrderAndRoundTrip<std::int32_t>(Extremes<std::int32_t>());
  ExpectOrderAndRoundTrip<std::uint64_t>(Extremes<std::uint64_t>());
  std::vector<std::int64_t> signs = Extremes<std::int64_t>();
  signs.insert(signs.end(), {-1, -42});
  ExpectOrderAndRoundTrip<std::int64_t>(signs);
}

TEST(CodecTest, FloatsSortAsNumbers) {
  const double infinity = std::numeric_limits<double>::infinity();
  ExpectOrderAndRoundTrip<double>({-infinity, -1e300, -1.5, -1e-300, 0.0, 1e-300, 1.5, infinity});
  ExpectOrderAndRoundTrip<float>({-2.5f, -0.1f, 0.0f, 0.1f, 3e38f});
  EXPECT_LT(Encode<double>(-0.0), Encode<double>(0.0));
  EXPECT_LT(Encode<double>(infinity), Encode<double>(std::numeric_limits<double>::quiet_NaN()));
}

enum class Colour : std::int16_t { kRed = -3, kGreen = 0, kBlue = 300 };

TEST(CodecTest, EnumsSortByTheirNumbers) {
  ExpectOrderAndRoundTrip<Colour>({Colour::kRed, Colour::kGreen, Colour::kBlue});
}

const std::vector<std::string> kNastyStrings = {"",
                                                std::string(1, '\0'),
                                                std::string(2, '\0'),
                                                std::string("\0\xff", 2),
                                                "a",
                                                "b",
                                                std::string("a\0", 2),
                                                std::string("a\0b", 3),
                                                std::string("a\0\xff", 3),
                                                "aa",
                                                "\xff",
                                                "\xff\xff",
                                                std::string("\x01", 1)};

TEST(CodecTest, StringsSortAsBytes) {
  std::vector<std::string_view> views(kNastyStrings.begin(), kNastyStrings.end());
  ExpectOrderAndRoundTrip<std::string>(views);
}

TEST(CodecTest, TuplesSortPartByPart) {
  using Type = std::tuple<std::string, std::int32_t, std::string>;
  std::vector<View<Type>> values;
  for (const auto& first : kNastyStrings)
    for (const int number : {-1, 0, 7})
      for (const std::size_t last : {0u, 6u, 9u})
        values.emplace_back(first, number, kNastyStrings[last]);
  ExpectOrderAndRoundTrip<Type>(values);
}

TEST(CodecTest, NestedPairsSortPartByPart) {
  using Type = std::pair<std::pair<std::string, std::string>, std::uint8_t>;
  std::vector<View<Type>> values;
  for (const auto& a : kNastyStrings)
    for (const auto& b : kNastyStrings) values.push_back({{a, b}, std::uint8_t(a.size())});
  ExpectOrderAndRoundTrip<Type>(values);
}

struct Station {
  std::string name;
  std::int32_t year = 0;
  SPILLWAY_FIELDS(name, year)
  bool operator<(const Station& other) const { return spillway_fields() < other.spillway_fields(); }
};

TEST(CodecTest, UserStructsSortLikeTheTupleOfTheirFields) {
  std::vector<Station> values;
  for (const auto& name : kNastyStrings)
    for (const int year : {-5, 1999, 2026}) values.push_back({name, year});
  ExpectOrderAndRoundTrip<Station>(values);
}

TEST(CodecTest, DescendingTurnsTheOrderAround) {
  const auto more = [](const auto& a, const auto& b) { return a.value > b.value; };
  ExpectOrderAndRoundTrip<Descending<std::int32_t>>({{-7}, {0}, {3}, {99}}, more);
  std::vector<View<Descending<std::string>>> strings;
  for (const auto& text : kNastyStrings) strings.push_back({text});
  ExpectOrderAndRoundTrip<Descending<std::string>>(strings, more);
}

TEST(CodecTest, InnerStringsWithNulsReadBack) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    std::string text(random() % 12, '\0');
    for (char& c : text) c = static_cast<char>(random() % 3 == 0 ? 0 : random() % 2 ? 0xff : 'x');
    const std::string bytes = EncodeInner<std::string>(text) + "tail";
    DecodeScratch scratch;
    std::string_view back;
    const char* end =
        Codec<std::string>::DecodeInner(bytes.data(), bytes.data() + bytes.size(), &back, scratch);
    ASSERT_NE(end, nullptr);
    EXPECT_EQ(back, text);
    EXPECT_EQ(std::string_view(end, 4), "tail");
  }
}

enum class Flag : bool { kOff, kOn };

TEST(CodecTest, BoolsAndCharactersSortAsTheirValues) {
  std::vector<char> characters;
  std::vector<signed char> small;
  for (int i = -128; i < 128; ++i) {
    characters.push_back(static_cast<char>(i));
    small.push_back(static_cast<signed char>(i));
  }
  ExpectOrderAndRoundTrip<char>(characters);
  ExpectOrderAndRoundTrip<signed char>(small);
  ExpectOrderAndRoundTrip<Flag>({Flag::kOff, Flag::kOn});
  for (const bool value : {false, true}) {
    DecodeScratch scratch;
    bool back = !value;
    const std::string bytes = Encode<bool>(value);
    EXPECT_EQ(bytes, std::string(1, value ? '\1' : '\0'));
    ASSERT_NE(Codec<bool>::Decode(bytes.data(), bytes.data() + 1, &back, scratch), nullptr);
    EXPECT_EQ(back, value);
  }
}

TEST(CodecTest, MalformedBytesAreRefused) {
  DecodeScratch scratch;
  std::int64_t number;
  EXPECT_EQ(Codec<std::int64_t>::Decode("1234567", &"1234567"[7], &number, scratch), nullptr);
  std::string_view text;
  for (const std::string& bad :
       {std::string("abc"), std::string("abc\0", 4), std::string("a\0x\0\0", 5)}) {
    EXPECT_EQ(Codec<std::string>::DecodeInner(bad.data(), bad.data() + bad.size(), &text, scratch),
              nullptr);
  }
}

}  // namespace
}  // namespace spillway
