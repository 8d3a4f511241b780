// Every fast kernel against its definition, for every instruction set of the machine, on random and edge
// shapes.
//
// Products and sums of n terms are compared within (n + 2) * epsilon * sum of |terms|: the classic bound for
// a sum in any order (Higham, "Accuracy and stability of numerical algorithms", 2002, section 4.2). All else
// is equal bit for bit.
#include <cmath>
#include <vector>

#include "core/kernels/channel.h"
#include "core/kernels/elementwise.h"
#include "core/kernels/gemm.h"
#include "core/kernels/im2col.h"
#include "core/kernels/peak.h"
#include "core/kernels/pool.h"
#include "core/kernels/table.h"
#include "core/parallel.h"
#include "tests/core/kernels_fixture.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

constexpr Real kInfinity = std::numeric_limits<Real>::infinity();

std::vector<double> as_doubles(const std::vector<Real>& values) { return {values.begin(), values.end()}; }

INSTANTIATE_TEST_SUITE_P(EachIsa, Kernels, testing::ValuesIn(supported_isas()),
                         [](const auto& isa) { return std::string(isa_name(isa.param)); });

struct Product {
  int64_t m, n, k;
  bool transpose_a, transpose_b, bias, clamps;
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

  gemm(p.m, av, PackedMatrix(bv, p.k, p.n), c.data(), stride, epilogue);
  gemm_reference(p.m, p.n, p.k, av, bv, expected.data(), stride, epilogue);

  for (int64_t i = 0; i < p.m; ++i) {
    for (int64_t j = 0; j < stride; ++j) {
      const size_t at = static_cast<size_t>(i * stride + j);
      if (j >= p.n) {
        ASSERT_EQ(c[at], before[at]) << "written outside of row " << i;
        continue;
      }
      double magnitude = std::abs(bias[static_cast<size_t>(j)]);
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
                           random.below(2) == 1};
      expect_product({m, n, 1 + random.below(40), bits[0], bits[1], bits[2], bits[3]}, random);
    }
  }
  expect_product({25, 40, 300, false, true, true, true}, random);
  expect_product({25, 40, 0, false, true, true, false}, random);
}

