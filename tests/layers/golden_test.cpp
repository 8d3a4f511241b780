// Each layer, forward and backward, against what PyTorch returned in double (tests/golden/layers). Built with
// float and with double: the tolerance is that of the arithmetic, so the double build holds formulas to about
// 1e-14.

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "layers/average_pool2d.h"
#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/depthwise_conv2d.h"
#include "layers/global_average_pool.h"
#include "layers/max_pool2d.h"
#include "layers/pointwise.h"
#include "layers/relu.h"
#include "layers/softmax.h"
#include "layers/softmax_cross_entropy.h"
#include "tests/layers/tolerance.h"

namespace qlimit {
namespace {

using Json = nlohmann::json;

Json load_cases(const std::string& name) {
  const std::string path = QLIMIT_SOURCE_DIR "/tests/golden/layers/" + name + ".json";
  std::ifstream file(path);
  if (!file) throw Error(ErrorKind::kIo, {.what = "cannot read golden values", .where = path});
  return Json::parse(file).at("cases");
}

Shape to_shape(const std::vector<int64_t>& d) {
  switch (d.size()) {
    case 0:
      return {};
    case 1:
      return {d[0]};
    case 2:
      return {d[0], d[1]};
    case 3:
      return {d[0], d[1], d[2]};
    default:
      return {d.at(0), d.at(1), d.at(2), d.at(3)};
  }
}

Tensor<Real> to_tensor(const Json& tensor) {
  return {to_shape(tensor.at("shape")), tensor.at("values").get<std::vector<Real>>()};
}

Window to_window(const Json& w) {
  return {.kernel_h = w.at("kernel")[0],
          .kernel_w = w.at("kernel")[1],
          .stride_h = w.at("stride")[0],
          .stride_w = w.at("stride")[1],
          .dilation_h = w.at("dilation")[0],
          .dilation_w = w.at("dilation")[1],
          .padding = w.at("padding") == "same" ? Padding::kSame : Padding::kValid};
}

// Compared with the unrounded recorded values.
void expect_near(const Tensor<Real>& found, const Json& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(found.shape(), to_shape(expected.at("shape"))) << what;
  for (int64_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], expected.at("values")[i].get<double>(), tolerance) << what << ", element " << i;
}

using Inputs = std::map<std::string, Variable>;
using Function = std::function<Variable(const Json& golden, Inputs& inputs)>;

void check_case(const Json& golden, const Function& function, double tolerance) {
  Inputs inputs;
  for (const auto& [name, value] : golden.at("inputs").items())
    inputs[name] = Variable::parameter(to_tensor(value));
  const Variable output = function(golden, inputs);
  expect_near(output.value(), golden.at("output"), tolerance, "output");
  backward(output, to_tensor(golden.at("upstream")));
  for (const auto& [name, expected] : golden.at("gradients").items())
    expect_near(inputs.at(name).grad(), expected, tolerance, "gradient of " + name);
}

void check_file(const std::string& name, size_t cases, double tolerance, const Function& function) {
  const Json all = load_cases(name);
  ASSERT_EQ(all.size(), cases);
  for (size_t i = 0; i < cases; ++i) {
    SCOPED_TRACE(name + ", case " + std::to_string(i));
    check_case(all[i], function, tolerance);
  }
}

// No sum in these files has more than 60 terms (the bias gradient of 2 images of 6x5), none above 1.
const double kSums = sum_tolerance(60, 1);

// Functions of single numbers below 10, computed in double and rounded once; in the double build the two
// mathematics libraries differ in the last digits.
const double kRounding = 8 * std::numeric_limits<Real>::epsilon();

Variable convolve(const Json& golden, Inputs& in) {
  return conv2d(in["x"], in["weight"], in["bias"], to_window(golden.at("window")));
}

TEST(Golden, Conv2D) { check_file("conv2d", 10, kSums, convolve); }

TEST(Golden, Conv2DWithPyTorchsOwnPadding) { check_file("conv2d_symmetric", 2, kSums, convolve); }

TEST(Golden, DepthwiseConv2D) {
  check_file("depthwise_conv2d", 10, kSums, [](const Json& golden, Inputs& in) {
    return depthwise_conv2d(in["x"], in["weight"], in["bias"], to_window(golden.at("window")));
  });
}

TEST(Golden, Dense) {
  check_file("dense", 3, kSums,
             [](const Json&, Inputs& in) { return dense(in["x"], in["weight"], in["bias"]); });
}

// The largest of several numbers is one of them, and gradients are sums of multiples of 1/64: exact.
TEST(Golden, MaxPool2D) {
  check_file("max_pool2d", 8, 0, [](const Json& golden, Inputs& in) {
    return max_pool2d(in["x"], to_window(golden.at("window")));
  });
}

TEST(Golden, AveragePool2D) {
  check_file("average_pool2d", 9, kSums, [](const Json& golden, Inputs& in) {
    return average_pool2d(in["x"], to_window(golden.at("window")));
  });
}

TEST(Golden, GlobalAveragePool) {
  check_file("global_average_pool", 1, kSums,
             [](const Json&, Inputs& in) { return global_average_pool(in["x"]); });
}

// Through the layer, whose running statistics go in and out. Values are below 3 / sqrt(0.5) * 2, sums have 24
// terms.
TEST(Golden, BatchNorm2D) {
  const double tolerance = sum_tolerance(24, 8);
  check_file("batch_norm2d", 5, tolerance, [&](const Json& golden, Inputs& in) {
    BatchNorm2D layer(3, {.epsilon = golden.at("epsilon"), .momentum = golden.at("momentum")});
    layer.set_training(golden.at("training"));
    std::map<std::string, Tensor<Real>> buffers;
    for (const Buffer& buffer : layer.buffers()) {
      buffers[buffer.name] = buffer.tensor;
      const Tensor<Real> before = to_tensor(golden.at(buffer.name));
      std::copy(before.begin(), before.end(), buffers[buffer.name].begin());
    }
    for (Parameter& parameter : layer.parameters()) {
      parameter.variable.mutable_value() = in.at(parameter.name).value();
      in[parameter.name] = parameter.variable;
    }
    const Variable output = layer(in["x"]);
    for (const auto& [name, value] : buffers) expect_near(value, golden.at(name + "_after"), tolerance, name);
    return output;
  });
}

TEST(Golden, SoftmaxCrossEntropy) {
  const double largest_logit = 500;  // in the file; the loss of a wrong certainty is as large
  check_file("softmax_cross_entropy", 5, kRounding * largest_logit, [](const Json& golden, Inputs& in) {
    return softmax_cross_entropy(in["logits"], golden.at("labels").get<std::vector<uint8_t>>(),
                                 golden.at("label_smoothing"));
  });
}

TEST(Golden, Sigmoid) {
  check_file("sigmoid", 2, kRounding, [](const Json&, Inputs& in) { return sigmoid(in["x"]); });
}

TEST(Golden, Tanh) {
  check_file("tanh", 2, kRounding, [](const Json&, Inputs& in) { return tanh(in["x"]); });
}

TEST(Golden, Softmax) {
  check_file("softmax", 2, kRounding, [](const Json&, Inputs& in) { return softmax(in["x"]); });
}

// Exact, at the kinks too: PyTorch's gradient there is 0 as well.
TEST(Golden, ReLU) {
  check_file("relu", 2, 0, [](const Json&, Inputs& in) { return relu(in["x"]); });
}

TEST(Golden, ReLU6) {
  check_file("relu6", 2, 0, [](const Json&, Inputs& in) { return relu6(in["x"]); });
}

}  // namespace
}  // namespace qlimit
