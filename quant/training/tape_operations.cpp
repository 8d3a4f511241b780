#include "quant/training/tape_operations.h"

#include "core/error.h"
#include "core/parallel.h"
#include "layers/add.h"
#include "layers/average_pool2d.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/depthwise_conv2d.h"
#include "layers/flatten.h"
#include "layers/global_average_pool.h"
#include "layers/max_pool2d.h"
#include "layers/pointwise.h"
#include "layers/relu.h"
#include "layers/softmax.h"
#include "quant/overloaded.h"

namespace qlimit {
namespace {

/// A graph has the function and not its derivative, which a central difference gives to about eight digits.
Variable differentiated(const Variable& x, const op::Pointwise& o) {
  constexpr double kStep = 1e-5;
  Tensor<Real> y = Tensor<Real>::uninitialized(x.shape());
  parallel_for(y.size(), kElementGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y[i] = static_cast<Real>(o.function(x.value()[i]));
  });
  return record(std::move(y), {.name = o.name}, {x}, [=, f = o.function](const Tensor<Real>& upstream) {
    Tensor<Real> dx = Tensor<Real>::uninitialized(x.shape());
    parallel_for(dx.size(), kElementGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const double at = x.value()[i];
        dx[i] = static_cast<Real>(upstream[i] * (f(at + kStep) - f(at - kStep)) / (2 * kStep));
      }
    });
    x.add_grad(dx);
  });
}

bool is_trainable(const Graph& graph, const Node& node) {
  const bool has_constant_operand = graph.value(node.inputs[operand_count(node) - 1]).is_constant() ||
                                    graph.value(node.inputs[0]).is_constant();
  if (has_constant_operand || activation_of(node.op) == Activation::kReluN1To1) return false;
  return std::visit(
      Overloaded{[](const op::BatchNorm&) { return false; }, [](const op::Mul&) { return false; },
                 [](const op::Pad&) { return false; }, [](const op::Concatenation&) { return false; },
                 [](const op::Quantize&) { return false; }, [](const op::Dequantize&) { return false; },
                 [](const op::Softmax& o) { return o.beta == 1.0f; },
                 [&](const op::Reshape& o) { return o.shape.rank() == 2 && o.shape[0] == 1; },
                 [](const op::Mean& o) {
                   return o.axes == std::vector<int>{1, 2} && !o.keep_dims;
                 },
                 [](const auto&) { return true; }},
      node.op);
}

}  // namespace

Activation activation_of(const Op& op) {
  if (const auto* clamp = std::get_if<op::Clamp>(&op)) return clamp->activation;
  const Activation* fused = fused_activation(op);
  return fused ? *fused : Activation::kNone;
}

Variable activate(const Variable& x, Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return relu(x);
    case Activation::kRelu6:
      return relu6(x);
    case Activation::kReluN1To1:
      break;
  }
  throw Error(ErrorKind::kUnsupported, {.what = "an activation without an operation on the tape",
                                        .where = "activate",
                                        .found = activation_name(activation)});
}

void require_trainable(const Graph& graph) {
  if (graph.value(graph.input).shape[0] != 1) {
    throw Error(ErrorKind::kUnsupported, {.what = "a graph to be trained is written for one image",
                                          .where = graph.value(graph.input).name,
                                          .found = graph.value(graph.input).shape.to_string()});
  }
  for (const Node& node : graph.nodes) {
    if (is_trainable(graph, node)) continue;
    throw Error(ErrorKind::kUnsupported, {.what = concat("this ", op_name(node.op), " cannot be trained"),
                                          .where = graph.value(node.output).name,
                                          .hint = "teach it to quant/training/tape_operations.cpp"});
  }
}

Variable compute_on_tape(const Node& node, const std::vector<Variable>& operands, const FakeFilter& filter) {
  const Variable& x = operands[0];
  return std::visit(
      Overloaded{[&](const op::Conv2D& o) { return conv2d(x, filter.weight, filter.bias, o.window); },
                 [&](const op::DepthwiseConv2D& o) {
                   return depthwise_conv2d(x, filter.weight, filter.bias, o.window);
                 },
                 [&](const op::Dense&) {
                   return dense(x.shape().rank() == 2 ? x : flatten(x), filter.weight, filter.bias);
                 },
                 [&](const op::MaxPool2D& o) { return max_pool2d(x, o.window); },
                 [&](const op::AveragePool2D& o) { return average_pool2d(x, o.window); },
                 [&](const op::Mean&) { return global_average_pool(x); },
                 [&](const op::Add&) { return add(x, operands[1]); }, [&](const op::Clamp&) { return x; },
                 [&](const op::Logistic&) { return sigmoid(x); }, [&](const op::Tanh&) { return tanh(x); },
                 [&](const op::Pointwise& o) { return differentiated(x, o); },
                 [&](const op::Softmax&) { return softmax(x); },
                 [&](const op::Reshape&) { return flatten(x); },
                 [](const auto&) { return Variable(); }},  // refused by require_trainable
      node.op);
}

}  // namespace qlimit
