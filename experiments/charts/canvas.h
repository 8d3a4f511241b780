// A picture in memory: shapes and text with smooth edges, saved as PNG. What it is not: a graphics library;
// it has what the charts of this folder need.
//
//   Canvas canvas(400, 300);
//   canvas.line({20, 280}, {380, 20}, 3, kBlue);
//   canvas.text({200, 150}, "73.8 %", {.size = 24, .horizontal = Align::kMiddle});
//   canvas.write_png("picture.png");
//
// Coordinates are in pixels from the upper left corner; pixel (0, 0) covers [0,1) x [0,1). Every shape is
// drawn by its coverage: the fraction of a pixel's area that the shape takes (exact for rectangles and text,
// by the distance to the edge for the others) is the weight of its colour there. What lies outside the
// picture is cut off.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "experiments/charts/palette.h"

namespace qlimit {

struct Point {
  double x = 0, y = 0;
};

/// An upright rectangle; right >= left, bottom >= top.
struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;

  double width() const { return right - left; }
  double height() const { return bottom - top; }
  Point center() const { return {(left + right) / 2, (top + bottom) / 2}; }
  Box expanded(double margin) const { return {left - margin, top - margin, right + margin, bottom + margin}; }
  Box moved(double dx, double dy) const { return {left + dx, top + dy, right + dx, bottom + dy}; }
  bool contains(const Box& other) const {
    return left <= other.left && top <= other.top && right >= other.right && bottom >= other.bottom;
  }
  /// The common area in square pixels; 0 when they only touch.
  double overlap(const Box& other) const;
};

/// Where the anchor lies on a text: kStart is its left end or its top, kEnd its right end or its baseline.
enum class Align { kStart, kMiddle, kEnd };

struct TextStyle {
  double size = 24;  // pixels per em
  Color color = kInk;
  bool bold = false;
  Align horizontal = Align::kStart;
  Align vertical = Align::kMiddle;
  bool upwards =
      false;  // turned by 90 degrees, read from below; alignment refers to the text before the turn
};

class Canvas {
 public:
  /// Throws kUsage unless both sides are 1..16384.
  Canvas(int width, int height, Color background = kWhite);

  int width() const { return width_; }
  int height() const { return height_; }

  void fill_rectangle(const Box& box, Color color);
  void line(Point from, Point to, double line_width, Color color);
  /// Lines through the points, with round ends and joints; each pixel is coloured once, so that a translucent
  /// colour shows no knots.
  void polyline(std::span<const Point> points, double line_width, Color color);
  /// A polyline of dashes; the pattern runs on around the corners.
  void dashed_polyline(std::span<const Point> points, double line_width, double dash, double gap,
                       Color color);
  void disc(Point center, double radius, Color color);
  /// The line of a circle, half inside and half outside of the radius.
  void ring(Point center, double radius, double line_width, Color color);
  /// A filled convex polygon of at least three points, in either direction of turn.
  void convex_polygon(std::span<const Point> points, Color color);
  /// A line whose tip is exactly at `to`, with a filled head of 4.5 line widths (less if the arrow is
  /// shorter).
  void arrow(Point from, Point to, double line_width, Color color);

  /// Draws a line of UTF-8 text.
  void text(Point anchor, std::string_view text, const TextStyle& style);
  /// The box that holds all ink of `text` drawn so, from the top to the bottom of the font's letters.
  static Box text_box(Point anchor, std::string_view text, const TextStyle& style);

  /// Red, green, blue of a pixel, rounded. Throws kUsage outside of the picture.
  std::array<uint8_t, 3> pixel(int x, int y) const;
  /// All pixels, row by row: height x width x 3 bytes.
  std::vector<uint8_t> pixels() const;
  std::vector<uint8_t> png() const;
  /// Writes the PNG as a whole or not at all; throws kIo.
  void write_png(const std::filesystem::path& path) const;

 private:
  template <typename Coverage>
  void paint(const Box& bounds, Color color, const Coverage& coverage);
  void blend(int x, int y, Color color, double coverage);

  int width_, height_;
  std::vector<std::array<float, 3>> pixels_;
};

}  // namespace qlimit
