#include "quant/float_executor.h"

#include <algorithm>

#include "quant/float_kernels.h"

namespace qlimit {
namespace {

std::vector<CompiledNode<float>> compile_all(const Graph& graph) {
  validate(graph);
  std::vector<CompiledNode<float>> compiled;
  for (const Node& node : graph.nodes) compiled.push_back(compile_float(graph, node));
  return compiled;
}

}  // namespace

FloatExecutor::FloatExecutor(Graph graph) : graph_(std::move(graph)), program_(graph_, compile_all(graph_)) {}

void FloatExecutor::run(const float* images, int64_t batch, float* outputs, Workspace& workspace,
                        const Probe<float>* probe) const {
  const int64_t in = program_.input_size();
  const int64_t out = program_.output_size();
  const auto load = [&](int64_t image, float* to) { std::copy_n(images + image * in, in, to); };
  const auto store = [&](int64_t image, const float* from) { std::copy_n(from, out, outputs + image * out); };
  program_.run(batch, std::ref(load), std::ref(store), workspace, probe);
}

Tensor<float> FloatExecutor::run(const Tensor<float>& images, const Probe<float>* probe) const {
  const int64_t batch = batch_size(graph_, images.shape());
  Tensor<float> outputs = Tensor<float>::uninitialized(with_batch(graph_.value(graph_.output).shape, batch));
  Workspace workspace = make_workspace(batch);
  run(images.data(), batch, outputs.data(), workspace, probe);
  return outputs;
}

int64_t FloatExecutor::weight_bytes() const {
  int64_t elements = 0;
  for (const Value& value : graph_.values) elements += value.is_constant() ? value.constant.size() : 0;
  return elements * static_cast<int64_t>(sizeof(float));
}

}  // namespace qlimit
