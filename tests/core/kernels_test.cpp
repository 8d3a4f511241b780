// Every fast kernel against its definition, for every instruction set of the machine, on random and edge
// shapes.
//
// Products and sums of n terms are compared within (n + 2) * epsilon * sum of |terms|: the classic bound for
// a sum in any order (Higham, "Accuracy and stability of numerical algorithms", 2002, section 4.2). All else
// is equal bit for bit.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/kernels/channel.h"
#include "core/kernels/conv.h"
#include "core/kernels/elementwise.h"
#include "core/kernels/gemm.h"
#include "core/kernels/im2col.h"
#include "core/kernels/isa.h"
#include "core/kernels/pool.h"
#include "core/parallel.h"
#include "core/random.h"

namespace qlimit {
namespace {

constexpr double kEpsilon = std::numeric_limits<Real>::epsilon();

std::vector<Real> random_values(Random& random, int64_t count) {
  std::vector<Real> values(static_cast<size_t>(count));
  for (Real& v : values) v = static_cast<Real>(random.normal());
  return values;
}

std::vector<double> as_doubles(const std::vector<Real>& values) { return {values.begin(), values.end()}; }

class Kernels : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { set_active_isa(GetParam()); }
  void TearDown() override { set_active_isa(supported_isas().back()); }
};
INSTANTIATE_TEST_SUITE_P(EachIsa, Kernels, testing::ValuesIn(supported_isas()),
                         [](const auto& isa) { return std::string(isa_name(isa.param)); });

struct Product {
  int64_t m, n, k;
  bool transpose_a, transpose_b, accumulate, bias, clamps;
};

void expect_product(const Product& p, Random& random) {
  const auto a = random_values(random, p.m * p.k), b = random_values(random, p.k * p.n);
  const auto bias = random_values(random, p.n);
  const MatrixView av = p.transpose_a ? MatrixView{a.data(), 1, p.m} : MatrixView{a.data(), p.k, 1};
  const MatrixView bv = p.transpose_b ? MatrixView{b.data(), 1, p.k} : MatrixView{b.data(), p.n, 1};
  const Epilogue epilogue{
      .bias = p.bias ? bias.data() : nullptr, .clamps = p.clamps, .low = Real(-0.5), .high = 2};
  const int64_t stride = p.n + 3;  // wider than c: what lies between the rows must stay
  std::vector<Real> c = random_values(random, p.m * stride), expected = c;
  const std::vector<Real> before = c;

  gemm(p.m, av, PackedMatrix(bv, p.k, p.n), c.data(), stride, p.accumulate, epilogue);
  gemm_reference(p.m, p.n, p.k, av, bv, expected.data(), stride, p.accumulate, epilogue);

  for (int64_t i = 0; i < p.m; ++i) {
    for (int64_t j = 0; j < stride; ++j) {
      const size_t at = static_cast<size_t>(i * stride + j);
      if (j >= p.n) {
        ASSERT_EQ(c[at], before[at]) << "written outside of row " << i;
        continue;
      }
      double magnitude = std::abs(before[at]) + std::abs(bias[static_cast<size_t>(j)]);
      for (int64_t q = 0; q < p.k; ++q) {
        magnitude += std::abs(av.data[i * av.row_stride + q * av.column_stride] *
                              bv.data[q * bv.row_stride + j * bv.column_stride]);
      }
      ASSERT_NEAR(c[at], expected[at], static_cast<double>(p.k + 4) * kEpsilon * magnitude)
          << p.m << "x" << p.n << "x" << p.k << " at " << i << "," << j;
    }
  }
}

TEST_P(Kernels, GemmEqualsItsDefinition) {
  Random random(1, "gemm test");
  for (int64_t m : {1, 3, 4, 12, 13, 29}) {
    for (int64_t n : {1, 7, 8, 9, 16, 17, 24, 32, 33, 70}) {
      const bool bits[] = {random.below(2) == 1, random.below(2) == 1, random.below(2) == 1,
                           random.below(2) == 1, random.below(2) == 1};
      expect_product({m, n, 1 + random.below(40), bits[0], bits[1], bits[2], bits[3], bits[4]}, random);
    }
  }
  expect_product({25, 40, 300, false, true, false, true, true}, random);
  expect_product({25, 40, 0, false, true, false, true, false}, random);
}

TEST_P(Kernels, GemmPassesNotANumberThroughTheClamp) {
  const Real nan = std::numeric_limits<Real>::quiet_NaN(), one = 1;
  Real c = 0;
  gemm(1, {&nan, 1, 1}, PackedMatrix({&one, 1, 1}, 1, 1), &c, 1, false,
       {.clamps = true, .low = 0, .high = 6});
  EXPECT_TRUE(std::isnan(c));
}

WindowGeometry random_geometry(Random& random, uint32_t most_dilation) {
  const auto number = [&](uint32_t most) { return static_cast<int64_t>(1 + random.below(most)); };
  const Window w{.kernel_h = number(4),
                 .kernel_w = number(4),
                 .stride_h = number(3),
                 .stride_w = number(3),
                 .dilation_h = number(most_dilation),
                 .dilation_w = number(most_dilation),
                 .padding = random.below(2) ? Padding::kSame : Padding::kValid};
  const int64_t least = w.padding == Padding::kSame ? 1 : 8;
  constexpr int64_t kChannels[] = {1, 2, 3, 5, 8, 16, 20, 33};
  return lay_window("test", w,
                    {2, least + random.below(9), least + random.below(9), kChannels[random.below(8)]});
}

TEST_P(Kernels, Im2colAndCol2imEqualTheirDefinitions) {
  Random random(2, "im2col test");
  for (int i = 0; i < 200; ++i) {
    const WindowGeometry g = random_geometry(random, 2);
    const int64_t image_size = g.in_h * g.in_w * g.channels;
    const int64_t row = random.below(static_cast<uint32_t>(g.out_h));
    const int64_t count = (g.out_h - row) * g.out_w * g.patch_size();
    const auto image = random_values(random, image_size);
    std::vector<Real> columns(static_cast<size_t>(count), -7), expected(static_cast<size_t>(count), 7);
    im2col(g, image.data(), row, g.out_h, columns.data());
    im2col_reference(g, image.data(), row, g.out_h, expected.data());
    ASSERT_EQ(columns, expected);

    const auto gradient = random_values(random, count);
    std::vector<Real> sum = image, expected_sum = image;
    col2im(g, gradient.data(), row, g.out_h, sum.data());
    col2im_reference(g, gradient.data(), row, g.out_h, expected_sum.data());
    const double terms = static_cast<double>(g.window.kernel_h * g.window.kernel_w + 1);
    for (size_t k = 0; k < sum.size(); ++k)
      ASSERT_NEAR(sum[k], expected_sum[k], terms * kEpsilon * 6 * terms);
  }
}

std::vector<int8_t> random_bytes(Random& random, int64_t count) {
  std::vector<int8_t> values(static_cast<size_t>(count));
  for (int8_t& v : values) v = static_cast<int8_t>(random.below(256));
  return values;
}

/// The definition: sums [OH,OW,O] of (x + 128) * w over the window, with `border` for x outside of the image.
std::vector<int32_t> convolution(const WindowGeometry& g, const std::vector<int8_t>& image, int8_t border,
                                 const std::vector<int8_t>& weights, int64_t out_channels) {
  std::vector<int32_t> sums;
  const Window& w = g.window;
  for (int64_t pixel = 0; pixel < g.out_pixels(); ++pixel) {
    for (int64_t o = 0; o < out_channels; ++o) {
      int32_t sum = 0;
      for (int64_t k = 0; k < g.patch_size(); ++k) {
        const int64_t c = k % g.channels, tap = k / g.channels;
        const int64_t y = pixel / g.out_w * w.stride_h - g.pad_top + tap / w.kernel_w * w.dilation_h;
        const int64_t x = pixel % g.out_w * w.stride_w - g.pad_left + tap % w.kernel_w * w.dilation_w;
        const bool inside = y >= 0 && y < g.in_h && x >= 0 && x < g.in_w;
        const int32_t value = inside ? image[static_cast<size_t>((y * g.in_w + x) * g.channels + c)] : border;
        sum += (value + 128) * weights[static_cast<size_t>(o * g.patch_size() + k)];
      }
      sums.push_back(sum);
    }
  }
  return sums;
}

TEST_P(Kernels, ConvInt8EqualsItsDefinition) {
  Random random(8, "int8 convolution test");
  for (int trial = 0; trial < 300; ++trial) {
    WindowGeometry g = random_geometry(random, 2);
    if (trial % 10 == 0) g = lay_window("test", {}, {1, 1, 1 + random.below(20), 1 + random.below(300)});
    const int64_t out_channels = 1 + random.below(trial % 2 ? 20 : 80);
    auto image = random_bytes(random, g.in_h * g.in_w * g.channels);
    auto weights = random_bytes(random, out_channels * g.patch_size());
    for (int8_t& w : weights) w = std::max<int8_t>(w, -127);
    if (trial % 7 == 0) std::fill(image.begin(), image.end(), 127);  // the extreme products too
    if (trial % 7 == 0) std::fill(weights.begin(), weights.end(), -127);
    const int8_t border = static_cast<int8_t>(random.below(256));
    const std::vector<int32_t> expected = convolution(g, image, border, weights, out_channels);

    const PackedConvInt8 conv(g, weights.data(), out_channels);
    const int64_t begin = random.below(static_cast<uint32_t>(g.out_h));
    std::vector<std::byte> scratch(static_cast<size_t>(conv.scratch_bytes()));
    std::vector<int32_t> found(static_cast<size_t>((g.out_h - begin) * g.out_w * conv.columns()));
    conv.run(image.data(), border, begin, g.out_h, scratch.data(), {.sums = found.data()});
    for (int64_t i = 0; i < (g.out_h - begin) * g.out_w * out_channels; ++i) {
      const int64_t at = i / out_channels * conv.columns() + i % out_channels;
      ASSERT_EQ(found[static_cast<size_t>(at)],
                expected[static_cast<size_t>(begin * g.out_w * out_channels + i)])
          << "trial " << trial << " at " << i;
    }
  }
}

TEST_P(Kernels, ConvEqualsItsDefinition) {
  Random random(10, "convolution test");
  for (int trial = 0; trial < 300; ++trial) {
    const bool pools = trial % 3 == 0;
    WindowGeometry g = random_geometry(random, 2);
    if (pools) {
      g = lay_window("test", {.kernel_h = 3, .kernel_w = 3},
                     {1, 2 + 2 * random.below(9), 2 + 2 * random.below(12), 1 + random.below(9)});
    }
    const int64_t patch = g.patch_size(), out_channels = 1 + random.below(trial % 2 ? 20 : 80);
    const auto image = random_values(random, g.in_h * g.in_w * g.channels);
    const auto weights = random_values(random, out_channels * patch);
    const auto bias = random_values(random, out_channels);
    std::vector<Real> patches(static_cast<size_t>(g.out_pixels() * patch)), sizes(patches),
        magnitudes(weights), expected(static_cast<size_t>(g.out_pixels() * out_channels)), bounds(expected);
    im2col_reference(g, image.data(), 0, g.out_h, patches.data());
    for (size_t i = 0; i < sizes.size(); ++i) sizes[i] = std::abs(patches[i]);
    for (Real& w : magnitudes) w = std::abs(w);
    const Epilogue epilogue = {.bias = bias.data(), .clamps = true, .low = 0, .high = 6};
    gemm_reference(g.out_pixels(), out_channels, patch, {patches.data(), patch, 1},
                   {weights.data(), 1, patch}, expected.data(), out_channels, false, epilogue);
    gemm_reference(g.out_pixels(), out_channels, patch, {sizes.data(), patch, 1},
                   {magnitudes.data(), 1, patch}, bounds.data(), out_channels);

    const PackedConv conv(g, weights.data(), out_channels);
    const int64_t begin = 2 * random.below(static_cast<uint32_t>((g.out_h + 1) / 2));
    std::vector<std::byte> scratch(static_cast<size_t>(conv.scratch_bytes()));
    std::vector<Real> found(expected.size(), -1);
    conv.run(image.data(), begin, g.out_h, scratch.data(),
             {.max_pool = pools, .epilogue = epilogue, .out = found.data()});
    const int64_t columns = pools ? g.out_w / 2 : g.out_w, rows = (g.out_h - begin) / (pools ? 2 : 1);
    for (int64_t i = 0; i < rows * columns * out_channels; ++i) {
      const int64_t pixel = i / out_channels, o = i % out_channels;
      Real best = 0, bound = 0;
      for (int64_t tap = 0; tap < (pools ? 4 : 1); ++tap) {
        const int64_t y = begin + (pools ? 2 * (pixel / columns) + tap / 2 : pixel / columns);
        const int64_t x = pools ? 2 * (pixel % columns) + tap % 2 : pixel % columns;
        const auto at = static_cast<size_t>((y * g.out_w + x) * out_channels + o);
        best = std::max(best, expected[at]);
        bound = std::max(bound, bounds[at]);
      }
      ASSERT_NEAR(found[static_cast<size_t>(i)], best,
                  (static_cast<double>(patch) + 2) * kEpsilon * (static_cast<double>(bound) + 3))
          << "trial " << trial << " at " << i;
    }
  }
}

std::vector<Real> absolute(std::vector<Real> values) {
  for (Real& v : values) v = std::abs(v);
  return values;
}

TEST_P(Kernels, ConvGradientsEqualTheirDefinitions) {
  Random random(11, "gradient test");
  for (int trial = 0; trial < 200; ++trial) {
    WindowGeometry g = random_geometry(random, 2);
    if (trial % 4 == 0)
      g = lay_window("test", {.kernel_h = 3, .kernel_w = 3}, {1, 9, 11, 1 + random.below(4)});
    const int64_t patch = g.patch_size(), pixels = g.out_pixels();
    constexpr int64_t kChannels[] = {1, 3, 4, 8, 10, 16, 24, 32, 40};
    const int64_t out_channels = kChannels[random.below(9)];
    const auto image = random_values(random, g.in_h * g.in_w * g.channels);
    const auto upstream = random_values(random, pixels * out_channels);
    const auto weights = random_values(random, out_channels * patch);

    // The filters': patches, transposed, times the upstream gradient, added to what is there.
    std::vector<Real> patches(static_cast<size_t>(pixels * patch));
    im2col_reference(g, image.data(), 0, g.out_h, patches.data());
    const auto before = random_values(random, patch * out_channels);
    std::vector<Real> sums = before, expected = before, bounds = absolute(before);
    const auto product = [&](const std::vector<Real>& a, const std::vector<Real>& b, std::vector<Real>& c) {
      gemm_reference(patch, out_channels, pixels, {a.data(), 1, patch}, {b.data(), out_channels, 1}, c.data(),
                     out_channels, true);
    };
    product(patches, upstream, expected);
    product(absolute(patches), absolute(upstream), bounds);
    const ConvGradient gradient(g, out_channels);
    std::vector<std::byte> scratch(static_cast<size_t>(gradient.scratch_bytes()));
    gradient.add_filters(image.data(), upstream.data(), scratch.data(), sums.data());
    for (size_t i = 0; i < sums.size(); ++i) {
      ASSERT_NEAR(sums[i], expected[i],
                  (static_cast<double>(pixels) + 3) * kEpsilon * static_cast<double>(bounds[i]))
          << "trial " << trial << " at " << i;
    }

    // The input's: each pixel's gradient times the filters, added back to where its patch came from.
    if (g.window.stride_h != 1 || g.window.stride_w != 1) continue;
    const auto scatter = [&](const std::vector<Real>& a, const std::vector<Real>& w) {
      std::vector<Real> rows(patches.size()), result(image.size());
      gemm_reference(pixels, patch, out_channels, {a.data(), out_channels, 1}, {w.data(), patch, 1},
                     rows.data(), patch);
      col2im_reference(g, rows.data(), 0, g.out_h, result.data());
      return result;
    };
    const std::vector<Real> wanted = scatter(upstream, weights);
    const std::vector<Real> limits = scatter(absolute(upstream), absolute(weights));
    const PackedConv back = input_gradient_conv(g, weights.data(), out_channels);
    scratch.resize(static_cast<size_t>(back.scratch_bytes()));
    std::vector<Real> dx(image.size());
    back.run(upstream.data(), 0, g.in_h, scratch.data(), {.out = dx.data()});
    const double terms = static_cast<double>(g.window.kernel_h * g.window.kernel_w * out_channels + 3);
    for (size_t i = 0; i < dx.size(); ++i) {
      ASSERT_NEAR(dx[i], wanted[i], terms * kEpsilon * (static_cast<double>(limits[i]) + 1e-30))
          << "trial " << trial << " at " << i;
    }
  }
}

TEST_P(Kernels, ConvIsNotDisturbedByWhatAPatchDoesNotCover) {
  // 3 channels, 3 columns: stretches of 9 elements, whose neighbour is not a number.
  const WindowGeometry g =
      lay_window("test", {.kernel_h = 1, .kernel_w = 3, .padding = Padding::kValid}, {1, 1, 4, 3});
  std::vector<Real> image(12, 1), weights(8 * 9, 1), found(2 * 8);
  image[9] = std::numeric_limits<Real>::quiet_NaN();
  const PackedConv conv(g, weights.data(), 8);
  std::vector<std::byte> scratch(static_cast<size_t>(conv.scratch_bytes()));
  conv.run(image.data(), 0, 1, scratch.data(), {.out = found.data()});
  EXPECT_EQ(found[0], 9);
  EXPECT_TRUE(std::isnan(found[8]));
}

TEST_P(Kernels, ConvInt8PoolsItsSums) {
  Random random(9, "int8 pool test");
  for (int trial = 0; trial < 100; ++trial) {
    const Shape image_shape = {1, 2 + 2 * random.below(9), 2 + 2 * random.below(12), 1 + random.below(9)};
    const WindowGeometry g = lay_window("test", {.kernel_h = 3, .kernel_w = 3}, image_shape);
    const int64_t out_channels = 1 + random.below(40);
    const auto image = random_bytes(random, image_shape.size());
    const auto weights = random_bytes(random, out_channels * g.patch_size());
    const std::vector<int32_t> sums = convolution(g, image, 3, weights, out_channels);
    const PackedConvInt8 conv(g, weights.data(), out_channels);
    ASSERT_TRUE(conv.can_pool());
    const int64_t begin = 2 * random.below(static_cast<uint32_t>(g.out_h / 2));
    std::vector<std::byte> scratch(static_cast<size_t>(conv.scratch_bytes()));
    std::vector<int32_t> found(static_cast<size_t>(g.out_pixels() / 4 * conv.columns()));
    conv.run(image.data(), 3, begin, g.out_h, scratch.data(), {.max_pool = true, .sums = found.data()});
    for (int64_t y = begin; y < g.out_h; y += 2) {
      for (int64_t x = 0; x < g.out_w; x += 2) {
        for (int64_t o = 0; o < out_channels; ++o) {
          int32_t greatest = std::numeric_limits<int32_t>::min();
          for (int64_t pixel :
               {y * g.out_w + x, y * g.out_w + x + 1, (y + 1) * g.out_w + x, (y + 1) * g.out_w + x + 1}) {
            greatest = std::max(greatest, sums[static_cast<size_t>(pixel * out_channels + o)]);
          }
          const int64_t at = (y - begin) / 2 * (g.out_w / 2) + x / 2;
          ASSERT_EQ(found[static_cast<size_t>(at * conv.columns() + o)], greatest);
        }
      }
    }
  }
}

TEST_P(Kernels, MaxPoolEqualsItsDefinition) {
  Random random(3, "pool test");
  for (int i = 0; i < 200; ++i) {
    const WindowGeometry g = random_geometry(random, 1);
    const int64_t in_size = g.in_h * g.in_w * g.channels, out_size = g.out_pixels() * g.channels;
    auto x = random_values(random, 2 * in_size);
    for (Real& v : x) v = std::round(v);  // many equal values: the first must win
    std::vector<Real> y(static_cast<size_t>(2 * out_size)), taps = y, dx = x;
    std::vector<Real> expected(y.size(), -std::numeric_limits<Real>::infinity()), expected_dx(x.size());
    std::vector<int64_t> chosen(y.size(), -1);
    max_pool(g, x.data(), y.data(), taps.data());
    const auto gradient = random_values(random, 2 * out_size);
    max_pool_backward(g, gradient.data(), taps.data(), dx.data());

    std::vector<int64_t> places(y.size());
    for (int64_t n = 0; n < 2; ++n) {
      for_each_tap(g, [&](int64_t out_pixel, int64_t tap, int64_t in_pixel) {
        for (int64_t c = 0; c < g.channels; ++c) {
          const size_t out = static_cast<size_t>(n * out_size + out_pixel * g.channels + c);
          const int64_t in = n * in_size + in_pixel * g.channels + c;
          if (chosen[out] >= 0 && x[static_cast<size_t>(in)] <= expected[out]) continue;
          expected[out] = x[static_cast<size_t>(in)];
          chosen[out] = tap;
          places[out] = in;
        }
      });
    }
    for (size_t o = 0; o < y.size(); ++o) {
      ASSERT_EQ(y[o], expected[o]);
      ASSERT_EQ(static_cast<int64_t>(taps[o]), chosen[o]);
      expected_dx[static_cast<size_t>(places[o])] += gradient[o];
    }
    for (size_t k = 0; k < dx.size(); ++k) ASSERT_NEAR(dx[k], expected_dx[k], 100 * kEpsilon);
  }
}

TEST_P(Kernels, MaxPoolPassesNotANumberOn) {
  const Window window{.kernel_h = 1, .kernel_w = 3, .stride_h = 1, .stride_w = 3, .padding = Padding::kValid};
  const WindowGeometry g = lay_window("test", window, {1, 1, 9, 1});
  const Real nan = std::numeric_limits<Real>::quiet_NaN();
  const Real x[] = {nan, 2, 1, 1, nan, 2, 1, 2, nan};
  Real y[3], taps[3];
  max_pool(g, x, y, taps);
  for (Real value : y) EXPECT_TRUE(std::isnan(value));
}

TEST_P(Kernels, ClampAndItsGradient) {
  Random random(4, "clamp test");
  for (int64_t count : {1, 15, 16, 17, 100, 70000}) {
    auto x = random_values(random, count);
    x[0] = 0;
    std::vector<Real> y(x.size()), dx(x.size());
    const auto upstream = random_values(random, count);
    clamp(count, 0, 1, x.data(), y.data());
    clamp_backward(count, 0, 1, y.data(), upstream.data(), dx.data());
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_EQ(y[i], std::min<Real>(1, std::max<Real>(0, x[i])));
      ASSERT_EQ(dx[i], x[i] > 0 && x[i] < 1 ? upstream[i] : Real(0));
    }
  }
  std::vector<Real> nan(40, std::numeric_limits<Real>::quiet_NaN());
  clamp(40, 0, 6, nan.data(), nan.data());
  for (Real v : nan) EXPECT_TRUE(std::isnan(v));
}

