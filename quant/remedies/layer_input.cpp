#include "quant/remedies/layer_input.h"

#include <algorithm>

#include "quant/quantized_model.h"
#include "quant/recording.h"

namespace qlimit {
namespace {

constexpr int64_t kBatch = 32;

/// The integers of a value on images [N,...], as [N,...].
Tensor<int8_t> record(const QuantizedModel& model, ValueId id, const Tensor<float>& images) {
  const Graph& graph = model.graph();
  const int64_t size = graph.value(id).shape.size();
  auto values =
      Tensor<int8_t>::uninitialized(repeated(graph.value(id).shape, run_count(graph, images.shape())));
  const Probe keep = [&](int64_t run, ValueId value, const void* data) {
    if (value == id) std::copy_n(static_cast<const int8_t*>(data), size, values.data() + run * size);
  };
  model.run(images, &keep);
  return values;
}

}  // namespace

Graph prefix(const Graph& graph, size_t last) {
  Graph part = graph;
  part.nodes.resize(last + 1);
  part.output = part.nodes.back().output;
  return part;
}

QuantizedGraph prefix(const QuantizedGraph& q, size_t last) {
  QuantizedGraph part = q;
  part.graph = prefix(q.graph, last);
  part.filters.resize(last + 1);
  return part;
}

Tensor<float> integer_input(const QuantizedGraph& q, size_t i, const Tensor<float>& images) {
  const ValueId id = q.graph.nodes[i].inputs[0];
  const Tensor<int8_t> integers = record(QuantizedModel(prefix(q, i)), id, images);
  Tensor<float> values = Tensor<float>::uninitialized(integers.shape());
  std::transform(integers.begin(), integers.end(), values.begin(),
                 [&](int8_t number) { return dequantize(number, q.params_of(id)); });
  return values;
}

std::vector<double> mean_integer_input(const QuantizedGraph& q, size_t i, const Tensor<float>& images) {
  const ValueId id = q.graph.nodes[i].inputs[0];
  const QuantizedModel model(prefix(q, i));
  const auto size = static_cast<size_t>(q.graph.value(id).shape.size());
  std::vector<int64_t> sums(size, 0);
  int64_t count = 0;
  for_each_batch(q.graph, images, kBatch, [&](const Tensor<float>& batch) {
    const Tensor<int8_t> integers = record(model, id, batch);
    for (int64_t k = 0; k < integers.size(); ++k) sums[static_cast<size_t>(k) % size] += integers[k];
    count += integers.size() / static_cast<int64_t>(size);
  });
  const AffineParams& params = q.params_of(id);
  std::vector<double> means;
  for (int64_t sum : sums) {
    means.push_back(params.scale *
                    (static_cast<double>(sum) / static_cast<double>(count) - params.zero_point));
  }
  return means;
}

}  // namespace qlimit
