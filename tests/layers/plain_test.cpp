// The layers with many loops inside (blocks, chunks of images, vector lanes) against plain nested loops that
// say nothing but the formula, on sizes that need more than one block, chunk and lane; and the same bits for
// any number of threads.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/parallel.h"
#include "core/random.h"
#include "layers/average_pool2d.h"
#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/depthwise_conv2d.h"
#include "layers/global_average_pool.h"
#include "layers/max_pool2d.h"
#include "tests/layers/tolerance.h"

namespace qlimit {
namespace {

using Function = std::function<Variable(const std::vector<Variable>& inputs)>;

Tensor<Real> random_tensor(const Shape& shape, Random& rng) {
  auto tensor = Tensor<Real>::uninitialized(shape);
  for (Real& value : tensor) value = static_cast<Real>(rng.uniform(-1, 1));
  return tensor;
}

// What a function returns: its output, then the gradient of each input for a fixed random upstream gradient.
template <typename T>
using Results = std::vector<Tensor<T>>;

Tensor<Real> upstream_for(const Shape& shape) {
  Random rng(7, "upstream");
  return random_tensor(shape, rng);
}

Results<Real> run(const Function& function, const std::vector<Tensor<Real>>& inputs) {
  std::vector<Variable> variables;
  for (const Tensor<Real>& input : inputs) variables.push_back(Variable::parameter(input));
  const Variable output = function(variables);
  Results<Real> results = {output.value()};
  backward(output, upstream_for(output.shape()));
  for (const Variable& variable : variables) results.push_back(variable.grad());
  return results;
}

void expect_near(const Results<Real>& found, const Results<double>& expected,
                 const std::vector<double>& tolerances) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t r = 0; r < found.size(); ++r) {
    ASSERT_EQ(found[r].shape(), expected[r].shape());
    for (int64_t i = 0; i < found[r].size(); ++i)
      ASSERT_NEAR(found[r][i], expected[r][i], tolerances[r]) << "result " << r << ", element " << i;
  }
}

// Same bits with 1, 2 and 4 threads.
void expect_same_on_any_threads(const Function& function, const std::vector<Tensor<Real>>& inputs) {
  const int before = thread_count();
  set_thread_count(1);
  const Results<Real> alone = run(function, inputs);
  for (const int threads : {2, 4}) {
    set_thread_count(threads);
    const Results<Real> together = run(function, inputs);
    for (size_t r = 0; r < alone.size(); ++r) {
      EXPECT_TRUE(std::equal(alone[r].begin(), alone[r].end(), together[r].begin()))
          << "result " << r << " with " << threads << " threads";
    }
  }
  set_thread_count(before);
}

// Calls body(n, oy, ox, ky, kx, y, x) for each tap that lies inside the image, straight from the definition
// in core/window.h.
template <typename Body>
void for_each_place(const Shape& image, const Shape& output, const Window& w, const Body& body) {
  const auto before = [&](int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t dilation) {
    const int64_t total = (out - 1) * stride + (kernel - 1) * dilation + 1 - in;
    return w.padding == Padding::kSame ? std::max<int64_t>(0, total) / 2 : 0;
  };
  const int64_t top = before(image[1], output[1], w.kernel_h, w.stride_h, w.dilation_h);
  const int64_t left = before(image[2], output[2], w.kernel_w, w.stride_w, w.dilation_w);
  for (int64_t n = 0; n < output[0]; ++n)
    for (int64_t oy = 0; oy < output[1]; ++oy)
      for (int64_t ox = 0; ox < output[2]; ++ox)
        for (int64_t ky = 0; ky < w.kernel_h; ++ky)
          for (int64_t kx = 0; kx < w.kernel_w; ++kx) {
            const int64_t y = oy * w.stride_h - top + ky * w.dilation_h;
            const int64_t x = ox * w.stride_w - left + kx * w.dilation_w;
            if (y >= 0 && y < image[1] && x >= 0 && x < image[2]) body(n, oy, ox, ky, kx, y, x);
          }
}

struct ConvolutionCase {
  Shape image;
  int64_t outputs;
  Window window;
  Shape output;  // its rows and columns counted by hand
};

