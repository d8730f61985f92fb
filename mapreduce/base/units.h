// Sizes and durations as people write them: "64K", "1.5G", "2GiB", "90s". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mapreduce/base/status.h"

namespace spillway {

inline constexpr std::uint64_t kKiB = std::uint64_t{1} << 10;
inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

/// Parses a size in bytes. K, M, G, T (also KB, KiB, ...) are powers of 1024; a fraction is
/// allowed before a suffix. InvalidArgument for anything else, zero and overflow included.
Result<std::uint64_t> ParseBytes(std::string_view text);

/// Parses a duration in milliseconds: "250ms", "1.5s", "5m", "2h"; a bare number is seconds. Zero
/// is a duration. InvalidArgument for anything else, overflow included.
Result<std::uint64_t> ParseDurationMs(std::string_view text);

/// "1.5 GiB", "640 KiB", "17 B": one decimal below 100 where it is not zero.
std::string FormatBytes(std::uint64_t bytes);

/// "12 345 678".
std::string FormatCount(std::uint64_t count);

/// `text` as it may be shown in one line of a log or message: control characters, double quotes,
/// backslashes and invalid UTF-8 as \xNN. Cut before a character that would make the result longer
/// than `bytes_max`, with "..." behind it.
std::string EscapeForLog(std::string_view text, std::size_t bytes_max = 120);

}  // namespace spillway
