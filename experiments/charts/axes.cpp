#include "experiments/charts/axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"

namespace qlimit {
namespace {

void check_range(double low, double high, Spacing spacing) {
  if (low < high && std::isfinite(high - low) && (spacing == Spacing::kLinear || low > 0)) return;
  throw Error(ErrorKind::kUsage,
              {.what = "an axis cannot show this range",
               .expected = spacing == Spacing::kLinear ? "finite low < high" : "finite 0 < low < high",
               .found = concat("[", low, ", ", high, "]")});
}

constexpr double kLabelGap = 8;  // pixels between labels side by side

// A bound may miss a tick by the rounding of its own computation.
constexpr double kSlack = 1e-9;

std::vector<double> multiples(double step, double low, double high) {
  std::vector<double> ticks;
  const double first = std::ceil(low / step - kSlack);
  const double count = std::floor(high / step + kSlack) - first + 1;
  for (int i = 0; i < count; ++i) ticks.push_back(first + i == 0 ? 0 : (first + i) * step);
  return ticks;
}

std::vector<double> decade_ticks(double low, double high, std::initializer_list<double> factors) {
  std::vector<double> ticks;
  for (double power = std::floor(std::log10(low)); power <= std::ceil(std::log10(high)); ++power) {
    for (const double factor : factors) {
      const double value = factor * std::pow(10, power);
      if (value >= low * (1 - kSlack) && value <= high * (1 + kSlack)) ticks.push_back(value);
    }
  }
  return ticks;
}

// The fewest decimals that print the value to nine digits.
int decimals_of(double value) {
  for (int decimals = 0; decimals < 9; ++decimals) {
    const double shifted = value * std::pow(10, decimals);
    if (std::abs(shifted - std::round(shifted)) <= 1e-9 * std::max(1.0, std::abs(shifted))) return decimals;
  }
  return 9;
}

}  // namespace

AxisScale::AxisScale(double low, double high, double at_low, double at_high, Spacing spacing)
    : low_(low), high_(high), at_low_(at_low), at_high_(at_high), spacing_(spacing) {
  check_range(low, high, spacing);
}

double AxisScale::operator()(double value) const {
  const double t = spacing_ == Spacing::kLinear ? (value - low_) / (high_ - low_)
                                                : std::log(value / low_) / std::log(high_ / low_);
  return at_low_ + t * (at_high_ - at_low_);
}

std::vector<double> linear_ticks(double low, double high, int max_count) {
  check_range(low, high, Spacing::kLinear);
  const int count = std::max(max_count, 2);
  for (double power = std::floor(std::log10((high - low) / count));; ++power) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      std::vector<double> ticks = multiples(factor * std::pow(10, power), low, high);
      if (ticks.size() <= static_cast<size_t>(count)) return ticks;
    }
  }
}

std::vector<double> log_ticks(double low, double high, int max_count) {
  check_range(low, high, Spacing::kLogarithmic);
  const std::vector<double> ticks = decade_ticks(low, high, {1, 2, 5});
  if (ticks.size() < 3) return linear_ticks(low, high, 6);  // less than a decade: no need for powers
  return ticks.size() <= static_cast<size_t>(max_count) ? ticks : decade_ticks(low, high, {1});
}

std::string tick_label(double value, const std::vector<double>& ticks) {
  int decimals = 0;
  for (const double tick : ticks) decimals = std::max(decimals, decimals_of(tick));
  if (decimals > 6 || std::abs(value) >= 1e7) return fmt::format("{:g}", value);
  return fmt::format("{:.{}f}", value, decimals);
}

ValueRange widened(double low, double high, double margin, double min_span) {
  const double half = std::max((high - low) * (0.5 + margin), min_span / 2);
  const double middle = (low + high) / 2;
  return {middle - half, middle + half};
}

void draw_axes(Canvas& canvas, const Box& plot, const Axis& x, const Axis& y) {
  const auto label = [](const Axis& axis, double tick) {
    return tick_label(tick, axis.own_decimals ? std::vector<double>{tick} : axis.ticks);
  };
  for (const double tick : y.ticks) {
    const double at = y.scale(tick);
    canvas.line({plot.left, at}, {plot.right, at}, 1.5, kGrid);
    if (!y.labels) continue;
    canvas.text({plot.left - 12, at}, label(y, tick),
                {.size = kTickSize, .color = kQuietInk, .horizontal = Align::kEnd});
  }
  const TextStyle below = {
      .size = kTickSize, .color = kQuietInk, .horizontal = Align::kMiddle, .vertical = Align::kStart};
  double taken = 0;  // by the label before
  for (const double tick : x.ticks) {
    const double at = x.scale(tick);
    canvas.line({at, plot.top}, {at, plot.bottom}, 1.5, kGrid);
    if (!x.labels) continue;
    canvas.line({at, plot.bottom}, {at, plot.bottom + 6}, 2, kAxis);
    const Point anchor = {at, plot.bottom + 12};
    const Box box = Canvas::text_box(anchor, label(x, tick), below);
    if (box.left < taken) continue;
    taken = box.right + kLabelGap;
    canvas.text(anchor, label(x, tick), below);
  }
  canvas.line({plot.left, plot.bottom}, {plot.right, plot.bottom}, 2, kAxis);
  canvas.text({plot.center().x, plot.bottom + 44}, x.title,
              {.size = kLabelSize, .color = kInk, .horizontal = Align::kMiddle, .vertical = Align::kStart});
  canvas.text({plot.left, plot.top - 16}, y.title,
              {.size = kHeadingSize, .bold = true, .vertical = Align::kEnd});
}

std::vector<double> spread(std::vector<double> centers, double height, double low, double high) {
  std::vector<size_t> order(centers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return centers[a] < centers[b]; });
  // Groups of touching intervals, each centred on the mean of its members' wishes; neighbours that collide
  // merge.
  struct Group {
    double sum;
    size_t count;
    double middle;
  };
  std::vector<Group> groups;
  const auto place = [&](Group& group) {
    const double half = height * static_cast<double>(group.count) / 2;
    group.middle = std::max(std::min(group.sum / static_cast<double>(group.count), high - half), low + half);
  };
  for (const size_t index : order) {
    groups.push_back({centers[index], 1, 0});
    place(groups.back());
    while (groups.size() > 1) {
      Group& last = groups.back();
      Group& previous = groups[groups.size() - 2];
      const double room = height * static_cast<double>(last.count + previous.count) / 2;
      if (last.middle - previous.middle >= room - kSlack) break;
      previous.sum += last.sum;
      previous.count += last.count;
      groups.pop_back();
      place(groups.back());
    }
  }
  size_t position = 0;
  for (const Group& group : groups) {
    for (size_t k = 0; k < group.count; ++k, ++position) {
      centers[order[position]] =
          group.middle + (static_cast<double>(k) - static_cast<double>(group.count - 1) / 2) * height;
    }
  }
  return centers;
}

}  // namespace qlimit
