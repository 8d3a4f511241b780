// All activations of a batch at once, for calibration and error reports.
//
//   std::vector<Tensor<float>> all = record_activations<float>(executor, images);
//   all[id]   // [N,...], the value `id` of executor.graph()
#pragma once

#include <algorithm>
#include <vector>

#include "quant/program.h"

namespace qlimit {

/// Runs a FloatExecutor (T = float) or a QuantizedModel whose values are all int8 (T = int8_t) on images
/// [N,...]; the tensors of constants stay empty. Memory for every activation of the batch is needed at once.
template <typename T, typename Executor>
std::vector<Tensor<T>> record_activations(const Executor& executor, const Tensor<float>& images) {
  const Graph& graph = executor.graph();
  const int64_t runs = run_count(graph, images.shape());
  std::vector<Tensor<T>> activations(graph.values.size());
  for (size_t i = 0; i < activations.size(); ++i) {
    const Value& value = graph.values[i];
    if (!value.is_constant()) activations[i] = Tensor<T>::uninitialized(repeated(value.shape, runs));
  }
  const Probe keep = [&](int64_t run, ValueId id, const void* data) {
    const int64_t size = graph.value(id).shape.size();
    std::copy_n(static_cast<const T*>(data), size, activations[static_cast<size_t>(id)].data() + run * size);
  };
  executor.run(images, &keep);
  return activations;
}

/// Calls body(part) for consecutive parts of images [N,...], `batch` images each, the last maybe fewer; for a
/// graph that is written for several images, each part is whole runs of it.
template <typename Body>
void for_each_batch(const Graph& graph, const Tensor<float>& images, int64_t batch, const Body& body) {
  const int64_t written = graph.value(graph.input).shape[0];
  batch = std::max(written, batch / written * written);
  const int64_t count = images.dim(0);
  const int64_t size = count == 0 ? 0 : images.size() / count;
  for (int64_t begin = 0; begin < count; begin += batch) {
    const int64_t n = std::min(batch, count - begin);
    Tensor<float> part = Tensor<float>::uninitialized(with_batch(images.shape(), n));
    std::copy_n(images.data() + begin * size, n * size, part.data());
    body(part);
  }
}

}  // namespace qlimit
