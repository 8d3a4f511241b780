// Reading a tape: the operations that led to a value, in the order in which they can be computed again.
//
//   for (const Variable& v : operations_of(model(x))) std::cout << v.operation().name << "\n";
//
// The tape is the model: summaries, tracing and quantization all start from this list.
#pragma once

#include <vector>

#include "core/variable.h"

namespace qlimit {

/// All nodes that `output` was computed from and itself, leaves included, each once, inputs before their
/// users. Without recursion, so a tape may be long.
std::vector<Variable> operations_of(const Variable& output);

}  // namespace qlimit
