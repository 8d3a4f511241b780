#include "experiments/charts/font.h"

#include <stb_truetype.h>

#include <algorithm>
#include <cmath>

namespace qlimit {

extern const unsigned char kFontRegular[];  // written by embed_font.cmake
extern const unsigned char kFontBold[];

namespace {

// Decodes the character that starts at text[i] and moves i behind it; malformed bytes give U+FFFD, one each.
int next_character(std::string_view text, size_t& i) {
  constexpr int kReplacement = 0xFFFD;
  const auto first = static_cast<unsigned char>(text[i++]);
  if (first < 0x80) return first;
  const int following = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
  if (following == 0 || i + static_cast<size_t>(following) > text.size()) return kReplacement;
  int code = first & (0x3F >> following);
  for (int k = 0; k < following; ++k) {
    const auto byte = static_cast<unsigned char>(text[i + static_cast<size_t>(k)]);
    if ((byte & 0xC0) != 0x80) return kReplacement;
    code = code << 6 | (byte & 0x3F);
  }
  i += static_cast<size_t>(following);
  return code;
}

}  // namespace

struct Font::Face {
  stbtt_fontinfo info;
};

Font::Font(const unsigned char* file) : face_(std::make_unique<Face>()) {
  stbtt_InitFont(&face_->info, file, stbtt_GetFontOffsetForIndex(file, 0));
}

Font::~Font() = default;

const Font& Font::regular() {
  static const Font font(kFontRegular);
  return font;
}

const Font& Font::bold() {
  static const Font font(kFontBold);
  return font;
}

double Font::pixels_per_unit(double size) const {
  return stbtt_ScaleForMappingEmToPixels(&face_->info, static_cast<float>(size));
}

std::vector<Font::Glyph> Font::layout(std::string_view text, double size, double* advance) const {
  const double scale = pixels_per_unit(size);
  std::vector<Glyph> glyphs;
  double x = 0;
  for (size_t i = 0; i < text.size();) {
    const int index = stbtt_FindGlyphIndex(&face_->info, next_character(text, i));
    if (!glyphs.empty()) x += scale * stbtt_GetGlyphKernAdvance(&face_->info, glyphs.back().index, index);
    glyphs.push_back({index, x});
    int width = 0, bearing = 0;
    stbtt_GetGlyphHMetrics(&face_->info, index, &width, &bearing);
    x += scale * width;
  }
  *advance = x;
  return glyphs;
}

Font::Extent Font::measure(std::string_view text, double size) const {
  const double scale = pixels_per_unit(size);
  Extent extent;
  const std::vector<Glyph> glyphs = layout(text, size, &extent.advance);
  extent.right = extent.advance;
  for (const Glyph& glyph : glyphs) {
    int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
    if (!stbtt_GetGlyphBox(&face_->info, glyph.index, &x0, &y0, &x1, &y1)) continue;  // a space
    extent.left = std::min(extent.left, glyph.x + scale * x0);
    extent.right = std::max(extent.right, glyph.x + scale * x1);
  }
  int ascent = 0, descent = 0, gap = 0;
  stbtt_GetFontVMetrics(&face_->info, &ascent, &descent, &gap);
  extent.ascent = scale * ascent;
  extent.descent = -scale * descent;
  return extent;
}

double Font::cap_height(double size) const {
  int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  stbtt_GetCodepointBox(&face_->info, 'H', &x0, &y0, &x1, &y1);
  return pixels_per_unit(size) * y1;
}

void Font::draw(std::string_view text, double size, const std::function<void(int, int, double)>& ink) const {
  // Letters stand at quarters of a pixel: no eye tells, and the same letter has the same few pictures, which
  // packs better.
  constexpr double kPlaces = 4;
  const auto scale = static_cast<float>(pixels_per_unit(size));
  double advance = 0;
  for (const Glyph& glyph : layout(text, size, &advance)) {
    const double x = std::round(glyph.x * kPlaces) / kPlaces;
    int width = 0, height = 0, left = 0, top = 0;
    const std::unique_ptr<unsigned char, void (*)(unsigned char*)> bitmap(
        stbtt_GetGlyphBitmapSubpixel(&face_->info, scale, scale, static_cast<float>(x - std::floor(x)), 0,
                                     glyph.index, &width, &height, &left, &top),
        [](unsigned char* bytes) { stbtt_FreeBitmap(bytes, nullptr); });
    if (!bitmap) continue;
    left += static_cast<int>(std::floor(x));
    for (int row = 0; row < height; ++row) {
      for (int column = 0; column < width; ++column) {
        const int coverage = bitmap.get()[row * width + column];
        if (coverage > 0) ink(left + column, top + row, coverage / 255.0);
      }
    }
  }
}

}  // namespace qlimit
