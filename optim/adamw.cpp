#include "optim/adamw.h"

namespace qlimit {

void AdamW::update(const Stretch& stretch, double learning_rate) const {
  const double decay = stretch.decays ? options_.weight_decay : 0;
  Adam::update(stretch, learning_rate, 0, 1 - learning_rate * decay);
}

}  // namespace qlimit
