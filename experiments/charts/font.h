// DejaVu Sans, regular and bold, embedded in the program: text looks the same on every machine and needs no
// file. Left to right only, one line at a time; characters outside the subset (fonts/make_subset.py) show as
// a box.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace qlimit {

class Font {
 public:
  static const Font& regular();
  static const Font& bold();

  /// What a line of text takes, in pixels, relative to its origin on the baseline (y grows downwards). `left`
  /// and `right` hold all ink and the advance width.
  struct Extent {
    double left = 0, right = 0, ascent = 0, descent = 0;
    double advance = 0;
  };
  /// Measures UTF-8 text at `size` pixels per em.
  Extent measure(std::string_view text, double size) const;

  /// The height of a capital letter: what "vertically centred" refers to.
  double cap_height(double size) const;

  /// Calls `ink(x, y, coverage)` for each pixel that the text touches, relative to its origin on the baseline;
  /// coverage is in (0, 1].
  void draw(std::string_view text, double size, const std::function<void(int, int, double)>& ink) const;

 private:
  explicit Font(const unsigned char* file);
  ~Font();
  struct Face;
  struct Glyph {
    int index;
    double x;  // of its origin, in pixels
  };
  std::vector<Glyph> layout(std::string_view text, double size, double* advance) const;
  double pixels_per_unit(double size) const;

  std::unique_ptr<Face> face_;
};

}  // namespace qlimit
