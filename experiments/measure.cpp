#include "experiments/measure.h"

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "data/loader.h"
#include "experiments/train.h"

namespace qlimit {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kEvaluationBatch = 250;
constexpr double kThroughputSeconds = 1;
constexpr int64_t kFewestBatches = 5;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

Engine training_graph(Layer& model) {
  model.set_training(false);
  return {.name = "training graph", .run = [&model](const Tensor<float>& images) {
            const TapeOff tape_off;
            return model(Variable::constant(images)).value();
          }};
}

Evaluation evaluate(const Engine& engine, const Dataset& dataset, const Normalization& normalization) {
  const int64_t classes = dataset.classes();
  Evaluation result;
  result.confusion.resize(static_cast<size_t>(classes * classes));
  Loader loader(dataset, {.batch_size = kEvaluationBatch, .normalization = normalization});
  loader.start_epoch(0);
  for (Batch batch; loader.next(batch);) {
    const Tensor<float> logits = engine.run(batch.images);
    if (logits.shape() != Shape({batch.size(), classes})) {
      throw Error(ErrorKind::kUsage, {.what = "a model's answers do not fit the classes of " + dataset.name,
                                      .where = engine.name,
                                      .expected = Shape({batch.size(), classes}).to_string(),
                                      .found = logits.shape().to_string()});
    }
    const std::vector<uint8_t> predicted = predicted_classes(logits);
    for (size_t i = 0; i < predicted.size(); ++i) {
      result.predictions.push_back(predicted[i]);
      result.outcomes.push_back(predicted[i] == batch.labels[i]);
      ++result.confusion[static_cast<size_t>(batch.labels[i] * classes + predicted[i])];
    }
  }
  const auto correct = std::count(result.outcomes.begin(), result.outcomes.end(), 1);
  result.accuracy = static_cast<double>(correct) / static_cast<double>(dataset.size());
  result.standard_error = proportion_standard_error(result.accuracy, dataset.size());
  return result;
}

Tensor<float> first_images(const Dataset& dataset, const Normalization& normalization, int64_t count) {
  Loader loader(take(dataset, count), {.batch_size = count, .normalization = normalization});
  loader.start_epoch(0);
  Batch batch;
  loader.next(batch);
  return batch.images;
}

Spread time_calls(int64_t calls, const std::function<void(int64_t)>& body) {
  if (calls < 1) throw Error(ErrorKind::kUsage, {.what = "no calls to time", .found = concat(calls)});
  std::vector<double> microseconds;
  const int64_t warm_up = (calls + 9) / 10;
  for (int64_t call = 0; call < warm_up + calls; ++call) {
    const Clock::time_point start = Clock::now();
    body(call);
    const double seconds = seconds_since(start);
    if (call >= warm_up) microseconds.push_back(1e6 * seconds);
  }
  return spread(microseconds);
}

double time_large_calls(int64_t calls, const std::function<void()>& body) {
  body();  // warms up
  std::vector<double> seconds;
  const Clock::time_point start = Clock::now();
  for (int64_t call = 0; call < std::max(calls, kFewestBatches); ++call) {
    if (call >= kFewestBatches && seconds_since(start) > kThroughputSeconds) break;
    const Clock::time_point call_start = Clock::now();
    body();
    seconds.push_back(seconds_since(call_start));
  }
  return quantile(seconds, 0.5);
}

Spread measure_latency(const Engine& engine, const Tensor<float>& images, int64_t calls) {
  const int64_t size = images.size() / images.dim(0);
  std::vector<Tensor<float>> singles;
  for (int64_t i = 0; i < images.dim(0); ++i) {
    singles.push_back(Tensor<float>({1, images.dim(1), images.dim(2), images.dim(3)}));
    std::copy_n(images.data() + i * size, size, singles.back().data());
  }
  Tensor<float> logits;
  return time_calls(
      calls, [&](int64_t call) { logits = engine.run(singles[static_cast<size_t>(call) % singles.size()]); });
}

double measure_throughput(const Engine& engine, const Tensor<float>& images, int64_t calls) {
  Tensor<float> logits;
  return static_cast<double>(images.dim(0)) / time_large_calls(calls, [&] { logits = engine.run(images); });
}

}  // namespace qlimit
