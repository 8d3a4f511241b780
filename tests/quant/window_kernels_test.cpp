// Kernels with filters or windows.
#include <functional>
#include <limits>

#include "core/error.h"
#include "quant/kernels/conv2d.h"
#include "quant/kernels/dense.h"
#include "quant/kernels/depthwise_conv2d.h"
#include "quant/kernels/mean.h"
#include "quant/kernels/pool2d.h"
#include "tests/quant/int8_kernels.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

QuantizedFilter random_filter(Random& random, const Shape& shape, int axis) {
  QuantizedFilter filter = {.weight = random_tensor(random, shape, -127), .scales = {}, .bias = {}};
  const int64_t channels = shape[axis];
  for (int64_t c = 0; c < channels; ++c) {
    filter.scales.push_back(random_params(random).scale / 64);
    filter.bias.push_back(static_cast<int32_t>(between(random, -50000, 50000)));
  }
  if (random.below(3) == 0) filter.scales.resize(1);
  return filter;
}

float scale_of(const QuantizedFilter& filter, int64_t channel) {
  return filter.scales[filter.scales.size() == 1 ? 0 : static_cast<size_t>(channel)];
}

Window random_window(Random& random, bool dilates) {
  Window window = {.kernel_h = between(random, 1, 4),
                   .kernel_w = between(random, 1, 4),
                   .stride_h = between(random, 1, 3),
                   .stride_w = between(random, 1, 3),
                   .padding = one_of(random, {Padding::kSame, Padding::kValid})};
  if (dilates) {
    window.dilation_h = between(random, 1, 2);
    window.dilation_w = between(random, 1, 2);
  }
  return window;
}

// An input that the window fits into even when VALID.
Shape random_image(Random& random, const Window& w, int64_t channels) {
  return {between(random, 1, 2), between(random, 0, 4) + (w.kernel_h - 1) * w.dilation_h + 1,
          between(random, 0, 4) + (w.kernel_w - 1) * w.dilation_w + 1, channels};
}

// Calls tap(iy, ix, ky, kx) for the taps inside the image.
void for_each_tap(const WindowGeometry& g, int64_t oy, int64_t ox,
                  const std::function<void(int64_t, int64_t, int64_t, int64_t)>& tap) {
  for (int64_t ky = 0; ky < g.window.kernel_h; ++ky) {
    for (int64_t kx = 0; kx < g.window.kernel_w; ++kx) {
      const int64_t iy = oy * g.window.stride_h - g.pad_top + ky * g.window.dilation_h;
      const int64_t ix = ox * g.window.stride_w - g.pad_left + kx * g.window.dilation_w;
      if (iy >= 0 && iy < g.in_h && ix >= 0 && ix < g.in_w) tap(iy, ix, ky, kx);
    }
  }
}

// The numbers that `element` returns for [n,oy,ox,o], in order.
Numbers for_each_output(const WindowGeometry& g, int64_t channels,
                        const std::function<int8_t(int64_t, int64_t, int64_t, int64_t)>& element) {
  Numbers y;
  for (int64_t n = 0; n < g.batch; ++n)
    for (int64_t oy = 0; oy < g.out_h; ++oy)
      for (int64_t ox = 0; ox < g.out_w; ++ox)
        for (int64_t o = 0; o < channels; ++o) y.push_back(element(n, oy, ox, o));
  return y;
}

