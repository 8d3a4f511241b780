// How fast batches of CIFAR-10's size are made. A training step takes tens of milliseconds, so a batch of 128
// in well under one keeps the loader out of the way. The images are made up: only their size matters.

#include <benchmark/benchmark.h>

#include "core/random.h"
#include "data/loader.h"

namespace qlimit {
namespace {

Dataset made_dataset(int64_t count, int64_t side, int64_t channels) {
  Dataset dataset{.images = Tensor<uint8_t>::uninitialized({count, side, side, channels}),
                  .labels = std::vector<uint8_t>(static_cast<size_t>(count)),
                  .class_names = {"only"},
                  .name = "made"};
  Random random(1, "loader benchmark");
  for (uint8_t& byte : dataset.images) byte = static_cast<uint8_t>(random.below(256));
  return dataset;
}

// Consumes without computing, so the time is that of preparing; CPU counts both threads, whoever else is
// running.
void run(benchmark::State& state, const Dataset& dataset, const LoaderOptions& options) {
  Loader loader(dataset, options);
  Batch batch;
  int64_t epoch = 0;
  loader.start_epoch(epoch);
  for (auto _ : state) {
    if (!loader.next(batch)) {
      loader.start_epoch(++epoch);
      loader.next(batch);
    }
    benchmark::DoNotOptimize(batch.images.data());
  }
  state.SetItemsProcessed(state.iterations() * options.batch_size);
}

void train_cifar(benchmark::State& state) {
  run(state, made_dataset(12'800, 32, 3),
      {.batch_size = state.range(0),
       .shuffle = true,
       .augmentation = {.pad = 4, .flip = true},
       .normalization = {.mean = {0.49, 0.48, 0.45}, .deviation = {0.25, 0.24, 0.26}}});
}

void evaluate_cifar(benchmark::State& state) {
  run(state, made_dataset(12'800, 32, 3), {.batch_size = state.range(0)});
}

void train_mnist(benchmark::State& state) {
  run(state, made_dataset(12'800, 28, 1), {.batch_size = state.range(0), .shuffle = true});
}

BENCHMARK(train_cifar)->Arg(128)->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime()->UseRealTime();
BENCHMARK(evaluate_cifar)->Arg(128)->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime()->UseRealTime();
BENCHMARK(train_mnist)->Arg(128)->Unit(benchmark::kMicrosecond)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace
}  // namespace qlimit
