#include "runtime/comparison/sample_data.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <vector>

#include "mapreduce/base/split_mix.h"

namespace spillway {
namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

class Random : public SplitMix64 {
 public:
  using SplitMix64::SplitMix64;

  double Fraction() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  /// Roughly a bell around 0 with a deviation of 18 900, from four numbers of 16 bits.
  std::int64_t Bell() {
    const std::uint64_t bits = Next();
    std::int64_t sum = -(std::int64_t{2} << 16);
    for (int shift = 0; shift < 64; shift += 16)
      sum += static_cast<std::int64_t>(bits >> shift & 0xffff);
    return sum / 2;
  }
};

class PointLines {
 public:
  explicit PointLines(std::uint64_t seed) : random_(seed) {
    for (Point& place : places_) place = MakePoint(4);
    plane_ = MakePoint(1);
  }

  void Append(std::string* text) {
    const Point& place = places_[random_.Next() % kPlaces];
    Point point;
    std::int64_t side = random_.Bell() * kUnit;
    for (std::size_t d = 0; d < kDims; ++d) {
      point[d] = place[d] + random_.Bell();
      side += point[d] * plane_[d];
    }
    *text += side > 0 ? '1' : '0';
    for (const std::int64_t x : point) AppendNumber(x, text);
    *text += '\n';
  }

 private:
  static constexpr std::size_t kDims = 16, kPlaces = 10;
  static constexpr std::int64_t kUnit = 10'000;  ///< Numbers have four decimals.
  using Point = std::array<std::int64_t, kDims>;

  Point MakePoint(std::int64_t spread) {
    Point point;
    for (std::int64_t& x : point) x = random_.Bell() * spread;
    return point;
  }

  static void AppendNumber(std::int64_t x, std::string* text) {
    char digits[24];
    const std::int64_t size = x < 0 ? -x : x;
    *text += x < 0 ? " -" : " ";
    text->append(digits, std::to_chars(digits, digits + 24, size / kUnit).ptr);
    *text += '.';
    // The digit in front keeps the zeros.
    char* const end = std::to_chars(digits, digits + 24, kUnit + size % kUnit).ptr;
    text->append(digits + 1, end);
  }

  Random random_;
  std::array<Point, kPlaces> places_;
  Point plane_;
};

/// A vertex of rank r is a target with a weight of r^(-3/4) and a source with one of r^(-1/2),
/// under another ranking: the popular are not the talkative.
class EdgeLines {
 public:
  EdgeLines(std::uint64_t bytes, std::uint64_t seed)
      : random_(seed),
        vertices_(std::clamp(bytes / kBytesPerVertex, std::uint64_t{16}, kVerticesMax)) {}

  void Append(std::string* text) {
    const double from = random_.Fraction(), to = random_.Fraction();
    AppendVertex(from * from, kSourcePrime, '\t', text);
    AppendVertex(to * to * (to * to), kTargetPrime, '\n', text);
  }

 private:
  static constexpr std::uint64_t kBytesPerVertex = 130;
  static constexpr std::uint64_t kVerticesMax = std::uint64_t{1} << 31;
  // Above the largest number of vertices: multiplying by one of them reorders the ranks.
  static constexpr std::uint64_t kTargetPrime = 2'654'435'761, kSourcePrime = 4'093'082'899;

  void AppendVertex(double fraction, std::uint64_t prime, char end, std::string* text) const {
    const auto rank = static_cast<std::uint64_t>(fraction * static_cast<double>(vertices_));
    char digits[24];
    text->append(digits, std::to_chars(digits, digits + 24, rank * prime % vertices_).ptr);
    *text += end;
  }

  Random random_;
  const std::uint64_t vertices_;
};

template <class Lines>
Status WriteLines(Lines lines, std::uint64_t bytes, WritableFile& file,
                  const std::atomic<bool>& stop) {
  std::string text;
  for (std::uint64_t written = 0; written < bytes; written += text.size()) {
    if (stop) return Cancelled("stopped while making sample data");
    text.clear();
    const std::uint64_t piece = std::min<std::uint64_t>(bytes - written, kPieceBytes);
    while (text.size() < piece) lines.Append(&text);
    SPILLWAY_RETURN_IF_ERROR(file.Append(text));
  }
  return file.Close();
}

}  // namespace

Status WriteSample(FileSystem& files, const std::string& path, const SampleOptions& options,
                   const std::atomic<bool>& stop) {
  SPILLWAY_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files.Create(path));
  if (options.kind == SampleKind::kPoints)
    return WriteLines(PointLines(options.seed), options.bytes, *file, stop);
  return WriteLines(EdgeLines(options.bytes, options.seed), options.bytes, *file, stop);
}

}  // namespace spillway
