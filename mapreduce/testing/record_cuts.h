// RecordCuts: where an input may be cut into splits and blocks, by its framing. The rule is the
// command's: a record belongs to the piece in which its first byte lies. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "mapreduce/abi.h"
#include "mapreduce/base/status.h"
#include "mapreduce/input_format.h"

namespace spillway::internal {

/// The first place at or behind `at` where a record begins, or the end. 0 < at.
class RecordCuts {
 public:
  RecordCuts(const spillway_framing& framing, std::string_view input)
      : framing_(framing), input_(input) {}

  Result<std::uint64_t> CutAt(std::uint64_t at) {
    if (at >= input_.size()) return std::uint64_t{input_.size()};
    switch (framing_.kind) {
      case SPILLWAY_FRAMING_DELIMITED: {
        const char delimiter = static_cast<char>(framing_.delimiter);
        const std::size_t found = input_.find(delimiter, at - 1);
        return found == std::string_view::npos ? std::uint64_t{input_.size()}
                                               : std::uint64_t{found + 1};
      }
      case SPILLWAY_FRAMING_SPACES:
        while (at < input_.size() && static_cast<unsigned char>(input_[at - 1]) > 0x20) ++at;
        return at;
      case SPILLWAY_FRAMING_FIXED: return CutFixed(at);
      default: return CutCustom(at);
    }
  }

 private:
  Result<std::uint64_t> CutFixed(std::uint64_t at) const {
    const std::uint64_t record = framing_.fixed_bytes;
    if (input_.size() % record != 0)
      return BadData("the input has " + std::to_string(input_.size()) +
                     " bytes, which is no multiple of records of " + std::to_string(record));
    return (at + record - 1) / record * record;
  }

  /// Goes from record to record, from where the last call came to.
  Result<std::uint64_t> CutCustom(std::uint64_t at) {
    if (at < walked_) walked_ = 0;
    while (walked_ < at) {
      const std::string_view rest = input_.substr(walked_);
      const std::uint64_t bytes = framing_.record_bytes(rest.data(), rest.size(), 1);
      if (bytes == Framing::kBadData || bytes == Framing::kNeedMore || bytes > rest.size())
        return BadData("no whole record at byte " + std::to_string(walked_) +
                       " of the input, its framing says");
      walked_ += bytes;
    }
    return walked_;
  }

  const spillway_framing& framing_;
  const std::string_view input_;
  std::uint64_t walked_ = 0;
};

}  // namespace spillway::internal
