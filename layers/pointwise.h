// Pointwise functions: y[i] = f(x[i]). Give f and its derivative, and training, tracing and quantization (a
// table of 256 entries, made from f) all work:
//
//   Variable softplus(const Variable& x) {
//     return pointwise(x, "softplus", {.function = [](double v) { return std::log1p(std::exp(v)); },
//                                      .derivative = [](double v) { return 1 / (1 + std::exp(-v)); }});
//   }
#pragma once

#include <string>

#include "layers/layer.h"

namespace qlimit {

/// The options of a pointwise operation: the function, and its derivative at the same x.
struct Pointwise {
  double (*function)(double x);
  double (*derivative)(double x);
};

/// x: any shape -> the same shape. `name` becomes the operation's name. Computed in double.
Variable pointwise(const Variable& x, const std::string& name, const Pointwise& options);

/// 1 / (1 + exp(-x)), without overflow for any x.
Variable sigmoid(const Variable& x);

/// The hyperbolic tangent.
Variable tanh(const Variable& x);

class Sigmoid : public Layer {
 public:
  Variable forward(const Variable& x) override { return sigmoid(x); }
};

class Tanh : public Layer {
 public:
  Variable forward(const Variable& x) override { return tanh(x); }
};

}  // namespace qlimit
