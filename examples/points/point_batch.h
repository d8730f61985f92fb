// PointBatch: points that were read from lines of numbers, as blocks of 16 points in single
// precision (point_block.h). One thread.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "mapreduce/mapreduce.h"
#include "point_block.h"

namespace points {

/// Where a batch begins, for messages.
struct Place {
  std::string path;
  std::uint64_t offset = 0;

  std::string Text() const { return path + ":" + std::to_string(offset); }
  void Save(spillway::LoopWriter& out) const {
    out.Put(path);
    out.Put(offset);
  }
  void Load(spillway::LoopReader& in) {
    in.Get(path);
    in.Get(offset);
  }
};

class PointBatch {
 public:
  std::uint32_t dims() const { return dims_; }
  std::uint32_t count() const { return count_; }
  std::uint32_t blocks() const { return BlocksOf(count_); }
  /// dims() rows of kLanes values.
  const float* block(std::uint32_t index) const {
    return values_.data() + std::size_t{index} * dims_ * kLanes;
  }
  /// Of block `index`: kLanes values; null when points have none.
  const float* labels(std::uint32_t index) const {
    return labels_.empty() ? nullptr : labels_.data() + std::size_t{index} * kLanes;
  }
  float at(std::uint32_t point, std::uint32_t dim) const {
    return block(point / kLanes)[dim * kLanes + point % kLanes];
  }
  const Place& place() const { return place_; }

  /// Appends the point on the line; throws BadRecord for one that does not suit.
  void Add(const spillway::Line& line, bool labelled) {
    Read(line.text);
    const std::size_t first = labelled ? 1 : 0;
    if (numbers_.size() <= first)
      throw spillway::BadRecord(labelled ? "a point is a label and at least one number"
                                         : "a point is at least one number");
    const auto dims = static_cast<std::uint32_t>(numbers_.size() - first);
    if (count_ == 0) {
      dims_ = dims;
      place_ = {std::string(line.path), line.offset};
    }
    if (dims != dims_)
      throw spillway::BadRecord("a point of " + std::to_string(dims) +
                                " numbers, where those before it have " + std::to_string(dims_));
    if (count_ % kLanes == 0) {
      values_.resize(values_.size() + std::size_t{dims_} * kLanes);
      if (labelled) labels_.resize(labels_.size() + kLanes);
    }
    float* const to = values_.data() + std::size_t{count_ / kLanes} * dims_ * kLanes;
    for (std::uint32_t d = 0; d < dims_; ++d)
      to[d * kLanes + count_ % kLanes] = numbers_[first + d];
    if (labelled) labels_[count_] = numbers_[0];
    ++count_;
  }

  std::uint64_t bytes() const {
    return (values_.capacity() + labels_.capacity() + numbers_.capacity()) * sizeof(float) +
           place_.path.size();
  }
  void Save(spillway::LoopWriter& out) const {
    out.Put(dims_);
    out.Put(count_);
    out.Put(values_);
    out.Put(labels_);
    place_.Save(out);
  }
  void Load(spillway::LoopReader& in) {
    in.Get(dims_);
    in.Get(count_);
    in.Get(values_);
    in.Get(labels_);
    place_.Load(in);
  }

 private:
  /// The line's numbers, parted by blanks or tabs.
  void Read(std::string_view text) {
    numbers_.clear();
    const char* at = text.data();
    const char* const end = at + text.size();
    while (true) {
      while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) ++at;
      if (at == end) return;
      const char* const digits = *at == '+' ? at + 1 : at;
      float number = 0;
      const auto [after, error] = std::from_chars(digits, end, number);
      const bool whole = after == end || *after == ' ' || *after == '\t' || *after == '\r';
      if (error != std::errc() || !whole)
        throw spillway::BadRecord("'" + Word(at, end) + "' is no number of single precision");
      if (!std::isfinite(number))
        throw spillway::BadRecord("'" + Word(at, end) + "' is no finite number");
      numbers_.push_back(number);
      at = after;
    }
  }
  static std::string Word(const char* at, const char* end) {
    constexpr std::size_t kShownMax = 40;
    const std::string_view rest(at, static_cast<std::size_t>(end - at));
    return std::string(rest.substr(0, std::min(kShownMax, rest.find_first_of(" \t\r"))));
  }

  std::uint32_t dims_ = 0;
  std::uint32_t count_ = 0;
  std::vector<float> values_;
  std::vector<float> labels_;
  Place place_;
  std::vector<float> numbers_;  ///< Of the line being read.
};

/// What round 0 learns of all points: how many there are, and that they have the same dimensions.
struct Extent {
  std::uint64_t points = 0;
  std::uint32_t dims = 0;
  Place place;

  void Add(const PointBatch& batch) {
    Extent more;
    more.points = batch.count();
    more.dims = batch.dims();
    more.place = batch.place();
    Add(more);
  }
  void Add(const Extent& more) {
    if (more.points == 0) return;
    if (points == 0) {
      dims = more.dims;
      place = more.place;
    }
    if (dims != more.dims)
      throw spillway::BadRecord("the points at " + place.Text() + " have " + std::to_string(dims) +
                                " numbers and those at " + more.place.Text() + " have " +
                                std::to_string(more.dims));
    points += more.points;
  }
  void Save(spillway::LoopWriter& out) const {
    out.Put(points);
    out.Put(dims);
    place.Save(out);
  }
  void Load(spillway::LoopReader& in) {
    in.Get(points);
    in.Get(dims);
    place.Load(in);
  }
};

/// A job's argument `--name=NUMBER`. InvalidArgument: it is not one, or not above zero.
inline spillway::Status ReadOption(const spillway::Args& args, std::string_view name,
                                   double* value) {
  const auto text = args.Option(name);
  if (!text.has_value()) return spillway::OkStatus();
  const auto [after, error] = std::from_chars(text->data(), text->data() + text->size(), *value);
  if (error == std::errc() && after == text->data() + text->size() && *value >= 0 &&
      std::isfinite(*value))
    return spillway::OkStatus();
  return spillway::InvalidArgument("--" + std::string(name) + "=" + std::string(*text) +
                                   " is no number from 0 on");
}

}  // namespace points
