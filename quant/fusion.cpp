#include "quant/fusion.h"

namespace qlimit {

bool is_pooled_by_next(const Graph& graph, const Node& node) {
  const auto next = static_cast<size_t>(graph.producer(node.output)) + 1;
  if (next >= graph.nodes.size() || graph.uses(node.output) != 1) return false;
  const auto* pool = std::get_if<op::MaxPool2D>(&graph.nodes[next].op);
  if (!pool || graph.nodes[next].inputs[0] != node.output) return false;
  const Window& w = pool->window;
  return w.kernel_h == 2 && w.kernel_w == 2 && w.stride_h == 2 && w.stride_w == 2 &&
         pool->activation == Activation::kNone;
}

}  // namespace qlimit