// Batches above 16 images, patches above one block, channels that leave a rest in every vector width.
const ConvolutionCase kConvolutions[] = {
    {{19, 12, 11, 5}, 13, {.kernel_h = 3, .kernel_w = 3}, {19, 12, 11, 13}},
    {{33, 6, 6, 3},
     8,
     {.kernel_h = 5, .kernel_w = 4, .stride_h = 2, .stride_w = 3, .padding = Padding::kSame},
     {33, 3, 2, 8}},
    {{2, 40, 36, 17}, 33, {.kernel_h = 3, .kernel_w = 3, .padding = Padding::kValid}, {2, 38, 34, 33}},
    {{1, 9, 30, 35}, 4, {.kernel_h = 2, .kernel_w = 3, .dilation_h = 3, .dilation_w = 2}, {1, 9, 30, 4}},
    {{4, 7, 5, 64}, 70, {.kernel_h = 1, .kernel_w = 1, .stride_h = 2, .stride_w = 2}, {4, 4, 3, 70}},
};

std::vector<Tensor<Real>> convolution_inputs(const Shape& image, const Shape& filter, int64_t outputs) {
  Random rng(3, "convolution");
  return {random_tensor(image, rng), random_tensor(filter, rng), random_tensor({outputs}, rng)};
}

Results<double> plain_conv2d(const ConvolutionCase& c, const std::vector<Tensor<Real>>& in) {
  const Tensor<Real>&x = in[0], &w = in[1], &bias = in[2];
  const Tensor<Real> g = upstream_for(c.output);
  Tensor<double> y(c.output), dx(x.shape()), dw(w.shape()), db(bias.shape());
  for (int64_t i = 0; i < y.size(); ++i) {
    y[i] = bias[i % c.outputs];
    db[i % c.outputs] += g[i];
  }
  for_each_place(c.image, c.output, c.window,
                 [&](int64_t n, int64_t oy, int64_t ox, int64_t ky, int64_t kx, int64_t iy, int64_t ix) {
                   for (int64_t o = 0; o < c.outputs; ++o)
                     for (int64_t k = 0; k < c.image[3]; ++k) {
                       y(n, oy, ox, o) += double{w(o, ky, kx, k)} * x(n, iy, ix, k);
                       dx(n, iy, ix, k) += double{w(o, ky, kx, k)} * g(n, oy, ox, o);
                       dw(o, ky, kx, k) += double{x(n, iy, ix, k)} * g(n, oy, ox, o);
                     }
                 });
  return {y, dx, dw, db};
}

std::vector<double> convolution_tolerances(const ConvolutionCase& c, int64_t forward_terms,
                                           int64_t backward_terms) {
  const int64_t pixels = c.output[0] * c.output[1] * c.output[2];
  return {sum_tolerance(forward_terms + 1, 1), sum_tolerance(backward_terms, 1), sum_tolerance(pixels, 1),
          sum_tolerance(pixels, 1)};
}

TEST(Plain, Conv2D) {
  for (const ConvolutionCase& c : kConvolutions) {
    SCOPED_TRACE(c.image.to_string());
    const int64_t taps = c.window.kernel_h * c.window.kernel_w;
    const auto inputs =
        convolution_inputs(c.image, {c.outputs, c.window.kernel_h, c.window.kernel_w, c.image[3]}, c.outputs);
    const Function function = [&](const auto& in) { return conv2d(in[0], in[1], in[2], c.window); };
    expect_near(run(function, inputs), plain_conv2d(c, inputs),
                convolution_tolerances(c, taps * c.image[3], taps * c.outputs));
    expect_same_on_any_threads(function, inputs);
  }
}

Results<double> plain_depthwise(const ConvolutionCase& c, int64_t multiplier,
                                const std::vector<Tensor<Real>>& in) {
  const Tensor<Real>&x = in[0], &w = in[1], &bias = in[2];
  const Tensor<Real> g = upstream_for(c.output);
  Tensor<double> y(c.output), dx(x.shape()), dw(w.shape()), db(bias.shape());
  for (int64_t i = 0; i < y.size(); ++i) {
    y[i] = bias[i % c.output[3]];
    db[i % c.output[3]] += g[i];
  }
  for_each_place(c.image, c.output, c.window,
                 [&](int64_t n, int64_t oy, int64_t ox, int64_t ky, int64_t kx, int64_t iy, int64_t ix) {
                   for (int64_t k = 0; k < c.image[3]; ++k)
                     for (int64_t m = 0; m < multiplier; ++m) {
                       const int64_t o = k * multiplier + m;
                       y(n, oy, ox, o) += double{w(0, ky, kx, o)} * x(n, iy, ix, k);
                       dx(n, iy, ix, k) += double{w(0, ky, kx, o)} * g(n, oy, ox, o);
                       dw(0, ky, kx, o) += double{x(n, iy, ix, k)} * g(n, oy, ox, o);
                     }
                 });
  return {y, dx, dw, db};
}

