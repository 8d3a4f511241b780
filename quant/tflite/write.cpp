#include "quant/tflite/write.h"

#include <algorithm>
#include <bit>
#include <map>
#include <span>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "quant/tflite/int4.h"
#include "quant/tflite/operator_form.h"
#include "quant/tflite/sharing_builder.h"

namespace qlimit {
namespace tflite {
namespace {

static_assert(std::endian::native == std::endian::little, ".tflite files are little-endian");

template <typename T>
std::string bytes_of(std::span<const T> numbers) {
  return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
}

/// Writes one graph.
class Writer {
 public:
  explicit Writer(const QuantizedGraph& q) : q_(q), tensor_numbers_(q.graph.values.size(), -1) {
    for (const Node& node : q.graph.nodes) inputs_.push_back(node.inputs);
    skip_flattening();
  }

  TfliteFile write() {
    const int32_t input = activation(q_.graph.input);
    for (size_t i : needed_nodes()) add_operator(i);
    const int32_t output = activation(q_.graph.output);

    flatbuffers::FlatBufferBuilder& flat = file_.flat();
    const auto inputs = file_.ints({input});
    const auto outputs = file_.ints({output});
    const auto tensors = flat.CreateVector(tensors_);
    const auto operators = flat.CreateVector(operators_);
    return file_.finish(codes_, CreateSubGraph(flat, tensors, inputs, outputs, operators));
  }

 private:
  const Value& value(ValueId id) const { return q_.graph.value(id); }
  const AffineParams& params(ValueId id) const { return q_.params_of(id); }
  bool is_int8(ValueId id) const { return q_.is_int8(id); }

  /// TFLite's dense layer takes an input of any rank: a reshape before it only costs space.
  void skip_flattening() {
    for (size_t i = 0; i < q_.graph.nodes.size(); ++i) {
      if (!std::holds_alternative<op::Dense>(q_.graph.nodes[i].op)) continue;
      ValueId& x = inputs_[i][0];
      for (int at = q_.graph.producer(x); at >= 0; at = q_.graph.producer(x)) {
        const Node& before = q_.graph.nodes[static_cast<size_t>(at)];
        if (!std::holds_alternative<op::Reshape>(before.op) || params(before.inputs[0]) != params(x)) break;
        x = before.inputs[0];
      }
    }
  }

  /// The nodes that the output depends on, in order.
  std::vector<size_t> needed_nodes() const {
    std::vector<bool> needed(q_.graph.values.size(), false);
    needed[static_cast<size_t>(q_.graph.output)] = true;
    std::vector<size_t> result;
    for (size_t i = q_.graph.nodes.size(); i-- > 0;) {
      if (!needed[static_cast<size_t>(q_.graph.nodes[i].output)]) continue;
      for (ValueId id : inputs_[i]) needed[static_cast<size_t>(id)] = true;
      result.push_back(i);
    }
    std::reverse(result.begin(), result.end());
    return result;
  }

  void add_operator(size_t i) {
    const Node& node = q_.graph.nodes[i];
    const OperatorForm form = operator_form(q_, i, file_);
    std::vector<int32_t> inputs;
    for (size_t k = 0; k < operand_count(node); ++k) inputs.push_back(operand(inputs_[i][k], node));
    if (has_weights(node.op)) {
      const std::vector<int32_t> filter = is_int8(node.output) ? int8_filter(i) : float_filter(node);
      inputs.insert(inputs.end(), filter.begin(), filter.end());
    }
    if (!form.attributes.empty()) {
      const auto bytes = bytes_of<int32_t>(form.attributes);
      inputs.push_back(constant(form.attributes_shape, TensorType::INT32, bytes, &TfliteLedger::structure));
    }
    const auto input_vector = file_.ints(inputs);
    const auto output_vector = file_.ints({activation(node.output)});
    const uint32_t code =
        operator_code(form.code, is_int8(node.output) ? form.int8_version : form.float_version);
    operators_.push_back(
        CreateOperator(file_.flat(), code, input_vector, output_vector, form.options_type, form.options));
  }

  uint32_t operator_code(BuiltinOperator code, int32_t version) {
    const auto [entry, is_new] =
        code_numbers_.try_emplace({code, version}, static_cast<uint32_t>(codes_.size()));
    if (is_new) {
      const auto byte = std::min(code, BuiltinOperator::PLACEHOLDER_FOR_GREATER_OP_CODES);
      codes_.push_back(CreateOperatorCode(file_.flat(), static_cast<int8_t>(byte), 0, version, code));
    }
    return entry->second;
  }

