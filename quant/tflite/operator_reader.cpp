#include "quant/tflite/operator_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "quant/tflite/read.h"

namespace qlimit {
namespace {

bool is_known(TfliteType type) { return type == TfliteType::kFloat32 || type == TfliteType::kInt8; }

}  // namespace

GraphInProgress::GraphInProgress(const TfliteModel& model)
    : file(model),
      values(model.tensors.size(), -1),
      constant_budget(TfliteModel::kMaxRepetition * model.bytes + TfliteModel::kFreeBytes) {}

void GraphInProgress::fail(ErrorKind kind, const std::string& what, const std::string& where,
                           const std::string& expected, const std::string& found) const {
  throw Error(kind,
              {.what = what, .where = concat(file.file, ", ", where), .expected = expected, .found = found});
}

ValueId GraphInProgress::add_activation(int32_t tensor, const std::string& where) {
  const TfliteTensor& from = file.tensors[static_cast<size_t>(tensor)];
  if (!is_known(from.type)) {
    fail(ErrorKind::kUnsupported, "activations of a type that is not supported", where, "FLOAT32 or INT8",
         concat(to_string(from.type), " in '", from.name, "'"));
  }
  const bool is_int8 = from.type == TfliteType::kInt8;
  if (is_int8 && from.scales.size() != 1) {
    fail(ErrorKind::kData, "an INT8 activation needs one scale", where, "",
         concat(from.scales.size(), " in '", from.name, "'"));
  }
  const Shape shape = graph_shape(from, *this, where);
  activation_bytes += *constant_bytes(from.type, shape.size());
  if (activation_bytes > kMaxActivationBytes) {
    fail(ErrorKind::kUnsupported, "the activations of one run need too much memory", where,
         concat("at most ", kMaxActivationBytes, " bytes"), concat(activation_bytes, " up to here"));
  }
  result.graph.values.push_back(
      {.name = from.name, .shape = shape, .type = is_int8 ? DataType::kInt8 : DataType::kFloat32});
  result.params.push_back(is_int8 ? AffineParams{from.scales[0], from.zero_points[0]} : AffineParams{});
  return values[static_cast<size_t>(tensor)] = static_cast<ValueId>(result.graph.values.size()) - 1;
}

ValueId GraphInProgress::add_constant(const std::string& name, DataType type, Tensor<float> numbers,
                                      AffineParams params) {
  const Shape shape = numbers.shape();
  result.graph.values.push_back({.name = name, .shape = shape, .constant = std::move(numbers), .type = type});
  result.params.push_back(params);
  return static_cast<ValueId>(result.graph.values.size()) - 1;
}

void GraphInProgress::spend(int64_t bytes) {
  constant_budget -= bytes;
  if (constant_budget < 0) fail(ErrorKind::kUnsupported, "too many operators share their constants", "graph");
}

OperatorReader::OperatorReader(GraphInProgress& graph, size_t index)
    : graph_(graph),
      op_(graph.file.operators[index]),
      where_(concat("operator ", index, " (", op_.name, ")")) {
  expect(op_.outputs.size() == 1, "wrong number of outputs", "1", concat(op_.outputs.size()));
  where_ += concat(" '", output().name, "'");
}

const TfliteTensor& OperatorReader::input(size_t i) const {
  if (!has_input(i)) refuse(concat("input ", i, " is missing"));
  return graph_.file.tensors[static_cast<size_t>(op_.inputs[i])];
}

void OperatorReader::expect(bool holds, const std::string& what, const std::string& expected,
                            const std::string& found) const {
  if (!holds) refuse(what, expected, found);
}

void OperatorReader::refuse(const std::string& what, const std::string& expected, const std::string& found,
                            ErrorKind kind) const {
  graph_.fail(kind, what, where_, expected, found);
}

void OperatorReader::expect_inputs(size_t least, size_t most) const {
  expect(inputs() >= least && inputs() <= most, "wrong number of inputs",
         least == most ? concat(least) : concat(least, " to ", most), concat(inputs()));
}

ValueId OperatorReader::activation(size_t i) const {
  const TfliteTensor& tensor = input(i);
  const ValueId id = graph_.values[static_cast<size_t>(op_.inputs[i])];
  if (tensor.is_constant() || (id >= 0 && value(id).is_constant())) {
    refuse("the operation is computed from a constant alone", concat("an activation as input ", i),
           concat("'", tensor.name, "'"), ErrorKind::kUnsupported);
  }
  expect(id >= 0, concat("'", tensor.name, "' is read before it is computed"));
  return id;
}

ValueId OperatorReader::operand(size_t i) {
  const TfliteTensor& tensor = input(i);
  ValueId& id = graph_.values[static_cast<size_t>(op_.inputs[i])];
  if (id >= 0) return id;
  if (tensor.is_constant() && tensor.type == TfliteType::kInt8) {
    const Shape shape = graph_shape(tensor, graph_, where_);
    const AffineParams grid = params(tensor);
    graph_.spend(tensor.elements);
    return id = add_constant(tensor.name, DataType::kInt8,
                             dequantized(tensor, numbers_of<int8_t>(tensor, shape)), grid);
  }
  return tensor.is_constant() ? float_constant(i) : activation(i);
}

ValueId OperatorReader::float_constant(size_t i) {
  const TfliteTensor& tensor = input(i);
  ValueId& id = graph_.values[static_cast<size_t>(op_.inputs[i])];
  if (tensor.is_constant() && tensor.type != TfliteType::kFloat32) {
    refuse("a constant of a type that is not supported here", "FLOAT32",
           concat(to_string(tensor.type), " in '", tensor.name, "'"), ErrorKind::kUnsupported);
  }
  if (id < 0 && tensor.is_constant()) {
    graph_.spend(tensor.elements);
    const Tensor<float> numbers = numbers_of<float>(tensor, graph_shape(tensor, graph_, where_));
    id = add_constant(tensor.name, DataType::kFloat32, numbers, {});
  }
  if (id < 0 || !value(id).is_constant()) {
    refuse("weights and biases have to be constants", "", concat("'", tensor.name, "'"),
           ErrorKind::kUnsupported);
  }
  return id;
}

ValueId OperatorReader::add_constant(const std::string& name, DataType type, Tensor<float> numbers,
                                     AffineParams params) {
  if (!std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); })) {
    refuse(concat("'", name, "' holds numbers that are not finite"), "", "", ErrorKind::kNumeric);
  }
  return graph_.add_constant(name, type, std::move(numbers), params);
}