TEST(Plain, DepthwiseConv2D) {
  for (ConvolutionCase c : kConvolutions) {
    for (const int64_t multiplier : {1, 3}) {
      SCOPED_TRACE(concat(c.image.to_string(), " multiplier ", multiplier));
      const int64_t outputs = c.image[3] * multiplier, taps = c.window.kernel_h * c.window.kernel_w;
      c.output = {c.output[0], c.output[1], c.output[2], outputs};
      const auto inputs =
          convolution_inputs(c.image, {1, c.window.kernel_h, c.window.kernel_w, outputs}, outputs);
      const Function function = [&](const auto& in) {
        return depthwise_conv2d(in[0], in[1], in[2], c.window);
      };
      expect_near(run(function, inputs), plain_depthwise(c, multiplier, inputs),
                  convolution_tolerances(c, taps, taps * multiplier));
      expect_same_on_any_threads(function, inputs);
    }
  }
}

TEST(Plain, Dense) {
  for (const auto& [batch, features, outputs] :
       {std::array<int64_t, 3>{1, 130, 10}, {100, 70, 33}, {65, 512, 3}}) {
    SCOPED_TRACE(concat(batch, "x", features, " to ", outputs));
    const Shape shape = {batch, outputs};
    const auto inputs = convolution_inputs({batch, features}, {outputs, features}, outputs);
    const Tensor<Real>&x = inputs[0], &w = inputs[1], g = upstream_for(shape);
    Tensor<double> y(shape), dx(x.shape()), dw(w.shape()), db({outputs});
    for (int64_t n = 0; n < batch; ++n)
      for (int64_t o = 0; o < outputs; ++o) {
        y(n, o) = inputs[2][o];
        db[o] += g(n, o);
        for (int64_t i = 0; i < features; ++i) {
          y(n, o) += double{w(o, i)} * x(n, i);
          dx(n, i) += double{w(o, i)} * g(n, o);
          dw(o, i) += double{x(n, i)} * g(n, o);
        }
      }
    const Function function = [](const auto& in) { return dense(in[0], in[1], in[2]); };
    expect_near(run(function, inputs), {y, dx, dw, db},
                {sum_tolerance(features + 1, 1), sum_tolerance(outputs, 1), sum_tolerance(batch, 1),
                 sum_tolerance(batch, 1)});
    expect_same_on_any_threads(function, inputs);
  }
}

TEST(Plain, AveragePool2D) {
  for (const ConvolutionCase& c : kConvolutions) {
    if (c.window.dilation_h != 1) continue;
    SCOPED_TRACE(c.image.to_string());
    const Shape shape = {c.output[0], c.output[1], c.output[2], c.image[3]};
    Random rng(4, "average pool");
    const std::vector<Tensor<Real>> inputs = {random_tensor(c.image, rng)};
    const Tensor<Real> g = upstream_for(shape);
    Tensor<double> y(shape), dx(c.image), count(shape);
    const auto each = [&](const auto& body) {
      for_each_place(c.image, shape, c.window,
                     [&](int64_t n, int64_t oy, int64_t ox, int64_t, int64_t, int64_t iy, int64_t ix) {
                       for (int64_t k = 0; k < shape[3]; ++k) body(n, oy, ox, k, iy, ix);
                     });
    };
    each([&](int64_t n, int64_t oy, int64_t ox, int64_t k, int64_t, int64_t) { count(n, oy, ox, k) += 1; });
    each([&](int64_t n, int64_t oy, int64_t ox, int64_t k, int64_t iy, int64_t ix) {
      y(n, oy, ox, k) += inputs[0](n, iy, ix, k) / count(n, oy, ox, k);
      dx(n, iy, ix, k) += g(n, oy, ox, k) / count(n, oy, ox, k);
    });
    const Function function = [&](const auto& in) { return average_pool2d(in[0], c.window); };
    const double tolerance = sum_tolerance(c.window.kernel_h * c.window.kernel_w, 1);
    expect_near(run(function, inputs), {y, dx}, {tolerance, tolerance});
    expect_same_on_any_threads(function, inputs);
  }
}

