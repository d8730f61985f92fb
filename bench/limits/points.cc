#include "bench/limits/points.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "bench/limits/parallel.h"
#include "bench/limits/text_pieces.h"

namespace spillway::limits {
namespace {

/// The points of a piece of the text, row after row.
struct Rows {
  std::size_t dimensions = 0;
  std::vector<float> labels, coordinates;
};

/// Appends the line's point. A line's number of coordinates is `dimensions`, unless that is 0.
void ParseLine(const TextPieces& text, const char* begin, const char* end, Rows& rows) {
  if (SkipBlanks(begin, end) == end) return;
  const std::size_t before = rows.coordinates.size();
  double number = 0;
  const char* at = ReadNumber(begin, end, &number);
  if (at == nullptr || !std::isfinite(number)) text.FailAt(begin, "the line begins with no label");
  rows.labels.push_back(static_cast<float>(number));
  while (SkipBlanks(at, end) != end) {
    const char* const behind = ReadNumber(at, end, &number);
    if (behind == nullptr || !std::isfinite(number)) text.FailAt(at, "no finite number");
    rows.coordinates.push_back(static_cast<float>(number));
    at = behind;
  }
  const std::size_t dimensions = rows.coordinates.size() - before;
  if (rows.dimensions == 0) rows.dimensions = dimensions;
  if (dimensions == 0 || dimensions != rows.dimensions)
    text.FailAt(begin, "a point of " + std::to_string(dimensions) + " numbers among points of " +
                           std::to_string(rows.dimensions));
}

void ParsePiece(const TextPieces& text, std::string_view piece, Rows& rows) {
  const char* const end = piece.data() + piece.size();
  for (const char* at = piece.data(); at < end;) {
    const auto* newline =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    const char* const line_end = newline == nullptr ? end : newline;
    ParseLine(text, at, line_end, rows);
    at = line_end + 1;
  }
}

/// Spreads the rows over the lanes of blocks, beginning with point `first`.
void FillBlocks(const Rows& from, std::size_t first, float* blocks, float* labels) {
  for (std::size_t i = 0; i < from.labels.size(); ++i) {
    const std::size_t to = first + i;
    float* const block = blocks + to / kLanes * from.dimensions * kLanes;
    for (std::size_t d = 0; d < from.dimensions; ++d)
      block[d * kLanes + to % kLanes] = from.coordinates[i * from.dimensions + d];
    labels[to] = from.labels[i];
  }
}

}  // namespace

Points Points::Parse(const std::string& path, unsigned threads) {
  const TextPieces text(path, threads);
  std::vector<Rows> parts(text.count());
  const auto pieces = static_cast<unsigned>(parts.size());
  RunThreads(pieces, [&](unsigned i) { ParsePiece(text, text.piece(i), parts[i]); });
  Points all;
  std::vector<std::size_t> first;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    first.push_back(all.count_);
    if (parts[i].labels.empty()) continue;
    if (all.count_ != 0 && parts[i].dimensions != all.dimensions_)
      text.FailAt(text.piece(i).data(), "a point of another number of coordinates");
    all.dimensions_ = parts[i].dimensions;
    all.count_ += parts[i].labels.size();
  }
  if (all.count_ == 0) return all;
  all.buffer_ = LargeBuffer(all.blocks() * (all.dimensions_ + 1) * sizeof(Lanes));
  auto* const blocks = reinterpret_cast<float*>(all.buffer_.data());
  float* const labels = blocks + all.blocks() * all.dimensions_ * kLanes;
  RunThreads(pieces, [&](unsigned i) { FillBlocks(parts[i], first[i], blocks, labels); });
  return all;
}

}  // namespace spillway::limits
