// The three networks at work: a training step, and inference by the two executors.
//
//   tests/run --bench --benchmark_filter=train            (items_per_second is images per second)
#include <benchmark/benchmark.h>

#include <memory>
#include <numeric>

#include "core/parallel.h"
#include "experiments/models.h"
#include "layers/softmax_cross_entropy.h"
#include "optim/adam.h"
#include "quant/calibrate.h"
#include "quant/float_executor.h"
#include "quant/passes.h"
#include "quant/quantize.h"
#include "quant/quantized_model.h"
#include "quant/trace.h"

namespace qlimit {
namespace {

struct Net {
  const char* name;
  std::unique_ptr<Sequential> (*make)(Random&);
  int64_t size, channels;
};

constexpr Net kNets[] = {{"mnist", mnist_model, 28, 1},
                         {"micro", micro_cifar_model, 32, 3},
                         {"standard", standard_cifar_model, 32, 3}};

Tensor<float> random_images(const Net& net, int64_t count) {
  Random random(42, "images");
  Tensor<float> images({count, net.size, net.size, net.channels});
  for (float& x : images) x = static_cast<float>(random.normal());
  return images;
}

// Forward, cross-entropy, backward, Adam, on one batch that is in memory already.
void train(benchmark::State& state, const Net& net, int64_t batch) {
  set_thread_count(static_cast<int>(state.range(0)));
  Random random(42, "weights");
  const auto model = net.make(random);
  Adam adam(model->parameters(), {});
  const Variable images = Variable::constant(random_images(net, batch));
  std::vector<uint8_t> labels(static_cast<size_t>(batch));
  for (uint8_t& label : labels) label = static_cast<uint8_t>(random.below(10));
  for (auto _ : state) {
    adam.zero_grad();
    const Variable loss = softmax_cross_entropy((*model)(images), labels);
    backward(loss);
    adam.step(1e-3);
  }
  state.SetItemsProcessed(state.iterations() * batch);
}

Graph folded_graph(const Net& net) {
  Random random(42, "weights");
  const auto model = net.make(random);
  Graph graph = trace(*model, {1, net.size, net.size, net.channels});
  run_passes(graph);
  return graph;
}

template <typename Executor>
void infer(benchmark::State& state, const Executor& executor, const Net& net, int64_t batch) {
  set_thread_count(static_cast<int>(state.range(0)));
  const Tensor<float> images = random_images(net, batch);
  Tensor<float> logits({batch, 10});
  Workspace workspace = executor.make_workspace(batch);
  for (auto _ : state) {
    executor.run(images.data(), batch, logits.data(), workspace);
    benchmark::DoNotOptimize(logits.data());
  }
  state.SetItemsProcessed(state.iterations() * batch);
}

void infer_float(benchmark::State& state, const Net& net, int64_t batch) {
  infer(state, FloatExecutor(folded_graph(net)), net, batch);
}

void infer_int8(benchmark::State& state, const Net& net, int64_t batch) {
  const FloatExecutor reference(folded_graph(net));
  const QuantizedModel model(quantize(reference.graph(), calibrate(reference, random_images(net, 64))));
  infer(state, model, net, batch);
}

void register_all() {
  const auto threads = [](benchmark::internal::Benchmark* b) {
    b->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime();
  };
  for (const Net& net : kNets) {
    const std::string name = net.name;
    threads(benchmark::RegisterBenchmark(("train/" + name + "/batch:128").c_str(), train, net, 128));
    for (int64_t batch : {1, 256}) {
      const std::string suffix = "/" + name + "/batch:" + std::to_string(batch);
      threads(benchmark::RegisterBenchmark(("fp32" + suffix).c_str(), infer_float, net, batch));
      threads(benchmark::RegisterBenchmark(("int8" + suffix).c_str(), infer_int8, net, batch));
    }
  }
}

}  // namespace
}  // namespace qlimit

int main(int argc, char** argv) {
  qlimit::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
