#include "optim/state.h"

namespace qlimit {

void save_state(const Optimizer& optimizer, Archive& archive, const std::string& prefix) {
  save_counted("steps", optimizer.steps(), optimizer.state(), archive, prefix);
}

void load_state(Optimizer& optimizer, const Archive& archive, const std::string& prefix) {
  optimizer.set_steps(load_counted("steps", optimizer.state(), archive, prefix));
}

}  // namespace qlimit
