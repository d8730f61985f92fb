// OrderedText: bytes as printable ASCII that sorts as they do (docs/formats/lines.md). Every other
// system that sorts lines then sorts keys as the engine would. Pure; no thread affinity.
#pragma once

#include <cstddef>
#include <string_view>

namespace spillway {

/// Room that a byte needs at most.
inline constexpr std::size_t kOrderedTextBytesMax = 3;

/// Writes the text of `bytes` to `to`; its end.
char* PutOrderedText(std::string_view bytes, char* to);

/// Writes the bytes of `text` to `to`, which may be where `text` begins, or before that. Their end,
/// or null where a character stands that PutOrderedText never writes.
char* GetOrderedText(std::string_view text, char* to);

}  // namespace spillway
