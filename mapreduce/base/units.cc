#include "mapreduce/base/units.h"

#include <iterator>
#include <optional>

namespace spillway {
namespace {

__extension__ typedef unsigned __int128 Wide;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// A decimal number as an exact fraction, and what stands behind it.
struct Quantity {
  Wide numerator = 0;
  std::uint64_t denominator = 1;
  std::string_view suffix;

  /// numerator / denominator * unit, rounded down; nothing when that exceeds 64 bits.
  std::optional<std::uint64_t> Times(std::uint64_t unit) const {
    const Wide value = numerator * unit / denominator;
    if (value > UINT64_MAX) return std::nullopt;
    return static_cast<std::uint64_t>(value);
  }
};

/// Bounds the numerator, so that multiplying it by any unit stays within 128 bits.
constexpr int kDigitsMax = 24;

std::optional<Quantity> ParseQuantity(std::string_view text) {
  Quantity quantity;
  std::size_t at = 0;
  int digits = 0;
  bool fraction = false;
  for (; at < text.size(); ++at) {
    if (text[at] == '.' && digits > 0 && !fraction) {
      fraction = true;
      if (at + 1 == text.size() || !IsDigit(text[at + 1])) return std::nullopt;
      continue;
    }
    if (!IsDigit(text[at])) break;
    if (++digits > kDigitsMax) return std::nullopt;
    quantity.numerator = quantity.numerator * 10 + static_cast<unsigned>(text[at] - '0');
    if (fraction && quantity.denominator > UINT64_MAX / 10) return std::nullopt;
    if (fraction) quantity.denominator *= 10;
  }
  if (digits == 0) return std::nullopt;
  quantity.suffix = text.substr(at);
  // Half a byte does not exist, and half of an unnamed unit is a slip of the pen.
  if (fraction && quantity.suffix.empty()) return std::nullopt;
  return quantity;
}

/// The factor that a size's suffix stands for; 0 when it is none.
std::uint64_t BytesPerSuffix(std::string_view suffix) {
  if (suffix.empty() || suffix == "B" || suffix == "b") return 1;
  std::uint64_t unit = 0;
  switch (suffix[0]) {
    case 'K':
    case 'k': unit = kKiB; break;
    case 'M':
    case 'm': unit = kMiB; break;
    case 'G':
    case 'g': unit = kGiB; break;
    case 'T':
    case 't': unit = kGiB << 10; break;
    default: return 0;
  }
  const std::string_view rest = suffix.substr(1);
  const bool known =
      rest.empty() || rest == "B" || rest == "b" || rest == "i" || rest == "iB" || rest == "ib";
  return known ? unit : 0;
}

/// The factor that a duration's suffix stands for; 0 when it is none.
std::uint64_t MsPerSuffix(std::string_view suffix) {
  if (suffix == "ms") return 1;
  if (suffix.empty() || suffix == "s") return 1'000;
  if (suffix == "m" || suffix == "min") return 60'000;
  if (suffix == "h") return 3'600'000;
  return 0;
}

/// Bytes of the well-formed UTF-8 character at `text[at]`; 0 when there is none (RFC 3629: no
/// overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t Utf8Bytes(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  std::size_t bytes = 0;
  unsigned low = 0x80, high = 0xBF;  // Bounds of the second byte.
  if (first >= 0xC2 && first <= 0xDF) {
    bytes = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    bytes = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    bytes = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return 0;
  }
  if (byte(at + 1) < low || byte(at + 1) > high) return 0;
  for (std::size_t i = 2; i < bytes; ++i)
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  return bytes;
}

/// True for what a terminal or a log reader would act on instead of showing.
bool IsUnsafe(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F || first == '"' || first == '\\';
  return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;  // U+0080..U+009F
}

}  // namespace

Result<std::uint64_t> ParseBytes(std::string_view text) {
  const auto quantity = ParseQuantity(text);
  const std::uint64_t unit = quantity ? BytesPerSuffix(quantity->suffix) : 0;
  if (unit == 0 || (unit == 1 && quantity->denominator != 1))
    return InvalidArgument("\"" + EscapeForLog(text) +
                           "\" is not a size: give bytes, or a number with K, M, G or T, such as "
                           "64K, 1.5G or 2GiB");
  const auto bytes = quantity->Times(unit);
  if (!bytes)
    return InvalidArgument("the size \"" + EscapeForLog(text) + "\" does not fit 64 bits");
  if (*bytes == 0)
    return InvalidArgument("the size \"" + EscapeForLog(text) + "\" must be at least one byte");
  return *bytes;
}

Result<std::uint64_t> ParseDurationMs(std::string_view text) {
  const auto quantity = ParseQuantity(text);
  const std::uint64_t unit = quantity ? MsPerSuffix(quantity->suffix) : 0;
  if (unit == 0)
    return InvalidArgument("\"" + EscapeForLog(text) +
                           "\" is not a duration: give seconds, or a number with ms, s, m or h, "
                           "such as 250ms, 10s or 5m");
  const auto ms = quantity->Times(unit);
  if (!ms)
    return InvalidArgument("the duration \"" + EscapeForLog(text) + "\" does not fit 64 bits");
  return *ms;
}

std::string FormatBytes(std::uint64_t bytes) {
  static constexpr const char* kNames[] = {" KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
  if (bytes < kKiB) return std::to_string(bytes) + " B";
  std::uint64_t unit = kKiB;
  std::size_t name = 0;
  const auto rounded = [&](unsigned scale) {
    return static_cast<std::uint64_t>((Wide{bytes} * scale + unit / 2) / unit);
  };
  // Compares what would be printed, so that no "1024 KiB" appears.
  while (rounded(1) >= 1024 && name + 1 < std::size(kNames)) {
    unit <<= 10;
    ++name;
  }
  const std::uint64_t tenths = rounded(10);
  // From 100 on the fraction is noise.
  if (tenths >= 1'000) return std::to_string(rounded(1)) + kNames[name];
  if (tenths % 10 == 0) return std::to_string(tenths / 10) + kNames[name];
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + kNames[name];
}

std::string FormatCount(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ' ');
  return text;
}

std::string EscapeForLog(std::string_view text, std::size_t bytes_max) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t whole = Utf8Bytes(text, at);
    const std::size_t bytes = whole == 0 ? 1 : whole;
    const std::string_view character = text.substr(at, bytes);
    const bool escape = whole == 0 || IsUnsafe(character);
    if (out.size() + (escape ? 4 * bytes : bytes) > bytes_max) return out + "...";
    if (escape) {
      for (const char c : character) {
        const auto byte = static_cast<unsigned char>(c);
        out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
      }
    } else {
      out += character;
    }
    at += bytes;
  }
  return out;
}

}  // namespace spillway
