#include "layers/layer.h"

namespace qlimit {

std::vector<Parameter> Layer::parameters() const {
  std::vector<Parameter> all = parameters_;
  for (const Child& child : children_) {
    for (Parameter inner : child.layer->parameters()) {
      inner.name = child.name + "." + inner.name;
      all.push_back(std::move(inner));
    }
  }
  return all;
}

std::vector<Buffer> Layer::buffers() const {
  std::vector<Buffer> all = buffers_;
  for (const Child& child : children_) {
    for (Buffer inner : child.layer->buffers()) {
      inner.name = child.name + "." + inner.name;
      all.push_back(std::move(inner));
    }
  }
  return all;
}

void Layer::set_training(bool training) {
  training_ = training;
  for (const Child& child : children_) child.layer->set_training(training);
}

Variable Layer::add_parameter(const std::string& name, Tensor<Real> value, bool decays) {
  Variable variable = Variable::parameter(std::move(value));
  parameters_.push_back({name, variable, decays});
  return variable;
}

Tensor<Real> Layer::add_buffer(const std::string& name, Tensor<Real> value) {
  buffers_.push_back({name, value});
  return value;
}

void Layer::add_child(const std::string& name, std::shared_ptr<Layer> child) {
  children_.push_back({name, std::move(child)});
}

}  // namespace qlimit
