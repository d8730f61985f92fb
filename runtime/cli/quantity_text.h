// Times, rates and shares as the command prints them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spillway {

/// "85 ms", "1.23 s", "48.1 s", "2 min 05 s", "3 h 07 min".
std::string FormatDuration(std::uint64_t ms);

/// Without fractions, for limits and forecasts: "5 s", "2 min 05 s", "10 min", "3 h".
std::string FormatWholeDuration(std::uint64_t ms);

/// "35.2 MiB/s"; "-" when no time has passed.
std::string FormatRate(std::uint64_t bytes, std::uint64_t ms);

/// Whole percent, rounded down so that 100 means all; 100 when there is nothing to do.
unsigned Percent(std::uint64_t part, std::uint64_t whole);

/// "1 file", "3 files".
std::string FormatNoun(std::uint64_t count, std::string_view singular);

}  // namespace spillway
