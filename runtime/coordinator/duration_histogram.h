// DurationHistogram: how long something took, in microseconds, as counts of ranges that are an
// eighth of their power of two wide: a percentile is right within 12.5 %. 4 KiB, whatever is added.
// A value; one thread.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace spillway {

class DurationHistogram {
 public:
  void Add(std::uint64_t us) {
    ++counts_[Range(us)];
    ++count_;
    sum_us_ += us;
    max_us_ = std::max(max_us_, us);
  }

  std::uint64_t count() const { return count_; }
  std::uint64_t sum_us() const { return sum_us_; }
  std::uint64_t max_us() const { return max_us_; }

  /// At least this share of what was added, from 0 to 1, took no longer; 0 when nothing was added.
  std::uint64_t Percentile(double share) const {
    const double wanted = share * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::size_t range = 0; range < counts_.size(); ++range) {
      seen += counts_[range];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return std::min(Last(range), max_us_);
    }
    return max_us_;
  }

 private:
  static constexpr unsigned kPartBits = 3;  // Parts of a power of two.
  static constexpr std::uint64_t kParts = 1u << kPartBits;

  // Below kParts each value has a range of its own.
  static std::size_t Range(std::uint64_t us) {
    if (us < kParts) return us;
    const auto shift = static_cast<unsigned>(std::bit_width(us)) - kPartBits - 1;
    return (shift << kPartBits) + (us >> shift);
  }
  /// The largest value of the range.
  static std::uint64_t Last(std::size_t range) {
    if (range < kParts) return range;
    const std::uint64_t shift = (range >> kPartBits) - 1;
    const std::uint64_t first = (kParts + (range & (kParts - 1))) << shift;
    return first + ((std::uint64_t{1} << shift) - 1);
  }

  std::array<std::uint64_t, 64 * kParts> counts_{};
  std::uint64_t count_ = 0, sum_us_ = 0, max_us_ = 0;
};

}  // namespace spillway
