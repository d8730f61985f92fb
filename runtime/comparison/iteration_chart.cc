#include "runtime/comparison/iteration_chart.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <vector>

#include "runtime/comparison/figure_text.h"
#include "runtime/comparison/value_scale.h"

namespace spillway {
namespace {

// All in pixels.
constexpr double kWidth = 760, kHeight = 300;
constexpr double kLeft = 74, kRight = 20, kTop = 54, kBottom = 46;
constexpr double kPlotWidth = kWidth - kLeft - kRight, kPlotHeight = kHeight - kTop - kBottom;
constexpr std::size_t kMarkersMax = 60, kLabelsMax = 20;

/// A mode's looks: colours that the colour-blind can tell apart, and shapes as well.
struct Looks {
  const char* colour;
  bool square;
};
constexpr Looks kMemoryLooks = {"#0072b2", false};
constexpr Looks kDiskLooks = {"#d55e00", true};

std::string Pixels(double pixels) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", pixels);
  return text;
}

std::string Text(double x, double y, const std::string& anchor, const std::string& text,
                 const std::string& more = "") {
  return "<text x=\"" + Pixels(x) + "\" y=\"" + Pixels(y) + "\" text-anchor=\"" + anchor + "\"" +
         more + ">" + EscapeMarkup(text) + "</text>\n";
}

std::string Line(double x1, double y1, double x2, double y2, const char* colour) {
  return "<line x1=\"" + Pixels(x1) + "\" y1=\"" + Pixels(y1) + "\" x2=\"" + Pixels(x2) +
         "\" y2=\"" + Pixels(y2) + "\" stroke=\"" + colour + "\"/>\n";
}

std::string Marker(double x, double y, const Looks& looks) {
  const std::string fill = std::string("\" fill=\"") + looks.colour + "\"/>\n";
  if (looks.square)
    return "<rect x=\"" + Pixels(x - 3.5) + "\" y=\"" + Pixels(y - 3.5) +
           "\" width=\"7\" height=\"7" + fill;
  return "<circle cx=\"" + Pixels(x) + "\" cy=\"" + Pixels(y) + "\" r=\"4" + fill;
}

/// The first iteration and the later ones; a time of nothing is one that is not known.
std::vector<double> TimesOf(const ModeFigures& figures) {
  std::vector<double> times;
  if (!figures.ran()) return times;
  times.push_back(figures.start_seconds);
  times.insert(times.end(), figures.iteration_seconds.begin(), figures.iteration_seconds.end());
  return times;
}

/// What stands on the vertical axis.
std::vector<double> KnownTimes(const std::vector<double>& memory, const std::vector<double>& disk) {
  std::vector<double> known;
  for (const auto* times : {&memory, &disk})
    std::copy_if(times->begin(), times->end(), std::back_inserter(known),
                 [](double time) { return time > 0; });
  return known;
}

class Chart {
 public:
  Chart(const LoopComparison& loop, std::vector<double> memory, std::vector<double> disk)
      : loop_(loop),
        memory_(std::move(memory)),
        disk_(std::move(disk)),
        columns_(std::max(memory_.size(), disk_.size())),
        scale_(KnownTimes(memory_, disk_)) {}

  std::string Draw() const {
    return Headings() + Values() + Iterations() + Series(memory_, kMemoryLooks) +
           Series(disk_, kDiskLooks);
  }

 private:
  double X(std::size_t column) const {
    return kLeft + kPlotWidth * (static_cast<double>(column) + 0.5) / static_cast<double>(columns_);
  }
  double Y(double value) const { return kTop + kPlotHeight * (1 - scale_.PlaceOf(value)); }

