// PartitionedBy<Partition, Format>: an output format that writes each result below a directory
// named by it, as in out/date=2024-01-01/country=de/part-00000:
//
//   struct DayAndCountry {
//     void operator()(const std::pair<std::string_view, std::string_view>& key,
//                     std::uint64_t, OutputPath& to) const {
//       to.Add("date", key.first).Add("country", key.second);
//     }
//   };
//   NewJob().Map<M>().Reduce<R>().Write<PartitionedBy<DayAndCountry>>();
//
// Any number of directories: a task keeps only some of their files open. Results of one directory
// keep their order. It costs least when results of a directory come one after the other, as they do
// when keys begin with what names it.
#pragma once

#include <type_traits>

#include "mapreduce/builtin/text_output.h"
#include "mapreduce/output_path.h"

namespace spillway {

template <class PartitionFunction, class Format = TextOutput>
class PartitionedBy : public Format {
 public:
  static constexpr bool kWritesDirectories = true;

  /// Where a result goes: at least one level, and of all results the same keys.
  template <class Key, class Value>
  void Partition(const Key& key, const Value& value, OutputPath& to) {
    static_assert(
        std::is_invocable_v<PartitionFunction&, const Key&, const Value&, OutputPath&>,
        "the function of PartitionedBy takes the job's results: (key, value, OutputPath&)");
    function_(key, value, to);
  }

 private:
  PartitionFunction function_;
};

namespace internal {

template <class Format>
inline constexpr bool kWritesDirectories = requires {
  Format::kWritesDirectories;
};

/// A file's header and footer have no place where a file may be left and entered again.
template <class Format>
inline constexpr bool kHasFrame = requires(Format format, OutputBuffer& out) {
  format.Begin(out);
}
|| requires(Format format, OutputBuffer& out) { format.End(out); };

}  // namespace internal
}  // namespace spillway
