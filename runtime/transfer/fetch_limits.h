// FetchLimits: every bound of fetching segments from other hosts (docs/formats/fetch.md). Values.
#pragma once

#include <cstdint>

namespace spillway {

struct FetchLimits {
  std::uint64_t request_bytes = 512 << 10;  ///< Asked for by one request; part of a message.
  std::uint32_t request_ranges_max = 64;    ///< Of several segments, in one request.
  /// While so many requests are under way to a source, one of less than half of request_bytes waits
  /// for more to join it.
  std::uint32_t source_small_requests_max = 2;
  std::uint64_t source_window_bytes = 4 << 20;  ///< Asked of one worker and not yet consumed.
  std::uint64_t total_window_bytes = 32 << 20;  ///< The same of all workers together.
  std::uint32_t source_segments_max = 16;       ///< Segments under way from one worker.
  std::uint64_t head_bytes_first = 16 << 10;    ///< Asked for before a head's size is known.
  std::uint64_t head_bytes_max = 64 << 20;      ///< A larger head is refused.

  std::uint64_t request_timeout_ms = 10'000;
  /// All that is wanted of a source which answers nothing for so long is lost at once: the way to
  /// it is cut, and the map tasks run again sooner than each segment would have used up its tries.
  std::uint64_t source_silence_ms_max = 20'000;
  /// After the n-th failure in a row a source is left alone for first * 2^(n-1), at most max.
  std::uint64_t backoff_ms_first = 100;
  std::uint64_t backoff_ms_max = 5'000;
  std::uint32_t tries_max = 4;     ///< Of one range, before its segment starts again.
  std::uint32_t restarts_max = 1;  ///< Of one segment, before it is lost.

  /// Reaches splits, batches, full windows and every retry with segments of a few hundred bytes.
  static FetchLimits Tiny() {
    return {.request_bytes = 200,
            .request_ranges_max = 3,
            .source_small_requests_max = 1,
            .source_window_bytes = 500,
            .total_window_bytes = 900,
            .source_segments_max = 3,
            .head_bytes_first = 120,
            .head_bytes_max = 64 << 10,
            .request_timeout_ms = 50,
            .source_silence_ms_max = 2'000,
            .backoff_ms_first = 1,
            .backoff_ms_max = 8,
            .tries_max = 3,
            .restarts_max = 1};
  }

  bool operator==(const FetchLimits&) const = default;
};

}  // namespace spillway