  /// The title, and the legend with the ratio of later iterations.
  std::string Headings() const {
    std::string out = Text(kLeft, 18, "start", loop_.name + ": " + loop_.input,
                           " font-size=\"14\" font-weight=\"bold\"");
    double x = kLeft;
    const auto entry = [&](const ModeFigures& mode, const Looks& looks) {
      if (!mode.ran()) return;
      out += Marker(x + 5, 36, looks) + Text(x + 14, 40, "start", mode.mode + " mode");
      x += 120;
    };
    entry(loop_.memory, kMemoryLooks);
    entry(loop_.disk, kDiskLooks);
    if (loop_.later_ratio().has_value())
      out += Text(kWidth - kRight, 40, "end",
                  "disk / memory: first " + FormatRatio(loop_.first_ratio()) + ", later " +
                      FormatRatio(loop_.later_ratio()));
    return out;
  }

  std::string Values() const {
    std::string out;
    for (const double mark : scale_.marks()) {
      const double y = Y(mark);
      out += Line(kLeft, y, kWidth - kRight, y, "#dddddd");
      out += Text(kLeft - 8, y + 4, "end", mark == 0 ? "0" : FormatSeconds(mark));
    }
    const double middle = kTop + kPlotHeight / 2;
    const std::string turned = " transform=\"rotate(-90 14 " + Pixels(middle) + ")\"";
    return out +
           Text(14, middle, "middle", scale_.logarithmic() ? "time (log scale)" : "time", turned);
  }

  std::string Iterations() const {
    const double bottom = kTop + kPlotHeight;
    std::string out = Line(kLeft, bottom, kWidth - kRight, bottom, "#333333");
    const std::size_t step = columns_ / kLabelsMax + 1;
    for (std::size_t i = 0; i < columns_; i += step)
      out += Text(X(i), bottom + 18, "middle", i == 0 ? "first" : std::to_string(i));
    return out + Text(kLeft + kPlotWidth / 2, kHeight - 8, "middle", "iteration");
  }

  std::string Series(const std::vector<double>& times, const Looks& looks) const {
    std::string points, markers;
    for (std::size_t i = 0; i < times.size(); ++i) {
      if (times[i] <= 0) continue;
      points += (points.empty() ? "" : " ") + Pixels(X(i)) + "," + Pixels(Y(times[i]));
      if (times.size() <= kMarkersMax) markers += Marker(X(i), Y(times[i]), looks);
    }
    if (points.empty()) return {};
    return std::string("<polyline fill=\"none\" stroke-width=\"2\" stroke=\"") + looks.colour +
           "\" points=\"" + points + "\"/>\n" + markers;
  }

  const LoopComparison& loop_;
  const std::vector<double> memory_, disk_;
  const std::size_t columns_;
  const ValueScale scale_;
};

/// `place` are further attributes of the element.
std::string Draw(const LoopComparison& loop, const std::string& place) {
  std::vector<double> memory = TimesOf(loop.memory), disk = TimesOf(loop.disk);
  if (KnownTimes(memory, disk).empty()) return {};
  const std::string width = Pixels(kWidth), height = Pixels(kHeight);
  return "<svg" + place + " width=\"" + width + "\" height=\"" + height + "\" viewBox=\"0 0 " +
         width + " " + height +
         "\" role=\"img\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222222\">\n<title>" +
         EscapeMarkup(LoopTitle(loop)) + "</title>\n" +
         "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n" +
         Chart(loop, std::move(memory), std::move(disk)).Draw() + "</svg>\n";
}

}  // namespace

std::string IterationChart(const LoopComparison& loop) { return Draw(loop, ""); }

std::string ChartFile(const ComparisonReport& report) {
  std::string charts;
  double y = 0;
  for (const LoopComparison& loop : report.loops) {
    const std::string chart = Draw(loop, " y=\"" + Pixels(y) + "\"");
    if (!chart.empty()) y += kHeight;
    charts += chart;
  }
  const std::string width = Pixels(kWidth), height = Pixels(std::max(y, 1.0));
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height +
         "\" viewBox=\"0 0 " + width + " " + height + "\">\n" + charts + "</svg>\n";
}

std::string EscapeMarkup(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

}  // namespace spillway