TEST_F(Int8Kernels, Conv2DInBothForms) {
  Random random(1, "conv2d");
  for (int model = 0; model < kModels; ++model) {
    choose_isa(random);
    const int64_t groups = one_of<int64_t>(random, {1, 1, 2, 3});
    const int64_t in = between(random, 1, 5), out = one_of<int64_t>(random, {1, 2, 3, 16, 35});
    const Window window = random_window(random, true);
    const Tensor<int8_t> x = random_tensor(random, random_image(random, window, groups * in), -128);
    const AffineParams params = random_params(random);
    const QuantizedFilter filter =
        random_filter(random, {groups * out, window.kernel_h, window.kernel_w, in}, 0);
    const OutputStage output = random_output(random, double{params.scale} * double{filter.scales[0]});

    const WindowGeometry g = lay_window("test", window, x.shape());
    const Numbers expected =
        for_each_output(g, groups * out, [&](int64_t n, int64_t oy, int64_t ox, int64_t o) {
          wide::Integer acc = filter.bias[static_cast<size_t>(o)];
          for_each_tap(g, oy, ox, [&](int64_t iy, int64_t ix, int64_t ky, int64_t kx) {
            for (int64_t c = 0; c < in; ++c)
              acc += wide::Integer{filter.weight(o, ky, kx, c)} *
                     (x(n, iy, ix, o / out * in + c) - params.zero_point);
          });
          return finish(acc, double{params.scale} * double{scale_of(filter, o)} / double{output.params.scale},
                        output);
        });

    const int8::Conv2DParams prepared = int8::prepare_conv2d(x.shape(), params, filter, window, output);
    Numbers y(expected.size());
    conv2d_reference(prepared, x.data(), y.data());
    ASSERT_EQ(y, expected) << model;
    Tensor<int8_t> workspace({conv2d_workspace_bytes(prepared)});
    Numbers folded(expected.size());
    conv2d(prepared, x.data(), workspace.data(), folded.data());
    ASSERT_EQ(folded, expected) << model;
  }
}

TEST_F(Int8Kernels, DepthwiseConv2DInBothForms) {
  Random random(2, "depthwise");
  for (int model = 0; model < kModels; ++model) {
    choose_isa(random);
    const int64_t channels = one_of<int64_t>(random, {1, 2, 3, 4, 8, 16, 24, 37});
    const int64_t multiplier = one_of<int64_t>(random, {1, 1, 2, 3});
    const Window window = random_window(random, true);
    const Tensor<int8_t> x = random_tensor(random, random_image(random, window, channels), -128);
    const AffineParams params = random_params(random);
    const QuantizedFilter filter =
        random_filter(random, {1, window.kernel_h, window.kernel_w, channels * multiplier}, 3);
    const OutputStage output = random_output(random, double{params.scale} * double{filter.scales[0]});

    const WindowGeometry g = lay_window("test", window, x.shape());
    const Numbers expected =
        for_each_output(g, channels * multiplier, [&](int64_t n, int64_t oy, int64_t ox, int64_t o) {
          wide::Integer acc = filter.bias[static_cast<size_t>(o)];
          for_each_tap(g, oy, ox, [&](int64_t iy, int64_t ix, int64_t ky, int64_t kx) {
            acc += wide::Integer{filter.weight(0, ky, kx, o)} *
                   (x(n, iy, ix, o / multiplier) - params.zero_point);
          });
          return finish(acc, double{params.scale} * double{scale_of(filter, o)} / double{output.params.scale},
                        output);
        });
    const auto prepared = int8::prepare_depthwise_conv2d(x.shape(), params, filter, window, output);
    Numbers y(expected.size());
    depthwise_conv2d_reference(prepared, x.data(), y.data());
    ASSERT_EQ(y, expected) << model;
    Tensor<int8_t> workspace({depthwise_conv2d_workspace_bytes(prepared)});
    Numbers fast(expected.size());
    depthwise_conv2d(prepared, x.data(), workspace.data(), fast.data());
    ASSERT_EQ(fast, expected) << model;
  }
}

