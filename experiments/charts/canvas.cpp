#include "experiments/charts/canvas.h"

#include <stb_image_write.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/file.h"
#include "experiments/charts/font.h"

namespace qlimit {
namespace {

constexpr int kMaxSide = 16384;
// Shades of an edge. The eye does not tell more of them apart, and files are a third smaller.
constexpr double kShades = 8;

// The part of a pixel that a shape takes when its edge passes at the signed distance d from the pixel's
// centre (negative inside): exact for an upright edge, within a few percent for a slanted one.
double coverage_at(double d) { return std::clamp(0.5 - d, 0.0, 1.0); }

double distance_to_segment(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double squared = dx * dx + dy * dy;
  const double t = squared > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / squared, 0.0, 1.0) : 0.0;
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

Box bounds_of(std::span<const Point> points, double margin) {
  Box box = {points[0].x, points[0].y, points[0].x, points[0].y};
  for (const Point& p : points) {
    box = {std::min(box.left, p.x), std::min(box.top, p.y), std::max(box.right, p.x),
           std::max(box.bottom, p.y)};
  }
  return box.expanded(margin);
}

// The pixels first..last-1 of `count` that [low, high] touches; safe for any numbers.
struct Range {
  int first, last;
};
Range pixel_range(double low, double high, int count) {
  if (!(low < high)) return {0, 0};
  return {static_cast<int>(std::floor(std::clamp(low, 0.0, double(count)))),
          static_cast<int>(std::ceil(std::clamp(high, 0.0, double(count))))};
}

const Font& font_of(const TextStyle& style) { return style.bold ? Font::bold() : Font::regular(); }

// The start of the baseline relative to the anchor, before a turn.
Point text_origin(std::string_view text, const TextStyle& style) {
  const Font& font = font_of(style);
  const Font::Extent extent = font.measure(text, style.size);
  const double x = style.horizontal == Align::kStart    ? 0
                   : style.horizontal == Align::kMiddle ? -extent.advance / 2
                                                        : -extent.advance;
  const double y = style.vertical == Align::kStart    ? extent.ascent
                   : style.vertical == Align::kMiddle ? font.cap_height(style.size) / 2
                                                      : 0;
  return {x, y};
}

}  // namespace

double Box::overlap(const Box& other) const {
  const double w = std::min(right, other.right) - std::max(left, other.left);
  const double h = std::min(bottom, other.bottom) - std::max(top, other.top);
  return w > 0 && h > 0 ? w * h : 0;
}

Canvas::Canvas(int width, int height, Color background) : width_(width), height_(height) {
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide) {
    throw Error(ErrorKind::kUsage, {.what = "cannot make a picture of this size",
                                    .expected = concat("1 to ", kMaxSide, " pixels a side"),
                                    .found = concat(width, " x ", height)});
  }
  pixels_.assign(static_cast<size_t>(width) * static_cast<size_t>(height),
                 {float(background.r), float(background.g), float(background.b)});
}

void Canvas::blend(int x, int y, Color color, double coverage) {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
  auto& pixel = pixels_[static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x)];
  const double weight = std::round(coverage * kShades) / kShades * color.a;
  pixel[0] += static_cast<float>(weight * (color.r - pixel[0]));
  pixel[1] += static_cast<float>(weight * (color.g - pixel[1]));
  pixel[2] += static_cast<float>(weight * (color.b - pixel[2]));
}

// Blends each pixel of `bounds` by coverage(its centre).
template <typename Coverage>
void Canvas::paint(const Box& bounds, Color color, const Coverage& coverage) {
  const Range rows = pixel_range(bounds.top, bounds.bottom, height_);
  const Range columns = pixel_range(bounds.left, bounds.right, width_);
  for (int y = rows.first; y < rows.last; ++y) {
    for (int x = columns.first; x < columns.last; ++x) {
      const double part = coverage(Point{x + 0.5, y + 0.5});
      if (part > 0) blend(x, y, color, part);
    }
  }
}

void Canvas::fill_rectangle(const Box& box, Color color) {
  const auto inside = [](double low, double high, double center) {
    return std::clamp(std::min(high, center + 0.5) - std::max(low, center - 0.5), 0.0, 1.0);
  };
  paint(box, color,
        [&](Point p) { return inside(box.left, box.right, p.x) * inside(box.top, box.bottom, p.y); });
}