TEST_P(Kernels, ChannelStatisticsEqualTheirDefinitions) {
  Random random(5, "channel test");
  for (int64_t channels : {1, 3, 8, 10, 24, 32, 64, 129}) {
    for (int64_t rows : {1, 2, 50, 4097}) {
      auto x = random_values(random, rows * channels);
      for (size_t i = 0; i < x.size(); ++i) x[i] += static_cast<Real>(1000);  // mean far above the deviation
      const auto y = random_values(random, rows * channels);
      const ChannelMoments moments = channel_moments(rows, channels, x.data());
      const auto gradient = channel_gradient_sums(rows, channels, x.data(), moments.mean, y.data());
      const auto sums = channel_sums(rows, channels, y.data());
      for (int64_t c = 0; c < channels; ++c) {
        const size_t at = static_cast<size_t>(c);
        double mean = 0, variance = 0, sum = 0, centered = 0;
        for (int64_t r = 0; r < rows; ++r) mean += x[static_cast<size_t>(r * channels + c)];
        mean /= static_cast<double>(rows);
        for (int64_t r = 0; r < rows; ++r) {
          const size_t i = static_cast<size_t>(r * channels + c);
          variance += (x[i] - mean) * (x[i] - mean);
          sum += y[i];
          centered += y[i] * (x[i] - moments.mean[at]);
        }
        variance /= static_cast<double>(rows);
        const double terms = static_cast<double>(rows);
        ASSERT_NEAR(moments.mean[at], mean, 1000 * 40 * kEpsilon);
        ASSERT_NEAR(moments.variance[at], variance, 1e4 * kEpsilon * (1 + variance));
        ASSERT_NEAR(sums[at], sum, terms * 40 * kEpsilon);
        ASSERT_NEAR(gradient.upstream[at], sum, terms * 40 * kEpsilon);
        ASSERT_NEAR(gradient.upstream_centered[at], centered, terms * 1000 * kEpsilon);
      }
    }
  }
}

