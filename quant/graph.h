// The graph: a model between training and inference, as plain data.
//
// A Graph is a list of values (tensors) and a list of nodes (operations) in the order in which they run. It
// is filled by `trace` from the tape of a trained model, rewritten by the passes, and compiled by
// FloatExecutor and `quantize`. It knows nothing of gradients, layers or integers.
//
//   Graph graph = trace(model, {1, 32, 32, 3});
//   run_passes(graph);                       // fold batch norm, fuse activations, drop identities
//   std::cout << to_string(graph);
//
//     images [1,32,32,3]
//     conv2d_1 = conv2d(images, 0.weight [8,3,3,3], 0.bias [8]) 3x3 same relu -> [1,32,32,8]
//     ...
//
// Activations are written for one image: the first dimension is 1, and an executor puts its batch there.
// Layouts are TFLite's: images [1,H,W,C], conv weights [O,KH,KW,C], depthwise weights [1,KH,KW,C*multiplier],
// dense weights [O,I], biases [O].
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/tensor.h"
#include "core/window.h"
#include "quant/fixed_point.h"

namespace qlimit {

/// The operations. Each comment names the inputs, in order; a bias may be left out.
namespace op {
/// x [1,H,W,C], weight [O,KH,KW,C], bias [O] -> [1,OH,OW,O]
struct Conv2D {
  Window window;
  Activation activation = Activation::kNone;
};
/// x [1,H,W,C], weight [1,KH,KW,C*M], bias [C*M] -> [1,OH,OW,C*M]; output channel c*M + m reads channel c.
struct DepthwiseConv2D {
  Window window;
  Activation activation = Activation::kNone;
};
/// x [1,I], weight [O,I], bias [O] -> [1,O]
struct Dense {
  Activation activation = Activation::kNone;
};
/// x [1,...,C], gamma, beta, mean, variance [C] -> gamma * (x - mean) / sqrt(variance + epsilon) + beta
struct BatchNorm {
  double epsilon = 1e-5;
};
/// x [1,H,W,C] -> [1,OH,OW,C]; places outside the image do not count.
struct MaxPool2D {
  Window window;
};
struct AveragePool2D {
  Window window;
};
/// x [1,H,W,C] -> [1,C], the mean over rows and columns.
struct GlobalAveragePool {};
/// a, b of one shape -> a + b
struct Add {
  Activation activation = Activation::kNone;
};
/// x -> x clamped; a stand-alone ReLU or ReLU6 that found no producer to be fused into.
struct Clamp {
  Activation activation = Activation::kRelu;
};
/// x -> function(x), element by element.
struct Pointwise {
  std::string name;
  double (*function)(double) = nullptr;
};
/// x [1,...,K] -> exp(x_k) / sum_j exp(x_j), over the last dimension.
struct Softmax {};
/// x -> the same numbers under another shape.
struct Reshape {
  Shape shape;
};
}  // namespace op

using Op =
    std::variant<op::Conv2D, op::DepthwiseConv2D, op::Dense, op::BatchNorm, op::MaxPool2D, op::AveragePool2D,
                 op::GlobalAveragePool, op::Add, op::Clamp, op::Pointwise, op::Softmax, op::Reshape>;

/// A place in Graph::values.
using ValueId = int32_t;

struct Value {
  std::string name;
  Shape shape;
  Tensor<float> constant = {};  // empty for activations

  bool is_constant() const { return !constant.empty(); }
};

struct Node {
  Op op;
  std::vector<ValueId> inputs;
  ValueId output = -1;
};

struct Graph {
  std::vector<Value> values;
  std::vector<Node> nodes;  // each after those whose outputs it reads
  ValueId input = -1;
  ValueId output = -1;

  /// Adds the value that run() is given; its first dimension becomes 1.
  ValueId add_input(std::string name, const Shape& shape);
  ValueId add_constant(std::string name, Tensor<float> data);
  /// Appends a node, and its output value under a name such as "conv2d_2"; that value becomes the graph's
  /// output. Throws kUsage if the inputs do not fit the operation.
  ValueId add(Op op, std::vector<ValueId> inputs);

  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
  Value& value(ValueId id) { return values[static_cast<size_t>(id)]; }
  /// The index of the node that computes a value; -1 for the input and for constants.
  int producer(ValueId id) const;
  /// How many node inputs read a value, and one more if it is the graph's output.
  int uses(ValueId id) const;
};

/// "conv2d", "add", ...; a pointwise operation answers with its own name.
std::string op_name(const Op& op);
/// The activation that a node applies to its result; null if the operation has no such attribute.
Activation* fused_activation(Op& op);
const Activation* fused_activation(const Op& op);

/// The shape that an operation makes of its inputs. Throws kUsage if they do not fit it.
Shape output_shape(const Op& op, const std::vector<Shape>& inputs);

/// Checks what the passes and executors rely on: every id is in range, activations have a batch of 1 and are
/// computed exactly once and before they are read, weights and biases are constants, shapes fit, the output
/// exists. Throws kUsage; kNumeric for a constant that is not finite.
void validate(const Graph& graph);

/// Puts the nodes into an order in which each stands after those it reads (the present order where there is a
/// choice), and drops nodes and values that the output does not need. Throws kUsage for a cycle.
void tidy(Graph& graph);

/// One line for the input and one for each node.
std::string to_string(const Graph& graph);

/// The shape with another first dimension.
Shape with_batch(const Shape& shape, int64_t batch);

}  // namespace qlimit