std::vector<int64_t> OperatorReader::integers(size_t i, int64_t most) const {
  const TfliteTensor& tensor = input(i);
  if (!tensor.is_constant()) {
    refuse("this input has to be a constant", "", concat("'", tensor.name, "'"), ErrorKind::kUnsupported);
  }
  expect(tensor.elements >= 1 && tensor.elements <= most, "wrong number of elements",
         concat("1 to ", most, " in '", tensor.name, "'"), concat(tensor.elements));
  const Shape flat = {tensor.elements};
  if (tensor.type == TfliteType::kInt32) {
    const Tensor<int32_t> numbers = numbers_of<int32_t>(tensor, flat);
    return {numbers.begin(), numbers.end()};
  }
  expect(tensor.type == TfliteType::kInt64, "an input of the wrong type", "INT32 or INT64",
         concat(to_string(tensor.type), " in '", tensor.name, "'"));
  const Tensor<int64_t> numbers = numbers_of<int64_t>(tensor, flat);
  return {numbers.begin(), numbers.end()};
}

bool OperatorReader::is_int8(const std::vector<ValueId>& operands) const {
  const DataType type = value(operands.front()).type;
  const TfliteType expected = type == DataType::kInt8 ? TfliteType::kInt8 : TfliteType::kFloat32;
  for (const ValueId id : operands) {
    expect(value(id).type == type, "operands of different types", to_string(expected),
           concat("'", value(id).name, "'"));
  }
  if (output().type != expected) {
    refuse("operands and output of different types", to_string(expected), to_string(output().type),
           ErrorKind::kUnsupported);
  }
  return type == DataType::kInt8;
}

