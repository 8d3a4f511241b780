// The three networks at work: a training step, and inference, ours and other libraries' in turn.
//
//   tests/run --bench --benchmark_filter=train
//   tests/run --bench --benchmark_filter=int8/micro/batch:1/      ours ("qlimit") and the peers
//
// items_per_second is images per second. int8 inference goes from stored int8 images to int8 results, as that
// of the peers does; "qlimit_float_borders" quantizes the images and dequantizes the results besides.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <memory>
#include <string>

#include "core/memory.h"
#include "core/parallel.h"
#include "layers/softmax_cross_entropy.h"
#include "optim/adam.h"
#include "quant/float_executor.h"
#include "quant/quantized_model.h"
#include "tests/bench/nets.h"
#include "tests/bench/peers/peers.h"

namespace qlimit {
namespace {

struct Work {
  const Net& net;
  int64_t batch;
  int threads;
};

double resident_mib() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

const double kResidentAtStart = resident_mib();

// Times `body`; counts images, and how often memory was asked for: never, in what runs again and again.
template <typename Body>
void measure(benchmark::State& state, const Work& work, const Body& body) {
  body();
  const int64_t allocations = memory_statistics().system_allocations;
  for (auto _ : state) body();
  state.SetItemsProcessed(state.iterations() * work.batch);
  state.counters["allocations"] = static_cast<double>(memory_statistics().system_allocations - allocations);
}

// Forward, cross-entropy, backward, Adam, on one batch that is in memory already. resident_MiB is what the
// process has ever had more than at its start: of this training, if it ran nothing else.
void train(benchmark::State& state, const Work& work) {
  set_thread_count(work.threads);
  release_cached_memory();
  restart_peak_memory();
  Random random(42, "weights");
  const auto model = work.net.make(random);
  Adam adam(model->parameters(), {});
  const Variable images = Variable::constant(random_images(work.net, work.batch));
  std::vector<uint8_t> labels(static_cast<size_t>(work.batch));
  for (uint8_t& label : labels) label = static_cast<uint8_t>(random.below(10));
  measure(state, work, [&] {
    adam.zero_grad();
    const Variable loss = softmax_cross_entropy((*model)(images), labels);
    backward(loss);
    adam.step(1e-3);
  });
  state.counters["tensors_MiB"] = static_cast<double>(memory_statistics().peak_bytes_in_use) / (1 << 20);
  state.counters["resident_MiB"] = resident_mib() - kResidentAtStart;
}

// An executor between float borders, or the float executor.
template <typename Executor>
void infer(benchmark::State& state, const Work& work, const Executor& executor) {
  set_thread_count(work.threads);
  const Tensor<float> images = random_images(work.net, work.batch);
  Tensor<float> logits({work.batch, 10});
  Workspace workspace = executor.make_workspace(work.batch);
  measure(state, work, [&] {
    executor.run(images.data(), work.batch, logits.data(), workspace);
    benchmark::DoNotOptimize(logits.data());
  });
}

void infer_float(benchmark::State& state, const Work& work) {
  infer(state, work, FloatExecutor(folded_graph(work.net)));
}

void infer_int8_between_floats(benchmark::State& state, const Work& work) {
  infer(state, work, QuantizedModel(quantized_graph(work.net)));
}

void infer_int8(benchmark::State& state, const Work& work) {
  set_thread_count(work.threads);
  const QuantizedModel model(quantized_graph(work.net));
  const Tensor<int8_t> images = random_int8_images(work.net, work.batch);
  Tensor<int8_t> logits({work.batch, 10});
  Workspace workspace = model.make_workspace(work.batch);
  measure(state, work, [&] {
    model.run_stored(images.data(), work.batch, logits.data(), workspace);
    benchmark::DoNotOptimize(logits.data());
  });
}

void infer_peer_float(benchmark::State& state, const Work& work, const Peer& peer) {
  const auto net = peer.make_float(folded_graph(work.net), random_images(work.net, work.batch), work.threads);
  measure(state, work, [&] { net->run(); });
}

void infer_peer_int8(benchmark::State& state, const Work& work, const Peer& peer) {
  const auto net =
      peer.make_int8(quantized_graph(work.net), random_int8_images(work.net, work.batch), work.threads);
  measure(state, work, [&] { net->run(); });
}

template <typename Function, typename... Arguments>
void add(const std::string& kind, const Work& work, const std::string& who, const Function& function,
         const Arguments&... arguments) {
  const std::string name = kind + "/" + work.net.name + "/batch:" + std::to_string(work.batch) +
                           "/threads:" + std::to_string(work.threads) + "/" + who;
  benchmark::RegisterBenchmark(name.c_str(), function, work, arguments...)
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

void register_all() {
  for (const Net& net : nets()) {
    for (int threads : {1, 2}) {
      add("train", {net, 128, threads}, "qlimit", train);
      for (int64_t batch : {1, 256}) {
        const Work work = {net, batch, threads};
        add("fp32", work, "qlimit", infer_float);
        add("int8", work, "qlimit", infer_int8);
        add("int8", work, "qlimit_float_borders", infer_int8_between_floats);
        for (const Peer& peer : peers()) {
          add("fp32", work, peer.name, infer_peer_float, peer);
          add("int8", work, peer.name, infer_peer_int8, peer);
        }
      }
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
