#include "core/kernels/channel.h"

#include <algorithm>

#include "core/kernels/channel_pattern.h"
#include "core/kernels/table.h"
#include "core/parallel.h"

namespace qlimit {
namespace {

// Rows of a chunk: about 16 Ki elements, which stay in the first or second cache between two passes.
int64_t chunk_rows(int64_t channels) { return std::max<int64_t>(1, 16384 / channels); }

// partial(begin row, row count, sums) for each chunk, then the sums of all chunks, in order.
template <typename Partial>
std::vector<double> sum_chunks(int64_t rows, int64_t channels, int64_t values, const Partial& partial) {
  const int64_t grain = chunk_rows(channels);
  Tensor<Real> sums = Tensor<Real>::uninitialized({chunk_count(rows, grain), values});
  parallel_chunks(rows, grain, [&](int64_t chunk, int64_t begin, int64_t end) {
    partial(begin, end - begin, sums.data() + chunk * values);
  });
  std::vector<double> total(static_cast<size_t>(values), 0.0);
  for (int64_t i = 0; i < sums.size(); ++i)
    total[static_cast<size_t>(i % values)] += static_cast<double>(sums[i]);
  return total;
}

}  // namespace

std::vector<double> channel_sums(int64_t rows, int64_t channels, const Real* x) {
  return sum_chunks(rows, channels, channels, [&](int64_t begin, int64_t count, Real* sums) {
    kernels().channel_sums(count, channels, x + begin * channels, sums);
  });
}

ChannelMoments channel_moments(int64_t rows, int64_t channels, const Real* x) {
  const int64_t grain = chunk_rows(channels);
  const int64_t chunks = chunk_count(rows, grain);
  Tensor<double> means = Tensor<double>::uninitialized({chunks, channels});
  Tensor<double> squares = Tensor<double>::uninitialized({chunks, channels});
  parallel_chunks(rows, grain, [&](int64_t chunk, int64_t begin, int64_t end) {
    std::vector<Real> sums(static_cast<size_t>(channels));
    const Real* from = x + begin * channels;
    kernels().channel_sums(end - begin, channels, from, sums.data());
    std::vector<double> mean(sums.begin(), sums.end());
    // The deviations must be taken from the very number that is merged below, so it is rounded to Real here.
    for (double& m : mean) m = static_cast<Real>(m / static_cast<double>(end - begin));
    kernels().channel_squares(end - begin, channels, from, ChannelPattern(mean).data(), sums.data());
    std::copy(mean.begin(), mean.end(), means.data() + chunk * channels);
    std::copy(sums.begin(), sums.end(), squares.data() + chunk * channels);
  });

  ChannelMoments total{std::vector<double>(static_cast<size_t>(channels)),
                       std::vector<double>(static_cast<size_t>(channels))};
  double merged = 0;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    const double count = static_cast<double>(std::min(grain, rows - chunk * grain));
    for (int64_t c = 0; c < channels; ++c) {
      const size_t at = static_cast<size_t>(c);
      const double delta = means(chunk, c) - total.mean[at];
      total.mean[at] += delta * count / (merged + count);
      total.variance[at] += squares(chunk, c) + delta * delta * merged * count / (merged + count);
    }
    merged += count;
  }
  for (double& v : total.variance) v /= static_cast<double>(rows);
  return total;
}

ChannelMap ChannelMap::clamp(int64_t channels, Real low, Real high) {
  const auto size = static_cast<size_t>(channels);
  return {std::vector<double>(size, 1.0), std::vector<double>(size, 0.0), low, high};
}

ChannelMapGradient ChannelMapGradient::identity(int64_t channels) {
  const auto size = static_cast<size_t>(channels);
  return {std::vector<double>(size, 1.0), std::vector<double>(size, 0.0), std::vector<double>(size, 0.0)};
}

ChannelGradientSums channel_gradient_sums(int64_t rows, int64_t channels, const Real* x,
                                          const std::vector<double>& mean, const ChannelMap& map,
                                          const Real* upstream) {
  const ChannelPattern means(mean);
  const MapPattern pattern(map);
  std::vector<double> sums =
      sum_chunks(rows, channels, 2 * channels, [&](int64_t begin, int64_t count, Real* to) {
        kernels().channel_gradient_sums(count, channels, x + begin * channels, means.data(),
                                        pattern.mapping(), upstream + begin * channels, to);
      });
  const auto middle = sums.begin() + channels;
  return {{sums.begin(), middle}, {middle, sums.end()}};
}

void channel_map(int64_t rows, int64_t channels, const Real* x, const ChannelMap& map, Real* y) {
  const MapPattern pattern(map);
  parallel_for(rows, chunk_rows(channels), [&](int64_t begin, int64_t end) {
    const int64_t at = begin * channels;
    kernels().channel_map(end - begin, channels, x + at, pattern.mapping(), y + at);
  });
}

void channel_map_backward(int64_t rows, int64_t channels, const Real* x, const ChannelMap& map,
                          const Real* upstream, const ChannelMapGradient& gradient, Real* dx) {
  const MapPattern pattern(map);
  const MapGradientPattern gradients(gradient);
  parallel_for(rows, chunk_rows(channels), [&](int64_t begin, int64_t end) {
    const int64_t at = begin * channels;
    kernels().channel_map_backward(end - begin, channels, x + at, pattern.mapping(), upstream + at,
                                   gradients.mapping(), dx + at);
  });
}

}  // namespace qlimit
