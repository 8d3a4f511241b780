// The geometry of sliding windows, against the recorded answers of TFLite's own code.

#include "core/window.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

TEST(Window, EqualsTfliteOnBothAxes) {
  std::ifstream file(QLIMIT_SOURCE_DIR "/tests/golden/tflite/primitives.json");
  const nlohmann::json table = nlohmann::json::parse(file)["padding"];
  ASSERT_EQ(table["columns"],
            (std::vector<std::string>{"padding", "in", "kernel", "stride", "dilation", "out", "before"}));
  int fitting = 0;
  for (const auto& row : table["rows"]) {
    const int64_t in = row[1], kernel = row[2], stride = row[3], dilation = row[4];
    const int64_t out = row[5], before = row[6];
    const Padding padding = row[0] == "SAME" ? Padding::kSame : Padding::kValid;
    const Window rows{.kernel_h = kernel, .stride_h = stride, .dilation_h = dilation, .padding = padding};
    const Window columns{.kernel_w = kernel, .stride_w = stride, .dilation_w = dilation, .padding = padding};
    if (out < 1) {
      expect_error([&] { lay_window("test", rows, {1, in, 4, 1}); }, ErrorKind::kUsage, {"does not fit"});
      continue;
    }
    ++fitting;
    const WindowGeometry vertical = lay_window("test", rows, {1, in, 4, 1});
    EXPECT_EQ(vertical.out_h, out) << row;
    EXPECT_EQ(vertical.pad_top, before) << row;
    EXPECT_EQ(vertical.out_w, 4) << row;
    const WindowGeometry horizontal = lay_window("test", columns, {1, 4, in, 1});
    EXPECT_EQ(horizontal.out_w, out) << row;
    EXPECT_EQ(horizontal.pad_left, before) << row;
    EXPECT_EQ(horizontal.out_h, 4) << row;
  }
  EXPECT_GE(fitting, 100);
}

TEST(Window, KnowsItsSizes) {
  const WindowGeometry g =
      lay_window("test", {.kernel_h = 3, .kernel_w = 2, .stride_h = 2}, Shape({5, 7, 8, 4}));
  EXPECT_EQ(g.batch, 5);
  EXPECT_EQ(g.channels, 4);
  EXPECT_EQ(g.out_h, 4);
  EXPECT_EQ(g.out_w, 8);
  EXPECT_EQ(g.patch_size(), 24);
  EXPECT_EQ(g.out_pixels(), 32);
}

TEST(Window, RefusesWhatMakesNoSense) {
  const Shape image({1, 4, 4, 1});
  expect_error(
      [&] {
        lay_window("conv2d", {}, {4, 4});
      },
      ErrorKind::kUsage, {"conv2d", "[N,H,W,C]", "[4,4]"});
  expect_error([&] { lay_window("conv2d", {}, {1, 0, 4, 1}); }, ErrorKind::kUsage, {"conv2d"});
  for (int64_t bad : {int64_t{0}, int64_t{-1}, int64_t{1} << 40}) {
    expect_error([&] { lay_window("pool", {.kernel_h = bad}, image); }, ErrorKind::kUsage, {"pool"});
    expect_error([&] { lay_window("pool", {.stride_w = bad}, image); }, ErrorKind::kUsage, {"pool"});
    expect_error([&] { lay_window("pool", {.dilation_h = bad}, image); }, ErrorKind::kUsage, {"pool"});
  }
  expect_error(
      [&] { lay_window("pool", {.kernel_h = 3, .dilation_h = 2, .padding = Padding::kValid}, image); },
      ErrorKind::kUsage, {"does not fit", "at least 5x1", "[1,4,4,1]"});
}

// Every input pixel that VALID padding reads exists: the last window ends inside the image.
TEST(Window, ValidWindowsStayInside) {
  for (int64_t in = 1; in <= 12; ++in) {
    for (int64_t kernel = 1; kernel <= in; ++kernel) {
      for (int64_t stride = 1; stride <= 5; ++stride) {
        const WindowGeometry g = lay_window(
            "test", {.kernel_h = kernel, .stride_h = stride, .padding = Padding::kValid}, {1, in, 1, 1});
        EXPECT_EQ(g.pad_top, 0);
        const int64_t last_end = (g.out_h - 1) * stride + kernel;
        EXPECT_LE(last_end, in);
        EXPECT_GT(last_end + stride, in) << "one more window would have fit";
      }
    }
  }
}

}  // namespace
}  // namespace qlimit