TEST_P(Kernels, ChannelAffineMapsEqualTheirDefinitions) {
  Random random(6, "affine test");
  for (int64_t channels : {1, 3, 8, 24, 100}) {
    const int64_t rows = 37;
    const auto x = random_values(random, rows * channels), y = random_values(random, rows * channels);
    const auto a = random_values(random, channels), b = random_values(random, channels),
               c = random_values(random, channels);
    std::vector<Real> one(x.size()), two(x.size());
    channel_affine(rows, channels, x.data(), as_doubles(a), as_doubles(b), one.data());
    channel_affine2(rows, channels, x.data(), as_doubles(a), y.data(), as_doubles(b), as_doubles(c),
                    two.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t ch = i % static_cast<size_t>(channels);
      ASSERT_NEAR(one[i], x[i] * a[ch] + b[ch], 40 * kEpsilon);
      ASSERT_NEAR(two[i], x[i] * a[ch] + y[i] * b[ch] + c[ch], 80 * kEpsilon);
    }
  }
}

TEST_P(Kernels, SumsDoNotDependOnTheNumberOfThreads) {
  Random random(7, "threads test");
  const int64_t rows = 20000, channels = 24;
  const auto x = random_values(random, rows * channels);
  set_thread_count(1);
  const auto one = channel_moments(rows, channels, x.data());
  for (int threads : {2, 4}) {
    set_thread_count(threads);
    const auto many = channel_moments(rows, channels, x.data());
    EXPECT_EQ(one.mean, many.mean);
    EXPECT_EQ(one.variance, many.variance);
  }
}

TEST(IsaTest, TheMachineHasAtLeastTheGenericSet) {
  EXPECT_EQ(supported_isas().front(), Isa::kGeneric);
  EXPECT_STREQ(isa_name(Isa::kAvx512), "avx512");
}

}  // namespace
}  // namespace qlimit
