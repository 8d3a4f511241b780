#include "quant/training/moving_range.h"

#include <array>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "quant/activation.h"

namespace qlimit {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr Range kNothing = {.min = kInfinity, .max = -kInfinity};

Range both(Range a, Range b) {
  return {.min = b.min < a.min ? b.min : a.min, .max = b.max > a.max ? b.max : a.max};
}

Range range_of_stretch(const float* x, int64_t count) {
  constexpr int64_t kLanes = 16;  // side by side, so that a compiler makes vectors of them
  std::array<float, kLanes> least, most;
  least.fill(kInfinity);
  most.fill(-kInfinity);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float v = x[i + static_cast<int64_t>(lane)];
      least[lane] = v < least[lane] ? v : least[lane];
      most[lane] = v > most[lane] ? v : most[lane];
    }
  }
  Range range = kNothing;
  for (size_t lane = 0; lane < kLanes; ++lane) range = both(range, {least[lane], most[lane]});
  for (; i < count; ++i) range = both(range, {x[i], x[i]});
  return range;
}

}  // namespace

Range range_of(const Tensor<float>& x, Activation activation) {
  std::vector<Range> parts(static_cast<size_t>(chunk_count(x.size(), kElementGrain)));
  parallel_chunks(x.size(), kElementGrain, [&](int64_t chunk, int64_t begin, int64_t end) {
    parts[static_cast<size_t>(chunk)] = range_of_stretch(x.data() + begin, end - begin);
  });
  Range range = kNothing;
  for (const Range& part : parts) range = both(range, part);
  if (range.min > range.max) return range;      // nothing that an activation could bound
  const Bounds bounds = bounds_of(activation);  // an activation does not change the order of numbers
  return {.min = bounds.clamp(range.min), .max = bounds.clamp(range.max)};
}

void follow(Tensor<Real>& range, Range seen, double smoothing) {
  range[0] = static_cast<Real>(smoothing * range[0] + (1 - smoothing) * seen.min);
  range[1] = static_cast<Real>(smoothing * range[1] + (1 - smoothing) * seen.max);
}

}  // namespace qlimit