void Canvas::line(Point from, Point to, double line_width, Color color) {
  const std::array<Point, 2> ends = {from, to};
  polyline(ends, line_width, color);
}

void Canvas::polyline(std::span<const Point> points, double line_width, Color color) {
  if (points.empty()) return;
  const double margin = line_width / 2 + 1;
  const Box bounds = bounds_of(points, margin);
  const Range rows = pixel_range(bounds.top, bounds.bottom, height_);
  const Range columns = pixel_range(bounds.left, bounds.right, width_);
  const int stride = columns.last - columns.first;
  std::vector<float> mask(static_cast<size_t>(stride) * static_cast<size_t>(rows.last - rows.first));
  for (size_t i = 0; i < std::max<size_t>(points.size() - 1, 1); ++i) {
    const std::array<Point, 2> ends = {points[i], points[std::min(i + 1, points.size() - 1)]};
    const Box box = bounds_of(ends, margin);
    const Range ys = pixel_range(box.top, box.bottom, height_), xs = pixel_range(box.left, box.right, width_);
    for (int y = ys.first; y < ys.last; ++y) {
      for (int x = xs.first; x < xs.last; ++x) {
        const double distance = distance_to_segment({x + 0.5, y + 0.5}, ends[0], ends[1]);
        // A line thinner than a pixel never covers one fully: its weight is its width.
        const double part = coverage_at(distance - line_width / 2) * std::min(1.0, line_width);
        float& cell = mask[static_cast<size_t>(y - rows.first) * static_cast<size_t>(stride) +
                           static_cast<size_t>(x - columns.first)];
        cell = std::max(cell, static_cast<float>(part));
      }
    }
  }
  for (size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] > 0) {
      blend(columns.first + static_cast<int>(i) % stride, rows.first + static_cast<int>(i) / stride, color,
            mask[i]);
    }
  }
}

void Canvas::dashed_polyline(std::span<const Point> points, double line_width, double dash, double gap,
                             Color color) {
  if (!(dash > 0 && gap >= 0)) {
    throw Error(ErrorKind::kUsage, {.what = "dashes need a length", .found = concat(dash, " and gap ", gap)});
  }
  double phase = 0;  // position within dash + gap
  std::vector<Point> stroke;
  const auto flush = [&] {
    if (stroke.size() > 1) polyline(stroke, line_width, color);
    stroke.clear();
  };
  for (size_t i = 0; i + 1 < points.size(); ++i) {
    const Point a = points[i], b = points[i + 1];
    const double length = std::hypot(b.x - a.x, b.y - a.y);
    const auto along = [&](double at) {
      return Point{a.x + (b.x - a.x) * at / length, a.y + (b.y - a.y) * at / length};
    };
    for (double at = 0; at < length;) {
      const bool inked = phase < dash;
      const double step = std::min((inked ? dash : dash + gap) - phase, length - at);
      if (inked && stroke.empty()) stroke.push_back(along(at));
      at += step;
      phase += step;
      if (inked) stroke.push_back(along(at));
      if (inked && phase >= dash) flush();
      if (phase >= dash + gap) phase = 0;
    }
  }
  flush();
}

void Canvas::disc(Point center, double radius, Color color) {
  const std::array<Point, 1> middle = {center};
  paint(bounds_of(middle, radius + 1), color,
        [&](Point p) { return coverage_at(std::hypot(p.x - center.x, p.y - center.y) - radius); });
}

void Canvas::ring(Point center, double radius, double line_width, Color color) {
  const std::array<Point, 1> middle = {center};
  paint(bounds_of(middle, radius + line_width / 2 + 1), color, [&](Point p) {
    return coverage_at(std::abs(std::hypot(p.x - center.x, p.y - center.y) - radius) - line_width / 2);
  });
}

void Canvas::convex_polygon(std::span<const Point> points, Color color) {
  if (points.size() < 3) {
    throw Error(ErrorKind::kUsage, {.what = "a polygon needs three points", .found = concat(points.size())});
  }
  double twice_area = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    const Point a = points[i], b = points[(i + 1) % points.size()];
    twice_area += a.x * b.y - b.x * a.y;
  }
  const double turn = twice_area > 0 ? 1 : -1;
  paint(bounds_of(points, 1), color, [&](Point p) {
    double outermost = -1e300;  // the largest signed distance to a side's line
    for (size_t i = 0; i < points.size(); ++i) {
      const Point a = points[i], b = points[(i + 1) % points.size()];
      const double dx = b.x - a.x, dy = b.y - a.y, length = std::hypot(dx, dy);
      if (length > 0) outermost = std::max(outermost, turn * ((p.x - a.x) * dy - (p.y - a.y) * dx) / length);
    }
    return coverage_at(outermost);
  });
}

