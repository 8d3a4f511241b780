#include "tests/bench/nets.h"

#include <map>
#include <string>

#include "core/kernels/quantize.h"
#include "experiments/models.h"
#include "quant/calibrate.h"
#include "quant/float_executor.h"
#include "quant/passes.h"
#include "quant/trace.h"

namespace qlimit {
namespace {

constexpr Net kNets[] = {{"mnist", mnist_model, 28, 1},
                         {"micro", micro_cifar_model, 32, 3},
                         {"standard", standard_cifar_model, 32, 3}};

Graph make_folded_graph(const Net& net) {
  Random random(42, "weights");
  const auto model = net.make(random);
  Graph graph = trace(*model, net.images_shape(1));
  run_passes(graph);
  return graph;
}

// Benchmarks ask for the same graph many times, and calibrating a large one takes a while.
template <typename Made, typename Make>
const Made& made_once(const Net& net, const Make& make) {
  static std::map<std::string, Made> made;
  const auto found = made.find(net.name);
  return found != made.end() ? found->second : made.emplace(net.name, make(net)).first->second;
}

}  // namespace

std::span<const Net> nets() { return kNets; }

Tensor<float> random_images(const Net& net, int64_t count) {
  Random random(42, "images");
  Tensor<float> images(net.images_shape(count));
  for (float& x : images) x = static_cast<float>(random.uniform());
  return images;
}

const Graph& folded_graph(const Net& net) { return made_once<Graph>(net, make_folded_graph); }

const QuantizedGraph& quantized_graph(const Net& net) {
  return made_once<QuantizedGraph>(net, [](const Net& n) {
    const Graph& graph = folded_graph(n);
    const Ranges ranges = calibrate(FloatExecutor(graph), random_images(n, 64));
    return quantize(graph, ranges, {.dense_weights = Granularity::kPerChannel});
  });
}

Tensor<int8_t> random_int8_images(const Net& net, int64_t count) {
  const QuantizedGraph& q = quantized_graph(net);
  const AffineParams& p = q.params_of(q.graph.input);
  const Tensor<float> images = random_images(net, count);
  Tensor<int8_t> stored(images.shape());
  quantize_int8(images.size(), p.scale, p.zero_point, -128 - p.zero_point, 127 - p.zero_point, images.data(),
                stored.data());
  return stored;
}

}  // namespace qlimit
