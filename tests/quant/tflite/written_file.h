// For the tests of the writer: graphs to write, and what was written, read part by part.
#pragma once

#include <cstring>
#include <stdexcept>
#include <vector>

#include "quant/quantize.h"
#include "quant/tflite/schema_generated.h"
#include "quant/tflite/write.h"
#include "tests/quant/random_graph.h"

namespace qlimit {

using tflite::ActivationFunctionType;
using tflite::BuiltinOperator;
using tflite::TensorType;

inline constexpr Window kThree = {.kernel_h = 3, .kernel_w = 3};
inline constexpr Window kHalve = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};

/// The root of a file that flatbuffers' verifier accepts.
inline const tflite::Model& verified(const TfliteFile& file) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(file.bytes.data());
  flatbuffers::Verifier verifier(bytes, file.bytes.size());
  if (!tflite::VerifyModelBuffer(verifier)) throw std::runtime_error("not a valid flatbuffer");
  return *tflite::GetModel(bytes);
}

/// Reads a file that is known to be good.
struct Reader {
  explicit Reader(const TfliteFile& file) : model(verified(file)), graph(*model.subgraphs()->Get(0)) {}

  const tflite::Operator& node(uint32_t i) const { return *graph.operators()->Get(i); }
  const tflite::OperatorCode& code(uint32_t i) const {
    return *model.operator_codes()->Get(node(i).opcode_index());
  }
  const tflite::Tensor& tensor(int32_t i) const { return *graph.tensors()->Get(static_cast<uint32_t>(i)); }
  const tflite::Tensor& input(uint32_t i, uint32_t k) const { return tensor(node(i).inputs()->Get(k)); }
  const tflite::Tensor& output(uint32_t i) const { return tensor(node(i).outputs()->Get(0)); }
  /// The numbers of a constant; none for a tensor that is computed.
  template <typename T>
  std::vector<T> numbers(const tflite::Tensor& t) const {
    const auto* data = model.buffers()->Get(t.buffer())->data();
    std::vector<T> result(data ? data->size() / sizeof(T) : 0);
    if (data) std::memcpy(result.data(), data->data(), data->size());
    return result;
  }

  const tflite::Model& model;
  const tflite::SubGraph& graph;
};

template <typename T>
std::vector<T> list(const flatbuffers::Vector<T>* v) {
  return v ? std::vector<T>(v->begin(), v->end()) : std::vector<T>();
}
using Ints = std::vector<int32_t>;
using Longs = std::vector<int64_t>;

/// A quantized graph whose scales do not matter: every activation takes [-1,1] or, every second one, [0,2].
inline QuantizedGraph quantized(const Graph& graph, const QuantizeOptions& options = {}) {
  Ranges ranges(graph.values.size(), {.min = -1.0f, .max = 1.0f});
  for (size_t i = 0; i < ranges.size(); i += 2) ranges[i] = {.min = 0.0f, .max = 2.0f};
  return quantize(graph, ranges, options);
}

/// The same for a graph without weights that quantize() would change: every activation on one grid.
inline QuantizedGraph on_one_grid(const Graph& graph) {
  QuantizedGraph q;
  q.graph = graph;
  for (Value& value : q.graph.values) value.type = DataType::kInt8;
  q.params.resize(graph.values.size(), {.scale = 0.5f, .zero_point = 1});
  q.filters.resize(graph.nodes.size());
  return q;
}

}  // namespace qlimit
