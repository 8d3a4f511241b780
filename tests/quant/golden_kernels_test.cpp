// Every integer kernel against the recorded outputs of the real ones: all cases, all bytes, tolerance zero.
#include <gtest/gtest.h>

#include <bit>
#include <map>

#include "core/kernels/isa.h"
#include "quant/kernels/add.h"
#include "quant/kernels/conv2d.h"
#include "quant/kernels/dense.h"
#include "quant/kernels/depthwise_conv2d.h"
#include "quant/kernels/fixed_point_functions.h"
#include "quant/kernels/mean.h"
#include "quant/kernels/pool2d.h"
#include "quant/kernels/quantize.h"
#include "quant/kernels/requantize.h"
#include "quant/kernels/softmax.h"
#include "tests/quant/golden.h"

namespace qlimit {
namespace {

using golden::Json;

// Calls run(case, rounding, y) for each case of a file in both fixed-point modes and compares what it wrote
// to y.
template <typename Run>
void expect_recorded(const std::string& file, size_t cases, const Run& run,
                     std::vector<Rounding> roundings = {Rounding::kDouble, Rounding::kSingle}) {
  const Json data = golden::load(file);
  ASSERT_EQ(data.at("cases").size(), cases);
  for (const Json& test_case : data.at("cases")) {
    for (Rounding rounding : roundings) {
      const std::vector<int8_t> expected = golden::expected_output(test_case, rounding);
      std::vector<int8_t> y(expected.size(), 99);
      run(test_case, rounding, y.data());
      EXPECT_EQ(y, expected) << file << " case " << test_case.at("id") << ", rounding "
                             << static_cast<int>(rounding);
    }
  }
}

Window to_window(const Json& c, int64_t kernel_h, int64_t kernel_w) {
  Window window = {.kernel_h = kernel_h,
                   .kernel_w = kernel_w,
                   .stride_h = c.at("stride")[0],
                   .stride_w = c.at("stride")[1],
                   .padding = c.at("padding") == "SAME" ? Padding::kSame : Padding::kValid};
  if (c.contains("dilation")) {
    window.dilation_h = c.at("dilation")[0];
    window.dilation_w = c.at("dilation")[1];
  }
  return window;
}

QuantizedFilter to_filter(const Json& c, int axis) {
  const Tensor<int8_t> weight = golden::to_tensor(c, "w");
  std::vector<int32_t> bias = c.at("bias");
  if (bias.empty()) bias.assign(static_cast<size_t>(weight.dim(axis)), 0);
  return {.weight = weight, .scales = golden::to_floats(c.at("s_w")), .bias = bias};
}

OutputStage to_output(const Json& c, Rounding rounding) {
  return {
      .params = golden::to_params(c, "s_out", "z_out"),
      .activation = c.contains("activation") ? golden::to_activation(c.at("activation")) : Activation::kNone,
      .rounding = rounding};
}

AffineParams to_input(const Json& c) { return golden::to_params(c, "s_in", "z_in"); }

std::vector<int8_t> all_numbers() {
  std::vector<int8_t> numbers;
  for (int q = -128; q <= 127; ++q) numbers.push_back(static_cast<int8_t>(q));
  return numbers;
}

int8::Conv2DParams to_conv2d(const Json& c, Rounding rounding) {
  const QuantizedFilter filter = to_filter(c, 0);
  const Window window = to_window(c, filter.weight.dim(1), filter.weight.dim(2));
  return int8::prepare_conv2d(golden::to_shape(c.at("x_shape")), to_input(c), filter, window,
                              to_output(c, rounding));
}

// The forms for use, once for each instruction set of the machine.
class GoldenKernelsOfIsa : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { set_active_isa(GetParam()); }
  void TearDown() override { set_active_isa(supported_isas().back()); }
};
INSTANTIATE_TEST_SUITE_P(EachIsa, GoldenKernelsOfIsa, testing::ValuesIn(supported_isas()),
                         [](const auto& isa) { return std::string(isa_name(isa.param)); });

TEST(GoldenKernels, Conv2DReference) {
  expect_recorded("conv2d", 60, [](const Json& c, Rounding rounding, int8_t* y) {
    const int8::Conv2DParams params = to_conv2d(c, rounding);
    EXPECT_EQ(params.groups, c.at("groups").get<int64_t>());
    conv2d_reference(params, golden::to_tensor(c, "x").data(), y);
  });
}

TEST_P(GoldenKernelsOfIsa, Conv2D) {
  expect_recorded("conv2d", 60, [](const Json& c, Rounding rounding, int8_t* y) {
    const int8::Conv2DParams params = to_conv2d(c, rounding);
    Tensor<int8_t> workspace({conv2d_workspace_bytes(params)});
    conv2d(params, golden::to_tensor(c, "x").data(), workspace.data(), y);
  });
}

int8::DepthwiseConv2DParams to_depthwise(const Json& c, Rounding rounding) {
  const QuantizedFilter filter = to_filter(c, 3);
  const Window window = to_window(c, filter.weight.dim(1), filter.weight.dim(2));
  return int8::prepare_depthwise_conv2d(golden::to_shape(c.at("x_shape")), to_input(c), filter, window,
                                        to_output(c, rounding));
}

TEST(GoldenKernels, DepthwiseConv2DReference) {
  expect_recorded("depthwise_conv2d", 58, [](const Json& c, Rounding rounding, int8_t* y) {
    depthwise_conv2d_reference(to_depthwise(c, rounding), golden::to_tensor(c, "x").data(), y);
  });
}

TEST_P(GoldenKernelsOfIsa, DepthwiseConv2D) {
  expect_recorded("depthwise_conv2d", 58, [](const Json& c, Rounding rounding, int8_t* y) {
    const int8::DepthwiseConv2DParams params = to_depthwise(c, rounding);
    Tensor<int8_t> workspace({depthwise_conv2d_workspace_bytes(params)});
    depthwise_conv2d(params, golden::to_tensor(c, "x").data(), workspace.data(), y);
  });
}

const std::vector<Rounding> kAllRoundings = {Rounding::kDouble, Rounding::kSingle, Rounding::kFloat64};

TEST(GoldenKernels, DenseReference) {
  expect_recorded(
      "fully_connected", 57,
      [](const Json& c, Rounding rounding, int8_t* y) {
        const Tensor<int8_t> x = golden::to_tensor(c, "x");
        dense_reference(int8::prepare_dense(x.shape(), to_input(c), to_filter(c, 0), to_output(c, rounding)),
                        x.data(), y);
      },
      kAllRoundings);
}

// TFLite Micro forms the multiplier otherwise: the recorded cases are those in which this shows.
TEST(GoldenKernels, DenseOfTfliteMicro) {
  const Json all = golden::load("fully_connected"), differing = golden::load("fully_connected_micro");
  std::map<int, std::vector<int8_t>> other;
  for (const Json& c : differing.at("cases"))
    other[c.at("fully_connected")] = golden::to_int8(c.at("y_micro"));
  EXPECT_EQ(other.size(), 4u);
  for (const Json& c : all.at("cases")) {
    const auto found = other.find(c.at("id"));
    const std::vector<int8_t> expected = found == other.end() ? golden::to_int8(c.at("y")) : found->second;
    const Tensor<int8_t> x = golden::to_tensor(c, "x");
    std::vector<int8_t> y(expected.size(), 99);
    dense_reference(int8::prepare_dense(x.shape(), to_input(c), to_filter(c, 0),
                                        to_output(c, Rounding::kDouble), Runtime::kTfliteMicro),
                    x.data(), y.data());
    EXPECT_EQ(y, expected) << c.at("id");
  }
}

TEST_P(GoldenKernelsOfIsa, Dense) {
  expect_recorded(
      "fully_connected", 57,
      [](const Json& c, Rounding rounding, int8_t* y) {
        const Tensor<int8_t> x = golden::to_tensor(c, "x");
        const int8::DenseParams params =
            int8::prepare_dense(x.shape(), to_input(c), to_filter(c, 0), to_output(c, rounding));
        Tensor<int8_t> workspace({dense_workspace_bytes(params)});
        dense(params, x.data(), workspace.data(), y);
      },
      kAllRoundings);
}

int8::Pool2DParams to_pool2d(const Json& c) {
  return int8::prepare_pool2d(golden::to_shape(c.at("x_shape")), golden::to_params(c, "s", "z"),
                              to_window(c, c.at("window")[0], c.at("window")[1]),
                              golden::to_activation(c.at("activation")));
}

TEST_P(GoldenKernelsOfIsa, MaxPool2D) {
  expect_recorded("max_pool2d", 44, [](const Json& c, Rounding, int8_t* y) {
    max_pool2d(to_pool2d(c), golden::to_tensor(c, "x").data(), y);
  });
}

TEST(GoldenKernels, AveragePool2D) {
  expect_recorded("average_pool2d", 44, [](const Json& c, Rounding, int8_t* y) {
    average_pool2d(to_pool2d(c), golden::to_tensor(c, "x").data(), y);
  });
}

TEST(GoldenKernels, Mean) {
  expect_recorded("mean", 47, [](const Json& c, Rounding rounding, int8_t* y) {
    const Tensor<int8_t> x = golden::to_tensor(c, "x");
    mean(int8::prepare_mean(x.shape(), to_input(c), c.at("axes"), to_output(c, rounding)), x.data(), y);
  });
}

TEST(GoldenKernels, Add) {
  expect_recorded("add", 60, [](const Json& c, Rounding rounding, int8_t* y) {
    const Tensor<int8_t> x1 = golden::to_tensor(c, "x1");
    const Tensor<int8_t> x2 = golden::to_tensor(c, "x2");
    add(int8::prepare_add(x1.shape(), golden::to_params(c, "s1", "z1"), x2.shape(),
                          golden::to_params(c, "s2", "z2"), to_output(c, rounding)),
        x1.data(), x2.data(), y);
  });
}

TEST(GoldenKernels, Softmax) {
  expect_recorded("softmax", 52, [](const Json& c, Rounding rounding, int8_t* y) {
    const Tensor<int8_t> x = golden::to_tensor(c, "x");
    softmax(int8::prepare_softmax(x.shape(), to_input(c), golden::to_float(c.at("beta")), rounding), x.data(),
            y);
  });
}

TEST(GoldenKernels, Requantize) {
  expect_recorded("requantize", 45, [](const Json& c, Rounding rounding, int8_t* y) {
    requantize(int8::prepare_requantize(to_input(c), to_output(c, rounding)), all_numbers().data(), 256, y);
  });
}

TEST(GoldenKernels, Relu) {
  expect_recorded("relu", 43, [](const Json& c, Rounding rounding, int8_t* y) {
    OutputStage output = to_output(c, rounding);
    output.activation = Activation::kRelu;
    requantize(int8::prepare_relu(to_input(c), output), all_numbers().data(), 256, y);
  });
}

TEST(GoldenKernels, ReluOfEachRuntime) {
  golden::expect_runtimes("relu_runtimes", 56, [](const Json& c, Runtime runtime, int8_t* y) {
    const int8::RequantizeParams params =
        int8::prepare_relu(to_input(c), to_output(c, Rounding::kDouble), runtime);
    requantize(params, all_numbers().data(), 256, y);
  });
}

TEST_P(GoldenKernelsOfIsa, Quantize) {
  expect_recorded("quantize", 60, [](const Json& c, Rounding, int8_t* y) {
    const std::vector<float> x = golden::to_floats(c.at("x"));
    int8::quantize(golden::to_params(c, "s_out", "z_out"), x.data(), static_cast<int64_t>(x.size()), y);
  });
}

TEST(GoldenKernels, DequantizeToTheBit) {
  const Json data = golden::load("dequantize");
  ASSERT_EQ(data.at("cases").size(), 40u);
  for (const Json& c : data.at("cases")) {
    const std::vector<int8_t> x = golden::to_int8(c.at("x"));
    const std::vector<float> expected = golden::to_floats(c.at("y"));
    std::vector<float> y(x.size());
    int8::dequantize(to_input(c), x.data(), static_cast<int64_t>(x.size()), y.data());
    ASSERT_EQ(y.size(), expected.size());
    for (size_t i = 0; i < y.size(); ++i)
      EXPECT_EQ(std::bit_cast<uint32_t>(y[i]), std::bit_cast<uint32_t>(expected[i]))
          << c.at("id") << " " << i;
  }
}

TEST(GoldenPrimitives, Padding) {
  const Json rows = golden::primitive_rows("padding");
  ASSERT_EQ(rows.size(), 160u);
  for (const Json& row : rows) {
    const Window window = {.kernel_h = row[2],
                           .stride_h = row[3],
                           .dilation_h = row[4],
                           .padding = row[0] == "SAME" ? Padding::kSame : Padding::kValid};
    const WindowGeometry geometry = lay_window("test", window, {1, row[1], 1, 1});
    EXPECT_EQ(geometry.out_h, row[5]) << row;
    EXPECT_EQ(geometry.pad_top, row[6]) << row;
  }
}

TEST(GoldenPrimitives, SoftmaxPrepare) {
  const Json rows = golden::primitive_rows("softmax_prepare");
  ASSERT_EQ(rows.size(), 80u);
  for (const Json& row : rows) {
    const int8::SoftmaxParams params =
        int8::prepare_softmax({1, 2}, {.scale = golden::to_float(row[1])}, golden::to_float(row[0]));
    EXPECT_EQ(params.multiplier, (QuantizedMultiplier{row[2], row[3]})) << row;
    EXPECT_EQ(params.least_difference, row[4]) << row;
  }
}

TEST(GoldenPrimitives, ExponentialAndReciprocal) {
  const Json exponentials = golden::primitive_rows("exp_on_negative");
  ASSERT_EQ(exponentials.size(), 108u);
  for (const Json& row : exponentials) EXPECT_EQ(int8::exp_on_negative(row[0], 5), row[1]) << row;
  const Json reciprocals = golden::primitive_rows("one_over_one_plus");
  ASSERT_EQ(reciprocals.size(), 84u);
  for (const Json& row : reciprocals) EXPECT_EQ(int8::one_over_one_plus(row[0]), row[1]) << row;
}

}  // namespace
}  // namespace qlimit
