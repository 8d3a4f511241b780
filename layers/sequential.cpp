#include "layers/sequential.h"

#include "layers/fusion.h"

namespace qlimit {

Sequential& Sequential::append(std::shared_ptr<Layer> layer) {
  add_child(std::to_string(layers_.size()), layer);
  layers_.push_back(std::move(layer));
  return *this;
}

Variable Sequential::forward(const Variable& x) {
  Variable y = x;
  for (size_t i = 0; i < layers_.size();) i += forward_fused(layers_, i, y);
  return y;
}

}  // namespace qlimit
