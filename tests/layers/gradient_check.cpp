#include "tests/layers/gradient_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iomanip>
#include <numeric>
#include <optional>

namespace qlimit {
namespace {

using testing::AssertionFailure;
using testing::AssertionResult;
using testing::AssertionSuccess;

struct Disagreement {
  double error = -1;  // none compared yet
  size_t input = 0;
  int64_t element = 0;
  double backward = 0;
  double numeric = 0;
};

bool same_bits(const Tensor<Real>& a, const Tensor<Real>& b) {
  return a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), sizeof(Real) * static_cast<size_t>(a.size())) == 0;
}

std::string index_of(int64_t element, const Shape& shape) {
  std::string text;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    text = std::to_string(element % shape[axis]) + (text.empty() ? "" : ",") + text;
    element /= shape[axis];
  }
  return "(" + text + ")";
}

std::vector<Tensor<Real>> copies(const std::vector<Tensor<Real>>& tensors) {
  std::vector<Tensor<Real>> result;
  for (const Tensor<Real>& tensor : tensors) result.push_back(tensor.clone());
  return result;
}

std::vector<Variable> leaves(const std::vector<Tensor<Real>>& values, std::optional<size_t> constant = {}) {
  std::vector<Variable> variables;
  for (size_t i = 0; i < values.size(); ++i) {
    variables.push_back(i == constant ? Variable::constant(values[i]) : Variable::parameter(values[i]));
  }
  return variables;
}

// The derivative of sum_j upstream[j] * function(values)[j] with respect to one element of `moved`, which is
// one of `values`. The outputs are subtracted before they are summed: that cancels what does not depend on
// it.
double central_difference(const CheckedFunction& function, const std::vector<Tensor<Real>>& values,
                          Tensor<Real> moved, int64_t element, const Tensor<Real>& upstream, double step) {
  const TapeOff off;
  const Real before = moved[element];
  const auto output_at = [&](double x) {
    moved[element] = static_cast<Real>(x);
    return function(leaves(values)).value().clone();
  };
  const double above = before + step, below = before - step;
  const Tensor<Real> high = output_at(above), low = output_at(below);
  moved[element] = before;
  double sum = 0;
  for (int64_t j = 0; j < upstream.size(); ++j) sum += double{upstream[j]} * (high[j] - low[j]);
  return sum / (above - below);
}

AssertionResult agrees_with_differences(const CheckedFunction& function,
                                        const std::vector<Tensor<Real>>& values,
                                        const std::vector<Tensor<Real>>& gradients,
                                        const Tensor<Real>& upstream, const GradientCheck& check) {
  Disagreement worst;
  for (size_t input = 0; input < values.size(); ++input) {
    const int64_t size = values[input].size();
    const int64_t count = std::min(size, check.elements_checked);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t element = i * size / count;
      const double numeric =
          central_difference(function, values, values[input], element, upstream, check.step);
      const double backward = gradients[input][element];
      const double error =
          std::abs(backward - numeric) / std::max({std::abs(backward), std::abs(numeric), check.floor});
      if (!(error <= worst.error)) worst = {error, input, element, backward, numeric};  // a NaN is the worst
      if (std::isnan(error)) break;
    }
    if (std::isnan(worst.error)) break;
  }
  if (worst.error <= check.tolerance) return AssertionSuccess();
  const Shape& shape = values[worst.input].shape();
  return AssertionFailure() << std::setprecision(12) << "input " << worst.input << " of shape "
                            << shape.to_string() << ", element " << index_of(worst.element, shape)
                            << ": backward says " << worst.backward << ", the central difference "
                            << worst.numeric << ", relative error " << worst.error << " (at most "
                            << check.tolerance << ")";
}

