// The colours of all charts. The hues are Okabe and Ito's (2008, "Color Universal Design"), which stay
// distinct under the common kinds of colour blindness.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace qlimit {

/// Red, green, blue and opacity in [0, 1]; the first three are sRGB values as they stand in the file.
struct Color {
  double r = 0, g = 0, b = 0, a = 1;
};

/// 0xRRGGBB as a colour.
constexpr Color rgb(uint32_t hex, double opacity = 1) {
  return {((hex >> 16) & 255) / 255.0, ((hex >> 8) & 255) / 255.0, (hex & 255) / 255.0, opacity};
}

/// The mixture (1-t) a + t b.
constexpr Color mix(Color a, Color b, double t) {
  return {a.r + t * (b.r - a.r), a.g + t * (b.g - a.g), a.b + t * (b.b - a.b), a.a + t * (b.a - a.a)};
}

/// Whether text on it should be white.
constexpr bool is_dark(Color color) { return 0.30 * color.r + 0.59 * color.g + 0.11 * color.b < 0.56; }

inline constexpr Color kWhite = rgb(0xFFFFFF);
inline constexpr Color kInk = rgb(0x222222);       // text
inline constexpr Color kQuietInk = rgb(0x5F6368);  // secondary text, tick labels
inline constexpr Color kAxis = rgb(0x9AA0A6);
inline constexpr Color kGrid = rgb(0xE4E7EA);
inline constexpr Color kShade = rgb(0xF4F5F7);

inline constexpr Color kBlue = rgb(0x0072B2);
inline constexpr Color kVermilion = rgb(0xD55E00);
inline constexpr Color kGreen = rgb(0x009E73);
inline constexpr Color kPurple = rgb(0xB05A8C);  // a little darker than the original CC79A7: it carries text
inline constexpr Color kSky = rgb(0x3A93C8);     // likewise 56B4E9
inline constexpr Color kOrange = rgb(0xB87A00);  // likewise E69F00

/// The colour of the index-th series; repeats after six.
constexpr Color series_color(size_t index) {
  constexpr std::array<Color, 6> kSeries = {kBlue, kVermilion, kGreen, kPurple, kSky, kOrange};
  return kSeries[index % kSeries.size()];
}

}  // namespace qlimit