void OperatorReader::expect_same_params(const std::vector<ValueId>& operands) const {
  if (!is_int8(operands)) return;
  const AffineParams out = params(output());
  for (const ValueId id : operands) {
    const AffineParams in = params(id);
    expect(in == out, "operands and output need one scale and zero point", to_string(out),
           concat(to_string(in), " in '", value(id).name, "'"));
  }
}

AffineParams OperatorReader::params(const TfliteTensor& tensor) const {
  expect(tensor.scales.size() == 1, "an INT8 tensor needs one scale", "",
         concat(tensor.scales.size(), " in '", tensor.name, "'"));
  return {tensor.scales[0], tensor.zero_points[0]};
}

Shape OperatorReader::shape_made_by(const Op& op, const std::vector<ValueId>& inputs) const {
  std::vector<Shape> shapes;
  for (const ValueId id : inputs) shapes.push_back(value(id).shape);
  try {
    return output_shape(op, shapes);
  } catch (const Error& error) {
    refuse(error.what());
  }
}

void OperatorReader::append(Op op, std::vector<ValueId> inputs, QuantizedFilter filter, ValueId output) {
  graph_.result.graph.nodes.push_back({std::move(op), std::move(inputs), output});
  graph_.result.filters.push_back(std::move(filter));
}

void OperatorReader::emit(Op op, std::vector<ValueId> inputs, QuantizedFilter filter) {
  const Shape shape = shape_made_by(op, inputs);
  const Shape said = graph_shape(output(), graph_, where_);
  expect(shape == said, "the output has another shape than the operation makes", shape.to_string(),
         said.to_string());
  append(std::move(op), std::move(inputs), std::move(filter), graph_.add_activation(op_.outputs[0], where_));
}

ValueId OperatorReader::emit_before_output(Op op, std::vector<ValueId> inputs, QuantizedFilter filter) {
  const Shape shape = shape_made_by(op, inputs);
  const ValueId id = graph_.add_activation(op_.outputs[0], where_);
  graph_.values[static_cast<size_t>(op_.outputs[0])] = -1;
  Value& made = graph_.result.graph.value(id);
  made.name = printable(made.name + " flat");
  made.shape = shape;
  append(std::move(op), std::move(inputs), std::move(filter), id);
  return id;
}

void OperatorReader::fold(Tensor<float> numbers) {
  const Shape said = graph_shape(output(), graph_, where_);
  expect(numbers.shape() == said, "the output has another shape than the operation makes",
         numbers.shape().to_string(), said.to_string());
  graph_.values[static_cast<size_t>(op_.outputs[0])] =
      add_constant(output().name, DataType::kFloat32, std::move(numbers), {});
}

Shape graph_shape(const TfliteTensor& tensor, const GraphInProgress& graph, const std::string& where) {
  if (tensor.shape.empty()) return {1};
  if (tensor.shape.size() > Shape::kMaxRank || tensor.elements == 0) {
    graph.fail(ErrorKind::kUnsupported, concat("'", tensor.name, "' has a shape that is not supported"),
               where, "1 to 4 dimensions, none of them 0",
               tensor.elements == 0 ? "no elements" : concat(tensor.shape.size(), " dimensions"));
  }
  return Shape(tensor.shape);
}

Tensor<float> dequantized(const TfliteTensor& tensor, const Tensor<int8_t>& numbers) {
  Tensor<float> real = Tensor<float>::uninitialized(numbers.shape());
  int64_t inner = 1;
  for (size_t i = static_cast<size_t>(tensor.quantized_dimension) + 1; i < tensor.shape.size(); ++i) {
    inner *= tensor.shape[i];
  }
  const auto channels = static_cast<int64_t>(tensor.scales.size());
  for (int64_t i = 0; i < numbers.size(); ++i) {
    const auto c = static_cast<size_t>(i / inner % channels);
    real[i] = dequantize(numbers[i], {tensor.scales[c], tensor.zero_points[c]});
  }
  return real;
}

}  // namespace qlimit
