#include "quant/quantized_model.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "quant/float_kernels.h"
#include "quant/int8_kernels.h"
#include "quant/kernels/quantize.h"

namespace qlimit {
namespace {

std::vector<CompiledNode> compile_all(const QuantizedGraph& q, Kernels kernels) {
  validate(q);
  std::vector<CompiledNode> compiled;
  for (size_t i = 0; i < q.graph.nodes.size(); ++i) {
    const Node& node = q.graph.nodes[i];
    const bool floats = !q.is_int8(node.inputs[0]) && !q.is_int8(node.output);
    compiled.push_back(floats ? compile_float(q.graph, node) : compile_int8(q, i, kernels));
  }
  return compiled;
}

OperandConstants operand_constants(const QuantizedGraph& q) {
  OperandConstants constants = float_constants(q.graph);
  for (size_t id = 0; id < constants.size(); ++id) {
    const Value& value = q.graph.values[id];
    if (!value.is_constant() || value.type != DataType::kInt8) continue;
    const auto integers = std::make_shared<Tensor<int8_t>>(Tensor<int8_t>::uninitialized(value.shape));
    for (int64_t i = 0; i < value.constant.size(); ++i) {
      (*integers)[i] = quantize(value.constant[i], q.params[id]);
    }
    constants[id] = {integers, integers->data()};
  }
  return constants;
}

template <typename Numbers>
void append(std::string& bytes, const Numbers& numbers) {
  bytes.append(reinterpret_cast<const char*>(numbers.data()),
               static_cast<size_t>(numbers.size()) * sizeof(*numbers.data()));
}

}  // namespace

QuantizedModel::QuantizedModel(QuantizedGraph quantized, Kernels kernels)
    : quantized_(std::move(quantized)),
      program_(quantized_.graph, compile_all(quantized_, kernels), operand_constants(quantized_)) {}

void QuantizedModel::run_stored(const void* images, int64_t runs, void* outputs, Workspace& workspace,
                                const Probe* probe, ProbeView view) const {
  const auto bytes_of = [&](ValueId id) {
    return graph().value(id).shape.size() * element_bytes(graph().value(id).type);
  };
  const int64_t in = bytes_of(graph().input);
  const int64_t out = bytes_of(graph().output);
  const auto load = [&](int64_t run, void* to) {
    std::memcpy(to, static_cast<const std::byte*>(images) + run * in, static_cast<size_t>(in));
  };
  const auto store = [&](int64_t run, const void* from) {
    std::memcpy(static_cast<std::byte*>(outputs) + run * out, from, static_cast<size_t>(out));
  };
  program_.run(runs, std::ref(load), std::ref(store), workspace, probe, view);
}

void QuantizedModel::run(const float* images, int64_t runs, float* outputs, Workspace& workspace,
                         const Probe* probe) const {
  const ValueId input = graph().input, output = graph().output;
  const int64_t in = graph().value(input).shape.size();
  const int64_t out = graph().value(output).shape.size();
  const auto load = [&](int64_t run, void* to) {
    const float* from = images + run * in;
    if (quantized_.is_int8(input)) {
      int8::quantize(params(input), from, in, static_cast<int8_t*>(to));
    } else {
      std::copy_n(from, in, static_cast<float*>(to));
    }
  };
  const auto store = [&](int64_t run, const void* from) {
    float* to = outputs + run * out;
    if (quantized_.is_int8(output)) {
      int8::dequantize(params(output), static_cast<const int8_t*>(from), out, to);
    } else {
      std::copy_n(static_cast<const float*>(from), out, to);
    }
  };
  program_.run(runs, std::ref(load), std::ref(store), workspace, probe);
}

Tensor<float> QuantizedModel::run(const Tensor<float>& images, const Probe* probe) const {
  const int64_t runs = run_count(graph(), images.shape());
  Tensor<float> outputs = Tensor<float>::uninitialized(repeated(graph().value(graph().output).shape, runs));
  Workspace workspace = make_workspace(runs);
  run(images.data(), runs, outputs.data(), workspace, probe);
  return outputs;
}

std::string QuantizedModel::fingerprint() const {
  std::string bytes = to_string(graph());
  append(bytes, quantized_.params);
  for (const QuantizedFilter& filter : quantized_.filters) {
    append(bytes, filter.weight);
    append(bytes, filter.scales);
    append(bytes, filter.bias);
    bytes += std::to_string(filter.bits);
  }
  for (size_t i = 0; i < graph().nodes.size(); ++i) {
    const Node& node = graph().nodes[i];
    const bool has_filter = !quantized_.filters[i].weight.empty();
    const size_t constants = has_filter ? operand_count(node) : node.inputs.size();
    for (size_t k = 0; k < constants; ++k) append(bytes, graph().value(node.inputs[k]).constant);
    // The text of the graph has six digits of these.
    if (const auto* softmax = std::get_if<op::Softmax>(&node.op)) append(bytes, std::array{softmax->beta});
    if (const auto* norm = std::get_if<op::BatchNorm>(&node.op)) append(bytes, std::array{norm->epsilon});
  }
  for (const Value& value : graph().values) bytes += value.type == DataType::kInt8 ? 'i' : 'f';
  return bytes + std::string(to_string(quantized_.runtime));
}

}  // namespace qlimit
