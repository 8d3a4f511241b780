// Internal to quant/tflite: one operator of a file on its way into a graph. The functions that read the
// operations (read_layers.cpp, read_operations.cpp) ask it for tensors, options and checks, and give it the
// node in the end.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "quant/quantized_graph.h"
#include "quant/tflite/file.h"

namespace qlimit {

/// A graph in the making.
struct GraphInProgress {
  explicit GraphInProgress(const TfliteModel& model);

  const TfliteModel& file;
  QuantizedGraph result;
  std::vector<ValueId> values;  // of the file's tensors; -1 for those that are not in the graph (yet)
  int64_t activation_bytes = 0;
  int64_t constant_budget;

  /// Throws with the file's name in front of `where`.
  [[noreturn]] void fail(ErrorKind kind, const std::string& what, const std::string& where,
                         const std::string& expected = {}, const std::string& found = {}) const;

  /// Makes the value of a tensor. An activation has to have a known type, with one scale if it is int8.
  ValueId add_activation(int32_t tensor, const std::string& where);
  /// A constant, as real numbers.
  ValueId add_constant(const std::string& name, DataType type, Tensor<float> numbers, AffineParams params);
  /// Called before constants are copied. Many operators may share one tensor, so the sum is limited.
  void spend(int64_t bytes);
};

class OperatorReader {
 public:
  OperatorReader(GraphInProgress& graph, size_t index);

  size_t inputs() const { return op_.inputs.size(); }
  /// False for an optional input that is left out.
  bool has_input(size_t i) const { return i < op_.inputs.size() && op_.inputs[i] >= 0; }
  const TfliteTensor& input(size_t i) const;
  const TfliteTensor& output() const { return graph_.file.tensors[static_cast<size_t>(op_.outputs[0])]; }
  /// Throws if the operator has none, or those of another operation.
  template <typename Options>
  const Options& options() const {
    const Options* options = std::get_if<Options>(&op_.options);
    if (!options) refuse("the options of the operation are missing");
    return *options;
  }
  /// The same for options whose defaults are TFLite's.
  template <typename Options>
  Options options_or_default() const {
    return std::holds_alternative<tflite_options::None>(op_.options) ? Options{} : options<Options>();
  }

  /// Throws kData if `holds` is false.
  void expect(bool holds, const std::string& what, const std::string& expected = {},
              const std::string& found = {}) const;
  [[noreturn]] void refuse(const std::string& what, const std::string& expected = {},
                           const std::string& found = {}, ErrorKind kind = ErrorKind::kData) const;
  void expect_inputs(size_t least, size_t most) const;

  /// Input i as an activation.
  ValueId activation(size_t i) const;
  /// Input i as an activation or a constant.
  ValueId operand(size_t i);
  /// Input i as a constant of floats, also one that DEQUANTIZE has made.
  ValueId float_constant(size_t i);
  /// The elements of input i, a constant of integers of at most `most` elements.
  std::vector<int64_t> integers(size_t i, int64_t most) const;

  /// Puts a constant into the graph. Throws kNumeric if its numbers, or what a scale makes of them, are not
  /// finite.
  ValueId add_constant(const std::string& name, DataType type, Tensor<float> numbers, AffineParams params);

  /// Whether operands and output are int8; throws if they are not all of one type.
  bool is_int8(const std::vector<ValueId>& operands) const;
  /// For operations that copy or compare 8-bit numbers: throws if scale or zero point of an operand is not
  /// the output's.
  void expect_same_params(const std::vector<ValueId>& operands) const;
  /// Scale and zero point of a tensor with one scale.
  AffineParams params(const TfliteTensor& tensor) const;
  const Value& value(ValueId id) const { return graph_.result.graph.value(id); }
  AffineParams params(ValueId id) const { return graph_.result.params[static_cast<size_t>(id)]; }

  /// The node and its output. Throws if the shape that the operation makes is not the one that the file says.
  void emit(Op op, std::vector<ValueId> inputs, QuantizedFilter filter = {});
  /// A node whose output is not in the file, with the output's type and parameters.
  ValueId emit_before_output(Op op, std::vector<ValueId> inputs, QuantizedFilter filter);
  /// Makes the output a constant instead.
  void fold(Tensor<float> numbers);

  GraphInProgress& graph() { return graph_; }
  const std::string& where() const { return where_; }

 private:
  Shape shape_made_by(const Op& op, const std::vector<ValueId>& inputs) const;
  void append(Op op, std::vector<ValueId> inputs, QuantizedFilter filter, ValueId output);

  GraphInProgress& graph_;
  const TfliteOperator& op_;
  std::string where_;  // for messages
};

/// A tensor's shape as the graph has it: 1 to 4 dimensions, a single number is [1]. Throws kUnsupported for
/// others.
Shape graph_shape(const TfliteTensor& tensor, const GraphInProgress& graph, const std::string& where);
/// The bytes of a constant as numbers of type T, which must have the size of the tensor's elements.
template <typename T>
Tensor<T> numbers_of(const TfliteTensor& tensor, const Shape& shape) {
  Tensor<T> numbers = Tensor<T>::uninitialized(shape);
  std::copy_n(tensor.data.data(), tensor.data.size(), reinterpret_cast<std::byte*>(numbers.data()));
  return numbers;
}
/// scale * (q - zero point), with the scales of the tensor, one or one for each index of its quantized
/// dimension.
Tensor<float> dequantized(const TfliteTensor& tensor, const Tensor<int8_t>& numbers);

/// What reads one operation.
using ReadOperation = void (*)(OperatorReader&);
void read_conv_2d(OperatorReader& op);
void read_depthwise_conv_2d(OperatorReader& op);
void read_fully_connected(OperatorReader& op);
/// By the number of the operation in the file; null if it is not supported.
ReadOperation find_operation(int32_t code);
/// Whether input i is the new shape of a RESHAPE. It may be computed, because the output has it too.
bool is_new_shape(const TfliteOperator& op, size_t i);
/// "ADD, AVERAGE_POOL_2D, ..."
std::string supported_operations();

}  // namespace qlimit