  /// The number of the tensor of a computed value.
  int32_t activation(ValueId id) {
    int32_t& number = tensor_numbers_[static_cast<size_t>(id)];
    if (number >= 0) return number;
    const Value& v = value(id);
    if (is_int8(id) && params(id).bits != kMostBits) {
      throw Error(ErrorKind::kUnsupported,
                  {.what = "an activation of fewer than 8 bits has no form in a .tflite file",
                   .where = v.name,
                   .found = concat(params(id).bits, " bits"),
                   .hint = "quantize with activation_bits = 8; weights may be narrower"});
    }
    Offset<QuantizationParameters> quantization;
    if (is_int8(id)) quantization = file_.quantization({params(id).scale}, params(id).zero_point, 0);
    const auto shape = file_.ints(dims(v.shape));
    const auto name = file_.flat().CreateString(v.name);
    number = static_cast<int32_t>(tensors_.size());
    tensors_.push_back(CreateTensor(file_.flat(), shape, is_int8(id) ? TensorType::INT8 : TensorType::FLOAT32,
                                    0, name, quantization));
    return number;
  }

  /// The number of a constant tensor. Constants have no names: nothing reads them.
  int32_t constant(const Shape& shape, TensorType type, const std::string& bytes,
                   int64_t TfliteLedger::*purpose, Offset<QuantizationParameters> quantization = {}) {
    const uint32_t buffer = file_.buffer(bytes, purpose);
    const auto [entry, is_new] = constant_numbers_.try_emplace({dims(shape), type, buffer, quantization.o},
                                                               static_cast<int32_t>(tensors_.size()));
    if (is_new) {
      const auto sizes = file_.ints(dims(shape));
      tensors_.push_back(CreateTensor(file_.flat(), sizes, type, buffer, 0, quantization));
    }
    return entry->second;
  }

  int32_t float_constant(ValueId id, int64_t TfliteLedger::*purpose) {
    const qlimit::Tensor<float>& x = value(id).constant;
    return constant(x.shape(), TensorType::FLOAT32, bytes_of<float>({x.begin(), x.end()}), purpose);
  }

  int32_t operand(ValueId id, const Node& reader) {
    const Value& v = value(id);
    if (!v.is_constant()) return activation(id);
    if (!is_int8(reader.output)) return float_constant(id, &TfliteLedger::weights);
    std::vector<int8_t> numbers;
    for (float x : v.constant) numbers.push_back(quantize(x, params(id)));
    return constant(v.shape, TensorType::INT8, bytes_of<int8_t>(numbers), &TfliteLedger::weights,
                    file_.quantization({params(id).scale}, params(id).zero_point, 0));
  }

  std::vector<int32_t> float_filter(const Node& node) {
    std::vector<int32_t> numbers = {float_constant(node.inputs[1], &TfliteLedger::weights)};
    if (node.inputs.size() > 2) {
      numbers.push_back(float_constant(node.inputs[2], &TfliteLedger::biases));
    } else if (wants_bias(node, {})) {
      const int64_t channels = value(node.inputs[1]).shape[channel_axis(node.op)];
      const std::vector<float> zeros(static_cast<size_t>(channels));
      numbers.push_back(
          constant({channels}, TensorType::FLOAT32, bytes_of<float>(zeros), &TfliteLedger::biases));
    }
    return numbers;
  }

  std::vector<int32_t> int8_filter(size_t i) {
    const Node& node = q_.graph.nodes[i];
    const QuantizedFilter& filter = q_.filters[i];
    const auto& w = filter.weight;
    const int32_t axis = filter.scales.size() > 1 ? channel_axis(node.op) : 0;
    const std::span<const int8_t> integers(w.begin(), w.end());
    std::vector<int32_t> numbers = {
        constant(w.shape(), is_int4(filter) ? TensorType::INT4 : TensorType::INT8,
                 is_int4(filter) ? pack_int4(integers) : bytes_of<int8_t>(integers), &TfliteLedger::weights,
                 file_.quantization(filter.scales, 0, axis))};
    if (wants_bias(node, filter)) {
      std::vector<float> scales = filter.scales;
      for (float& scale : scales) scale *= params(node.inputs[0]).scale;
      numbers.push_back(constant({static_cast<int64_t>(filter.bias.size())}, TensorType::INT32,
                                 bytes_of<int32_t>(filter.bias), &TfliteLedger::biases,
                                 file_.quantization(scales, 0, 0)));
    }
    return numbers;
  }

  const QuantizedGraph& q_;
  std::vector<std::vector<ValueId>> inputs_;  // of each node
  SharingBuilder file_;
  std::vector<Offset<Tensor>> tensors_;
  std::vector<int32_t> tensor_numbers_;  // of each value; -1 if it has no tensor yet
  std::map<std::tuple<std::vector<int32_t>, TensorType, uint32_t, uint32_t>, int32_t> constant_numbers_;
  std::vector<Offset<OperatorCode>> codes_;
  std::map<std::pair<BuiltinOperator, int32_t>, uint32_t> code_numbers_;
  std::vector<Offset<Operator>> operators_;
};

}  // namespace
}  // namespace tflite

TfliteFile write_tflite(const QuantizedGraph& graph) {
  validate(graph);
  return tflite::Writer(graph).write();
}

TfliteFile write_tflite(const Graph& graph) {
  QuantizedGraph floats;
  floats.graph = graph;
  floats.params.resize(graph.values.size());
  floats.filters.resize(graph.nodes.size());
  return write_tflite(floats);
}

}  // namespace qlimit
