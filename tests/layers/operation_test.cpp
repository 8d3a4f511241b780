// What the operations say of themselves, where they refuse, and properties that no recorded value shows.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "core/random.h"
#include "layers/add.h"
#include "layers/average_pool2d.h"
#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/depthwise_conv2d.h"
#include "layers/dropout.h"
#include "layers/flatten.h"
#include "layers/global_average_pool.h"
#include "layers/initialize.h"
#include "layers/max_pool2d.h"
#include "layers/pointwise.h"
#include "layers/relu.h"
#include "layers/softmax.h"
#include "layers/softmax_cross_entropy.h"
#include "tests/support/expect_error.h"

namespace qlimit {
namespace {

Variable zeros(const Shape& shape) { return Variable::constant(Tensor<Real>(shape)); }

Variable row(const std::vector<Real>& values) {
  return Variable::constant(Tensor<Real>({1, static_cast<int64_t>(values.size())}, values));
}

const Window kThree{.kernel_h = 3, .kernel_w = 3};
constexpr Real kNan = std::numeric_limits<Real>::quiet_NaN();

// Tracing, quantization and export recognize operations by these names and options.
TEST(Operation, NamesAndOptions) {
  const Variable image = zeros({2, 4, 4, 3}), c = zeros({3}),
                 ones = Variable::constant(Tensor<Real>::full({3}, 1));
  Random rng(1, "dropout");
  const auto name = [](const Variable& v) { return v.operation().name; };
  const auto window = [](const Variable& v) { return std::any_cast<Window>(v.operation().options); };

  const Variable conv = conv2d(image, zeros({5, 3, 3, 3}), Variable(), kThree);
  EXPECT_EQ(name(conv), "conv2d");
  EXPECT_EQ(window(conv), kThree);
  EXPECT_EQ(conv.operation().multiply_adds, 2 * 4 * 4 * 5 * 27);
  const Variable depthwise = depthwise_conv2d(image, zeros({1, 3, 3, 6}), zeros({6}), kThree);
  EXPECT_EQ(name(depthwise), "depthwise_conv2d");
  EXPECT_EQ(window(depthwise), kThree);
  EXPECT_EQ(depthwise.operation().multiply_adds, 2 * 4 * 4 * 6 * 9);
  const Variable product = dense(zeros({2, 7}), zeros({5, 7}), zeros({5}));
  EXPECT_EQ(name(product), "dense");
  EXPECT_EQ(product.operation().multiply_adds, 2 * 5 * 7);

  const Variable norm = batch_norm2d(image, ones, c, c, ones, {.epsilon = 0.25});
  EXPECT_EQ(name(norm), "batch_norm");
  EXPECT_EQ(std::any_cast<BatchNormOptions>(norm.operation().options).epsilon, 0.25);
  EXPECT_EQ(norm.inputs().size(), 5u);
  EXPECT_EQ(name(batch_norm2d_training(image, ones, c, {}).output), "batch_norm_training");

  EXPECT_EQ(name(max_pool2d(image, kThree)), "max_pool2d");
  EXPECT_EQ(window(max_pool2d(image, kThree)), kThree);
  EXPECT_EQ(name(average_pool2d(image, kThree)), "average_pool2d");
  EXPECT_EQ(window(average_pool2d(image, kThree)), kThree);
  EXPECT_EQ(name(global_average_pool(image)), "global_average_pool");
  EXPECT_EQ(name(add(image, image)), "add");
  EXPECT_EQ(name(flatten(image)), "flatten");
  EXPECT_EQ(name(relu(image)), "relu");
  EXPECT_EQ(name(relu6(image)), "relu6");
  EXPECT_EQ(name(softmax(image)), "softmax");
  EXPECT_EQ(name(dropout(image, 0.5, rng)), "dropout");
  EXPECT_EQ(name(sigmoid(image)), "sigmoid");
  EXPECT_EQ(name(tanh(image)), "tanh");
  EXPECT_EQ(std::any_cast<Pointwise>(sigmoid(image).operation().options).function(0), 0.5);
  EXPECT_EQ(name(softmax_cross_entropy(zeros({1, 2}), {0})), "softmax_cross_entropy");
}

TEST(Operation, WrongShapesAreToldApart) {
  const Variable image = zeros({2, 4, 4, 3});
  const auto refuses = [](const auto& action, const std::vector<std::string>& parts) {
    expect_error(action, ErrorKind::kUsage, parts);
  };
  refuses([&] { add(image, zeros({2, 4, 4, 1})); }, {"add", "[2,4,4,3]", "[2,4,4,1]"});
  refuses([&] { dense(zeros({2, 3}), zeros({0, 3}), zeros({0})); }, {"dense", "[0,3]"});
  refuses([&] { conv2d(zeros({4, 4}), zeros({5, 3, 3, 3}), {}, kThree); }, {"conv2d", "[N,H,W,C]", "[4,4]"});
  refuses([&] { conv2d(image, zeros({5, 3, 3, 4}), {}, kThree); }, {"conv2d", "[O,3,3,3]", "[5,3,3,4]"});
  refuses([&] { conv2d(image, zeros({5, 3, 3, 3}), zeros({4}), kThree); }, {"conv2d", "[5]", "[4]"});
  refuses(
      [&] {
        depthwise_conv2d(image, zeros({1, 3, 3, 4}), {}, kThree);
      },
      {"depthwise_conv2d", "[1,3,3,3*M]", "[1,3,3,4]"});
  refuses(
      [&] {
        depthwise_conv2d(image, zeros({3, 3, 3, 3}), {}, kThree);
      },
      {"depthwise_conv2d", "[3,3,3,3]"});
  refuses(
      [&] {
        depthwise_conv2d(image, zeros({1, 3, 3, 6}), zeros({3}), kThree);
      },
      {"depthwise_conv2d", "[6]", "[3]"});
  refuses([&] { dense(image, zeros({5, 48}), {}); }, {"dense", "[N,I]", "[2,4,4,3]", "Flatten"});
  refuses([&] { dense(zeros({2, 7}), zeros({5, 8}), {}); }, {"dense", "[2,7]", "[5,8]"});
  refuses([&] { dense(zeros({2, 7}), zeros({5, 7}), zeros({7})); }, {"dense", "[5]", "[7]"});
  refuses([&] { batch_norm2d_training(image, zeros({4}), zeros({3}), {}); }, {"batch_norm2d", "[3]", "[4]"});
  refuses([&] { max_pool2d(zeros({4}), kThree); }, {"max_pool2d", "[4]"});
  refuses([&] { average_pool2d(zeros({4}), kThree); }, {"average_pool2d", "[4]"});
  refuses([&] { global_average_pool(zeros({4, 4})); }, {"global_average_pool", "[4,4]"});
  refuses([&] { flatten(zeros({})); }, {"flatten", "[N,...]", "[]"});
  refuses([&] { flatten(zeros({2, 0})); }, {"flatten", "[2,0]"});
  refuses([&] { softmax(zeros({})); }, {"softmax", "[...,K]"});
  refuses([&] { add(image, Variable()); }, {"empty variable"});
}

TEST(Operation, WrongWindowsAreToldApart) {
  const Variable image = zeros({1, 4, 4, 1}), filter = zeros({1, 5, 5, 1});
  const Window valid{.kernel_h = 5, .kernel_w = 5, .padding = Padding::kValid};
  const Window dilated{.kernel_h = 2, .kernel_w = 2, .dilation_w = 2};
  const Window still{.kernel_h = 5, .kernel_w = 5, .stride_h = 0};
  for (const auto& pool : {max_pool2d, average_pool2d}) {
    expect_error([&] { pool(image, valid); }, ErrorKind::kUsage, {"does not fit", "5x5", "[1,4,4,1]"});
    expect_error([&] { pool(image, dilated); }, ErrorKind::kUsage, {"dilated", "1x2"});
  }
  expect_error([&] { conv2d(image, filter, {}, valid); }, ErrorKind::kUsage, {"conv2d", "does not fit"});
  expect_error([&] { conv2d(image, filter, {}, still); }, ErrorKind::kUsage, {"conv2d", "stride", "0"});
  expect_error([&] { depthwise_conv2d(image, filter, {}, still); }, ErrorKind::kUsage,
               {"depthwise_conv2d", "0"});
  const Window huge{.kernel_h = 257, .kernel_w = 256};
  expect_error([&] { max_pool2d(image, huge); }, ErrorKind::kUsage, {"too large", "65536", "257x256"});
}

// A long recording with a small window is legitimate; a window that reaches a million pixels beyond a small
// image is not, be it in the filters' lines or, for the gradient, in those of the outputs.
TEST(Operation, AWindowMayNotReachFarBeyondTheImage) {
  const Variable recording = zeros({1, 1, 160'000, 64});
  const Window three{.kernel_w = 3};
  EXPECT_EQ(conv2d(recording, zeros({1, 1, 3, 64}), {}, three).shape(), Shape({1, 1, 160'000, 1}));
  const Window far{.kernel_h = 3, .kernel_w = 3, .dilation_h = 1 << 20};
  for (const Shape& filter : {Shape{512, 3, 3, 1}, Shape{1, 3, 3, 1}}) {
    const bool fits = filter[0] == 1;
    const auto convolve = [&] { conv2d(zeros({1, 4, 4, 1}), zeros(filter), {}, far); };
    if (fits) {
      EXPECT_NO_THROW(convolve());
    } else {
      expect_error(convolve, ErrorKind::kUnsupported, {"conv2d", "1048576x1", "[1,4,4,1]"});
    }
  }
  expect_error(
      [&] {
        depthwise_conv2d(zeros({1, 4, 4, 8}), zeros({1, 3, 3, 8}), {}, far);
      },
      ErrorKind::kUnsupported, {"depthwise_conv2d", "too far"});
  // Two lines of this would do for the output, but not for the gradient of the input.
  const Window far_and_fast{.kernel_w = 3, .stride_w = 2, .dilation_w = 1 << 18};
  const Variable tall = zeros({1, 4096, 4, 8}), taps = zeros({1, 1, 3, 8});
  expect_error([&] { depthwise_conv2d(tall, taps, {}, far_and_fast); }, ErrorKind::kUnsupported,
               {"depthwise_conv2d", "too far"});
}

TEST(Operation, AStrideBeyondTheImageIsNoFarWindow) {
  const Window one{.stride_h = 1 << 14};
  EXPECT_EQ(conv2d(zeros({1, 4, 4, 512}), zeros({1, 1, 1, 512}), {}, one).shape(), Shape({1, 1, 4, 1}));
  EXPECT_EQ(depthwise_conv2d(zeros({1, 4, 4, 512}), zeros({1, 1, 1, 512}), {}, one).shape(),
            Shape({1, 1, 4, 512}));
}

// Not a number must come out where it went in: a layer that turned it into 0 would hide a broken run.
TEST(Operation, NotANumberIsPassedOn) {
  const Variable image = Variable::constant(Tensor<Real>({1, 2, 2, 1}, {0, kNan, 1, 2}));
  EXPECT_TRUE(std::isnan(relu(image).value()[1]));
  EXPECT_TRUE(std::isnan(relu6(image).value()[1]));
  EXPECT_TRUE(std::isnan(sigmoid(image).value()[1]));
  EXPECT_TRUE(std::isnan(add(image, image).value()[1]));
  EXPECT_TRUE(std::isnan(global_average_pool(image).value()[0]));
  EXPECT_TRUE(std::isnan(
      average_pool2d(image, {.kernel_h = 2, .kernel_w = 2, .padding = Padding::kValid}).value()[0]));
  EXPECT_TRUE(std::isnan(softmax_cross_entropy(row({0, kNan, 0}), {0}).value()[0]));
}

TEST(Flatten, SharesTheNumbersInOrder) {
  const Variable x = Variable::constant(Tensor<Real>({2, 1, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  const Variable y = flatten(x);
  EXPECT_EQ(y.shape(), (Shape{2, 4}));
  EXPECT_EQ(y.value().data(), x.value().data());
}

TEST(SoftmaxCrossEntropy, KnowsNothingCostsTheLogarithmOfTheClasses) {
  for (const double smoothing : {0.0, 0.1, 1.0}) {
    const Real loss = softmax_cross_entropy(zeros({3, 10}), {0, 5, 9}, smoothing).value()[0];
    EXPECT_NEAR(loss, std::log(10), 1e-6);
  }
}

// -log(e^1 / (e^1 + e^2 + e^3)) = log(1 + e + e^2) for the first class; smoothed by s the loss moves towards
// the mean over the classes, which is one less.
TEST(SoftmaxCrossEntropy, ByHand) {
  const double first = std::log(1 + std::exp(1) + std::exp(2));
  EXPECT_NEAR(softmax_cross_entropy(row({1, 2, 3}), {0}).value()[0], first, 1e-6);
  EXPECT_NEAR(softmax_cross_entropy(row({1, 2, 3}), {0}, 0.25).value()[0], first - 0.25, 1e-6);
}

TEST(SoftmaxCrossEntropy, HugeLogitsStayFinite) {
  EXPECT_EQ(softmax_cross_entropy(row({1e30F, 0}), {0}).value()[0], 0);
  EXPECT_NEAR(softmax_cross_entropy(row({10000, 0}), {1}).value()[0], 10000, 1e-2);
  EXPECT_NEAR(softmax_cross_entropy(row({-30000, -30000}), {1}).value()[0], std::log(2), 1e-6);
  EXPECT_EQ(softmax_cross_entropy(row({-std::numeric_limits<Real>::infinity(), 0}), {1}).value()[0], 0);
}

TEST(SoftmaxCrossEntropy, BadArgumentsAreTold) {
  const Variable logits = zeros({2, 3});
  expect_error(
      [&] {
        softmax_cross_entropy(logits, {0, 3});
      },
      ErrorKind::kData, {"label", "below 3", "found 3"});
  expect_error([&] { softmax_cross_entropy(logits, {0}); }, ErrorKind::kUsage,
               {"labels", "expected 2", "found 1"});
  expect_error([&] { softmax_cross_entropy(logits, {0, 1}, 1.5); }, ErrorKind::kUsage, {"smoothing", "1.5"});
  expect_error(
      [&] {
        softmax_cross_entropy(logits, {0, 1}, std::nan(""));
      },
      ErrorKind::kUsage, {"smoothing"});
  expect_error([&] { softmax_cross_entropy(zeros({2, 3, 1}), {0, 1}); }, ErrorKind::kUsage, {"[N,K]"});
}

TEST(Pointwise, SigmoidAndTanhStayInRangeFarOut) {
  EXPECT_EQ(sigmoid(row({1e30F})).value()[0], 1);
  EXPECT_EQ(sigmoid(row({-1e30F})).value()[0], 0);
  EXPECT_EQ(tanh(row({1e30F})).value()[0], 1);
  EXPECT_EQ(tanh(row({-1e30F})).value()[0], -1);
}

struct Moments {
  double mean = 0, variance = 0, smallest = 0, largest = 0;
};

Moments moments(const Tensor<Real>& values) {
  Moments m;
  for (const Real v : values) {
    m.mean += v / static_cast<double>(values.size());
    m.variance += double{v} * v / static_cast<double>(values.size());
    m.smallest = std::min<double>(m.smallest, v);
    m.largest = std::max<double>(m.largest, v);
  }
  m.variance -= m.mean * m.mean;
  return m;
}

// Means and variances of 200,000 draws, within five standard errors: sqrt(variance/n) of a mean, and of a
// variance sqrt(2/n) relative for normal numbers, sqrt(0.8/n) for uniform ones.
TEST(Initialize, SpreadsAsThePapersSay) {
  constexpr double kDraws = 200000;
  Random rng(1, "weights");
  const Moments he = moments(he_normal({200, 10, 10, 10}, 50, rng));
  EXPECT_NEAR(he.mean, 0, 5 * std::sqrt(2.0 / 50 / kDraws));
  EXPECT_NEAR(he.variance, 2.0 / 50, 5 * 2.0 / 50 * std::sqrt(2 / kDraws));
  EXPECT_GT(he.largest, 3 * std::sqrt(2.0 / 50));  // normal, not uniform

  const Moments glorot = moments(glorot_uniform({200, 1000}, 30, 20, rng));
  const double limit = std::sqrt(6.0 / 50);
  EXPECT_NEAR(glorot.mean, 0, 5 * std::sqrt(2.0 / 50 / kDraws));
  EXPECT_NEAR(glorot.variance, 2.0 / 50, 5 * 2.0 / 50 * std::sqrt(0.8 / kDraws));
  EXPECT_NEAR(glorot.largest, limit, 1e-3);
  EXPECT_NEAR(glorot.smallest, -limit, 1e-3);
}

TEST(Initialize, SameSeedSameWeights) {
  Random a(1, "weights"), b(1, "weights"), c(2, "weights");
  const Tensor<Real> first = he_normal({10}, 3, a), again = he_normal({10}, 3, b),
                     other = he_normal({10}, 3, c);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), again.begin()));
  EXPECT_FALSE(std::equal(first.begin(), first.end(), other.begin()));
}

TEST(Initialize, NoInputsIsAnError) {
  Random rng(1, "weights");
  expect_error([&] { he_normal({1}, 0, rng); }, ErrorKind::kUsage, {"he_normal", "found 0"});
  expect_error([&] { glorot_uniform({1}, 1, 0, rng); }, ErrorKind::kUsage, {"glorot_uniform", "found 0"});
}

}  // namespace
}  // namespace qlimit
