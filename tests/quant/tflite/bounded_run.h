// Runs models whose files nobody vouches for: a damaged number may well make a sound model that computes for
// hours.
#pragma once

#include <algorithm>
#include <variant>
#include <vector>

#include "quant/quantized_model.h"

namespace qlimit {

/// A bound of the work of one run: elements of outputs, times what each is computed from.
inline int64_t work_of(const Graph& graph) {
  int64_t work = 0;
  for (const Node& node : graph.nodes) {
    const Shape& out = graph.value(node.output).shape;
    int64_t each = 1;
    if (has_weights(node.op)) each = graph.value(node.inputs[1]).shape.size() / out[-1] + 1;
    if (std::holds_alternative<op::Mean>(node.op))
      each = graph.value(node.inputs[0]).shape.size() / out.size() + 1;
    const auto pool = [&](const Window& window) { each = window.kernel_h * window.kernel_w; };
    if (const auto* o = std::get_if<op::MaxPool2D>(&node.op)) pool(o->window);
    if (const auto* o = std::get_if<op::AveragePool2D>(&node.op)) pool(o->window);
    work += out.size() * std::min<int64_t>(each, int64_t{1} << 30);
  }
  return work;
}

/// Compiles the graph and, if the work and the memory are small, runs it once on zeros. Throws what compiling
/// throws. Returns whether it ran.
inline bool compile_and_run(QuantizedGraph quantized) {
  constexpr int64_t kMostWork = int64_t{1} << 24;
  constexpr int64_t kMostBytes = int64_t{1} << 26;
  const bool is_small = work_of(quantized.graph) <= kMostWork;
  const QuantizedModel model(std::move(quantized));
  if (!is_small || model.arena_bytes() > kMostBytes) return false;
  const auto bytes = [&](ValueId id) {
    const Value& value = model.graph().value(id);
    return static_cast<size_t>(value.shape.size() * element_bytes(value.type));
  };
  const std::vector<std::byte> image(bytes(model.graph().input));
  std::vector<std::byte> result(bytes(model.graph().output));
  Workspace workspace = model.make_workspace();
  model.run_stored(image.data(), 1, result.data(), workspace);
  return true;
}

}  // namespace qlimit
