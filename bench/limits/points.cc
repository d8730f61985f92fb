#include "bench/limits/points.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "bench/limits/parallel.h"
#include "bench/limits/text_pieces.h"

namespace spillway::limits {
namespace {

/// Appends the line's point. A line's number of coordinates is `dimensions`, unless that is 0.
void ParseLine(const TextPieces& text, const char* begin, const char* end, Points& points) {
  if (SkipBlanks(begin, end) == end) return;
  const std::size_t before = points.coordinates.size();
  double number = 0;
  const char* at = ReadNumber(begin, end, &number);
  if (at == nullptr || !std::isfinite(number)) text.FailAt(begin, "the line begins with no label");
  points.labels.push_back(number);
  while (SkipBlanks(at, end) != end) {
    const char* const behind = ReadNumber(at, end, &number);
    if (behind == nullptr || !std::isfinite(number)) text.FailAt(at, "no finite number");
    points.coordinates.push_back(number);
    at = behind;
  }
  const std::size_t dimensions = points.coordinates.size() - before;
  if (points.dimensions == 0) points.dimensions = dimensions;
  if (dimensions == 0 || dimensions != points.dimensions)
    text.FailAt(begin, "a point of " + std::to_string(dimensions) + " numbers among points of " +
                           std::to_string(points.dimensions));
}

void ParsePiece(const TextPieces& text, std::string_view piece, Points& points) {
  const char* const end = piece.data() + piece.size();
  for (const char* at = piece.data(); at < end;) {
    const auto* newline =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    const char* const line_end = newline == nullptr ? end : newline;
    ParseLine(text, at, line_end, points);
    at = line_end + 1;
  }
}

}  // namespace

Points Points::Parse(const std::string& path, unsigned threads) {
  const TextPieces text(path, threads);
  std::vector<Points> parts(text.count());
  RunThreads(static_cast<unsigned>(parts.size()),
             [&](unsigned i) { ParsePiece(text, text.piece(i), parts[i]); });
  Points all = std::move(parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].count() != 0 && all.count() != 0 && parts[i].dimensions != all.dimensions)
      text.FailAt(text.piece(i).data(), "a point of another number of coordinates");
    if (all.count() == 0) all.dimensions = parts[i].dimensions;
    all.labels.insert(all.labels.end(), parts[i].labels.begin(), parts[i].labels.end());
    all.coordinates.insert(all.coordinates.end(), parts[i].coordinates.begin(),
                           parts[i].coordinates.end());
  }
  return all;
}

}  // namespace spillway::limits
