#include "experiments/charts/canvas.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numbers>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "tests/experiments/charts/png_decoder.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

using Rgb = std::array<uint8_t, 3>;
constexpr Color kBlack = rgb(0x000000);

// The area that black shapes cover on a white canvas, in pixels.
double ink(const Canvas& canvas) {
  double sum = 0;
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) sum += (255 - canvas.pixel(x, y)[0]) / 255.0;
  }
  return sum;
}

// The smallest box around all pixels that are not white; empty (0 wide) if there are none.
Box ink_box(const Canvas& canvas) {
  Box box = {1e9, 1e9, -1e9, -1e9};
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) {
      if (canvas.pixel(x, y) == Rgb{255, 255, 255}) continue;
      box = {std::min(box.left, double(x)), std::min(box.top, double(y)), std::max(box.right, x + 1.0),
             std::max(box.bottom, y + 1.0)};
    }
  }
  return box.left > box.right ? Box{} : box;
}

TEST(Canvas, StartsInItsBackgroundColor) {
  const Canvas canvas(3, 2, rgb(0x0072B2));
  EXPECT_EQ(canvas.pixel(2, 1), (Rgb{0x00, 0x72, 0xB2}));
  EXPECT_EQ(canvas.pixels().size(), 18u);
}

TEST(Canvas, RefusesImpossibleSizesAndPixelsOutside) {
  expect_error([] { Canvas(0, 5); }, ErrorKind::kUsage, {"picture of this size", "0 x 5"});
  expect_error([] { Canvas(5, -1); }, ErrorKind::kUsage, {"picture of this size", "5 x -1"});
  expect_error([] { Canvas(20000, 5); }, ErrorKind::kUsage, {"picture of this size", "20000 x 5"});
  const Canvas canvas(4, 4);
  expect_error([&] { canvas.pixel(4, 0); }, ErrorKind::kUsage, {"outside of the picture", "(4, 0)"});
  expect_error([&] { canvas.pixel(0, -1); }, ErrorKind::kUsage, {"outside of the picture", "(0, -1)"});
}

TEST(Canvas, RectangleColorsPixelsByTheExactShareOfTheirArea) {
  Canvas canvas(6, 4);
  canvas.fill_rectangle({1.5, 1, 4.25, 2.5}, kBlack);
  EXPECT_EQ(canvas.pixel(0, 1), (Rgb{255, 255, 255}));
  EXPECT_EQ(canvas.pixel(1, 1), (Rgb{128, 128, 128}));  // half a pixel
  EXPECT_EQ(canvas.pixel(2, 1), (Rgb{0, 0, 0}));
  EXPECT_EQ(canvas.pixel(4, 1), (Rgb{191, 191, 191}));  // a quarter
  EXPECT_EQ(canvas.pixel(4, 2), (Rgb{223, 223, 223}));  // a quarter of a half
  EXPECT_EQ(canvas.pixel(2, 3), (Rgb{255, 255, 255}));
  EXPECT_NEAR(ink(canvas), 2.75 * 1.5, 0.02);
}

TEST(Canvas, UprightLineCoversJustItsPixels) {
  Canvas canvas(20, 9);
  canvas.line({3, 4.5}, {16, 4.5}, 3, kBlack);
  for (int x = 4; x < 16; ++x) {
    EXPECT_EQ(canvas.pixel(x, 2), (Rgb{255, 255, 255})) << x;
    for (const int y : {3, 4, 5}) EXPECT_EQ(canvas.pixel(x, y), (Rgb{0, 0, 0})) << x;
    EXPECT_EQ(canvas.pixel(x, 6), (Rgb{255, 255, 255})) << x;
  }
}

// The area of a line with round ends is length * width + a disc, whatever its slope.
TEST(Canvas, SlantedLineHasTheAreaOfItsShape) {
  for (const double angle : {0.1, 0.5, 1.0, 2.2, 4.0}) {
    Canvas canvas(200, 200);
    const Point to = {100 + 70 * std::cos(angle), 100 + 70 * std::sin(angle)};
    canvas.line({100, 100}, to, 5, kBlack);
    const double area = 70 * 5 + std::numbers::pi * 2.5 * 2.5;
    EXPECT_NEAR(ink(canvas), area, 0.01 * area) << angle;
  }
}

