// The graph: a model between training and inference, as plain data.
//
// A Graph is a list of values (tensors) and a list of nodes (operations) in the order in which they run. It
// is filled by `trace` from the tape of a trained model or from a .tflite file, rewritten by the passes, and
// compiled by FloatExecutor, or turned into integers by `quantize` and compiled by QuantizedModel. It knows
// nothing of gradients and layers. Which values are int8 it says; their scales and the integers of weights
// stand in QuantizedGraph.
//
//   Graph graph = trace(model, {1, 32, 32, 3});
//   run_passes(graph);                       // fold batch norm, fuse activations, drop identities
//   std::cout << to_string(graph);
//
//     input [1,32,32,3]
//     conv2d_1 = conv2d(input, 0.weight [8,3,3,3], 0.bias [8]) 3x3 same relu -> [1,32,32,8]
//     ...
//
// Shapes are those of one run. A traced graph is written for one image: its first dimension is 1, and an
// executor runs it once for each image of a batch. The graph of somebody's file may take several at once (N
// below). Layouts are TFLite's: images [N,H,W,C], conv weights [O,KH,KW,C], depthwise weights
// [1,KH,KW,C*multiplier], dense weights [O,I], biases [O].
#pragma once

#include <array>
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
/// x [N,H,W,C], weight [O,KH,KW,C/G], bias [O] -> [N,OH,OW,O]; the number G of groups follows from the
/// shapes.
struct Conv2D {
  Window window;
  Activation activation = Activation::kNone;
};
/// x [N,H,W,C], weight [1,KH,KW,C*M], bias [C*M] -> [N,OH,OW,C*M]; output channel c*M + m reads channel c.
struct DepthwiseConv2D {
  Window window;
  Activation activation = Activation::kNone;
};
/// x of N*I elements in any shape, weight [O,I], bias [O] -> [N,O]
struct Dense {
  Activation activation = Activation::kNone;
};
/// x [N,...,C], gamma, beta, mean, variance [C] -> gamma * (x - mean) / sqrt(variance + epsilon) + beta
struct BatchNorm {
  double epsilon = 1e-5;
};
/// x [N,H,W,C] -> [N,OH,OW,C]; places outside the image do not count.
struct MaxPool2D {
  Window window;
  Activation activation = Activation::kNone;
};
struct AveragePool2D {
  Window window;
  Activation activation = Activation::kNone;
};
/// x -> its mean over some axes, which disappear or become 1. Global average pooling has the axes 1 and 2.
struct Mean {
  std::vector<int> axes;  // ascending, from 0
  bool keep_dims = false;
};
/// a, b -> a + b; an axis of size 1 is repeated (quant/broadcast.h). One of them may be a constant.
struct Add {
  Activation activation = Activation::kNone;
};
/// a, b -> a * b, as Add.
struct Mul {
  Activation activation = Activation::kNone;
};
/// x -> x with `before` and `after` zeros put around it along each of its axes.
struct Pad {
  std::array<int64_t, Shape::kMaxRank> before = {};
  std::array<int64_t, Shape::kMaxRank> after = {};
};
/// Any number of inputs, alike but for their sizes along `axis` -> all of them, one behind the other.
struct Concatenation {
  int axis = 0;
};
/// x -> x clamped; a stand-alone ReLU or ReLU6 that found no producer to be fused into.
struct Clamp {
  Activation activation = Activation::kRelu;
};
/// x -> 1 / (1 + exp(-x))
struct Logistic {};
struct Tanh {};
/// x -> function(x), element by element.
struct Pointwise {
  std::string name;
  double (*function)(double) = nullptr;
};
/// x [...,K] -> exp(beta * x_k) / sum_j exp(beta * x_j), over the last axis.
struct Softmax {
  float beta = 1.0f;
};
/// x -> the same numbers under another shape.
struct Reshape {
  Shape shape;
};
/// x -> the nearest numbers on the grid of the output's int8 parameters; x is float, or int8 on another grid.
struct Quantize {};
/// int8 x -> the same numbers as floats.
struct Dequantize {};
}  // namespace op

using Op =
    std::variant<op::Conv2D, op::DepthwiseConv2D, op::Dense, op::BatchNorm, op::MaxPool2D, op::AveragePool2D,
                 op::Mean, op::Add, op::Mul, op::Pad, op::Concatenation, op::Clamp, op::Logistic, op::Tanh,
                 op::Pointwise, op::Softmax, op::Reshape, op::Quantize, op::Dequantize>;

/// How the elements of a value are stored while a graph runs.
enum class DataType { kFloat32, kInt8 };

/// A place in Graph::values.
using ValueId = int32_t;

struct Value {
  std::string name;
  Shape shape;
  Tensor<float> constant = {};  // empty for activations
  DataType type = DataType::kFloat32;

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

  /// Adds the value that run() is given.
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
/// A concatenation has at most so many inputs.
inline constexpr size_t kMostOperands = 64;
/// How many of a node's inputs are operands; what follows are weights, which have to be constants.
size_t operand_count(const Node& node);
/// Whether an operand may be a constant: additions, products and concatenations with one.
bool takes_constant_operands(const Op& op);
/// Convolutions and dense layers.
bool has_weights(const Op& op);
/// The axis of its weights that is the output channel: 3 for depthwise convolutions, else 0.
int channel_axis(const Op& op);
/// The activation that a node applies to its result; null if the operation has no such attribute.
Activation* fused_activation(Op& op);
const Activation* fused_activation(const Op& op);

/// Whether nothing but the next node reads the node's result, and that is a 2x2 max pool with stride 2 and no
/// activation: then a convolution pools its sums while they are in registers (core/kernels/conv.h).
bool is_pooled_by_next(const Graph& graph, const Node& node);

std::vector<Shape> input_shapes(const Graph& graph, const Node& node);
/// The shape that an operation makes of its inputs. Throws kUsage if they do not fit it.
Shape output_shape(const Op& op, const std::vector<Shape>& inputs);

/// Checks what the passes and executors rely on: every id is in range, activations are computed exactly once
/// and before they are read, weights and biases are constants, shapes fit, the output exists. Throws kUsage;
/// kNumeric for a constant that is not finite.
void validate(const Graph& graph);

/// Puts the nodes into an order in which each stands after those it reads (depth first
/// from the output, a node's operands in their order), and drops nodes and values that the output does not need. Throws kUsage for a cycle.
void tidy(Graph& graph);

/// One line for the input and one for each node.
std::string to_string(const Graph& graph);
/// Whether both have the same operations on the same values, with the same ids, which the text does not say.
bool same_values(const Graph& a, const Graph& b);

/// The shape with another first dimension.
Shape with_batch(const Shape& shape, int64_t batch);
/// The shape of `runs` results, one behind the other: the first dimension is so many times as large.
Shape repeated(const Shape& shape, int64_t runs);

/// sizeof an element: 4 or 1.
int64_t element_bytes(DataType type);

}  // namespace qlimit