TEST(Plain, MaxPool2D) {
  for (const ConvolutionCase& c : kConvolutions) {
    if (c.window.dilation_h != 1) continue;
    SCOPED_TRACE(c.image.to_string());
    const Shape shape = {c.output[0], c.output[1], c.output[2], c.image[3]};
    Random rng(5, "max pool");
    // Few different values: ties are common, and the first place in row-major order takes the gradient.
    std::vector<Tensor<Real>> inputs = {Tensor<Real>(c.image)};
    for (Real& value : inputs[0]) value = static_cast<Real>(rng.below(6)) - 3;
    const Tensor<Real> g = upstream_for(shape);
    Tensor<double> y = Tensor<double>::full(shape, -1e9), dx(c.image);
    Tensor<int64_t> chosen(shape);
    for_each_place(c.image, shape, c.window,
                   [&](int64_t n, int64_t oy, int64_t ox, int64_t, int64_t, int64_t iy, int64_t ix) {
                     for (int64_t k = 0; k < shape[3]; ++k) {
                       const double value = inputs[0](n, iy, ix, k);
                       if (value <= y(n, oy, ox, k)) continue;
                       y(n, oy, ox, k) = value;
                       chosen(n, oy, ox, k) = ((n * c.image[1] + iy) * c.image[2] + ix) * c.image[3] + k;
                     }
                   });
    for (int64_t i = 0; i < g.size(); ++i) dx[chosen[i]] += g[i];
    const Function function = [&](const auto& in) { return max_pool2d(in[0], c.window); };
    const double tolerance = sum_tolerance(c.window.kernel_h * c.window.kernel_w, 1);
    expect_near(run(function, inputs), {y, dx}, {0, tolerance});
    expect_same_on_any_threads(function, inputs);
  }
}

TEST(Plain, GlobalAveragePool) {
  const Shape shape = {19, 7, 5, 33};
  Random rng(6, "global average pool");
  const std::vector<Tensor<Real>> inputs = {random_tensor(shape, rng)};
  const Tensor<Real> g = upstream_for({19, 33});
  Tensor<double> y({19, 33}), dx(shape);
  for (int64_t n = 0; n < 19; ++n)
    for (int64_t p = 0; p < 35; ++p)
      for (int64_t c = 0; c < 33; ++c) {
        y(n, c) += inputs[0](n, p / 5, p % 5, c) / 35.0;
        dx(n, p / 5, p % 5, c) = g(n, c) / 35.0;
      }
  const Function function = [](const auto& in) { return global_average_pool(in[0]); };
  expect_near(run(function, inputs), {y, dx}, {sum_tolerance(35, 1.0 / 35), sum_tolerance(1, 1)});
  expect_same_on_any_threads(function, inputs);
}

// Straight from the paper (Ioffe and Szegedy 2015, algorithm 1 and the chain rule of section 3), which
// reaches dx through dmean and dvariance; the layer uses one closed formula.
TEST(Plain, BatchNorm2DTraining) {
  const Shape shape = {19, 13, 11, 35};
  const int64_t channels = 35, rows = shape.size() / channels;
  Random rng(8, "batch norm");
  std::vector<Tensor<Real>> inputs = {random_tensor(shape, rng), random_tensor({channels}, rng),
                                      random_tensor({channels}, rng)};
  for (int64_t i = 0; i < shape.size(); ++i) inputs[0][i] += static_cast<Real>(i % channels) / 8;
  const Tensor<Real>&x = inputs[0], &gamma = inputs[1], &beta = inputs[2], g = upstream_for(shape);
  const double epsilon = 1e-3;
  Tensor<double> y(shape), dx(shape), dgamma({channels}), dbeta({channels});
  for (int64_t c = 0; c < channels; ++c) {
    double mean = 0, variance = 0, dvariance = 0, dmean = 0;
    for (int64_t i = c; i < shape.size(); i += channels) mean += x[i] / static_cast<double>(rows);
    for (int64_t i = c; i < shape.size(); i += channels)
      variance += (x[i] - mean) * (x[i] - mean) / static_cast<double>(rows);
    const double deviation = std::sqrt(variance + epsilon);
    for (int64_t i = c; i < shape.size(); i += channels) {
      const double z = (x[i] - mean) / deviation, dz = double{g[i]} * gamma[c];
      y[i] = gamma[c] * z + beta[c];
      dgamma[c] += g[i] * z;
      dbeta[c] += g[i];
      dvariance += dz * (x[i] - mean) * -0.5 / (deviation * deviation * deviation);
      dmean -= dz / deviation;
    }
    for (int64_t i = c; i < shape.size(); i += channels)
      dx[i] = double{g[i]} * gamma[c] / deviation +
              (dvariance * 2 * (x[i] - mean) + dmean) / static_cast<double>(rows);
  }
  const Function function = [&](const auto& in) {
    return batch_norm2d_training(in[0], in[1], in[2], {.epsilon = epsilon}).output;
  };
  // An element of y or dx is a sum of three products below 35/8 / sqrt(1/3) = 8; the channel's sums are over
  // all rows.
  expect_near(run(function, inputs), {y, dx, dgamma, dbeta},
              {sum_tolerance(3, 8), sum_tolerance(3, 8), sum_tolerance(rows, 2), sum_tolerance(rows, 2)});
  expect_same_on_any_threads(function, inputs);
}

}  // namespace
}  // namespace qlimit