void Canvas::arrow(Point from, Point to, double line_width, Color color) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  if (!(length > 0)) return;
  const double ux = (to.x - from.x) / length, uy = (to.y - from.y) / length;
  const double head = std::min(4.5 * line_width, length), half = head * 0.45;
  const Point neck = {to.x - ux * head, to.y - uy * head};
  // The shaft ends inside the head, so that its round end does not show and no gap opens.
  if (length > head) line(from, {neck.x + ux * head * 0.2, neck.y + uy * head * 0.2}, line_width, color);
  const std::array<Point, 3> triangle = {to, Point{neck.x - uy * half, neck.y + ux * half},
                                         Point{neck.x + uy * half, neck.y - ux * half}};
  convex_polygon(triangle, color);
}

void Canvas::text(Point anchor, std::string_view text, const TextStyle& style) {
  const Point origin = text_origin(text, style);
  // In the text's own axes: u along the line, v down from the baseline. The origin falls on a corner of pixels,
  // which keeps horizontal strokes sharp, and the same words the same.
  const auto whole = [](double at) { return static_cast<int>(std::lround(at)); };
  const int first = whole(style.upwards ? -anchor.y + origin.x : anchor.x + origin.x);
  const int baseline = whole(style.upwards ? anchor.x + origin.y : anchor.y + origin.y);
  font_of(style).draw(text, style.size, [&](int u, int v, double coverage) {
    if (style.upwards) {
      blend(baseline + v, -(first + u) - 1, style.color, coverage);
    } else {
      blend(first + u, baseline + v, style.color, coverage);
    }
  });
}

Box Canvas::text_box(Point anchor, std::string_view text, const TextStyle& style) {
  const Point origin = text_origin(text, style);
  const Font::Extent extent = font_of(style).measure(text, style.size);
  const double left = std::floor(origin.x + extent.left), right = std::ceil(origin.x + extent.right);
  const double top = std::floor(origin.y - extent.ascent), bottom = std::ceil(origin.y + extent.descent);
  if (style.upwards) return {anchor.x + top, anchor.y - right, anchor.x + bottom, anchor.y - left};
  return {anchor.x + left, anchor.y + top, anchor.x + right, anchor.y + bottom};
}

std::array<uint8_t, 3> Canvas::pixel(int x, int y) const {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) {
    throw Error(ErrorKind::kUsage, {.what = "pixel outside of the picture",
                                    .expected = concat("within ", width_, " x ", height_),
                                    .found = concat("(", x, ", ", y, ")")});
  }
  const auto& value = pixels_[static_cast<size_t>(y) * static_cast<size_t>(width_) + static_cast<size_t>(x)];
  const auto byte = [](float v) {
    return static_cast<uint8_t>(std::lround(std::clamp(v, 0.0f, 1.0f) * 255));
  };
  return {byte(value[0]), byte(value[1]), byte(value[2])};
}

std::vector<uint8_t> Canvas::pixels() const {
  std::vector<uint8_t> bytes;
  bytes.reserve(pixels_.size() * 3);
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) {
      const std::array<uint8_t, 3> value = pixel(x, y);
      bytes.insert(bytes.end(), value.begin(), value.end());
    }
  }
  return bytes;
}

std::vector<uint8_t> Canvas::png() const {
  const std::vector<uint8_t> bytes = pixels();
  std::vector<uint8_t> file;
  stbi_write_force_png_filter = 0;  // none: smallest for even areas; the other filters are for photographs
  const auto append = [](void* context, void* data, int size) {
    const auto* first = static_cast<const uint8_t*>(data);
    static_cast<std::vector<uint8_t>*>(context)->insert(static_cast<std::vector<uint8_t>*>(context)->end(),
                                                        first, first + size);
  };
  if (stbi_write_png_to_func(append, &file, width_, height_, 3, bytes.data(), width_ * 3) == 0) {
    throw std::bad_alloc();
  }
  return file;
}

void Canvas::write_png(const std::filesystem::path& path) const { write_file(path, png()); }

}  // namespace qlimit
