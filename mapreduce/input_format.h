// InputFormat: how the bytes of a split become records. The host cuts the input into blocks that
// hold whole records, by the format's framing; the format then walks a block. Each record is read
// by exactly one split: the one in which its first byte lies. Pure; no thread affinity.
//
// A format is a class with
//   using Record = ...;                          what Map gets
//   static Framing framing();                    where records end
//   static constexpr const char* kName;          for messages
//   template <class Each>
//   static void ForEach(const Block& block, Each&& each);   // each(record, first byte of it)
//   static void Check(const Record& record);                // optional: see below
//
// What finds out that a record is malformed throws BadRecord. In Check, which is called before the
// record is used, the record is the one that is named, and one that was skipped is not checked.
//
// Built in: TextLines, LineChunks, WordChunks (builtin/text_input.h), FixedRecords<N>
// (builtin/fixed_input.h), CsvRows (builtin/csv_input.h), JsonLines (builtin/json_input.h).
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "mapreduce/abi.h"

namespace spillway {

namespace internal {

/// What some editors write before the text of a file.
inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace internal

/// A block of whole records. SPILLWAY_PADDING_BYTES behind `bytes` are readable.
struct InputBlock {
  std::string_view bytes;
  std::uint64_t file_offset;  ///< Of the first byte.
  std::uint32_t file_index;   ///< See TaskContext::input_path.
  std::string_view path;
};

/// Where records end. Made by one of the functions below.
struct Framing {
  spillway_framing abi;

  /// Records end with `delimiter` or with the file.
  static Framing Delimited(char delimiter) {
    Framing f = Kind(SPILLWAY_FRAMING_DELIMITED);
    f.abi.delimiter = static_cast<unsigned char>(delimiter);
    return f;
  }
  /// Blocks may be cut behind any byte <= 0x20, so words are never cut.
  static Framing Spaces() { return Kind(SPILLWAY_FRAMING_SPACES); }
  /// Records of `bytes` each; a file that is not a multiple of it is bad data.
  static Framing Fixed(std::uint64_t bytes) {
    Framing f = Kind(SPILLWAY_FRAMING_FIXED);
    f.abi.fixed_bytes = bytes;
    return f;
  }

  static constexpr std::uint64_t kNeedMore = 0;
  static constexpr std::uint64_t kBadData = std::numeric_limits<std::uint64_t>::max();
  static constexpr std::uint64_t kStartNotFound = std::numeric_limits<std::uint64_t>::max();

  /// Anything else. `record_bytes(data, bytes, at_end)` is the length of the record that begins at
  /// data, or kNeedMore or kBadData. `find_start(data, bytes, at_end)` is the offset of the first
  /// record that begins in a split whose first byte is data[0] and which is not the file's first,
  /// or kStartNotFound to be given more bytes. Both are called with growing prefixes, from many
  /// threads, and must not throw: the host's reader calls them, outside of any guard.
  static Framing Custom(std::uint64_t (*find_start)(const char*, std::uint64_t, int),
                        std::uint64_t (*record_bytes)(const char*, std::uint64_t, int)) {
    Framing f = Kind(SPILLWAY_FRAMING_CUSTOM);
    f.abi.find_start = find_start;
    f.abi.record_bytes = record_bytes;
    return f;
  }

  /// The same for records whose start can only be found by reading on from the file's: each file is
  /// one split, however large it is.
  static Framing WholeFiles(std::uint64_t (*record_bytes)(const char*, std::uint64_t, int)) {
    return Custom(nullptr, record_bytes);
  }

 private:
  static Framing Kind(std::uint32_t kind) {
    Framing f{};
    f.abi.struct_bytes = sizeof f.abi;
    f.abi.kind = kind;
    return f;
  }
};

/// Whether files of this framing may be cut into several splits.
inline bool IsSplittable(const spillway_framing& framing) {
  return framing.kind != SPILLWAY_FRAMING_CUSTOM || framing.find_start != nullptr;
}

/// That of one of a job's inputs; `input` is 0 where they have no names.
inline const spillway_framing& FramingOf(const spillway_job& job, std::uint32_t input) {
  return job.input_count == 0 ? job.framing : job.inputs[input].framing;
}

}  // namespace spillway
