#include "quant/remedies/adaround.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "layers/add.h"
#include "optim/adam.h"
#include "quant/program.h"
#include "quant/remedies/layer_reconstruction.h"
#include "quant/remedies/soft_rounding.h"

namespace qlimit {
namespace {

void check_options(const AdaRoundOptions& options) {
  check_option("iterations", static_cast<double>(options.iterations), 0, kUnbounded);
  check_option("batch", static_cast<double>(options.batch), 1, kUnbounded);
  check_option("learning_rate", options.learning_rate, 0, kUnbounded);
  check_option("warm_up", options.warm_up, 0, 1);
  check_option("regularization", options.regularization, 0, kUnbounded);
  check_option("first_beta", options.first_beta, 1, kUnbounded);
  check_option("last_beta", options.last_beta, 1, kUnbounded);
}

/// Runs for one step: drawn with replacement, or all in order.
std::vector<int64_t> draw(int64_t runs, int64_t batch, Random& random) {
  std::vector<int64_t> drawn(static_cast<size_t>(std::min(runs, batch)));
  std::iota(drawn.begin(), drawn.end(), int64_t{0});
  if (runs <= batch) return drawn;
  for (int64_t& run : drawn) run = random.below(static_cast<uint32_t>(runs));
  return drawn;
}

/// From 0 at the end of the warm-up to 1 at the end; negative before.
double progress(const AdaRoundOptions& options, int64_t step) {
  const auto all = static_cast<double>(options.iterations);
  return (static_cast<double>(step) / all - options.warm_up) / (1 - options.warm_up);
}

/// Moves the v of a layer whose error at first is `before`.
void learn(const SoftRounding& rounding, const LayerReconstruction& layer, double before, Random random,
           const AdaRoundOptions& options) {
  Adam adam({{.name = "v", .variable = rounding.v(), .decays = false}});
  const double factor = static_cast<double>(rounding.v().shape().size()) / before;
  for (int64_t step = 0; step < options.iterations; ++step) {
    const Variable h = rectified_sigmoid(rounding.v());
    Variable loss = layer.error(rounding.weight(h), draw(layer.runs(), options.batch, random), factor);
    if (const double done = progress(options, step); done >= 0) {
      const double beta = options.first_beta + done * (options.last_beta - options.first_beta);
      loss = add(loss, indecision(h, beta, options.regularization));
    }
    adam.zero_grad();
    backward(loss);
    adam.step(options.learning_rate);
  }
}

}  // namespace

void adaround(QuantizedGraph& q, const Graph& reference, const Tensor<float>& images,
              const AdaRoundOptions& options) {
  check_reference("adaround", q, reference);
  check_options(options);
  run_count(reference, images.shape());  // throws before anything is changed
  const Random random(options.seed, "adaround");
  for (size_t i = 0; i < q.filters.size(); ++i) {
    if (q.filters[i].weight.empty()) continue;
    const Node& node = reference.nodes[i];
    const LayerReconstruction layer(q, i, reference, images);
    const double before = layer.error(q.filters[i].weight);
    if (!std::isfinite(before)) {
      throw Error(ErrorKind::kNumeric, {.what = "an output is not finite",
                                        .where = reference.value(node.output).name,
                                        .found = concat("an error of ", before)});
    }
    if (before == 0) continue;
    const SoftRounding rounding(reference.value(node.inputs[1]).constant, q.filters[i],
                                channel_axis(node.op));
    learn(rounding, layer, before, random.split(i), options);
    const Tensor<int8_t> learned = rounding.rounded();
    if (layer.error(learned) < before) q.filters[i].weight = learned;
  }
}

}  // namespace qlimit
