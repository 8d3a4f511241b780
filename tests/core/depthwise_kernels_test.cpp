// The depthwise convolution kernels against their definitions, for every instruction set of the machine, on
// random and edge shapes: bit for bit in integers, in floats within (terms + 2) roundings of the sum of the
// terms' magnitudes.
#include <algorithm>
#include <cmath>

#include "core/kernels/depthwise.h"
#include "tests/core/kernels_fixture.h"

namespace qlimit {
namespace {

class DepthwiseKernels : public Kernels {};
INSTANTIATE_TEST_SUITE_P(EachIsa, DepthwiseKernels, testing::ValuesIn(supported_isas()),
                         [](const auto& isa) { return std::string(isa_name(isa.param)); });

/// Windows of the nets (3x3 and 5x5, stride 1 and 2), windows of all kinds, and windows greater than the
/// image; channels from one to four vectors and more.
WindowGeometry depthwise_geometry(Random& random, int trial) {
  const auto number = [&](int64_t most) { return 1 + random.below(static_cast<uint32_t>(most)); };
  constexpr int64_t kChannels[] = {8, 16, 24, 32, 48, 64};
  const int64_t channels = trial % 2 ? kChannels[random.below(6)] : number(67);
  if (trial % 3 == 0) {
    WindowGeometry g = random_geometry(random, 2);
    return lay_window("test", g.window, {1, g.in_h + 4, g.in_w + 4, channels});
  }
  const int64_t kernel = trial % 4 < 2 ? 3 : 5, stride = number(2);
  const Window window = {.kernel_h = kernel, .kernel_w = kernel, .stride_h = stride, .stride_w = stride};
  return lay_window("test", window, {1, number(12), number(20), channels});
}

/// For each tap of each pixel's window that falls inside the image: body(output element, weight, input
/// element) for all output channels.
template <typename Body>
void for_each_product(const WindowGeometry& g, int64_t multiplier, const Body& body) {
  const int64_t outputs = g.channels * multiplier;
  for_each_tap(g, [&](int64_t out, int64_t tap, int64_t in) {
    for (int64_t o = 0; o < outputs; ++o) {
      body(static_cast<size_t>(out * outputs + o), static_cast<size_t>(tap * outputs + o),
           static_cast<size_t>(in * g.channels + o / multiplier));
    }
  });
}

std::vector<int8_t> random_bytes(Random& random, int64_t count) {
  std::vector<int8_t> values(static_cast<size_t>(count));
  for (int8_t& v : values) v = static_cast<int8_t>(random.below(256));
  return values;
}

TEST_P(DepthwiseKernels, Int8EqualsItsDefinition) {
  Random random(20, "int8 depthwise test");
  for (int trial = 0; trial < 400; ++trial) {
    const WindowGeometry g = depthwise_geometry(random, trial);
    const int64_t multiplier = trial % 5 ? 1 : 1 + random.below(4), outputs = g.channels * multiplier;
    const int64_t taps = g.window.kernel_h * g.window.kernel_w;
    auto image = random_bytes(random, g.in_h * g.in_w * g.channels);
    auto weights = random_bytes(random, taps * outputs);
    if (trial % 7 == 0) std::fill(image.begin(), image.end(), -128);  // the extreme products too
    if (trial % 7 == 0) std::fill(weights.begin(), weights.end(), -128);
    const int8_t border = static_cast<int8_t>(random.below(256));
    // What lies outside of the image is the border: a sum of all weights times it, less the taps inside.
    std::vector<int32_t> expected(static_cast<size_t>(g.out_pixels() * outputs));
    for (int64_t pixel = 0; pixel < g.out_pixels(); ++pixel) {
      for (int64_t i = 0; i < taps * outputs; ++i) {
        expected[static_cast<size_t>(pixel * outputs + i % outputs)] +=
            border * weights[static_cast<size_t>(i)];
      }
    }
    for_each_product(g, multiplier, [&](size_t out, size_t weight, size_t in) {
      expected[out] += (image[in] - border) * weights[weight];
    });

    const PackedDepthwiseInt8 conv(g, weights.data(), multiplier);
    const int64_t begin = random.below(static_cast<uint32_t>(g.out_h)), rows = g.out_h - begin;
    std::vector<std::byte> scratch(static_cast<size_t>(conv.scratch_bytes()));
    std::vector<int32_t> found(static_cast<size_t>(rows * conv.line_pixels() * conv.columns()));
    conv.run(image.data(), border, begin, g.out_h, scratch.data(), {.sums = found.data()});
    const int64_t folded = g.out_w * outputs / conv.line_pixels();
    for (int64_t i = 0; i < rows * g.out_w * outputs; ++i) {
      ASSERT_EQ(found[static_cast<size_t>(i / folded * conv.columns() + i % folded)],
                expected[static_cast<size_t>(begin * g.out_w * outputs + i)])
          << "trial " << trial << " at " << i;
    }
  }
}

struct Problem {
  WindowGeometry g;
  int64_t taps;
  std::vector<Real> image, weights, upstream;
};

Problem make_problem(Random& random, int trial, int64_t multiplier) {
  const WindowGeometry g = depthwise_geometry(random, trial);
  const int64_t taps = g.window.kernel_h * g.window.kernel_w, outputs = g.channels * multiplier;
  return {g, taps, random_values(random, g.in_h * g.in_w * g.channels), random_values(random, taps * outputs),
          random_values(random, g.out_pixels() * outputs)};
}

void expect_near(const std::vector<Real>& found, const std::vector<Real>& expected,
                 const std::vector<Real>& magnitudes, int64_t terms, int trial) {
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i],
                static_cast<double>(terms + 2) * kEpsilon * (static_cast<double>(magnitudes[i]) + 1e-30))
        << "trial " << trial << " at " << i;
  }
}

