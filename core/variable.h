// Automatic differentiation by a tape of nodes.
//
// A Variable is a handle to a node. A node holds its value, its gradient, the variables it was computed from,
// a description of the operation (which tracing, summaries and quantization read back: the tape is the
// model), and a backward step: a function that takes d loss / d value and adds to the gradients of the
// inputs.
//
//   Variable w = Variable::parameter(Tensor<Real>({1}, {3}));
//   Variable y = square(w);        // records {9}, named "square", made from w
//   backward(y);                   // w.grad() is now {6}
//
// A backward step holds its inputs, never its own node: that would be a cycle, and so a leak. `backward`
// frees the tape behind itself; walking it twice is an error, as is a walk that reaches no parameter.
#pragma once

#include <any>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/real.h"
#include "core/tensor.h"

namespace qlimit {

/// What a node computes, for those who read the tape.
struct Operation {
  std::string name;           // "conv2d"
  std::any options = {};      // the operation's own options type, for example Window
  int64_t multiply_adds = 0;  // for the whole batch
};

/// Adds the inputs' share of the gradient, given `upstream` = d loss / d value (same shape as the value).
using BackwardStep = std::function<void(const Tensor<Real>& upstream)>;

class Variable {
 public:
  /// An empty handle, for members that are set later and optional inputs.
  Variable() = default;

  /// A leaf without gradient: data, or a statistic.
  static Variable constant(Tensor<Real> value);
  /// A leaf that is trained.
  static Variable parameter(Tensor<Real> value);

  explicit operator bool() const { return node_ != nullptr; }
  const Shape& shape() const { return value().shape(); }
  /// Throws kUsage for an empty handle, as all that follows but id does.
  const Tensor<Real>& value() const;
  /// The value of a leaf, to be written in place: by optimizers, initializers and loaders. Throws kUsage for
  /// the result of an operation.
  Tensor<Real>& mutable_value();

  /// True for parameters and everything computed from them.
  bool wants_grad() const;
  bool has_grad() const;
  /// d loss / d value; throws kUsage if no gradient has arrived.
  const Tensor<Real>& grad() const;
  /// Adds to the gradient. Every gradient arrives through here; throws kUsage if the shape differs from the
  /// value's.
  void add_grad(const Tensor<Real>& grad) const;
  void clear_grad();

  const Operation& operation() const;
  const std::vector<Variable>& inputs() const;
  bool is_leaf() const { return inputs().empty(); }
  /// Equal for two handles of one node: the identity by which readers of the tape recognize a value. Null for
  /// an empty handle.
  const void* id() const { return node_.get(); }

 private:
  struct Node;
  explicit Variable(std::shared_ptr<Node> node) : node_(std::move(node)) {}
  Node& node() const;

  friend Variable record(Tensor<Real>, Operation, std::vector<Variable>, BackwardStep);
  friend void backward(const Variable&, const Tensor<Real>&);

  std::shared_ptr<Node> node_;
};

/// Makes the node of an operation: its value, its description, its inputs (empty handles are dropped), its
/// backward step. The step is kept only if some input wants a gradient. While the tape is off the result is a
/// plain constant.
Variable record(Tensor<Real> value, Operation operation, std::vector<Variable> inputs, BackwardStep step);

/// Computes the gradients of a loss (a value with one element) with respect to all parameters it depends on,
/// and adds them to `grad()`. Walks the nodes in reverse topological order, without recursion, and frees them
/// as it passes. Throws kUsage if the loss depends on no parameter, has more than one element, or was walked
/// before.
void backward(const Variable& loss);

/// The same for a value of any shape, given `upstream` = d loss / d output. Throws kUsage for another shape,
/// too.
void backward(const Variable& output, const Tensor<Real>& upstream);

/// What a listener hears of.
enum class TapeEvent {
  kComputed,  // an operation has been computed and is on the tape
  kBackward,  // its backward step is done; its inputs are still there
};

/// While one of these lives, `function` is called on this thread at each event, with the node: for clocks. A
/// newer listener takes the place of an older one as long as it lives.
class TapeListener {
 public:
  using Function = std::function<void(TapeEvent, const Variable&)>;

  explicit TapeListener(Function function);
  ~TapeListener();
  TapeListener(const TapeListener&) = delete;
  TapeListener& operator=(const TapeListener&) = delete;

 private:
  const Function function_;
  const Function* before_;
};

/// While one of these lives, operations on this thread leave nothing on the tape: for evaluation (PyTorch
/// calls it no_grad).
class TapeOff {
 public:
  TapeOff();
  ~TapeOff();
  TapeOff(const TapeOff&) = delete;
  TapeOff& operator=(const TapeOff&) = delete;

 private:
  bool before_;
};

}  // namespace qlimit
