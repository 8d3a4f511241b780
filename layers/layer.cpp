#include "layers/layer.h"

#include "core/error.h"

namespace qlimit {

template <typename Self, typename Visitor>
void Layer::walk(Self& layer, const std::string& prefix, std::set<const Layer*>& seen,
                 const Visitor& visitor) {
  if (!seen.insert(&layer).second) return;
  visitor(layer, prefix);
  for (const Child& child : layer.children_) {
    Self& inner = *child.layer;
    walk(inner, prefix + child.name + ".", seen, visitor);
  }
}

template <typename Item>
std::vector<Item> Layer::collect(std::vector<Item> Layer::*own) const {
  std::vector<Item> all;
  std::set<const Layer*> seen;
  walk(*this, "", seen, [&](const Layer& layer, const std::string& prefix) {
    for (Item item : layer.*own) {
      item.name = prefix + item.name;
      all.push_back(std::move(item));
    }
  });
  return all;
}

std::vector<Parameter> Layer::parameters() const { return collect(&Layer::parameters_); }

std::vector<Buffer> Layer::buffers() const { return collect(&Layer::buffers_); }

std::vector<RandomStream> Layer::random_streams() const { return collect(&Layer::random_streams_); }

void Layer::visit(const std::function<void(Layer&)>& visitor) {
  std::set<const Layer*> seen;
  walk(*this, "", seen, [&](Layer& layer, const std::string&) { visitor(layer); });
}

void Layer::set_training(bool training) {
  visit([training](Layer& layer) { layer.training_ = training; });
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

std::shared_ptr<Random> Layer::add_random_stream(const std::string& name, const Random& stream) {
  random_streams_.push_back({name, std::make_shared<Random>(stream)});
  return random_streams_.back().stream;
}

void Layer::add_child(const std::string& name, std::shared_ptr<Layer> child) {
  if (!child) throw Error(ErrorKind::kUsage, {.what = "there is no layer to add", .where = name});
  children_.push_back({name, std::move(child)});
}

EvaluationMode::EvaluationMode(Layer& model) {
  model.visit([this](Layer& layer) { before_.emplace_back(&layer, std::exchange(layer.training_, false)); });
}

EvaluationMode::~EvaluationMode() {
  for (const auto& [layer, training] : before_) layer->training_ = training;
}

}  // namespace qlimit
