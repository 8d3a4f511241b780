#include "quant/float_executor.h"

#include <algorithm>

#include "quant/float_kernels.h"

namespace qlimit {
namespace {

std::vector<CompiledNode> compile_all(const Graph& graph) {
  validate(graph);
  std::vector<CompiledNode> compiled;
  for (const Node& node : graph.nodes) compiled.push_back(compile_float(graph, node));
  return compiled;
}

Graph in_floats(Graph graph) {
  for (Value& value : graph.values) value.type = DataType::kFloat32;
  return graph;
}

}  // namespace

FloatExecutor::FloatExecutor(Graph graph)
    : graph_(in_floats(std::move(graph))), program_(graph_, compile_all(graph_), float_constants(graph_)) {}

void FloatExecutor::run(const float* images, int64_t runs, float* outputs, Workspace& workspace,
                        const Probe* probe) const {
  const int64_t in = graph_.value(graph_.input).shape.size();
  const int64_t out = graph_.value(graph_.output).shape.size();
  const auto load = [&](int64_t run, void* to) {
    std::copy_n(images + run * in, in, static_cast<float*>(to));
  };
  const auto store = [&](int64_t run, const void* from) {
    std::copy_n(static_cast<const float*>(from), out, outputs + run * out);
  };
  program_.run(runs, std::ref(load), std::ref(store), workspace, probe);
}

Tensor<float> FloatExecutor::run(const Tensor<float>& images, const Probe* probe) const {
  const int64_t runs = run_count(graph_, images.shape());
  Tensor<float> outputs = Tensor<float>::uninitialized(repeated(graph_.value(graph_.output).shape, runs));
  Workspace workspace = make_workspace(runs);
  run(images.data(), runs, outputs.data(), workspace, probe);
  return outputs;
}

}  // namespace qlimit
