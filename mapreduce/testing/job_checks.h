// Checks of what a job promises and a compiler cannot see. Each answers OK, or says what was found:
//
//   EXPECT_EQ(Found(CheckDeterminism(PluginTest().Input(text))), "");
//
// CheckDeterminism   the same output however the input is cut and results are handed over
// CheckCombiner      a combiner or fold changes nothing, applied never, once or repeatedly
// CheckPartitioner   in range, and the same for the same key
// CheckOrder         a SortBy order is strict and weak
//
// They try what they are given: pass the keys that are odd (empty, equal but for case, extreme).
// One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mapreduce/base/status.h"
#include "mapreduce/testing/job_test.h"
#include "mapreduce/testing/owned_value.h"

namespace spillway {

/// A status as text that test frameworks show: "" when it is OK.
inline std::string Found(const Status& status) { return status.message(); }

namespace internal {

inline Status SameOutcome(const JobOutcome& one, const JobOutcome& other, const std::string& how) {
  if (!other.status.ok()) return other.status.Annotate(how);
  if (one.parts.size() != other.parts.size())
    return InvalidArgument(how + ": " + std::to_string(other.parts.size()) + " parts, not " +
                           std::to_string(one.parts.size()));
  for (std::size_t part = 0; part < one.parts.size(); ++part) {
    const std::string& a = one.parts[part];
    const std::string& b = other.parts[part];
    if (a == b) continue;
    const auto [at, unused] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    const auto offset = static_cast<std::size_t>(at - a.begin());
    const std::size_t line = offset == 0 ? 0 : a.rfind('\n', offset - 1) + 1;
    const auto line_of = [line](const std::string& text) {
      return "'" + text.substr(line, std::min(text.find('\n', line), text.size()) - line) + "'";
    };
    return InvalidArgument(how + ": part " + std::to_string(part) + " differs at byte " +
                           std::to_string(offset) + ": " + line_of(b) + ", not " + line_of(a));
  }
  return OkStatus();
}

inline std::string KeyNumber(std::size_t i) { return "key number " + std::to_string(i); }

}  // namespace internal

/// Runs the job again and again: as before, in blocks of a record, with groups handed over record
/// by record, and, unless it is map only, with splits of a few bytes.
inline Status CheckDeterminism(const JobTest& test) {
  const JobOutcome expected = test.Run();
  SPILLWAY_RETURN_IF_ERROR(expected.status);
  const auto compare = [&](const TestShape& shape, const char* how) {
    return internal::SameOutcome(expected, test.Run(shape), how);
  };
  SPILLWAY_RETURN_IF_ERROR(compare({}, "run a second time"));
  TestShape shape;
  shape.block_bytes = 1;
  SPILLWAY_RETURN_IF_ERROR(compare(shape, "with the input in small blocks"));
  shape.batch_records = 1;
  SPILLWAY_RETURN_IF_ERROR(compare(shape, "with groups handed over record by record"));
  if (test.description()->map_only != 0) return OkStatus();
  for (const std::uint64_t bytes : {1, 7, 64}) {
    shape.split_bytes = bytes;
    const std::string how = "with splits of " + std::to_string(bytes) + " bytes";
    SPILLWAY_RETURN_IF_ERROR(compare(shape, how.c_str()));
  }
  return OkStatus();
}

/// InvalidArgument as well for a job that has neither combiner nor exact fold.
inline Status CheckCombiner(const JobTest& test) {
  TestShape shape;
  shape.combining = Combining::kNever;
  const JobOutcome expected = test.Run(shape);
  SPILLWAY_RETURN_IF_ERROR(expected.status);
  const spillway_job& job = *test.description();
  if (job.combiner_run == nullptr && job.fold_kind == SPILLWAY_FOLD_NONE)
    return InvalidArgument("the job has nothing that combines: no Combine<>, no exact Fold<>");
  shape.combining = Combining::kOnce;
  SPILLWAY_RETURN_IF_ERROR(
      internal::SameOutcome(expected, test.Run(shape), "combined once, against never"));
  shape.combining = Combining::kRepeatedly;
  SPILLWAY_RETURN_IF_ERROR(
      internal::SameOutcome(expected, test.Run(shape), "combined repeatedly, against never"));
  shape.split_bytes = 1;
  return internal::SameOutcome(expected, test.Run(shape), "combined in small splits");
}

/// Partitioner P over `keys`, with several numbers of partitions.
template <class P>
Status CheckPartitioner(const std::vector<typename P::Key>& keys) {
  using Key = internal::OwnedValue<typename P::Key>;
  for (const std::uint32_t partitions : {1u, 2u, 3u, 7u, 64u, 1000u}) {
    P used;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::uint32_t place = used.Partition(Key::See(keys[i]), partitions);
      const std::string what = internal::KeyNumber(i) + " goes to partition " +
                               std::to_string(place) + " of " + std::to_string(partitions);
      if (place >= partitions) return InvalidArgument(what);
      P fresh;
      const std::uint32_t again = fresh.Partition(Key::See(keys[i]), partitions);
      if (again != place)
        return InvalidArgument(what + ", and to " + std::to_string(again) +
                               " when it is asked again: use nothing but the key");
    }
  }
  return OkStatus();
}

/// Order S (see comparator.h) over all triples of `keys`; some hundred are enough.
template <class S, class K>
Status CheckOrder(const std::vector<K>& keys) {
  const auto compare = [&](std::size_t a, std::size_t b) {
    const int order =
        S::Compare(internal::OwnedValue<K>::See(keys[a]), internal::OwnedValue<K>::See(keys[b]));
    return order < 0 ? -1 : order > 0 ? 1 : 0;
  };
  const auto name = &internal::KeyNumber;
  const std::size_t n = keys.size();
  for (std::size_t a = 0; a < n; ++a) {
    if (compare(a, a) != 0) return InvalidArgument(name(a) + " does not equal itself");
    for (std::size_t b = 0; b < n; ++b) {
      if (compare(a, b) != -compare(b, a))
        return InvalidArgument(name(a) + " and " + std::to_string(b) +
                               " compare one way, and not the other way when turned around");
      for (std::size_t c = 0; c < n; ++c)
        if (compare(a, b) <= 0 && compare(b, c) <= 0 &&
            compare(a, c) != std::min(compare(a, b), compare(b, c)))
          return InvalidArgument(name(a) + ", " + std::to_string(b) + " and " + std::to_string(c) +
                                 " are in order two by two, and not as three");
    }
  }
  return OkStatus();
}

}  // namespace spillway
