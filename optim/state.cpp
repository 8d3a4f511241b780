#include "optim/state.h"

#include "core/error.h"

namespace qlimit {

void save_state(const Optimizer& optimizer, Archive& archive, const std::string& prefix) {
  archive.add(prefix + "steps", optimizer.steps());
  for (const Buffer& held : optimizer.state()) archive.add(prefix + held.name, held.tensor);
}

void load_state(Optimizer& optimizer, const Archive& archive, const std::string& prefix) {
  const std::string steps_name = prefix + "steps";
  const int64_t steps = archive.number(steps_name);
  if (steps < 0) {
    throw Error(ErrorKind::kData, {.what = concat("entry ", steps_name, " is negative"),
                                   .where = archive.where(),
                                   .found = concat(steps)});
  }
  const std::vector<Buffer> targets = optimizer.state();
  assign_tensors(checked_tensors(targets, archive, prefix, {steps_name}), targets);
  optimizer.set_steps(steps);
}

}  // namespace qlimit
