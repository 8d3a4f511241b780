// Every layer's gradient against central differences, on random shapes: batch 1, one channel, even kernels,
// strides larger than the kernel, dilation, padding that is larger on one side. Each case prints its seed and
// shapes when it fails.

#include <algorithm>
#include <cmath>
#include <string>

#include "core/window.h"
#include "layers/add.h"
#include "layers/average_pool2d.h"
#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/depthwise_conv2d.h"
#include "layers/distillation.h"
#include "layers/dropout.h"
#include "layers/flatten.h"
#include "layers/global_average_pool.h"
#include "layers/max_pool2d.h"
#include "layers/pointwise.h"
#include "layers/relu.h"
#include "layers/softmax.h"
#include "layers/softmax_cross_entropy.h"
#include "tests/layers/gradient_check.h"

namespace qlimit {
namespace {

constexpr int kCases = 24;

// 1 to `largest`, with 1 itself in about a third of the cases: the odd sizes are the interesting ones.
int64_t small(Random& rng, uint32_t largest) { return rng.below(3) == 0 ? 1 : 1 + rng.below(largest); }

Shape random_image(Random& rng, uint32_t most_channels = 4) {
  return {1 + rng.below(3), small(rng, 7), small(rng, 7), small(rng, most_channels)};
}

std::string to_string(const Window& w) {
  return concat("kernel ", w.kernel_h, "x", w.kernel_w, " stride ", w.stride_h, "x", w.stride_w, " dilation ",
                w.dilation_h, "x", w.dilation_w, w.padding == Padding::kSame ? " same" : " valid");
}

// Kernels 1 to 4, strides 1 to 5 (so often larger than the kernel); a valid window that would not fit into
// the image becomes a padded one.
Window random_window(Random& rng, const Shape& image, bool may_dilate) {
  Window w{.kernel_h = small(rng, 4),
           .kernel_w = small(rng, 4),
           .stride_h = small(rng, 5),
           .stride_w = small(rng, 5),
           .dilation_h = may_dilate ? small(rng, 3) : 1,
           .dilation_w = may_dilate ? small(rng, 3) : 1,
           .padding = rng.below(2) == 0 ? Padding::kSame : Padding::kValid};
  const bool fits = (w.kernel_h - 1) * w.dilation_h < image[1] && (w.kernel_w - 1) * w.dilation_w < image[2];
  if (!fits) w.padding = Padding::kSame;
  return w;
}

// Runs `body(rng)` with kCases fixed seeds; a failure names the seed.
template <typename Body>
void for_each_case(const char* purpose, const Body& body) {
  for (int seed = 0; seed < kCases; ++seed) {
    SCOPED_TRACE(concat(purpose, ", seed ", seed));
    Random rng(seed, purpose);
    body(rng);
  }
}

TEST(Gradient, Add) {
  for_each_case("add", [](Random& rng) {
    const Shape shape = random_image(rng);
    EXPECT_TRUE(gradients_agree([](const auto& in) { return add(in[0], in[1]); },
                                {random_tensor(shape, rng), random_tensor(shape, rng)}, rng))
        << shape.to_string();
  });
}

TEST(Gradient, AddOfAValueToItself) {
  Random rng(1, "add to itself");
  EXPECT_TRUE(
      gradients_agree([](const auto& in) { return add(in[0], in[0]); }, {random_tensor({2, 3}, rng)}, rng));
}

TEST(Gradient, Flatten) {
  for_each_case("flatten", [](Random& rng) {
    const Shape shape = random_image(rng);
    EXPECT_TRUE(
        gradients_agree([](const auto& in) { return flatten(in[0]); }, {random_tensor(shape, rng)}, rng))
        << shape.to_string();
  });
}

TEST(Gradient, GlobalAveragePool) {
  for_each_case("global_average_pool", [](Random& rng) {
    const Shape shape = random_image(rng);
    EXPECT_TRUE(gradients_agree([](const auto& in) { return global_average_pool(in[0]); },
                                {random_tensor(shape, rng)}, rng))
        << shape.to_string();
  });
}

TEST(Gradient, AveragePool2D) {
  for_each_case("average_pool2d", [](Random& rng) {
    const Shape shape = random_image(rng);
    const Window window = random_window(rng, shape, /*may_dilate=*/false);
    EXPECT_TRUE(gradients_agree([&](const auto& in) { return average_pool2d(in[0], window); },
                                {random_tensor(shape, rng)}, rng))
        << shape.to_string() << ' ' << to_string(window);
  });
}

TEST(Gradient, MaxPool2D) {
  for_each_case("max_pool2d", [](Random& rng) {
    const Shape shape = random_image(rng);
    const Window window = random_window(rng, shape, /*may_dilate=*/false);
    EXPECT_TRUE(gradients_agree([&](const auto& in) { return max_pool2d(in[0], window); },
                                {spread_out(shape, rng)}, rng))
        << shape.to_string() << ' ' << to_string(window);
  });
}

TEST(Gradient, Conv2D) {
  for_each_case("conv2d", [](Random& rng) {
    const Shape shape = random_image(rng);
    const Window window = random_window(rng, shape, /*may_dilate=*/true);
    const int64_t outputs = small(rng, 9);
    std::vector<Tensor<Real>> inputs = {
        random_tensor(shape, rng), random_tensor({outputs, window.kernel_h, window.kernel_w, shape[3]}, rng)};
    if (rng.below(2) == 0) inputs.push_back(random_tensor({outputs}, rng));
    const auto function = [&](const std::vector<Variable>& in) {
      return conv2d(in[0], in[1], in.size() > 2 ? in[2] : Variable(), window);
    };
    EXPECT_TRUE(gradients_agree(function, inputs, rng))
        << shape.to_string() << " to " << outputs << " channels, " << to_string(window);
  });
}

TEST(Gradient, DepthwiseConv2D) {
  for_each_case("depthwise_conv2d", [](Random& rng) {
    const Shape shape = random_image(rng);
    const Window window = random_window(rng, shape, /*may_dilate=*/true);
    const int64_t outputs = shape[3] * small(rng, 3);
    std::vector<Tensor<Real>> inputs = {random_tensor(shape, rng),
                                        random_tensor({1, window.kernel_h, window.kernel_w, outputs}, rng)};
    if (rng.below(2) == 0) inputs.push_back(random_tensor({outputs}, rng));
    const auto function = [&](const std::vector<Variable>& in) {
      return depthwise_conv2d(in[0], in[1], in.size() > 2 ? in[2] : Variable(), window);
    };
    EXPECT_TRUE(gradients_agree(function, inputs, rng))
        << shape.to_string() << " to " << outputs << " channels, " << to_string(window);
  });
}

TEST(Gradient, Dense) {
  for_each_case("dense", [](Random& rng) {
    const int64_t batch = small(rng, 40), in_features = small(rng, 20), out_features = small(rng, 20);
    std::vector<Tensor<Real>> inputs = {random_tensor({batch, in_features}, rng),
                                        random_tensor({out_features, in_features}, rng)};
    if (rng.below(2) == 0) inputs.push_back(random_tensor({out_features}, rng));
    const auto function = [](const std::vector<Variable>& in) {
      return dense(in[0], in[1], in.size() > 2 ? in[2] : Variable());
    };
    EXPECT_TRUE(gradients_agree(function, inputs, rng))
        << batch << "x" << in_features << " to " << out_features;
  });
}

TEST(Gradient, BatchNorm2DTraining) {
  for_each_case("batch_norm_training", [](Random& rng) {
    const Shape shape = random_image(rng);
    // With two or three pixels the normalized values bend within about sqrt(epsilon) of equal inputs: epsilon
    // stays large enough for the step of the differences.
    const BatchNormOptions options{.epsilon = shape.size() / shape[3] > 8 ? 1e-5 : 1e-1};
    const auto function = [&](const std::vector<Variable>& in) {
      return batch_norm2d_training(in[0], in[1], in[2], options).output;
    };
    EXPECT_TRUE(gradients_agree(function,
                                {random_tensor(shape, rng, -1, 3), random_tensor({shape[3]}, rng, 0.5, 2),
                                 random_tensor({shape[3]}, rng)},
                                rng))
        << shape.to_string();
  });
}

TEST(Gradient, BatchNorm2DEvaluation) {
  for_each_case("batch_norm", [](Random& rng) {
    const Shape shape = random_image(rng);
    const Variable mean = Variable::constant(random_tensor({shape[3]}, rng));
    const Variable variance = Variable::constant(random_tensor({shape[3]}, rng, 0.1, 2));
    const auto function = [&](const std::vector<Variable>& in) {
      return batch_norm2d(in[0], in[1], in[2], mean, variance, {});
    };
    EXPECT_TRUE(gradients_agree(function,
                                {random_tensor(shape, rng, -1, 3), random_tensor({shape[3]}, rng, 0.5, 2),
                                 random_tensor({shape[3]}, rng)},
                                rng))
        << shape.to_string();
  });
}

TEST(Gradient, ReLU) {
  for_each_case("relu", [](Random& rng) {
    const Shape shape = random_image(rng);
    EXPECT_TRUE(gradients_agree([](const auto& in) { return relu(in[0]); },
                                {keep_away(random_tensor(shape, rng), 0)}, rng))
        << shape.to_string();
  });
}

TEST(Gradient, ReLU6) {
  for_each_case("relu6", [](Random& rng) {
    const Shape shape = random_image(rng);
    EXPECT_TRUE(gradients_agree([](const auto& in) { return relu6(in[0]); },
                                {keep_away(keep_away(random_tensor(shape, rng, -4, 10), 0), 6)}, rng))
        << shape.to_string();
  });
}

TEST(Gradient, Dropout) {
  for_each_case("dropout", [](Random& rng) {
    const Shape shape = random_image(rng);
    const double rate = rng.uniform(0, 0.9);
    // A fresh copy of one stream for each run: the same mask each time.
    const auto function = [rate, stream = rng.split(1)](const std::vector<Variable>& in) {
      Random mask = stream;
      return dropout(in[0], rate, mask);
    };
    EXPECT_TRUE(gradients_agree(function, {random_tensor(shape, rng)}, rng)) << shape.to_string();
  });
}

TEST(Gradient, Softmax) {
  for_each_case("softmax", [](Random& rng) {
    const Shape shape = {1 + rng.below(3), small(rng, 3), small(rng, 8)};
    EXPECT_TRUE(gradients_agree([](const auto& in) { return softmax(in[0]); },
                                {random_tensor(shape, rng, -2, 2)}, rng))
        << shape.to_string();
  });
}

TEST(Gradient, Distillation) {
  for_each_case("distillation", [](Random& rng) {
    const Shape shape = {small(rng, 6), small(rng, 10)};
    std::vector<uint8_t> labels;
    for (int64_t n = 0; n < shape[0]; ++n)
      labels.push_back(static_cast<uint8_t>(rng.below(static_cast<uint32_t>(shape[1]))));
    const Tensor<Real> teacher = random_tensor(shape, rng, -3, 3);
    const DistillationOptions options = {.temperature = rng.uniform(0.5, 5), .teacher_share = rng.uniform()};
    EXPECT_TRUE(gradients_agree([&](const auto& in) { return distillation(in[0], teacher, labels, options); },
                                {random_tensor(shape, rng, -2, 2)}, rng))
        << shape.to_string() << " temperature " << options.temperature;
  });
}

TEST(Gradient, SoftmaxCrossEntropy) {
  for_each_case("softmax_cross_entropy", [](Random& rng) {
    const Shape shape = {small(rng, 6), small(rng, 10)};
    std::vector<uint8_t> labels;
    for (int64_t n = 0; n < shape[0]; ++n)
      labels.push_back(static_cast<uint8_t>(rng.below(static_cast<uint32_t>(shape[1]))));
    const double smoothing = rng.below(2) == 0 ? 0 : rng.uniform();
    EXPECT_TRUE(
        gradients_agree([&](const auto& in) { return softmax_cross_entropy(in[0], labels, smoothing); },
                        {random_tensor(shape, rng, -2, 2)}, rng))
        << shape.to_string() << " smoothing " << smoothing;
  });
}

TEST(Gradient, Sigmoid) {
  for_each_case("sigmoid", [](Random& rng) {
    const Shape shape = random_image(rng);
    EXPECT_TRUE(gradients_agree([](const auto& in) { return sigmoid(in[0]); },
                                {random_tensor(shape, rng, -4, 4)}, rng))
        << shape.to_string();
  });
}

TEST(Gradient, Tanh) {
  for_each_case("tanh", [](Random& rng) {
    const Shape shape = random_image(rng);
    EXPECT_TRUE(
        gradients_agree([](const auto& in) { return tanh(in[0]); }, {random_tensor(shape, rng, -3, 3)}, rng))
        << shape.to_string();
  });
}

TEST(Gradient, AnyPointwiseFunction) {
  const Pointwise square_plus_sine{.function = [](double x) { return x * x + std::sin(x); },
                                   .derivative = [](double x) { return 2 * x + std::cos(x); }};
  for_each_case("pointwise", [&](Random& rng) {
    const Shape shape = random_image(rng);
    EXPECT_TRUE(gradients_agree(
        [&](const auto& in) { return pointwise(in[0], "square_plus_sine", square_plus_sine); },
        {random_tensor(shape, rng)}, rng))
        << shape.to_string();
  });
}

// The cases above are only as good as their variety: what they claim to contain is counted here.
TEST(Gradient, TheRandomWindowsAreOddEnough) {
  for (const char* purpose : {"average_pool2d", "max_pool2d", "conv2d", "depthwise_conv2d"}) {
    const bool dilated = std::string(purpose).find("conv") != std::string::npos;
    int even = 0, long_stride = 0, lopsided = 0, single_channel = 0, single_image = 0, valid = 0;
    for_each_case(purpose, [&](Random& rng) {
      const Shape shape = random_image(rng);
      const Window w = random_window(rng, shape, dilated);
      const WindowGeometry g = lay_window("test", w, shape);
      even += w.kernel_h % 2 == 0 || w.kernel_w % 2 == 0;
      long_stride += w.stride_h > w.kernel_h || w.stride_w > w.kernel_w;
      const int64_t total =
          std::max<int64_t>(0, (g.out_h - 1) * w.stride_h + (w.kernel_h - 1) * w.dilation_h + 1 - g.in_h);
      lopsided += w.padding == Padding::kSame && total % 2 == 1;
      single_channel += shape[3] == 1;
      single_image += shape[0] == 1;
      valid += w.padding == Padding::kValid;
    });
    for (const int count : {even, long_stride, lopsided, single_channel, single_image, valid})
      EXPECT_GE(count, 3) << even << ' ' << long_stride << ' ' << lopsided << ' ' << single_channel << ' '
                          << single_image << ' ' << valid;
  }
}

}  // namespace
}  // namespace qlimit
