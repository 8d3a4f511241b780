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

std::vector<double> as_doubles(const std::vector<Real>& values) { return {values.begin(), values.end()}; }

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

}  // namespace
}  // namespace qlimit
