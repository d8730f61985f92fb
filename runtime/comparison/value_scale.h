// ValueScale: the vertical axis of a chart of times: from which value to which, where the marks
// are, and whether steps are equal or equal ratios. Pure.
#pragma once

#include <vector>

namespace spillway {

class ValueScale {
 public:
  /// Holds all of `values`, which are at least one and positive. Logarithmic when the largest is
  /// more than kLogFrom times the smallest; else it begins at 0.
  explicit ValueScale(const std::vector<double>& values);

  static constexpr double kLogFrom = 10;

  bool logarithmic() const { return logarithmic_; }
  /// 0 at the bottom, 1 at the top.
  double PlaceOf(double value) const;
  /// Values to be written beside the axis, rising.
  const std::vector<double>& marks() const { return marks_; }

 private:
  void MakeLinear(double most);
  void MakeLogarithmic(double least, double most);

  bool logarithmic_ = false;
  double bottom_ = 0, top_ = 1;
  std::vector<double> marks_;
};

}  // namespace spillway
