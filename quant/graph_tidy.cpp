#include <algorithm>

#include "core/error.h"
#include "quant/graph.h"

namespace qlimit {
namespace {

// The nodes that the output needs, each after its inputs. Depth first without recursion: a node is entered,
// waits for its inputs, and is left.
std::vector<size_t> needed_in_order(const Graph& graph) {
  std::vector<int> producer(graph.values.size(), -1);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    producer[static_cast<size_t>(graph.nodes[i].output)] = static_cast<int>(i);
  }
  enum class State { kNew, kWaiting, kDone };
  std::vector<State> state(graph.nodes.size(), State::kNew);
  std::vector<size_t> order;
  std::vector<int> stack{producer[static_cast<size_t>(graph.output)]};
  while (!stack.empty()) {
    if (stack.back() < 0) {
      stack.pop_back();
      continue;
    }
    const auto at = static_cast<size_t>(stack.back());
    if (state[at] != State::kNew) {
      if (state[at] == State::kWaiting) order.push_back(at);
      state[at] = State::kDone;
      stack.pop_back();
      continue;
    }
    state[at] = State::kWaiting;
    const std::vector<ValueId>& inputs = graph.nodes[at].inputs;
    for (auto id = inputs.rbegin(); id != inputs.rend(); ++id) {
      const int before = producer[static_cast<size_t>(*id)];
      if (before < 0) continue;
      if (state[static_cast<size_t>(before)] == State::kWaiting) {
        throw Error(ErrorKind::kUsage,
                    {.what = "the graph has a cycle", .where = graph.value(graph.nodes[at].output).name});
      }
      if (state[static_cast<size_t>(before)] == State::kNew) stack.push_back(before);
    }
  }
  return order;
}

}  // namespace

void tidy(Graph& graph) {
  std::vector<Node> nodes;
  for (size_t i : needed_in_order(graph)) nodes.push_back(std::move(graph.nodes[i]));

  std::vector<bool> needed(graph.values.size(), false);
  needed[static_cast<size_t>(graph.input)] = needed[static_cast<size_t>(graph.output)] = true;
  for (const Node& node : nodes) {
    needed[static_cast<size_t>(node.output)] = true;
    for (ValueId id : node.inputs) needed[static_cast<size_t>(id)] = true;
  }
  std::vector<ValueId> renumbered(graph.values.size(), -1);
  std::vector<Value> values;
  for (size_t i = 0; i < graph.values.size(); ++i) {
    if (!needed[i]) continue;
    renumbered[i] = static_cast<ValueId>(values.size());
    values.push_back(std::move(graph.values[i]));
  }
  const auto renumber = [&](ValueId& id) { id = renumbered[static_cast<size_t>(id)]; };
  for (Node& node : nodes) {
    std::for_each(node.inputs.begin(), node.inputs.end(), renumber);
    renumber(node.output);
  }
  renumber(graph.input);
  renumber(graph.output);
  graph.nodes = std::move(nodes);
  graph.values = std::move(values);
}

}  // namespace qlimit
