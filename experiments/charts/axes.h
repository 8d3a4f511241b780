// From numbers to places on a picture: scales, ticks at round values, and the frame of a plot.
//
//   const AxisScale x(1, 40, plot.left, plot.right), y(0, 100, plot.bottom, plot.top);
//   draw_axes(canvas, plot, {.scale = x, .ticks = linear_ticks(1, 40, 8), .title = "epoch"}, {...});
//   canvas.disc({x(12), y(73.8)}, 6, kBlue);
#pragma once

#include <string>
#include <vector>

#include "experiments/charts/canvas.h"

namespace qlimit {

enum class Spacing { kLinear, kLogarithmic };

/// Maps values [low, high] to pixels [at_low, at_high] (at_high may be the smaller one).
class AxisScale {
 public:
  /// Throws kUsage unless low < high and both are finite, and positive for a logarithmic scale.
  AxisScale(double low, double high, double at_low, double at_high, Spacing spacing = Spacing::kLinear);

  double low() const { return low_; }
  double high() const { return high_; }
  /// The pixel of a value; values outside of the range lie outside of [at_low, at_high].
  double operator()(double value) const;

 private:
  double low_, high_, at_low_, at_high_;
  Spacing spacing_;
};

/// The multiples of 1, 2 or 5 times a power of ten within [low, high]: the smallest such step that gives at
/// most `max_count` (at least 2) of them.
std::vector<double> linear_ticks(double low, double high, int max_count);

/// Values 1, 2, 5 times powers of ten within [low, high], 0 < low < high; powers of ten alone where those
/// would be more than `max_count`; evenly spaced values as linear_ticks where they would be less than three.
std::vector<double> log_ticks(double low, double high, int max_count);

/// One tick's label, with just the decimals that tell all of `ticks` apart: {0.5, 1} -> "0.5", "1.0". Very
/// long ones are written as powers: "1e+07".
std::string tick_label(double value, const std::vector<double>& ticks);

/// The values of [low, high] widened by `margin` of their span to each side; a span of at least `min_span`
/// around their middle, so that equal values still make an axis.
struct ValueRange {
  double low, high;
};
ValueRange widened(double low, double high, double margin, double min_span);

struct Axis {
  AxisScale scale;
  std::vector<double> ticks;
  std::string title = {};
  bool labels = true;
  bool own_decimals = false;  // label each tick on its own (logarithmic axes: 0.5, 1, 2) instead of all alike
};

/// Sizes of letters, in pixels per em, for pictures of about 1600 pixels across.
inline constexpr double kTitleSize = 34;
inline constexpr double kHeadingSize = 27;
inline constexpr double kLabelSize = 23;
inline constexpr double kTickSize = 21;

/// Draws the grid lines, the axis lines, ticks' labels and titles around `plot`. The y title stands level
/// above the plot's left edge, where it needs no turning of the head. Labels below that would touch the one
/// before are left out.
void draw_axes(Canvas& canvas, const Box& plot, const Axis& x, const Axis& y);

/// Moves the centres of intervals of `height` apart as little as possible (in the sense of the largest move
/// within each group), keeping their order and [low, high] where there is room. Used for labels at the ends
/// of curves.
std::vector<double> spread(std::vector<double> centers, double height, double low, double high);

}  // namespace qlimit
