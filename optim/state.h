// The state of an optimizer in an archive: the number of steps and the moments, by their names.
//
//   save_state(optimizer, archive);    // "optimizer.steps", "optimizer.0.weight.momentum", ...
//   load_state(optimizer, archive);
//
// With the model's own state (layers/state.h) a run goes on bit for bit as if it had never stopped.
#pragma once

#include <string>

#include "core/archive.h"
#include "layers/state.h"
#include "optim/optimizer.h"

namespace qlimit {

/// Adds steps() and all of state() under prefix + name; the tensors share storage with the optimizer.
void save_state(const Optimizer& optimizer, Archive& archive, const std::string& prefix = "optimizer.");

/// The way back, all or nothing: throws kData, naming the entry, if one is missing, superfluous, wrongly
/// shaped or not finite, or the number of steps is negative; the optimizer is then as it was.
void load_state(Optimizer& optimizer, const Archive& archive, const std::string& prefix = "optimizer.");

}  // namespace qlimit
