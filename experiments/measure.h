// What a model is worth: right answers, time for one image, images per second. The same three measures for
// all engines: the training graph, the compiled float graph and the integer model.
//
//   const Evaluation result = evaluate(engine, cifar.test, normalization);
//   const Spread microseconds = measure_latency(engine, first_images(cifar.test, normalization, 64), 1000);
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/normalize.h"
#include "experiments/statistics.h"
#include "layers/layer.h"

namespace qlimit {

/// Something that answers for images: normalized [N,H,W,C] -> logits [N,K].
struct Engine {
  std::string name;
  std::function<Tensor<float>(const Tensor<float>& images)> run;
};

/// The model as it was trained, without a tape: each operation by itself, batch norm included. Puts the model
/// into evaluation mode, where it must stay while the engine is used; it must also outlive the engine.
Engine training_graph(Layer& model);

/// The answers of an engine for a whole data set.
struct Evaluation {
  std::vector<uint8_t> predictions;  // N classes
  std::vector<uint8_t> outcomes;     // N, 1 if right, for McNemar's test
  std::vector<int64_t> confusion;    // [K,K]: confusion[truth * K + prediction]
  double accuracy = 0;               // share in [0,1]
  double standard_error = 0;         // of the accuracy
};

/// Answers all images in batches. Throws kUsage if there are not as many logits as classes.
Evaluation evaluate(const Engine& engine, const Dataset& dataset, const Normalization& normalization);

/// The first `count` images of a data set (fewer if it has fewer), normalized, as one batch.
Tensor<float> first_images(const Dataset& dataset, const Normalization& normalization, int64_t count);

/// Microseconds of one call of something that is called `calls` times, after a tenth as many to warm up; it
/// is given the number of the call. Throws kUsage if calls < 1.
Spread time_calls(int64_t calls, const std::function<void(int64_t call)>& body);

/// Seconds of one call that does much: the median of `calls` calls after one to warm up, or of fewer if they
/// last longer than a second, but of five at least.
double time_large_calls(int64_t calls, const std::function<void()>& body);

/// time_calls for one image, [1,H,W,C] in and logits out; the calls take images: [N,H,W,C] in turn.
Spread measure_latency(const Engine& engine, const Tensor<float>& images, int64_t calls);

/// Images per second with `images` as one batch (time_large_calls).
double measure_throughput(const Engine& engine, const Tensor<float>& images, int64_t calls);

}  // namespace qlimit