TEST_P(DepthwiseKernels, EqualsItsDefinition) {
  Random random(21, "depthwise test");
  for (int trial = 0; trial < 400; ++trial) {
    const int64_t multiplier = trial % 5 ? 1 : 1 + random.below(4);
    const Problem p = make_problem(random, trial, multiplier);
    const int64_t outputs = p.g.channels * multiplier, line = p.g.out_w * outputs;
    const auto bias = random_values(random, outputs);
    std::vector<Real> expected, magnitudes;
    for (size_t i = 0; i < p.upstream.size(); ++i) {
      expected.push_back(bias[i % bias.size()]);
      magnitudes.push_back(std::abs(expected.back()));
    }
    for_each_product(p.g, multiplier, [&](size_t out, size_t weight, size_t in) {
      expected[out] += p.image[in] * p.weights[weight];
      magnitudes[out] += std::abs(p.image[in] * p.weights[weight]);
    });
    for (Real& y : expected) y = std::clamp<Real>(y, -1, 6);

    const PackedDepthwise conv(p.g, p.weights.data(), multiplier);
    const std::vector<Real> biases = conv.folded(bias);
    const int64_t begin = random.below(static_cast<uint32_t>(p.g.out_h));
    std::vector<std::byte> scratch(static_cast<size_t>(conv.scratch_bytes()));
    std::vector<Real> found(expected.size());
    conv.run(p.image.data(), begin, p.g.out_h, scratch.data(),
             {.epilogue = {.bias = biases.data(), .clamps = true, .low = -1, .high = 6},
              .out = found.data() + begin * line});
    std::copy_n(expected.begin(), begin * line, found.begin());
    expect_near(found, expected, magnitudes, p.taps, trial);
  }
}

TEST_P(DepthwiseKernels, GradientsEqualTheirDefinitions) {
  Random random(22, "depthwise gradient test");
  for (int trial = 0; trial < 400; ++trial) {
    const Problem p = make_problem(random, trial, 1);
    const std::vector<Real> before = random_values(random, static_cast<int64_t>(p.weights.size()));
    std::vector<Real> dw = before, dw_magnitudes, dx(p.image.size()), dx_magnitudes(dx);
    for (Real w : before) dw_magnitudes.push_back(std::abs(w));
    for_each_product(p.g, 1, [&](size_t out, size_t weight, size_t in) {
      dw[weight] += p.upstream[out] * p.image[in];
      dw_magnitudes[weight] += std::abs(p.upstream[out] * p.image[in]);
      dx[in] += p.upstream[out] * p.weights[weight];
      dx_magnitudes[in] += std::abs(p.upstream[out] * p.weights[weight]);
    });

    const DepthwiseGradient gradient(p.g);
    std::vector<std::byte> scratch(static_cast<size_t>(gradient.filter_scratch_bytes()));
    std::vector<Real> sums = before;
    gradient.add_filters(p.image.data(), p.upstream.data(), scratch.data(), sums.data());
    expect_near(sums, dw, dw_magnitudes, p.g.out_pixels(), trial);

    scratch.resize(static_cast<size_t>(gradient.input_scratch_bytes()));
    std::vector<Real> found(dx.size(), -1);
    gradient.input(p.upstream.data(), p.weights.data(), scratch.data(), found.data());
    expect_near(found, dx, dx_magnitudes, p.taps, trial);

    if (p.g.window.stride_h != 1 || p.g.window.stride_w != 1) continue;
    const PackedDepthwise back = input_gradient_depthwise(p.g, p.weights.data());
    scratch.resize(static_cast<size_t>(back.scratch_bytes()));
    std::fill(found.begin(), found.end(), Real(-1));
    back.run(p.upstream.data(), 0, p.g.in_h, scratch.data(), {.out = found.data()});
    expect_near(found, dx, dx_magnitudes, p.taps, trial);
  }
}

}  // namespace
}  // namespace qlimit
