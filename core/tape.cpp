#include "core/tape.h"

#include <unordered_set>
#include <utility>

namespace qlimit {

std::vector<Variable> operations_of(const Variable& output) {
  std::vector<Variable> order;
  std::unordered_set<const void*> seen;
  std::vector<std::pair<Variable, bool>> stack{{output, false}};
  while (!stack.empty()) {
    const auto [variable, inputs_done] = stack.back();
    stack.pop_back();
    if (inputs_done) {
      order.push_back(variable);
      continue;
    }
    if (!seen.insert(variable.id()).second) continue;
    stack.emplace_back(variable, true);
    const auto& inputs = variable.inputs();
    for (auto input = inputs.rbegin(); input != inputs.rend(); ++input) stack.emplace_back(*input, false);
  }
  return order;
}

}  // namespace qlimit
