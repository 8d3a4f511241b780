#include "core/kernels/channel.h"

#include <algorithm>

#include "core/kernels/table.h"
#include "core/parallel.h"

namespace qlimit {
namespace {

// Rows of a chunk: about 16 Ki elements, which stay in the L1 or L2 cache between two passes.
int64_t chunk_rows(int64_t channels) { return std::max<int64_t>(1, 16384 / channels); }

// The longest block of per-channel values that a kernel reads from any channel on (vector/channel.h).
constexpr int64_t kLongestBlock = 64;

// Continues values[channels] with the first ones again, kLongestBlock times.
void repeat_pattern(int64_t channels, Real* values) {
  for (int64_t i = 0; i < kLongestBlock; ++i) values[channels + i] = values[i];
}

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

Tensor<Real> to_tensor(const Shape& shape, const std::vector<double>& values) {
  return Tensor<Real>(shape, std::vector<Real>(values.begin(), values.end()));
}

ChannelMomentParts::ChannelMomentParts(int64_t parts, int64_t channels)
    : channels_(channels),
      rows_(static_cast<size_t>(parts)),
      sums_(Tensor<Real>::uninitialized({parts, channels})),
      means_(Tensor<Real>::uninitialized({parts, channels + kLongestBlock})),
      squares_(Tensor<Real>::uninitialized({parts, channels})) {}

void ChannelMomentParts::take(int64_t part, int64_t rows, const Real* x) {
  Real* sums = sums_.data() + part * channels_;
  Real* means = means_.data() + part * (channels_ + kLongestBlock);
  kernels().channel_sums(rows, channels_, x, sums);
  // The deviations are taken from the very number that is merged later, rounded to Real as it is.
  for (int64_t c = 0; c < channels_; ++c) {
    means[c] = static_cast<Real>(static_cast<double>(sums[c]) / static_cast<double>(rows));
  }
  repeat_pattern(channels_, means);
  kernels().channel_squares(rows, channels_, x, means, squares_.data() + part * channels_);
  rows_[static_cast<size_t>(part)] = rows;
}

ChannelMoments ChannelMomentParts::merged() const {
  ChannelMoments total{std::vector<double>(static_cast<size_t>(channels_)),
                       std::vector<double>(static_cast<size_t>(channels_))};
  double merged = 0;
  for (size_t part = 0; part < rows_.size(); ++part) {
    const double count = static_cast<double>(rows_[part]);
    const auto row = static_cast<int64_t>(part);
    for (int64_t c = 0; c < channels_; ++c) {
      const size_t at = static_cast<size_t>(c);
      const double delta = static_cast<double>(means_(row, c)) - total.mean[at];
      total.mean[at] += delta * count / (merged + count);
      total.variance[at] +=
          static_cast<double>(squares_(row, c)) + delta * delta * merged * count / (merged + count);
    }
    merged += count;
  }
  for (double& v : total.variance) v /= merged;
  return total;
}

ChannelMoments channel_moments(int64_t rows, int64_t channels, const Real* x) {
  const int64_t grain = chunk_rows(channels);
  ChannelMomentParts parts(chunk_count(rows, grain), channels);
  parallel_chunks(rows, grain, [&](int64_t chunk, int64_t begin, int64_t end) {
    parts.take(chunk, end - begin, x + begin * channels);
  });
  return parts.merged();
}

ChannelPattern::ChannelPattern(const std::vector<double>& values) {
  pattern_.assign(values.begin(), values.end());
  pattern_.resize(values.size() + kLongestBlock);
  repeat_pattern(static_cast<int64_t>(values.size()), pattern_.data());
}

ChannelMap::ChannelMap(const std::vector<double>& scale, const std::vector<double>& shift, Real low,
                       Real high)
    : channels_(static_cast<int64_t>(scale.size())), scale_(scale), shift_(shift), low_(low), high_(high) {}

ChannelMap::ChannelMap(int64_t channels, Real low, Real high)
    : ChannelMap(std::vector<double>(static_cast<size_t>(channels), 1.0),
                 std::vector<double>(static_cast<size_t>(channels), 0.0), low, high) {}

ChannelMapGradient::ChannelMapGradient(const std::vector<double>& upstream_scale,
                                       const std::vector<double>& x_scale, const std::vector<double>& shift)
    : upstream_scale_(upstream_scale), x_scale_(x_scale), shift_(shift) {}

ChannelMapGradient::ChannelMapGradient(int64_t channels)
    : ChannelMapGradient(std::vector<double>(static_cast<size_t>(channels), 1.0),
                         std::vector<double>(static_cast<size_t>(channels), 0.0),
                         std::vector<double>(static_cast<size_t>(channels), 0.0)) {}

ChannelGradientSums channel_gradient_sums(int64_t rows, const Real* x, const std::vector<double>& mean,
                                          const ChannelMap& map, const Real* upstream) {
  const int64_t channels = map.channels();
  const ChannelPattern means(mean);
  std::vector<double> sums =
      sum_chunks(rows, channels, 2 * channels, [&](int64_t begin, int64_t count, Real* to) {
        kernels().channel_gradient_sums(count, channels, x + begin * channels, means.data(), map.mapping(),
                                        upstream + begin * channels, to);
      });
  const auto middle = sums.begin() + channels;
  return {{sums.begin(), middle}, {middle, sums.end()}};
}

void channel_map(int64_t rows, const Real* x, const ChannelMap& map, Real* y) {
  const int64_t channels = map.channels();
  parallel_for(rows, chunk_rows(channels), [&](int64_t begin, int64_t end) {
    const int64_t at = begin * channels;
    kernels().channel_map(end - begin, channels, x + at, map.mapping(), y + at);
  });
}

void channel_map_backward(int64_t rows, const Real* x, const ChannelMap& map, const Real* upstream,
                          const ChannelMapGradient& gradient, Real* dx) {
  const int64_t channels = map.channels();
  parallel_for(rows, chunk_rows(channels), [&](int64_t begin, int64_t end) {
    const int64_t at = begin * channels;
    kernels().channel_map_backward(end - begin, channels, x + at, map.mapping(), upstream + at,
                                   gradient.mapping(), dx + at);
  });
}

}  // namespace qlimit