TEST_F(Int8Kernels, DenseInBothForms) {
  Random random(3, "dense");
  for (int model = 0; model < kModels; ++model) {
    choose_isa(random);
    const int64_t batch = between(random, 1, 3), in = between(random, 1, 40), out = between(random, 1, 40);
    const Tensor<int8_t> x = random_tensor(random, {batch, in}, -128);
    const AffineParams params = random_params(random);
    const QuantizedFilter filter = random_filter(random, {out, in}, 0);
    OutputStage output = random_output(random, double{params.scale} * double{filter.scales[0]});
    if (random.below(4) == 0) output.rounding = Rounding::kFloat64;

    Numbers expected;
    for (int64_t n = 0; n < batch; ++n) {
      for (int64_t o = 0; o < out; ++o) {
        wide::Integer acc = filter.bias[static_cast<size_t>(o)];
        for (int64_t i = 0; i < in; ++i)
          acc += wide::Integer{filter.weight(o, i)} * (x(n, i) - params.zero_point);
        const double exact = double{params.scale} * double{scale_of(filter, o)} / double{output.params.scale};
        if (output.rounding == Rounding::kFloat64) {
          const OutputStage clamp_only = {.params = output.params, .activation = output.activation};
          const auto rounded = static_cast<int64_t>(std::round(static_cast<double>(acc) * exact));
          expected.push_back(finish(rounded, 1.0, clamp_only));
        } else if (filter.scales.size() == 1) {
          const float product = params.scale * filter.scales[0];
          expected.push_back(finish(acc, double{product} / double{output.params.scale}, output));
        } else {
          expected.push_back(finish(acc, exact, output));
        }
      }
    }
    const int8::DenseParams prepared = int8::prepare_dense(x.shape(), params, filter, output);
    Numbers y(expected.size());
    dense_reference(prepared, x.data(), y.data());
    ASSERT_EQ(y, expected) << model;
    Tensor<int8_t> workspace({dense_workspace_bytes(prepared)});
    Numbers folded(expected.size());
    dense(prepared, x.data(), workspace.data(), folded.data());
    ASSERT_EQ(folded, expected) << model;
  }
}

TEST_F(Int8Kernels, Pools) {
  Random random(4, "pools");
  for (int model = 0; model < kModels; ++model) {
    const Window window = random_window(random, false);
    const int64_t channels = between(random, 1, 3);
    const Tensor<int8_t> x = random_tensor(random, random_image(random, window, channels), -128);
    const OutputStage same = random_output(random, 0.05);
    const WindowGeometry g = lay_window("test", window, x.shape());
    const int8::Pool2DParams prepared = int8::prepare_pool2d(x.shape(), same.params, window, same.activation);

    // Clamping alone: a multiplication by 1 is exact.
    const OutputStage clamp_only = {.params = same.params, .activation = same.activation};
    const auto clamped = [&](wide::Integer q) { return finish(q - same.params.zero_point, 1.0, clamp_only); };
    const Numbers greatest = for_each_output(g, channels, [&](int64_t n, int64_t oy, int64_t ox, int64_t c) {
      int most = -1000;
      for_each_tap(g, oy, ox, [&](int64_t iy, int64_t ix, int64_t, int64_t) {
        most = std::max<int>(most, x(n, iy, ix, c));
      });
      return clamped(most);
    });
    const Numbers average = for_each_output(g, channels, [&](int64_t n, int64_t oy, int64_t ox, int64_t c) {
      wide::Integer sum = 0, count = 0;
      for_each_tap(g, oy, ox, [&](int64_t iy, int64_t ix, int64_t, int64_t) {
        sum += x(n, iy, ix, c);
        ++count;
      });
      return clamped(wide::nearest_ties_away(sum, count));
    });
    Numbers y(greatest.size());
    max_pool2d(prepared, x.data(), y.data());
    ASSERT_EQ(y, greatest) << model;
    average_pool2d(prepared, x.data(), y.data());
    ASSERT_EQ(y, average) << model;
  }
}

TEST_F(Int8Kernels, RefuseWhatCouldOverflow) {
  const Shape input = {1, 2};
  const QuantizedFilter good = {.weight = Tensor<int8_t>({1, 2}, {127, -127}), .scales = {0.1f}, .bias = {0}};
  EXPECT_NO_THROW(int8::prepare_dense(input, {}, good, {}));
  QuantizedFilter bad = good;
  bad.bias = {std::numeric_limits<int32_t>::max() - 10};
  expect_error([&] { int8::prepare_dense(input, {}, bad, {}); }, ErrorKind::kNumeric,
               {"dense, output channel 0", "exceed 32 bits"});
  const Shape wide_input = {1, 70000};
  const QuantizedFilter long_rows = {
      .weight = Tensor<int8_t>::full({1, 70000}, 127), .scales = {0.1f}, .bias = {0}};
  expect_error([&] { int8::prepare_dense(wide_input, {}, long_rows, {}); }, ErrorKind::kNumeric,
               {"dense, output channel 0", "exceed 32 bits"});
  expect_error([&] { int8::prepare_dense(input, {.zero_point = 128}, good, {}); }, ErrorKind::kUsage,
               {"zero point out of range", "found 128"});
  expect_error([&] { int8::prepare_dense(input, {}, good, {.params = {.scale = 0.0f}}); },
               ErrorKind::kNumeric, {"fixed point", "scale that is zero"});
}

