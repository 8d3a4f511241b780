// The convolution kernels against their definitions, for every instruction set of the machine, on random and
// edge shapes: bit for bit in integers, in floats within the bound of kernels_test.cpp.
#include <algorithm>
#include <cmath>

#include "core/kernels/conv.h"
#include "core/kernels/gemm.h"
#include "core/kernels/im2col.h"
#include "tests/core/kernels_fixture.h"

namespace qlimit {
namespace {

class ConvKernels : public Kernels {};
INSTANTIATE_TEST_SUITE_P(EachIsa, ConvKernels, testing::ValuesIn(supported_isas()),
                         [](const auto& isa) { return std::string(isa_name(isa.param)); });

std::vector<int8_t> random_bytes(Random& random, int64_t count) {
  std::vector<int8_t> values(static_cast<size_t>(count));
  for (int8_t& v : values) v = static_cast<int8_t>(random.below(256));
  return values;
}

/// The definition: sums [OH,OW,O] of (x + offset) * w over the window, with `border` for x outside of the
/// image.
std::vector<int32_t> convolution(const WindowGeometry& g, const std::vector<int8_t>& image, int8_t border,
                                 const std::vector<int8_t>& weights, int64_t out_channels, int32_t offset) {
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
        sum += (value + offset) * weights[static_cast<size_t>(o * g.patch_size() + k)];
      }
      sums.push_back(sum);
    }
  }
  return sums;
}

TEST_P(ConvKernels, ConvInt8EqualsItsDefinition) {
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
    const PackedConvInt8 conv(g, weights.data(), out_channels);
    const std::vector<int32_t> expected =
        convolution(g, image, border, weights, out_channels, conv.image_offset());
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

TEST_P(ConvKernels, ConvEqualsItsDefinition) {
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
                   {weights.data(), 1, patch}, expected.data(), out_channels, epilogue);
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

TEST_P(ConvKernels, ConvGradientsEqualTheirDefinitions) {
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

    // The filters' and the bias': the upstream gradient, transposed, times patches that have a 1 at their
    // end. Two parts, one of them of two images.
    std::vector<Real> patches(static_cast<size_t>(pixels * patch)), with_one;
    im2col_reference(g, image.data(), 0, g.out_h, patches.data());
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
      with_one.insert(with_one.end(), patches.begin() + pixel * patch, patches.begin() + (pixel + 1) * patch);
      with_one.push_back(1);
    }
    const auto product = [&](const std::vector<Real>& from, const std::vector<Real>& to) {
      std::vector<Real> c(static_cast<size_t>(out_channels * (patch + 1)));
      gemm_reference(out_channels, patch + 1, pixels, {to.data(), 1, out_channels},
                     {from.data(), patch + 1, 1}, c.data(), patch + 1);
      return c;
    };
    const auto second = random_values(random, pixels * out_channels);
    const std::vector<Real> one = product(with_one, upstream), two = product(with_one, second);
    const std::vector<Real> bound_one = product(absolute(with_one), absolute(upstream));
    const std::vector<Real> bound_two = product(absolute(with_one), absolute(second));

    const ConvGradient gradient(g, out_channels);
    std::vector<std::byte> scratch(static_cast<size_t>(gradient.scratch_bytes()));
    std::vector<Real> parts(static_cast<size_t>(2 * gradient.sums_size()));
    gradient.add(image.data(), upstream.data(), scratch.data(), parts.data());
    gradient.add(image.data(), second.data(), scratch.data(), parts.data());
    gradient.add(image.data(), second.data(), scratch.data(), parts.data() + gradient.sums_size());
    for (int64_t o = 0; o < out_channels; ++o) {
      std::vector<Real> found(static_cast<size_t>(patch + 1));
      gradient.finish(o, 2, parts.data(), found.data(), &found.back());
      for (int64_t k = 0; k <= patch; ++k) {
        const auto at = static_cast<size_t>(o * (patch + 1) + k);
        const double bound = static_cast<double>(bound_one[at] + 2 * bound_two[at]);
        ASSERT_NEAR(found[static_cast<size_t>(k)], one[at] + 2 * two[at],
                    (static_cast<double>(pixels) + 6) * kEpsilon * bound)
            << "trial " << trial << ", filter " << o << " at " << k;
      }
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

TEST_P(ConvKernels, ConvIsNotDisturbedByWhatAPatchDoesNotCover) {
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

TEST_P(ConvKernels, ConvInt8PoolsItsSums) {
  Random random(9, "int8 pool test");
  for (int trial = 0; trial < 100; ++trial) {
    const Shape image_shape = {1, 2 + 2 * random.below(9), 2 + 2 * random.below(12), 1 + random.below(9)};
    const WindowGeometry g = lay_window("test", {.kernel_h = 3, .kernel_w = 3}, image_shape);
    const int64_t out_channels = 1 + random.below(40);
    const auto image = random_bytes(random, image_shape.size());
    const auto weights = random_bytes(random, out_channels * g.patch_size());
    const PackedConvInt8 conv(g, weights.data(), out_channels);
    const std::vector<int32_t> sums = convolution(g, image, 3, weights, out_channels, conv.image_offset());
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

}  // namespace
}  // namespace qlimit
