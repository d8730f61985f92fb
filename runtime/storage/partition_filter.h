// PartitionFilter: what --where says of the `key=value` directories of an input, so that those that
// do not fit are passed over before they are listed. A value; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/base/status.h"

namespace spillway {

class PartitionFilter {
 public:
  /// No condition: every directory fits.
  PartitionFilter() = default;

  /// Conditions as `date>=2024-01-01`, all of which must hold: a key, one of = != < <= > >=, and a
  /// value. InvalidArgument, naming the one that is none.
  static Result<PartitionFilter> Parse(const std::vector<std::string>& conditions);

  bool empty() const { return conditions_.empty(); }

  /// Whether a directory `key=value` fits. Two whole numbers are compared as such, so that hour=02
  /// is hour=2 and lies before hour=10; all else byte by byte, which is the order of dates.
  bool Fits(std::string_view key, std::string_view value) const;

  /// Whether a condition is about this key.
  bool Names(std::string_view key) const;

  /// The first key of a condition that is none of `keys`; empty when there is none.
  std::string KeyNotIn(const std::vector<std::string>& keys) const;

  /// As it was given: "date>=2024-01-01 country=de".
  std::string text() const;

 private:
  enum class Relation { kEqual, kUnequal, kLess, kAtMost, kGreater, kAtLeast };
  struct Condition {
    std::string key;
    Relation relation = Relation::kEqual;
    std::string value;
    std::string text;
  };

  static Result<Condition> ParseOne(const std::string& text);

  std::vector<Condition> conditions_;
};

}  // namespace spillway
