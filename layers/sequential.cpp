#include "layers/sequential.h"

namespace qlimit {

Sequential& Sequential::append(std::shared_ptr<Layer> layer) {
  add_child(std::to_string(layers_.size()), layer);
  layers_.push_back(std::move(layer));
  return *this;
}

Variable Sequential::forward(const Variable& x) {
  Variable y = x;
  for (const auto& layer : layers_) y = (*layer)(y);
  return y;
}

}  // namespace qlimit
