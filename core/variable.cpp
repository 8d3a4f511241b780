#include "core/variable.h"

#include <unordered_set>
#include <utility>

namespace qlimit {
namespace {

thread_local bool tape_is_on = true;
thread_local const TapeListener::Function* listener = nullptr;

void tell(TapeEvent event, const Variable& variable) {
  if (listener) (*listener)(event, variable);
}

[[noreturn]] void misuse(const std::string& what, const std::string& where, const std::string& hint) {
  throw Error(ErrorKind::kUsage, {.what = what, .where = where, .hint = hint});
}

}  // namespace

struct Variable::Node {
  Tensor<Real> value;
  Tensor<Real> grad;
  std::vector<Variable> inputs;
  Operation operation;
  BackwardStep step;
  bool wants_grad = false;
  bool walked = false;

  Node() = default;
  // A long tape that is dropped without a backward walk would otherwise be destroyed by recursion, one stack
  // frame a node. Here each node hands its inputs to the list before it dies.
  ~Node() {
    std::vector<Variable> dying;
    const auto take_inputs = [&dying](Node& node) {
      node.step = nullptr;
      for (Variable& input : node.inputs) dying.push_back(std::move(input));
      node.inputs.clear();
    };
    take_inputs(*this);
    while (!dying.empty()) {
      Variable variable = std::move(dying.back());
      dying.pop_back();
      if (variable.node_.use_count() == 1) take_inputs(*variable.node_);
    }
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
};

Variable Variable::constant(Tensor<Real> value) {
  auto node = std::make_shared<Node>();
  node->value = std::move(value);
  node->operation.name = "constant";
  return Variable(std::move(node));
}

Variable Variable::parameter(Tensor<Real> value) {
  Variable variable = constant(std::move(value));
  variable.node().operation.name = "parameter";
  variable.node().wants_grad = true;
  return variable;
}

Variable::Node& Variable::node() const {
  if (!node_) misuse("an empty variable was used", "", "was an input left out, or a member not set?");
  return *node_;
}

const Tensor<Real>& Variable::value() const { return node().value; }

Tensor<Real>& Variable::mutable_value() {
  if (!is_leaf() || node().walked)
    misuse("only leaves may be written", operation().name, "a written result would falsify gradients");
  return node().value;
}

bool Variable::wants_grad() const { return node().wants_grad; }

bool Variable::has_grad() const { return !node().grad.empty(); }

const Tensor<Real>& Variable::grad() const {
  if (!has_grad())
    misuse("no gradient has arrived", operation().name, "is it part of the loss? was backward called?");
  return node().grad;
}

void Variable::add_grad(const Tensor<Real>& grad) const {
  Node& n = node();
  if (grad.shape() != n.value.shape()) {
    throw Error(ErrorKind::kUsage, {.what = "a gradient has the wrong shape",
                                    .where = n.operation.name,
                                    .expected = n.value.shape().to_string(),
                                    .found = grad.shape().to_string()});
  }
  if (n.grad.empty()) {
    n.grad = grad;  // shared, not copied: nobody writes into a gradient that has other owners
    return;
  }
  if (n.grad.shares_storage()) n.grad = n.grad.clone();
  Real* sum = n.grad.data();
  const Real* more = grad.data();
  const int64_t size = grad.size();
  for (int64_t i = 0; i < size; ++i) sum[i] += more[i];
}

void Variable::clear_grad() { node().grad = {}; }

const Operation& Variable::operation() const { return node().operation; }

const std::vector<Variable>& Variable::inputs() const { return node().inputs; }

Variable record(Tensor<Real> value, Operation operation, std::vector<Variable> inputs, BackwardStep step) {
  Variable result = Variable::constant(std::move(value));
  if (!tape_is_on) return result;
  Variable::Node& node = result.node();
  node.operation = std::move(operation);
  std::erase_if(inputs, [](const Variable& input) { return !input; });
  for (const Variable& input : inputs) node.wants_grad = node.wants_grad || input.wants_grad();
  node.inputs = std::move(inputs);
  if (node.wants_grad) node.step = std::move(step);
  tell(TapeEvent::kComputed, result);
  return result;
}

void backward(const Variable& loss) {
  if (loss.shape().size() != 1) {
    throw Error(ErrorKind::kUsage, {.what = "backward starts from a loss of one element",
                                    .where = loss.operation().name,
                                    .found = loss.shape().to_string(),
                                    .hint = "reduce it to its mean, or pass the upstream gradient"});
  }
  backward(loss, Tensor<Real>::full(loss.shape(), 1));
}

void backward(const Variable& output, const Tensor<Real>& upstream) {
  using Node = Variable::Node;
  if (output.node().walked)
    misuse("backward was called twice", output.operation().name, "compute the loss again first");
  if (!output.wants_grad()) {
    misuse("backward reaches no parameter", output.operation().name,
           "was the loss computed while the tape was off?");
  }

  // Topological order by depth-first search, with a stack of our own instead of recursion. A variable is
  // pushed twice: its first visit pushes its inputs, and its second one, when all of them are in `order`,
  // appends it. So every variable stands behind its inputs, and the output is last.
  std::vector<Variable> order;
  std::unordered_set<const Node*> seen;
  std::vector<std::pair<Variable, bool>> stack{{output, false}};
  while (!stack.empty()) {
    auto [variable, inputs_done] = std::move(stack.back());
    stack.pop_back();
    if (inputs_done) {
      order.push_back(std::move(variable));
      continue;
    }
    if (!seen.insert(&variable.node()).second) continue;
    if (variable.node().walked) {
      misuse("backward meets a part of the tape that was walked before", variable.operation().name,
             "two losses share it: add them and call backward once");
    }
    stack.emplace_back(variable, true);
    for (const Variable& input : variable.inputs()) {
      if (input.wants_grad()) stack.emplace_back(input, false);
    }
  }

  output.add_grad(upstream);
  // From the output back: when a node's turn comes, all that was computed from it has added to its gradient.
  while (!order.empty()) {
    const Variable variable = std::move(order.back());
    order.pop_back();
    if (variable.is_leaf()) continue;
    Node& node = variable.node();
    const Tensor<Real> grad = std::exchange(node.grad, {});
    if (!grad.empty()) node.step(grad);
    tell(TapeEvent::kBackward, variable);
    node.step = nullptr;
    node.inputs.clear();
    node.walked = true;
  }
}

TapeListener::TapeListener(Function function)
    : function_(std::move(function)), before_(std::exchange(listener, &function_)) {}
TapeListener::~TapeListener() { listener = before_; }

TapeOff::TapeOff() : before_(std::exchange(tape_is_on, false)) {}
TapeOff::~TapeOff() { tape_is_on = before_; }

}  // namespace qlimit
