// PartitionRange: some neighbouring partitions, at least one. A value; any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace spillway {

struct PartitionRange {
  std::uint32_t first = 0;
  std::uint32_t count = 1;

  /// Behind the last one; of 64 bits, because nothing bounds what a message says.
  std::uint64_t end() const { return std::uint64_t{first} + count; }
  /// Whether a segment of so many partitions has all of them.
  bool IsWithin(std::uint32_t partitions) const { return count > 0 && end() <= partitions; }

  auto operator<=>(const PartitionRange&) const = default;
};

/// For messages: "partition 3", "partitions 3 to 5".
inline std::string NameOf(const PartitionRange& range) {
  if (range.count == 1) return "partition " + std::to_string(range.first);
  return "partitions " + std::to_string(range.first) + " to " + std::to_string(range.end() - 1);
}

}  // namespace spillway
