// A layer: parameters, buffers, and a function from a Variable to a Variable.
//
// A new layer derives from Layer, registers what it trains (`add_parameter`), what it only remembers
// (`add_buffer`, for example running statistics), where it draws random numbers (`add_random_stream`) and the
// layers inside it (`add_child`), and defines `forward`. Nothing else has a list to be extended: saving,
// optimizers and summaries find everything through these four.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "core/variable.h"

namespace qlimit {

/// A trained tensor with its name inside the model, for example "3.weight".
struct Parameter {
  std::string name;
  Variable variable;
  bool decays = true;  // by weight decay: weights do; biases, gamma and beta do not
};

/// A tensor that is saved with the model but not trained.
struct Buffer {
  std::string name;
  Tensor<Real> tensor;  // shares its storage with the layer's own
};

/// A source of random numbers, saved with a training run so that it goes on as if never interrupted:
/// `saved = stream->state()` and later `*stream = Random(saved)`.
struct RandomStream {
  std::string name;
  std::shared_ptr<Random> stream;  // the layer's own
};

class Layer {
 public:
  virtual ~Layer() = default;
  Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  Variable operator()(const Variable& x) { return forward(x); }
  virtual Variable forward(const Variable& x) = 0;

  /// All that this layer and those inside it registered, in order of registration, names joined by dots. What
  /// belongs to a layer that is used in several places stands once, under its first name.
  std::vector<Parameter> parameters() const;
  std::vector<Buffer> buffers() const;
  std::vector<RandomStream> random_streams() const;

  /// Calls `visitor` once for this layer, then for each inside it, in order of registration.
  void visit(const std::function<void(Layer&)>& visitor);

  /// Switches between training and evaluation, for layers that differ (batch norm, dropout); true at first.
  void set_training(bool training);
  bool training() const { return training_; }

 protected:
  Variable add_parameter(const std::string& name, Tensor<Real> value, bool decays);
  Tensor<Real> add_buffer(const std::string& name, Tensor<Real> value);
  std::shared_ptr<Random> add_random_stream(const std::string& name, const Random& stream);
  void add_child(const std::string& name, std::shared_ptr<Layer> child);

 private:
  friend class EvaluationMode;

  struct Child {
    std::string name;
    std::shared_ptr<Layer> layer;
  };
  template <typename Self, typename Visitor>
  static void walk(Self& layer, const std::string& prefix, std::set<const Layer*>& seen,
                   const Visitor& visitor);
  template <typename Item>
  std::vector<Item> collect(std::vector<Item> Layer::*own) const;

  std::vector<Parameter> parameters_;
  std::vector<Buffer> buffers_;
  std::vector<RandomStream> random_streams_;
  std::vector<Child> children_;
  bool training_ = true;
};

/// While one of these lives, a model is in evaluation; afterwards each of its layers is in the mode it had
/// before.
class EvaluationMode {
 public:
  explicit EvaluationMode(Layer& model);
  ~EvaluationMode();
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  std::vector<std::pair<Layer*, bool>> before_;
};

}  // namespace qlimit
