#include "runtime/comparison/value_scale.h"

#include <algorithm>
#include <cmath>

namespace spillway {
namespace {

constexpr double kMarksAbout = 5;
// A value that stands on a mark, give or take an error of rounding, needs no further one.
constexpr double kSlack = 1 + 1e-9;

}  // namespace

ValueScale::ValueScale(const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  logarithmic_ = *most > *least * kLogFrom;
  if (logarithmic_)
    MakeLogarithmic(*least, *most);
  else
    MakeLinear(*most);
}

void ValueScale::MakeLinear(double most) {
  const double rough = most / kMarksAbout;
  const double unit = std::pow(10, std::floor(std::log10(rough)));
  double step = unit;
  for (const double factor : {2.0, 5.0, 10.0})
    if (step * kMarksAbout * kSlack < most) step = unit * factor;
  const double steps = std::ceil(most / (step * kSlack));
  for (double mark = 0; mark <= steps; ++mark) marks_.push_back(mark * step);
  bottom_ = 0;
  top_ = marks_.back();
}

void ValueScale::MakeLogarithmic(double least, double most) {
  std::vector<double> all;
  for (double decade = std::floor(std::log10(least)); decade <= std::ceil(std::log10(most));
       ++decade)
    for (const double factor : {1.0, 2.0, 5.0}) all.push_back(factor * std::pow(10, decade));
  bottom_ = all.front();
  for (const double mark : all) {
    if (mark * kSlack < least) {
      bottom_ = mark;
      continue;
    }
    top_ = mark;
    if (mark * kSlack >= most) break;
  }
  // With many decades only their ends are written.
  const bool many = top_ > bottom_ * 500;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i] * kSlack >= bottom_ && all[i] <= top_ * kSlack && (!many || i % 3 == 0))
      marks_.push_back(all[i]);
}

double ValueScale::PlaceOf(double value) const {
  if (!logarithmic_) return (value - bottom_) / (top_ - bottom_);
  return std::log(value / bottom_) / std::log(top_ / bottom_);
}

}  // namespace spillway
