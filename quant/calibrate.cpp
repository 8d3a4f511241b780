#include "quant/calibrate.h"

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "core/parallel.h"
#include "quant/recording.h"

namespace qlimit {

Ranges calibrate(const FloatExecutor& executor, const Tensor<float>& images,
                 const CalibrationOptions& options) {
  run_count(executor.graph(), images.shape());  // checks the shape
  if (options.batch < 1) {
    throw Error(
        ErrorKind::kUsage,
        {.what = "a batch needs at least one image", .where = "calibrate", .found = concat(options.batch)});
  }
  const std::vector<Value>& values = executor.graph().values;
  std::vector<std::unique_ptr<Observer>> observers(values.size());
  const std::vector<int> widths = activation_widths(executor.graph(), options.observer.bits);
  for (size_t id = 0; id < values.size(); ++id) {
    if (values[id].is_constant()) continue;
    ObserverOptions observer = options.observer;
    observer.bits = widths[id];
    observers[id] = make_observer(observer);
  }

  for_each_batch(executor.graph(), images, options.batch, [&](const Tensor<float>& batch) {
    const std::vector<Tensor<float>> activations = record_activations<float>(executor, batch);
    parallel_for(static_cast<int64_t>(observers.size()), 1, [&](int64_t id, int64_t) {
      const auto i = static_cast<size_t>(id);
      if (observers[i]) observers[i]->observe(activations[i].data(), activations[i].size());
    });
  });

  Ranges ranges(values.size());
  parallel_for(static_cast<int64_t>(observers.size()), 1, [&](int64_t id, int64_t) {
    const auto i = static_cast<size_t>(id);
    if (!observers[i]) return;
    if (observers[i]->not_finite() > 0) {
      throw Error(ErrorKind::kNumeric, {.what = "an activation is not finite",
                                        .where = values[i].name,
                                        .found = concat(observers[i]->not_finite(), " of its numbers"),
                                        .hint = "did the training diverge, or an image hold no number?"});
    }
    ranges[i] = observers[i]->range();
  });
  return ranges;
}

}  // namespace qlimit