// What counts is the channels of the lines, each as often as it has filters.
TEST_F(Int8Kernels, DepthwiseWindowsThatReachFarTakeTheFormula) {
  const Window far = {.kernel_h = 3, .kernel_w = 3, .dilation_h = 2000, .dilation_w = 2000};
  const auto is_fast = [&](int64_t multiplier) {
    const QuantizedFilter filter = {.weight = Tensor<int8_t>({1, 3, 3, multiplier}),
                                    .scales = {0.1f},
                                    .bias = std::vector<int32_t>(static_cast<size_t>(multiplier))};
    return int8::prepare_depthwise_conv2d({1, 8, 8, 1}, {}, filter, far, {}).is_fast;
  };
  EXPECT_TRUE(is_fast(1));  // 4002 lines of 4008 numbers, just below 2^24
  EXPECT_FALSE(is_fast(2));
}

TEST_F(Int8Kernels, RefuseShapesThatDoNotFit) {
  const QuantizedFilter filter = {
      .weight = Tensor<int8_t>({2, 3, 3, 4}), .scales = {0.1f, 0.2f}, .bias = {0, 0}};
  const Window window = {.kernel_h = 3, .kernel_w = 3};
  QuantizedFilter short_bias = filter;
  short_bias.bias = {0};
  const auto conv = [&](const Shape& input, const QuantizedFilter& f, const Window& w) {
    return [=] { int8::prepare_conv2d(input, {}, f, w, {}); };
  };
  const Shape four = {1, 5, 5, 4}, six = {1, 5, 5, 6}, eight = {1, 5, 5, 8};
  EXPECT_NO_THROW(conv(four, filter, window)());
  EXPECT_NO_THROW(conv(eight, filter, window)());  // two groups
  expect_error(conv(six, filter, window), ErrorKind::kUsage,
               {"wrong weight shape", "[O,3,3,6/groups]", "[2,3,3,4]"});
  expect_error(conv(four, filter, {.kernel_h = 1, .kernel_w = 3}), ErrorKind::kUsage,
               {"wrong weight shape", "[O,1,3,4/groups]"});
  expect_error(conv(four, short_bias, window), ErrorKind::kUsage,
               {"number of biases", "expected 2", "found 1"});
  expect_error([&] { int8::prepare_depthwise_conv2d(four, {}, filter, window, {}); }, ErrorKind::kUsage,
               {"wrong weight shape", "[1,3,3,4*multiplier]"});
  expect_error([&] { int8::prepare_mean(four, {}, {4}, {}); }, ErrorKind::kUsage,
               {"no such axis", "found 4"});
  expect_error(
      [&] {
        int8::prepare_mean({1, 4096, 2049, 1}, {}, {1, 2}, {});
      },
      ErrorKind::kUnsupported, {"elements in a mean", "8388608", "found 8392704"});
  const Window vast = {.kernel_h = 4096, .kernel_w = 4096};
  expect_error([&] { int8::prepare_pool2d(four, {}, vast, Activation::kNone); }, ErrorKind::kUnsupported,
               {"too many taps", "8388608", "found 16777216"});
  const Window dilated = {.kernel_h = 2, .dilation_h = 2};
  expect_error([&] { int8::prepare_pool2d(four, {}, dilated, Activation::kNone); }, ErrorKind::kUsage,
               {"cannot be dilated"});
}

}  // namespace
}  // namespace qlimit
