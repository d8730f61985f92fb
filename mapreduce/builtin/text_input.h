// Text as input, three ways: line by line, or in chunks of whole lines or whole words for code
// that walks them faster by itself (words.h, search.h). Bytes are given as they are: NULs, CR and
// invalid UTF-8 included; a last line needs no newline.
#pragma once

#include <cstring>

#include "mapreduce/input_format.h"

namespace spillway {

/// One line, without its newline.
struct Line {
  std::string_view text;
  std::uint64_t offset;      ///< Of its first byte in the file.
  std::uint32_t file_index;  ///< See TaskContext::input_path.
  std::string_view path;
};

struct TextLines {
  using Record = Line;
  static constexpr const char* kName = "TextLines";
  static Framing framing() { return Framing::Delimited('\n'); }

  template <class Each>
  static void ForEach(const InputBlock& block, Each&& each) {
    const char* const begin = block.bytes.data();
    const char* const end = begin + block.bytes.size();
    for (const char* at = begin; at < end;) {
      const auto* newline =
          static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
      const char* const line_end = newline == nullptr ? end : newline;
      each(Line{{at, static_cast<std::size_t>(line_end - at)},
                block.file_offset + static_cast<std::uint64_t>(at - begin),
                block.file_index,
                block.path},
           at);
      at = line_end + 1;
    }
  }
};

/// Some text with its place. SPILLWAY_PADDING_BYTES behind it are readable.
struct Chunk {
  std::string_view text;
  std::uint64_t offset;      ///< Of its first byte in the file.
  std::uint32_t file_index;  ///< See TaskContext::input_path.
  std::string_view path;
};

namespace internal {

template <class Each>
void WholeBlock(const InputBlock& block, Each&& each) {
  each(Chunk{block.bytes, block.file_offset, block.file_index, block.path}, block.bytes.data());
}

}  // namespace internal

/// Chunks of whole lines, some hundred KiB each.
struct LineChunks {
  using Record = Chunk;
  static constexpr const char* kName = "LineChunks";
  static Framing framing() { return Framing::Delimited('\n'); }
  template <class Each>
  static void ForEach(const InputBlock& block, Each&& each) {
    internal::WholeBlock(block, each);
  }
};

/// Chunks that never cut a word (a run of bytes above 0x20), some hundred KiB each, however long
/// the lines are.
struct WordChunks {
  using Record = Chunk;
  static constexpr const char* kName = "WordChunks";
  static Framing framing() { return Framing::Spaces(); }
  template <class Each>
  static void ForEach(const InputBlock& block, Each&& each) {
    internal::WholeBlock(block, each);
  }
};

}  // namespace spillway