TEST(Canvas, ThinLineIsFaintNotBroken) {
  Canvas canvas(20, 5);
  canvas.line({0, 2.5}, {20, 2.5}, 0.25, kBlack);
  for (int x = 0; x < 20; ++x) EXPECT_NEAR(canvas.pixel(x, 2)[0], 255 * 0.84, 30) << x;
}

TEST(Canvas, TranslucentPolylineShowsNoKnots) {
  Canvas canvas(60, 20);
  const std::vector<Point> points = {{5, 10}, {20, 10}, {35, 10}, {50, 10}};
  canvas.polyline(points, 4, {0, 0, 0, 0.5});
  for (int x = 6; x < 50; ++x) EXPECT_EQ(canvas.pixel(x, 10), canvas.pixel(25, 10)) << x;
}

TEST(Canvas, DashesKeepTheirShareOfTheLine) {
  Canvas canvas(1000, 11);
  const std::vector<Point> points = {{0, 5.5}, {500, 5.5}, {1000, 5.5}};
  canvas.dashed_polyline(points, 1, 12, 8, kBlack);
  EXPECT_NEAR(ink(canvas), 600, 50);  // 50 dashes of 12 pixels, each with two round ends of half a pixel
  EXPECT_EQ(canvas.pixel(6, 5), (Rgb{0, 0, 0}));
  EXPECT_EQ(canvas.pixel(16, 5), (Rgb{255, 255, 255}));
  EXPECT_EQ(canvas.pixel(506, 5), (Rgb{0, 0, 0}));
  expect_error([&] { canvas.dashed_polyline(points, 1, 0, 0, kBlack); }, ErrorKind::kUsage,
               {"dashes need a length"});
}

TEST(Canvas, DiscRingAndPolygonHaveTheirAreas) {
  Canvas disc(80, 80), ring(80, 80), triangle(80, 80), turned(80, 80);
  disc.disc({40.3, 39.8}, 25, kBlack);
  EXPECT_NEAR(ink(disc), std::numbers::pi * 625, 6);
  ring.ring({40, 40}, 25, 4, kBlack);
  EXPECT_NEAR(ink(ring), 2 * std::numbers::pi * 25 * 4, 6);
  EXPECT_EQ(ring.pixel(40, 40), (Rgb{255, 255, 255}));
  const std::vector<Point> points = {{10, 10}, {70, 20}, {30, 60}};
  const std::vector<Point> reversed(points.rbegin(), points.rend());
  triangle.convex_polygon(points, kBlack);
  turned.convex_polygon(reversed, kBlack);
  EXPECT_NEAR(ink(triangle), 0.5 * (60 * 50 - 20 * 10), 6);
  EXPECT_EQ(triangle.pixels(), turned.pixels());
}

TEST(Canvas, ArrowEndsAtItsTarget) {
  Canvas canvas(120, 40);
  canvas.arrow({10, 20}, {100, 20}, 4, kBlack);
  EXPECT_NEAR(ink_box(canvas).right, 100, 1);
  EXPECT_LT(canvas.pixel(85, 20)[0], 10);                   // inside the head
  EXPECT_LT(canvas.pixel(40, 20)[0], 10);                   // on the shaft
  EXPECT_EQ(canvas.pixel(40, 25), (Rgb{255, 255, 255}));    // beside it
  EXPECT_NEAR(ink_box(canvas).height(), 2 * 18 * 0.45, 2);  // the head is the widest part
}

TEST(Canvas, ShapesOutsideLeaveItUntouchedAndNonFiniteOnesDoNoHarm) {
  Canvas canvas(10, 10);
  canvas.line({-50, -50}, {-20, 400}, 3, kBlack);
  canvas.disc({1e12, 5}, 3, kBlack);
  canvas.disc({NAN, 5}, 3, kBlack);
  canvas.fill_rectangle({NAN, 0, 5, 5}, kBlack);
  canvas.text({-500, 5}, "outside", {});
  EXPECT_EQ(ink(canvas), 0);
  canvas.line({5, -1e9}, {5, 1e9}, 2, kBlack);  // cut off, but there
  EXPECT_NEAR(ink(canvas), 20, 0.5);
}

