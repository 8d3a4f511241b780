// Layers one after another.
//
//   Sequential model;
//   model.add<Conv2D>(3, 8, Window{.kernel_h = 3, .kernel_w = 3}, false, random);
//   model.add<ReLU>();
//   Variable logits = model(images);
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "layers/layer.h"

namespace qlimit {

class Sequential : public Layer {
 public:
  /// Makes an L and appends it; its name is its position, "0", "1", ... Returns the model, so that calls
  /// chain.
  template <typename L, typename... Args>
  Sequential& add(Args&&... args) {
    return append(std::make_shared<L>(std::forward<Args>(args)...));
  }
  Sequential& append(std::shared_ptr<Layer> layer);

  Variable forward(const Variable& x) override;
  const std::vector<std::shared_ptr<Layer>>& layers() const { return layers_; }

 private:
  std::vector<std::shared_ptr<Layer>> layers_;
};

}  // namespace qlimit