// Gradients arrive on top of others, and nobody's data is written to.
AssertionResult adds_cleanly(const CheckedFunction& function, const std::vector<Tensor<Real>>& values,
                             const std::vector<Tensor<Real>>& gradients, const Tensor<Real>& upstream,
                             Random& rng) {
  const std::vector<Tensor<Real>> values_before = copies(values);
  const Tensor<Real> upstream_before = upstream.clone();
  const std::vector<Variable> variables = leaves(values);
  std::vector<Tensor<Real>> arrived_before;
  for (const Variable& variable : variables) {
    arrived_before.push_back(random_tensor(variable.shape(), rng));
    variable.add_grad(arrived_before.back().clone());
  }
  backward(function(variables), upstream);
  for (size_t input = 0; input < values.size(); ++input) {
    if (!same_bits(values[input], values_before[input]))
      return AssertionFailure() << "input " << input << " was written to";
    for (int64_t i = 0; i < values[input].size(); ++i) {
      const Real expected = arrived_before[input][i] + gradients[input][i];
      const Real found = variables[input].grad()[i];
      // An operation may add in several pieces; each addition rounds.
      if (std::abs(found - expected) <= 1e-12 * (1 + std::abs(gradients[input][i]))) continue;
      return AssertionFailure() << "input " << input << ", element " << index_of(i, values[input].shape())
                                << ": a gradient that had arrived before was not added to: expected "
                                << expected << ", found " << found;
    }
  }
  if (!same_bits(upstream, upstream_before))
    return AssertionFailure() << "the upstream gradient was written to";
  return AssertionSuccess();
}

AssertionResult leaves_constants_alone(const CheckedFunction& function,
                                       const std::vector<Tensor<Real>>& values,
                                       const std::vector<Tensor<Real>>& gradients,
                                       const Tensor<Real>& upstream) {
  if (values.size() < 2) return AssertionSuccess();
  for (size_t constant = 0; constant < values.size(); ++constant) {
    const std::vector<Variable> variables = leaves(values, constant);
    backward(function(variables), upstream);
    for (size_t input = 0; input < values.size(); ++input) {
      const bool expected = input != constant;
      if (variables[input].has_grad() != expected) {
        return AssertionFailure() << "with input " << constant << " constant, input " << input
                                  << (expected ? " received no gradient" : " received a gradient");
      }
      if (expected && !same_bits(variables[input].grad(), gradients[input])) {
        return AssertionFailure() << "with input " << constant << " constant, the gradient of input " << input
                                  << " is another one";
      }
    }
  }
  return AssertionSuccess();
}

}  // namespace

AssertionResult gradients_agree(const CheckedFunction& function, const std::vector<Tensor<Real>>& inputs,
                                Random& rng, const GradientCheck& check) {
  static_assert(std::is_same_v<Real, double>, "gradient checks are sharp in double only");
  const std::vector<Tensor<Real>> values = copies(inputs);
  const std::vector<Variable> variables = leaves(values);
  const Variable output = function(variables);
  const Tensor<Real> upstream = random_tensor(output.shape(), rng);
  backward(output, upstream.clone());
  std::vector<Tensor<Real>> gradients;
  for (size_t input = 0; input < variables.size(); ++input) {
    if (!variables[input].has_grad())
      return AssertionFailure() << "input " << input << " received no gradient";
    gradients.push_back(variables[input].grad().clone());
  }
  AssertionResult result = agrees_with_differences(function, values, gradients, upstream, check);
  if (result) result = adds_cleanly(function, values, gradients, upstream, rng);
  if (result) result = leaves_constants_alone(function, values, gradients, upstream);
  return result;
}

Tensor<Real> random_tensor(const Shape& shape, Random& rng, double low, double high) {
  auto tensor = Tensor<Real>::uninitialized(shape);
  for (Real& value : tensor) value = static_cast<Real>(rng.uniform(low, high));
  return tensor;
}

Tensor<Real> keep_away(Tensor<Real> tensor, double kink, double margin) {
  for (Real& value : tensor) {
    if (std::abs(value - kink) < margin) value = static_cast<Real>(kink + (value < kink ? -margin : margin));
  }
  return tensor;
}

Tensor<Real> spread_out(const Shape& shape, Random& rng) {
  std::vector<Real> values(static_cast<size_t>(shape.size()));
  const double spacing = 2.0 / static_cast<double>(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<Real>(-1 + spacing * (static_cast<double>(i) + 0.5));
  rng.shuffle(values);
  return Tensor<Real>(shape, values);
}

}  // namespace qlimit