TEST_P(Kernels, GemmPassesNotANumberThroughTheClamp) {
  const Real nan = std::numeric_limits<Real>::quiet_NaN(), one = 1;
  Real c = 0;
  gemm(1, {&nan, 1, 1}, PackedMatrix({&one, 1, 1}, 1, 1), &c, 1, {.clamps = true, .low = 0, .high = 6});
  EXPECT_TRUE(std::isnan(c));
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
  for (int64_t channels : {1, 3, 8, 10, 24, 32, 64, 72, 129, 180}) {
    for (int64_t rows : {1, 2, 50, 4097}) {
      auto x = random_values(random, rows * channels);
      for (size_t i = 0; i < x.size(); ++i) x[i] += static_cast<Real>(1000);  // mean far above the deviation
      const auto y = random_values(random, rows * channels);
      const ChannelMoments moments = channel_moments(rows, channels, x.data());
      const ChannelMap unbounded(channels, -kInfinity, kInfinity);
      const auto gradient = channel_gradient_sums(rows, x.data(), moments.mean, unbounded, y.data());
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

// A map and its gradient, with bounds that clamp about a third of the values, and all that belongs to them.
struct MapCase {
  int64_t channels;
  std::vector<Real> scale, shift, upstream_scale, x_scale, x_shift;
  Real low = -1, high = 2;

  MapCase(Random& random, int64_t count) : channels(count) {
    for (auto* values : {&scale, &shift, &upstream_scale, &x_scale, &x_shift})
      *values = random_values(random, channels);
  }
  ChannelMap map() const { return {as_doubles(scale), as_doubles(shift), low, high}; }
  ChannelMapGradient gradient() const {
    return {as_doubles(upstream_scale), as_doubles(x_scale), as_doubles(x_shift)};
  }
  Real unclamped(Real x, size_t c) const { return x * scale[c] + shift[c]; }
  /// Whether x is so near to a bound that rounding decides on which side it lies.
  bool is_close(Real x, size_t c) const {
    const Real y = unclamped(x, c);
    return std::abs(y - low) < 100 * kEpsilon || std::abs(y - high) < 100 * kEpsilon;
  }
  bool is_inside(Real x, size_t c) const { return unclamped(x, c) > low && unclamped(x, c) < high; }
  Real dx(Real x, Real upstream, size_t c) const {
    return (is_inside(x, c) ? upstream : 0) * upstream_scale[c] + x * x_scale[c] + x_shift[c];
  }
};

TEST_P(Kernels, ChannelMapsEqualTheirDefinitions) {
  Random random(6, "affine test");
  for (int64_t channels : {1, 3, 8, 24, 100}) {
    const int64_t rows = 37;
    const MapCase c(random, channels);
    const auto x = random_values(random, rows * channels), upstream = random_values(random, rows * channels);
    std::vector<Real> y(x.size()), dx(x.size());
    channel_map(rows, x.data(), c.map(), y.data());
    channel_map_backward(rows, x.data(), c.map(), upstream.data(), c.gradient(), dx.data());
    std::vector<double> sum(static_cast<size_t>(channels)), centered = sum;
    const std::vector<double> mean(sum.size(), 0.25);
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t ch = i % static_cast<size_t>(channels);
      ASSERT_NEAR(y[i], std::clamp(c.unclamped(x[i], ch), c.low, c.high), 40 * kEpsilon);
      ASSERT_FALSE(c.is_close(x[i], ch)) << "choose another seed";
      ASSERT_NEAR(dx[i], c.dx(x[i], upstream[i], ch), 80 * kEpsilon);
      if (c.is_inside(x[i], ch)) {
        sum[ch] += upstream[i];
        centered[ch] += upstream[i] * (x[i] - 0.25);
      }
    }
    const ChannelGradientSums sums = channel_gradient_sums(rows, x.data(), mean, c.map(), upstream.data());
    for (size_t ch = 0; ch < sum.size(); ++ch) {
      ASSERT_NEAR(sums.upstream[ch], sum[ch], 40.0 * static_cast<double>(rows) * kEpsilon);
      ASSERT_NEAR(sums.upstream_centered[ch], centered[ch], 80.0 * static_cast<double>(rows) * kEpsilon);
    }
  }
}

TEST_P(Kernels, MapAndPoolEqualsOneAfterTheOther) {
  Random random(8, "map and pool test");
  const Window square{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .padding = Padding::kValid};
  for (int64_t channels : {1, 3, 8, 16, 24, 40}) {
    const Shape shape{3, 4, 6, channels};
    const WindowGeometry g = lay_window("test", square, shape);
    ASSERT_TRUE(pools_squares(g));
    const MapCase c(random, channels);
    const auto x = random_values(random, shape.size()), upstream = random_values(random, shape.size() / 4);
    std::vector<Real> y(upstream.size()), peaks = y, taps = y, dx(x.size());
    map_and_pool(g, x.data(), c.map(), y.data(), peaks.data(), taps.data());
    map_and_pool_backward(g, x.data(), c.map(), upstream.data(), taps.data(), c.gradient(), dx.data());

    std::vector<Real> mapped(x.size()), expected_y(y.size()), expected_taps(y.size()), pooled(x.size()),
        expected_dx(x.size());
    channel_map(shape.size() / channels, x.data(), c.map(), mapped.data());
    max_pool(g, mapped.data(), expected_y.data(), expected_taps.data());
    max_pool_backward(g, upstream.data(), expected_taps.data(), pooled.data());
    channel_map_backward(shape.size() / channels, x.data(), c.map(), pooled.data(), c.gradient(),
                         expected_dx.data());
    EXPECT_EQ(y, expected_y);
    for (size_t i = 0; i < y.size(); ++i) {
      const auto ch = i % static_cast<size_t>(channels);
      ASSERT_NEAR(std::clamp(c.unclamped(peaks[i], ch), c.low, c.high), y[i], 40 * kEpsilon);
    }
    for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(dx[i], expected_dx[i], 80 * kEpsilon);
  }
}

TEST_P(Kernels, MapAndPoolPassesNotANumberOn) {
  const Window square{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .padding = Padding::kValid};
  for (const int64_t channels : {1, 8, 16}) {
    const WindowGeometry g = lay_window("test", square, {1, 2, 8, channels});
    for (int64_t place = 0; place < 4; ++place) {  // inside of each window
      std::vector<Real> x(static_cast<size_t>(16 * channels)), y(x.size() / 4), peaks = y, taps = y;
      for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<Real>(i % 7);
      for (int64_t window = 0; window < 4; ++window) {
        for (int64_t c = 0; c < channels; ++c) {
          const int64_t pixel = place / 2 * 8 + 2 * window + place % 2;
          x[static_cast<size_t>(pixel * channels + c)] = std::numeric_limits<Real>::quiet_NaN();
        }
      }
      map_and_pool(g, x.data(), ChannelMap(channels, 0, 6), y.data(), peaks.data(), taps.data());
      for (const Real value : y) EXPECT_TRUE(std::isnan(value)) << channels << " channels, place " << place;
      for (const Real tap : taps) EXPECT_EQ(tap, static_cast<Real>(place));
    }
  }
}

TEST(MapAndPool, IsForWholeSquaresOnly) {
  const auto fits = [](const Window& window, const Shape& shape) {
    return pools_squares(lay_window("test", window, shape));
  };
  const Window square{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .padding = Padding::kValid};
  Window same = square, large = square, near = square;
  same.padding = Padding::kSame;
  large.kernel_w = 3;
  near.stride_h = 1;
  EXPECT_TRUE(fits(square, {1, 4, 4, 1}));
  EXPECT_FALSE(fits(square, {1, 5, 4, 1}));
  EXPECT_FALSE(fits(same, {1, 4, 5, 1}));
  EXPECT_FALSE(fits(large, {1, 4, 5, 1}));
  EXPECT_FALSE(fits(near, {1, 4, 4, 1}));
}

TEST_P(Kernels, SumsDoNotDependOnTheNumberOfThreads) {
  Random random(7, "threads test");
  const int64_t rows = 20000, channels = 24;
  const auto x = random_values(random, rows * channels);
  const int threads_before = thread_count();
  set_thread_count(1);
  const auto one = channel_moments(rows, channels, x.data());
  for (int threads : {2, 4}) {
    set_thread_count(threads);
    const auto many = channel_moments(rows, channels, x.data());
    EXPECT_EQ(one.mean, many.mean);
    EXPECT_EQ(one.variance, many.variance);
  }
  set_thread_count(threads_before);
}

// Rates themselves depend on the machine: that what is counted has been done can be told.
TEST_P(Kernels, PeakLoopsCountWhatTheyDo) {
  for (const auto loop : {kernels().multiply_add_loop, kernels().multiply_add_int8_loop}) {
    EXPECT_EQ(loop(0), 0);
    EXPECT_GT(loop(1), 0);
    EXPECT_EQ(loop(1000), 1000 * loop(1));
  }
  EXPECT_GT(peak_multiply_adds(Arithmetic::kReal), 1e6);
  EXPECT_GT(peak_multiply_adds(Arithmetic::kInt8), 1e6);
}

TEST_P(Kernels, PeakReadingTakesAnyNumberOfBytes) {
  EXPECT_GT(peak_read_bandwidth(1), 1e5);
  EXPECT_GT(peak_read_bandwidth(100'000), 1e5);
  expect_error([] { peak_read_bandwidth(0); }, ErrorKind::kUsage, {"no bytes"});
}

TEST(IsaTest, TheMachineHasAtLeastTheGenericSet) {
  EXPECT_EQ(supported_isas().front(), Isa::kGeneric);
  EXPECT_STREQ(isa_name(Isa::kAvx512), "avx512");
  EXPECT_STREQ(isa_name(Isa::kNeonDot), "neondot");
}

TEST(IsaTest, IsFoundByItsNameIfTheMachineHasIt) {
  for (const Isa isa : supported_isas()) EXPECT_EQ(isa_named(isa_name(isa)), isa);
  expect_error([] { isa_named("avx3"); }, ErrorKind::kUsage, {"QLIMIT_ISA", "avx512vnni", "avx3"});
#if defined(__x86_64__)
  expect_error([] { isa_named("neondot"); }, ErrorKind::kUsage, {"lacks", "neondot"});
#else
  expect_error([] { isa_named("avx2"); }, ErrorKind::kUsage, {"lacks", "avx2"});
#endif
}

}  // namespace
}  // namespace qlimit
