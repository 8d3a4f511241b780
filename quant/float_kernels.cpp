#include "quant/float_kernels.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "quant/broadcast.h"
#include "quant/float_window_kernels.h"
#include "quant/kernels/concatenation.h"
#include "quant/kernels/pad.h"
#include "quant/overloaded.h"

namespace qlimit {
namespace {

CompiledNode compile_batch_norm(const Graph& graph, const Node& node, const op::BatchNorm& o) {
  const auto constant = [&](size_t i) { return graph.value(node.inputs[i]).constant; };
  const Tensor<float> gamma = constant(1), beta = constant(2), mean = constant(3), variance = constant(4);
  std::vector<double> scale;
  for (int64_t c = 0; c < gamma.size(); ++c) scale.push_back(gamma[c] / std::sqrt(variance[c] + o.epsilon));
  const int64_t rows = graph.value(node.output).shape.size() / gamma.size();
  return {.run = [=](const KernelArguments& a) {
    const float* x = a.in<float>();
    float* out = a.out<float>();
    for (int64_t i = 0, r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < gamma.size(); ++c, ++i) {
        out[i] = static_cast<float>(scale[static_cast<size_t>(c)] * (x[i] - double{mean[c]}) + beta[c]);
      }
    }
  }};
}

CompiledNode compile_mean(const Shape& input, const op::Mean& o, int64_t outputs) {
  std::array<int64_t, Shape::kMaxRank> sizes, strides;  // of the output over the input's axes, 0 if reduced
  sizes.fill(1);
  strides.fill(0);
  int64_t stride = 1;
  for (int axis = input.rank() - 1; axis >= 0; --axis) {
    const auto at = static_cast<size_t>(axis);
    sizes[at] = input[axis];
    if (std::find(o.axes.begin(), o.axes.end(), axis) != o.axes.end()) continue;
    strides[at] = stride;
    stride *= input[axis];
  }
  const auto count = static_cast<float>(input.size() / outputs);
  return {.run = [=](const KernelArguments& a) {
    const float* x = a.in<float>();
    float* out = a.out<float>();
    std::fill(out, out + outputs, 0.0f);
    for (int64_t i = 0; i < sizes[0]; ++i) {
      for (int64_t j = 0; j < sizes[1]; ++j) {
        for (int64_t k = 0; k < sizes[2]; ++k) {
          float* sum = out + i * strides[0] + j * strides[1] + k * strides[2];
          for (int64_t l = 0; l < sizes[3]; ++l) sum[l * strides[3]] += *x++;
        }
      }
    }
    for (int64_t i = 0; i < outputs; ++i) out[i] /= count;
  }};
}

template <typename Combine>
CompiledNode compile_pairs(const Graph& graph, const Node& node, Activation activation, Combine combine) {
  const Broadcast pairs(op_name(node.op).c_str(), graph.value(node.inputs[0]).shape,
                        graph.value(node.inputs[1]).shape);
  const Bounds bounds = bounds_of(activation);
  return {.run = [=](const KernelArguments& arguments) {
    const float* x = arguments.in<float>(0);
    const float* y = arguments.in<float>(1);
    float* out = arguments.out<float>();
    pairs.for_each([&](int64_t i, int64_t a, int64_t b) { out[i] = bounds.clamp(combine(x[a], y[b])); });
  }};
}

template <typename Function>
CompiledNode compile_elementwise(int64_t size, Function function) {
  return {.run = [=](const KernelArguments& a) {
    const float* x = a.in<float>();
    float* out = a.out<float>();
    for (int64_t i = 0; i < size; ++i) out[i] = function(x[i]);
  }};
}

CompiledNode compile_pad(const Shape& input, const op::Pad& o) {
  return {.run = [params = prepare_pad(input, o.before, o.after)](const KernelArguments& a) {
    pad(params, a.in<float>(), 0.0f, a.out<float>());
  }};
}

CompiledNode compile_concatenation(const Graph& graph, const Node& node, const op::Concatenation& o) {
  const auto params = prepare_concatenation(input_shapes(graph, node), o.axis);
  return {.run = [params](const KernelArguments& a) {
    concatenation(params, a.all<float>(params.widths.size()).data(), a.out<float>());
  }};
}

CompiledNode compile_softmax(const Shape& shape, float beta) {
  const int64_t classes = shape[-1];
  return {.run = [=](const KernelArguments& a) {
    for (int64_t begin = 0; begin < shape.size(); begin += classes) {
      const float* x = a.in<float>() + begin;
      float* out = a.out<float>() + begin;
      const float largest = *std::max_element(x, x + classes);
      double sum = 0;
      for (int64_t k = 0; k < classes; ++k) sum += out[k] = std::exp((x[k] - largest) * beta);
      for (int64_t k = 0; k < classes; ++k) out[k] = static_cast<float>(out[k] / sum);
    }
  }};
}

}  // namespace

CompiledNode compile_float(const Graph& graph, const Node& node) {
  const Shape& in = graph.value(node.inputs[0]).shape;
  const int64_t size = graph.value(node.output).shape.size();
  const auto copy = [=] { return compile_elementwise(size, [](float x) { return x; }); };
  return std::visit(
      Overloaded{
          [&](const op::BatchNorm& o) { return compile_batch_norm(graph, node, o); },
          [&](const op::Mean& o) { return compile_mean(in, o, size); },
          [&](const op::Add& o) {
            return compile_pairs(graph, node, o.activation, [](float x, float y) { return x + y; });
          },
          [&](const op::Mul& o) {
            return compile_pairs(graph, node, o.activation, [](float x, float y) { return x * y; });
          },
          [&](const op::Pad& o) { return compile_pad(in, o); },
          [&](const op::Concatenation& o) { return compile_concatenation(graph, node, o); },
          [&](const op::Clamp& o) {
            const Bounds bounds = bounds_of(o.activation);
            return compile_elementwise(size, [=](float x) { return bounds.clamp(x); });
          },
          [&](const op::Logistic&) {
            return compile_elementwise(size, [](float x) { return 1.0f / (1.0f + std::exp(-x)); });
          },
          [&](const op::Tanh&) { return compile_elementwise(size, [](float x) { return std::tanh(x); }); },
          [&](const op::Pointwise& o) {
            return compile_elementwise(size, [f = o.function](float x) { return static_cast<float>(f(x)); });
          },
          [&](const op::Softmax& o) { return compile_softmax(in, o.beta); },
          [&](const op::Reshape&) { return CompiledNode{}; },
          [&](const op::Quantize&) { return copy(); },
          [&](const op::Dequantize&) { return copy(); },
          [&](const op::Conv2D& o) { return compile_float(graph, node, o); },
          [&](const op::DepthwiseConv2D& o) { return compile_float(graph, node, o); },
          [&](const op::Dense& o) { return compile_float(graph, node, o); },
          [&](const op::MaxPool2D& o) { return compile_float(graph, node, o); },
          [&](const op::AveragePool2D& o) { return compile_float(graph, node, o); },
      },
      node.op);
}

OperandConstants float_constants(const Graph& graph) {
  OperandConstants constants(graph.values.size());
  for (const Node& node : graph.nodes) {
    for (size_t k = 0; k < operand_count(node); ++k) {
      const Value& value = graph.value(node.inputs[k]);
      if (!value.is_constant() || value.type != DataType::kFloat32) continue;
      const auto tensor = std::make_shared<const Tensor<float>>(value.constant);
      constants[static_cast<size_t>(node.inputs[k])] = {tensor, tensor->data()};
    }
  }
  return constants;
}

}  // namespace qlimit
