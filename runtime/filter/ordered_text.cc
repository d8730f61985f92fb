#include "runtime/filter/ordered_text.h"

namespace spillway {
namespace {

// `!` and `~` stand before the first and behind the last byte that stands for itself.
constexpr unsigned char kPlainFirst = 0x22, kPlainLast = 0x7d;
constexpr char kLow = '!', kHigh = '~';
constexpr unsigned char kLowLetters = 0x40;
constexpr std::string_view kDigits = "0123456789abcdef";

constexpr bool IsPlain(unsigned char byte) { return byte >= kPlainFirst && byte <= kPlainLast; }

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

char* PutOrderedText(std::string_view bytes, char* to) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (IsPlain(byte)) {
      *to++ = c;
    } else if (byte < kPlainFirst) {
      *to++ = kLow;
      *to++ = static_cast<char>(kLowLetters + byte);
    } else {
      *to++ = kHigh;
      *to++ = kDigits[byte >> 4];
      *to++ = kDigits[byte & 15];
    }
  }
  return to;
}

char* GetOrderedText(std::string_view text, char* to) {
  const char* from = text.data();
  const char* const end = from + text.size();
  while (from < end) {
    const char c = *from++;
    if (IsPlain(static_cast<unsigned char>(c))) {
      *to++ = c;
    } else if (c == kLow && from < end) {
      const auto byte =
          static_cast<unsigned char>(static_cast<unsigned char>(*from++) - kLowLetters);
      if (byte >= kPlainFirst) return nullptr;
      *to++ = static_cast<char>(byte);
    } else if (c == kHigh && end - from >= 2) {
      const int high = DigitOf(from[0]), low = DigitOf(from[1]);
      if (high < 0 || low < 0 || high * 16 + low <= kPlainLast) return nullptr;
      *to++ = static_cast<char>(high * 16 + low);
      from += 2;
    } else {
      return nullptr;
    }
  }
  return to;
}

}  // namespace spillway
