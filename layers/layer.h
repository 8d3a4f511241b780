// A layer: parameters, buffers, and a function from a Variable to a Variable.
//
// A new layer derives from Layer, registers what it trains (`add_parameter`), what it only remembers
// (`add_buffer`, for example running statistics) and the layers inside it (`add_child`), and defines
// `forward`. Nothing else has a list to be extended: saving, optimizers and summaries find everything through
// these three.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/variable.h"

namespace qlimit {

/// A trained tensor with its name inside the model, for example "3.weight".
struct Parameter {
  std::string name;
  Variable variable;
  bool decays =
      true;  // subject to weight decay: true for weights, false for biases and normalisation parameters
};

/// A tensor that is saved with the model but not trained.
struct Buffer {
  std::string name;
  Tensor<Real> tensor;  // shares its storage with the layer's own
};

class Layer {
 public:
  virtual ~Layer() = default;
  Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  Variable operator()(const Variable& x) { return forward(x); }
  virtual Variable forward(const Variable& x) = 0;

  /// All parameters and buffers of this layer and those inside it, in order of registration, names joined by
  /// dots.
  std::vector<Parameter> parameters() const;
  std::vector<Buffer> buffers() const;

  /// Switches between training and evaluation, for layers that differ (batch norm, dropout); true at first.
  void set_training(bool training);
  bool training() const { return training_; }

 protected:
  Variable add_parameter(const std::string& name, Tensor<Real> value, bool decays);
  Tensor<Real> add_buffer(const std::string& name, Tensor<Real> value);
  void add_child(const std::string& name, std::shared_ptr<Layer> child);

 private:
  struct Child {
    std::string name;
    std::shared_ptr<Layer> layer;
  };
  std::vector<Parameter> parameters_;
  std::vector<Buffer> buffers_;
  std::vector<Child> children_;
  bool training_ = true;
};

}  // namespace qlimit
