// Partition directories: levels named `key=value` in a file's path, as in
// sales/date=2024-01-01/country=de/part-00000, the layout of Hive and Spark. What a name cannot
// hold is written as %XX, and no value as __HIVE_DEFAULT_PARTITION__. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mapreduce/task_context.h"

namespace spillway {

inline constexpr std::string_view kNoPartitionValue = "__HIVE_DEFAULT_PARTITION__";

struct PartitionLevel {
  std::string key;
  std::string value;  ///< As it was before it became a name; empty: none.
  bool operator==(const PartitionLevel&) const = default;
};

namespace internal {

inline int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

inline std::string WithoutEscapes(std::string_view name) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool whole = name[i] == '%' && i + 2 < name.size();
    const int high = whole ? HexDigit(name[i + 1]) : -1, low = whole ? HexDigit(name[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      text += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      text += name[i];
    }
  }
  return text;
}

}  // namespace internal

/// What a directory's name says; nothing for one that is no `key=value`.
inline std::optional<PartitionLevel> ParsePartitionLevel(std::string_view name) {
  const std::size_t equals = name.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  PartitionLevel level{internal::WithoutEscapes(name.substr(0, equals)), {}};
  const std::string_view value = name.substr(equals + 1);
  if (value != kNoPartitionValue) level.value = internal::WithoutEscapes(value);
  return level;
}

/// The levels of the directories in a file's path, from the outermost on.
inline std::vector<PartitionLevel> ParsePartitionPath(std::string_view path) {
  std::vector<PartitionLevel> levels;
  for (std::size_t slash; (slash = path.find('/')) != std::string_view::npos;
       path.remove_prefix(slash + 1))
    if (auto level = ParsePartitionLevel(path.substr(0, slash)))
      levels.push_back(*std::move(level));
  return levels;
}

/// The value of one key for each input file, for a mapper:
///
///   Status Setup(TaskContext& context) {
///     date_ = PartitionColumn(context, "date");
///     return OkStatus();
///   }
///   void Map(const Line& line, Emitter& out) { out.Emit(date_.Of(line.file_index), 1); }
///
/// A path is looked at once for each file that is read. One task, one thread.
class PartitionColumn {
 public:
  PartitionColumn() = default;
  PartitionColumn(const TaskContext& context, std::string key)
      : context_(context), key_(std::move(key)) {}

  /// Valid until it is asked for another file. Of a key that comes twice the innermost counts.
  /// Throws std::out_of_range, which names what there is, for a file that lies in no directory of
  /// this key.
  std::string_view Of(std::uint32_t file_index) {
    if (file_index != file_) [[unlikely]]
      Enter(file_index);
    return value_;
  }

 private:
  [[gnu::noinline]] void Enter(std::uint32_t file_index) {
    if (!context_.has_value()) throw std::logic_error("a PartitionColumn without a TaskContext");
    const std::string_view path = context_->input_path(file_index);
    bool found = false;
    std::string others;
    for (PartitionLevel& level : ParsePartitionPath(path)) {
      if (level.key == key_) {
        value_ = std::move(level.value);
        found = true;
      }
      others += (others.empty() ? "" : ", ") + level.key;
    }
    if (!found)
      throw std::out_of_range("'" + std::string(path) + "' lies in no directory named " + key_ +
                              "=VALUE; its keys are: " + (others.empty() ? "none" : others));
    file_ = file_index;
  }

  std::optional<TaskContext> context_;
  std::string key_;
  std::string value_;
  std::uint32_t file_ = UINT32_MAX;
};

}  // namespace spillway
