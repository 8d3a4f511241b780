#include "tests/support/standard_net.h"

#include <bit>
#include <cmath>

#include "core/random.h"
#include "experiments/models.h"
#include "quant/passes.h"
#include "quant/trace.h"

namespace qlimit {
namespace {

// A sum of K products of weights (73 in the quadratic mean) and activations behind a ReLU (50 or so) is about
// sqrt(K) * 73 * 50: with this scale, and that of the output like that of the input, outputs fill the 8 bits
// and seldom leave them.
float weight_scale(int64_t products, int64_t channel) {
  constexpr float kMantissas[] = {1.0f, 1.25f, 1.5f};
  const int half_bits = std::bit_width(static_cast<uint64_t>(products)) / 2;
  return std::ldexp(kMantissas[channel % 3], -6 - half_bits);
}

void fill(QuantizedFilter& filter, Random& numbers) {
  const int64_t products = filter.weight.size() / filter.weight.dim(0);
  for (int8_t& w : std::span(filter.weight.data(), static_cast<size_t>(filter.weight.size())))
    w = static_cast<int8_t>(static_cast<int>(numbers.below(255)) - 127);
  for (int32_t& b : filter.bias) b = static_cast<int32_t>(numbers.below(1 << 14)) - (1 << 13);
  for (size_t c = 0; c < filter.scales.size(); ++c)
    filter.scales[c] = weight_scale(products, static_cast<int64_t>(c));
}

}  // namespace

QuantizedGraph standard_net() {
  Random numbers(1, "standard net");
  const auto model = standard_cifar_model(numbers);
  Graph graph = trace(*model, {1, 32, 32, 3});
  run_passes(graph);
  QuantizedGraph q = quantize(graph, Ranges(graph.values.size(), {.min = -1.0f, .max = 1.0f}));
  // What floats have led to so far is replaced.
  for (QuantizedFilter& filter : q.filters) {
    if (!filter.weight.empty()) fill(filter, numbers);
  }
  for (AffineParams& params : q.params) params = {.scale = 0.03125f, .zero_point = -128};
  q.params[static_cast<size_t>(q.graph.input)].zero_point = 3;
  q.params[static_cast<size_t>(q.graph.output)].zero_point = -7;
  return q;
}

}  // namespace qlimit
