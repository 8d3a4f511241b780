#include "quant/analysis.h"

#include <cmath>
#include <limits>

#include "core/error.h"
#include "quant/recording.h"

namespace qlimit {
namespace {

constexpr int64_t kBatch = 32;

struct Energy {
  double signal = 0;
  double noise = 0;
};

void add_energy(Energy& energy, const Tensor<float>& exact, const Tensor<int8_t>& integers,
                AffineParams params) {
  for (int64_t i = 0; i < exact.size(); ++i) {
    const double x = exact[i];
    const double error = x - dequantize(integers[i], params);
    energy.signal += x * x;
    energy.noise += error * error;
  }
}

double decibels(const Energy& energy) {
  if (energy.noise == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(energy.signal / energy.noise);
}

void check_models(const Graph& reference, const Graph& integers) {
  if (!same_values(integers, reference)) {
    throw Error(ErrorKind::kUsage,
                {.what = "the two models come from different graphs", .where = "layer_noise"});
  }
  for (const Value& value : integers.values) {
    if (value.is_constant() || value.type == DataType::kInt8) continue;
    throw Error(ErrorKind::kUsage, {.what = "the model has floats inside",
                                    .where = "layer_noise",
                                    .expected = "integers throughout",
                                    .found = value.name});
  }
}

}  // namespace

std::vector<LayerNoise> layer_noise(const FloatExecutor& reference, const QuantizedModel& model,
                                    const Tensor<float>& images) {
  const Graph& graph = model.graph();
  check_models(reference.graph(), graph);
  std::vector<Energy> energies(graph.values.size());
  for_each_batch(graph, images, kBatch, [&](const Tensor<float>& batch) {
    const auto exact = record_activations<float>(reference, batch);
    const auto integers = record_activations<int8_t>(model, batch);
    for (size_t id = 0; id < energies.size(); ++id) {
      if (!exact[id].empty()) {
        add_energy(energies[id], exact[id], integers[id], model.params(static_cast<ValueId>(id)));
      }
    }
  });

  std::vector<LayerNoise> layers;
  const auto report = [&](ValueId id, const std::string& operation) {
    const Value& value = graph.value(id);
    layers.push_back({value.name, operation, value.shape, decibels(energies[static_cast<size_t>(id)])});
  };
  report(graph.input, "input");
  for (const Node& node : graph.nodes) report(node.output, op_name(node.op));
  return layers;
}

}  // namespace qlimit