TEST(CanvasText, HasInkInsideItsBoxAndNoneOutside) {
  for (const std::string text : {"73.8 %", "jumping fÅgÄ", "µs → int8", "j", "W", "\"'_|", "±0.4"}) {
    for (const double size : {13.0, 24.0, 40.5}) {
      for (const bool bold : {false, true}) {
        for (const bool upwards : {false, true}) {
          const TextStyle style = {
              .size = size, .bold = bold, .horizontal = Align::kMiddle, .upwards = upwards};
          Canvas canvas(500, 500);
          const Point anchor = {250.3, 249.6};
          canvas.text(anchor, text, style);
          const Box box = Canvas::text_box(anchor, text, style);
          EXPECT_GT(ink(canvas), 0.5 * size) << text;
          EXPECT_TRUE(box.expanded(1).contains(ink_box(canvas))) << text << " " << size << " " << upwards;
        }
      }
    }
  }
}

TEST(CanvasText, AlignmentPutsTheAnchorWhereItSays) {
  const Point anchor = {200, 100};
  const auto drawn = [&](Align horizontal, Align vertical) {
    Canvas canvas(400, 200);
    canvas.text(anchor, "HEH", {.size = 40, .horizontal = horizontal, .vertical = vertical});
    return ink_box(canvas);
  };
  EXPECT_NEAR(drawn(Align::kStart, Align::kMiddle).left, 200, 6);
  EXPECT_NEAR(drawn(Align::kEnd, Align::kMiddle).right, 200, 6);
  EXPECT_NEAR(drawn(Align::kMiddle, Align::kMiddle).center().x, 200, 1.5);
  EXPECT_NEAR(drawn(Align::kMiddle, Align::kMiddle).center().y, 100, 1);
  EXPECT_NEAR(drawn(Align::kMiddle, Align::kEnd).bottom, 100, 1);
  EXPECT_GT(drawn(Align::kMiddle, Align::kStart).top, 100);
}

TEST(CanvasText, UpwardsIsTheSamePictureTurnedToTheLeft) {
  Canvas level(200, 200), upwards(200, 200);
  level.text({40, 100}, "Recall 5", {.size = 30, .vertical = Align::kEnd});
  upwards.text({100, 160}, "Recall 5", {.size = 30, .vertical = Align::kEnd, .upwards = true});
  for (int y = 0; y < 200; ++y) {
    for (int x = 0; x < 200; ++x) ASSERT_EQ(level.pixel(x, y), upwards.pixel(y, 199 - x)) << x << " " << y;
  }
}

TEST(CanvasText, MissingCharactersAndBrokenUtf8AreDrawnAsBoxes) {
  for (const std::string text : {"\xE6\xBC\xA2", "\xFF\xC3", "\xC3", "\xE2\x86"}) {
    Canvas canvas(100, 100);
    canvas.text({20, 50}, text, {.size = 30});
    EXPECT_GT(ink(canvas), 10) << text;
  }
}

TEST(CanvasText, FiguresAllHaveTheSameWidth) {
  const double width = Canvas::text_box({}, "0000", {}).width();
  for (const std::string text : {"1111", "4444", "7777", "9999"}) {
    EXPECT_EQ(Canvas::text_box({}, text, {}).width(), width) << text;
  }
}

TEST(CanvasPng, DecodesToTheSamePixels) {
  Canvas canvas(123, 77, rgb(0xFAFAFA));
  canvas.disc({60, 40}, 30, kVermilion);
  canvas.text({5, 60}, "PNG", {.size = 30, .color = kBlue});
  const DecodedPicture picture = decode_png(canvas.png());
  EXPECT_EQ(picture.width, 123);
  EXPECT_EQ(picture.height, 77);
  EXPECT_EQ(picture.pixels, canvas.pixels());
}

TEST(CanvasPng, IsWrittenToItsFileOrFailsWithOneLine) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "qlimit_canvas_png";
  std::filesystem::create_directories(folder);
  Canvas canvas(4, 4);
  canvas.write_png(folder / "a.png");
  EXPECT_EQ(read_file(folder / "a.png", 10000), canvas.png());
  expect_error([&] { canvas.write_png(folder / "missing" / "a.png"); }, ErrorKind::kIo, {"missing"});
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace qlimit
